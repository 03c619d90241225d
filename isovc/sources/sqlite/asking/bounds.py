"""What a condition on key columns says about encoded keys: a stretch that holds every row that can meet it, and maybe
more, because SQLite looks at each row again. Pure; never touches a connection.

The stretch must never be too small, and SQLite hands over the right side of a comparison as it is, before affinities
count. So a term whose meaning cannot be known from the value alone bounds nothing:

    column    value             meaning
    a number  a number          as it is
    a number  text like -12     that number; other text that begins like a number: unknown; all else: text
    text      text              as it is; it may be held against numbers, which some text looks like and sorts below
    text      a number          unknown: a bare one counts as text, one out of a column makes numbers of the text
    none      number or text    as it is if it stands in the query itself, else unknown
    any       blob or NULL      as it is
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from isovc.encoding.orderkey import encode_key
from isovc.model import Value

Op = Literal["=", "IS", ">", ">=", "<", "<="]

NUMERIC = ("INTEGER", "REAL", "NUMERIC")
_PLAIN_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z")
_SPACES = " \t\n\v\f\r"
_BEGINS_LIKE_A_NUMBER = tuple("0123456789+-.")
_BEHIND_NUMBERS_IN_TEXT = b"\x30\x3a"  # text that looks like a number begins with a blank, a sign, a dot or a digit
_BEHIND = b"\xff"  # no byte that follows a cell is as great
_LEAST = -(1 << 63)


@dataclass(frozen=True, slots=True)
class Term:
    """`column OP value`: the column by its place in the key, with its affinity. `bare`: the value stands in the query
    itself, and has no affinity of its own."""

    place: int
    affinity: str
    op: Op
    value: Value
    bare: bool = False


Stretch = tuple[bytes | None, bytes | None]


def stretch(terms: Sequence[Term]) -> Stretch | None:
    """`after` < key <= `upto`; None: no row can meet the terms."""
    if any(term.value is None and term.op != "IS" for term in terms):
        return None  # a comparison with NULL is never true
    known = [(term, value) for term in terms for value in _meant(term)]
    equal = {term.place: value for term, value in known if term.op in ("=", "IS")}
    prefix, place, low = b"", 0, None
    while place in equal:
        low = _from(prefix, equal[place])
        prefix += _cell(equal[place])
        place += 1
    lows, highs = ([low], [prefix + _BEHIND]) if low is not None else ([], [])
    bounded = False
    for term, value in known:
        if term.place != place or term.op in ("=", "IS"):
            continue
        bounded = True
        if term.op in (">", ">="):
            above = isinstance(value, int) and term.op == ">"
            lows.append(prefix + _cell(value) if above else _from(prefix, value))
        else:
            highs.append(_upper(prefix, value, term))
    if bounded:
        lows.append(prefix + encode_key([None]) + _BEHIND)  # NULL is neither smaller nor greater than anything
    return max(lows, default=None), min(highs, default=None)


def _meant(term: Term) -> Sequence[Value]:
    """The value as the comparison takes it; nothing: that is not known."""
    value = term.value
    if value is None or isinstance(value, bytes):
        return (value,)
    if term.affinity in NUMERIC:
        if isinstance(value, str):
            bare = value.strip(_SPACES)
            if _PLAIN_INTEGER.match(bare):
                return (int(bare),)
            return () if bare.startswith(_BEGINS_LIKE_A_NUMBER) else (value,)
        return (value,)
    if term.affinity == "TEXT":
        return (value,) if isinstance(value, str) else ()
    return (value,) if term.bare else ()


def _cell(value: Value) -> bytes:
    """A key cell without what stands behind the last one: 5 and 5.0 are the same here."""
    if isinstance(value, float) and value.is_integer() and -(2.0**63) <= value < 2.0**63:
        value = int(value)
    return encode_key([value])


def _from(prefix: bytes, value: Value) -> bytes:
    """A bound below every key with this cell, and above nearly all others."""
    if isinstance(value, int) and value > _LEAST:
        # a bound that is a whole key and no more is found without making keys of all rows
        return prefix + _cell(value - 1) + _BEHIND
    return (prefix + _cell(value))[:-1]


def _upper(prefix: bytes, value: Value, term: Term) -> bytes:
    bound = prefix + _cell(value) + _BEHIND
    if term.affinity == "TEXT" and not term.bare:
        return max(bound, prefix + _BEHIND_NUMBERS_IN_TEXT)
    return bound
