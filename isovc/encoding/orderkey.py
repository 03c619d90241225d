"""Keys as bytes that sort as SQLite sorts the values (BINARY collation, UTF-8). Knows nothing of trees or tables.

Each cell begins with a tag; the tags sort as SQLite's storage classes do:

    05                          NULL
    1f + double                 a number below -2^63
    20 + 8 bytes                -2^63 <= number < 0: its floor, two's complement
    21 + 8 bytes                0 <= number < 2^63: its floor
    22 + double                 a number of 2^63 or more
    30 + bytes + 00             text; a 00 inside becomes 00 ff
    40 + bytes + 00             blob, likewise

A float with a fraction adds `f3 + double` behind its floor. SQLite takes 5 and 5.0 for the same key, so nothing
inside the cells may tell them apart; what they were is told behind the last cell, three bytes (cell number, class)
for each float without a fraction. `double` is the IEEE bits with the sign bit flipped (all bits, where negative),
which sorts as numbers do.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import repeat
from math import floor, isnan
from typing import Any

from isovc.errors import NotCanonical, NotStorable

_NULL = b"\x05"
_BELOW, _NEGATIVE, _POSITIVE, _ABOVE = 0x1F, 0x20, 0x21, 0x22
_TEXT, _BLOB = 0x30, 0x40
_INTEGER_TAGS = (bytes([_NEGATIVE]), bytes([_POSITIVE]))
_FRACTION = b"\xf3"
_WHOLE, _MINUS_ZERO = 1, 2  # classes of floats without a fraction, told behind the cells

_integer = struct.Struct(">Bq").pack
_bits = struct.Struct(">d")
_word = struct.Struct(">Q")
_SIGN = 1 << 63
_ALL = (1 << 64) - 1


def encode_key(cells: Sequence[Any]) -> bytes:
    """One key. `encode_keys` is the same for many, and faster."""
    parts: list[bytes] = []
    behind = b""
    for place, value in enumerate(cells):
        kind = type(value)
        if kind is int:
            if not -_SIGN <= value < _SIGN:
                raise NotStorable(what=f"the key {value}", why="it does not fit into 64 bits")
            parts.append(_integer(_POSITIVE if value >= 0 else _NEGATIVE, value))
        elif kind is str:
            parts.append(_escaped(_TEXT, _utf8(value)))
        elif value is None:
            parts.append(_NULL)
        elif kind is bytes:
            parts.append(_escaped(_BLOB, value))
        elif kind is float:
            cell, float_class = _float(value)
            parts.append(cell)
            if float_class:
                # two bytes for the place: a table has at most 32,767 columns, whatever SQLite was compiled with
                behind += place.to_bytes(2, "big") + bytes([float_class])
        else:
            raise NotStorable(what=f"a key of type {kind.__name__}", why="SQLite has no storage class for it")
    return b"".join(parts) + behind


def encode_keys(columns: Sequence[Sequence[Any]]) -> list[bytes]:
    """Keys of many rows, given column by column."""
    if len(columns) == 1:
        column = columns[0]
        fast = _integers(column)
        if fast is not None:
            return fast
        if set(map(type, column)) == {str}:
            return [_escaped(_TEXT, _utf8(value)) for value in column]
    return list(map(encode_key, zip(*columns, strict=True)))


def decode_key(data: bytes, width: int) -> tuple[Any, ...]:
    """The cells of a key, exactly as they were."""
    try:
        cells: list[Any] = []
        at = 0
        for _ in range(width):
            value, at = _cell(data, at)
            cells.append(value)
        for behind in range(at, len(data), 3):
            place, float_class = int.from_bytes(data[behind : behind + 2], "big"), data[behind + 2]
            cells[place] = -0.0 if float_class == _MINUS_ZERO else float(cells[place])
        if encode_key(cells) == data:
            return tuple(cells)
    except (IndexError, struct.error, ValueError, TypeError, OverflowError, NotStorable):
        pass
    raise NotCanonical(what="a key", why=f"{data[:24].hex()} is none of ours")


def in_words(data: bytes) -> str:
    """A key for people, whatever its width and even if it is damaged."""
    cells: list[str] = []
    at = 0
    try:
        while at < len(data) and data[at] >= _NULL[0]:  # what tells floats from integers begins lower
            value, at = _cell(data, at)
            cells.append("NULL" if value is None else repr(value))
    except (IndexError, struct.error, ValueError):
        return data.hex()
    return ", ".join(cells)


def integer_bound(bound: bytes) -> int | None:
    """The integer that a bound stands behind, if it is the key of one, or that with ff behind it: among integers it
    can be compared as a number, which spares making keys of them."""
    is_one = bound[:1] in _INTEGER_TAGS and bound[9:] in (b"", b"\xff") and len(bound) >= 9
    return int.from_bytes(bound[1:9], "big", signed=True) if is_one else None


def _integers(column: Sequence[Any]) -> list[bytes] | None:
    """A column of nothing but integers, all of one sign: no step of Python a key."""
    if type(column[0]) is not int or set(map(type, column)) != {int}:
        return None
    low, high = min(column), max(column)
    if high >= _SIGN or low < -_SIGN or (low < 0 <= high):
        return None
    return list(map(_integer, repeat(_POSITIVE if low >= 0 else _NEGATIVE), column))


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise NotStorable(what="a text key", why=f"it holds a lone surrogate ({error.reason})") from None


def _escaped(tag: int, data: bytes) -> bytes:
    if 0 in data:
        data = data.replace(b"\0", b"\0\xff")
    return b"%c%b\0" % (tag, data)


def _float(value: float) -> tuple[bytes, int]:
    if isnan(value):
        raise NotStorable(what="the key NaN", why="SQLite keeps NULL in its place")
    if value < -_SIGN:
        return bytes([_BELOW]) + _sortable(value), 0
    if value >= _SIGN:
        return bytes([_ABOVE]) + _sortable(value), 0
    whole = floor(value)
    cell = _integer(_POSITIVE if whole >= 0 else _NEGATIVE, whole)
    if whole != value:
        return cell + _FRACTION + _sortable(value), 0
    return cell, _MINUS_ZERO if value == 0 and _bits.pack(value)[0] else _WHOLE


def _sortable(value: float) -> bytes:
    bits = int.from_bytes(_bits.pack(value), "big")
    return _word.pack(bits ^ (_ALL if bits & _SIGN else _SIGN))


def _unsortable(data: bytes) -> float:
    bits = int(_word.unpack(data)[0])
    value: float = _bits.unpack(_word.pack(bits ^ (_SIGN if bits & _SIGN else _ALL)))[0]
    return value


def _cell(data: bytes, at: int) -> tuple[Any, int]:
    tag = data[at]
    at += 1
    if tag == _NULL[0]:
        return None, at
    if tag in (_NEGATIVE, _POSITIVE):
        if data[at + 8 : at + 9] == _FRACTION:
            return _unsortable(data[at + 9 : at + 17]), at + 17
        if len(data) < at + 8:
            raise ValueError("cut short")
        return int.from_bytes(data[at : at + 8], "big", signed=True), at + 8
    if tag in (_BELOW, _ABOVE):
        return _unsortable(data[at : at + 8]), at + 8
    if tag not in (_TEXT, _BLOB):
        raise ValueError("no such tag")
    end = data.index(0, at)
    while data[end + 1 : end + 2] == b"\xff":
        end = data.index(0, end + 2)
    content = data[at:end].replace(b"\0\xff", b"\0")
    return (content.decode("utf-8", "surrogateescape") if tag == _TEXT else content), end + 1
