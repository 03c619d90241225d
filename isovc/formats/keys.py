"""Keys of rows as people write them: the ways to write one, and the keys that some words can mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from isovc.errors import BadKey
from isovc.formats.delta import key_columns
from isovc.formats.typed import typed_value
from isovc.formats.words import key_shown
from isovc.model import Column, Key, KeyKind, Table, Value
from isovc.sql import affinity

_PART = re.compile(r"\s*([xX]?'(?:[^']|'')*'|[^,]*?)\s*(,|\Z)", re.DOTALL)
_LARGEST = 1 << 63  # of an INTEGER; from there on numbers are not exact
_ENDLESS = ("inf", "-inf", "+inf")  # as `isovc sql` shows them
_ROWID = Column("rowid", "INTEGER")


def written(key: Key) -> set[str]:
    """The ways to write a key.

    >>> sorted(written((1, "a b")))
    ['1, a b', "1, 'a b'", '1,a b']
    """
    cells = key[:-1] if len(key) > 1 and key[-1] is None else key
    plain = [cell.hex() if isinstance(cell, bytes) else str(cell) for cell in cells]
    return {",".join(plain), ", ".join(plain), key_shown(key)}


def meant(text: str, table: Table) -> Iterator[Key]:
    """The keys that some words can mean in a table, the likeliest first. A column of text takes `3` for text; commas
    stand between the columns of a key that has several."""
    declared = {column.name: column for column in table.columns}
    columns = [declared[name] for name in key_columns(table)] or [_ROWID]
    may_end_with_rowid = table.key_kind is KeyKind.COLUMNS_OR_ROWID
    parts = _parts(text)
    ways: list[tuple[list[str], list[Column], tuple[Value, ...]]] = []
    behind = (None,) if may_end_with_rowid else ()
    if len(columns) == 1:
        ways.append(([text.strip()], columns, behind))
    elif len(parts) == len(columns):
        ways.append((parts, columns, behind))
    if may_end_with_rowid and len(parts) == len(columns) + 1:
        ways.append((parts, [*columns, _ROWID], ()))
    whole = table.key_kind in (KeyKind.INTEGER, KeyKind.ROWID)
    found = False
    for some, named, end in ways:
        for key in product(*(_values(part, column) for part, column in zip(some, named, strict=True))):
            if not whole or type(key[0]) is int:
                found = True
                yield (*key, *end)
    if not found:
        raise BadKey(table=table.name, text=text, columns=[column.name for column in columns])


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    at, more = 0, True
    while more:
        found = _PART.match(text, at)
        assert found is not None  # both of its parts match nothing, too
        parts.append(found[1])
        at, more = found.end(), bool(found[2])
    return parts


def _values(part: str, column: Column) -> list[Value]:
    """What a part of a key can mean in this column."""
    said, kind = typed_value(part), affinity(column.type)
    options: list[Value] = [said]
    if kind == "TEXT":
        options = [said if isinstance(said, (str, bytes)) else part, said]
    elif kind != "BLOB":
        number = typed_value(said) if isinstance(said, str) else said
        if isinstance(number, int) and kind == "REAL":
            number = float(number)
        elif isinstance(number, float) and kind != "REAL" and abs(number) < _LARGEST and number.is_integer():
            number = int(number)
        options = [number, said]
    elif re.fullmatch(r"(?:[0-9a-fA-F]{2})+", part):
        options.append(bytes.fromhex(part))
    if part.lower() in _ENDLESS:
        options.insert(0 if kind in ("REAL", "NUMERIC", "INTEGER") else len(options), float(part))
    once = {(type(each), each): each for each in (*options, part)}
    return list(once.values())
