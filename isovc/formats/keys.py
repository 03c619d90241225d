"""Keys of rows as people write them: the ways to write one, and the keys that some words can mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product

from isovc.errors import BadKey
from isovc.formats.delta import key_columns
from isovc.formats.json_values import decode_value, encode_value
from isovc.formats.typed import typed_value
from isovc.formats.words import key_shown, shown
from isovc.model import Column, Key, KeyKind, Table, Value
from isovc.sql import affinity

_PART = re.compile(r"\s*([xX]?'(?:[^']|'')*'|[^,]*?)\s*(,|\Z)", re.DOTALL)
_LARGEST = 1 << 63  # of an INTEGER; from there on numbers are not exact
_ENDLESS = ("inf", "-inf", "+inf")  # as `isovc sql` shows them
_ROWID = Column("rowid", "INTEGER")


def key_whole(key: Key) -> str:
    """A key as it is shown where people are to copy it, on one line: nothing is left out, and text has quotes.

    >>> key_whole((1, "it's")), key_whole(("two\\nlines",))
    ("1, 'it''s'", '["two\\\\nlines"]')
    """
    is_typed = all(cell.isprintable() for cell in key if isinstance(cell, str))
    return ", ".join(map(_whole, _named(key))) if is_typed else _as_json(key, ", ")


def exactly(key: Key) -> set[str]:
    """The ways to write a key that mean no other; one of them is the list that documents in JSON have.

    >>> sorted(exactly((1, "a b")))
    ["1, 'a b'", "1,'a b'", '[1, "a b"]', '[1,"a b"]']
    """
    cells = list(map(_whole, _named(key)))
    lists = {_as_json(some, mark) for some in (key, _named(key)) for mark in (",", ", ")}
    return {",".join(cells), ", ".join(cells), *lists}


def written(key: Key) -> set[str]:
    """The ways to write a key; some of them may be another key too.

    >>> sorted(written((1, "a b")) - exactly((1, "a b")))
    ['1, a b', '1,a b']
    """
    plain = [cell.hex() if isinstance(cell, bytes) else str(cell) for cell in _named(key)]
    return {*exactly(key), ",".join(plain), ", ".join(plain), key_shown(key)}


def _named(key: Key) -> Key:
    """Without the place for a rowid, where it is not needed."""
    return key[:-1] if len(key) > 1 and key[-1] is None else key


def _as_json(key: Key, mark: str) -> str:
    return json.dumps(list(map(encode_value, key)), ensure_ascii=False, separators=(mark, ": "))


def _whole(cell: Value) -> str:
    if isinstance(cell, str):
        return "'" + cell.replace("'", "''") + "'"
    return f"x'{cell.hex()}'" if isinstance(cell, bytes) else shown(cell)


def meant(said: str | Key, table: Table) -> Iterator[Key]:
    """The keys that some words can mean in a table, the likeliest first. A column of text takes `3` for text; commas
    stand between the columns of a key that has several. Values, one for each column, mean just themselves."""
    if isinstance(said, str):
        yield from _of_words(said, table)
    else:
        yield from _of_values(said, table)


def called(said: str | Key) -> str:
    """The same for messages."""
    return said if isinstance(said, str) else key_shown(said)


def _of_values(values: Key, table: Table) -> Iterator[Key]:
    """SQLite keeps whole numbers in a REAL column as fractions, and may keep fractions as whole numbers elsewhere."""
    declared = {column.name: column for column in table.columns}
    columns = [declared[name] for name in key_columns(table)] or [_ROWID]
    behind: Key = (None,) if table.key_kind is KeyKind.COLUMNS_OR_ROWID and len(values) == len(columns) else ()
    if len(values) + len(behind) != len(table.key):
        raise BadKey(table=table.name, text=key_shown(values), columns=[column.name for column in columns])
    ways = [_kept_as(value, column) for value, column in zip(values, columns, strict=False)]
    for key in product(*ways, *([value] for value in values[len(columns) :])):
        yield (*key, *behind)


def _kept_as(value: Value, column: Column) -> list[Value]:
    if isinstance(value, int) and affinity(column.type) == "REAL":
        return [float(value)]
    if isinstance(value, float) and abs(value) < _LARGEST and value.is_integer() and affinity(column.type) != "REAL":
        return [int(value), value]
    return [value]


def _of_words(text: str, table: Table) -> Iterator[Key]:
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
    for key in _listed(text, table):
        if not whole or type(key[0]) is int:
            found = True
            yield key
    if not found:
        raise BadKey(table=table.name, text=text, columns=[column.name for column in columns])


def _listed(text: str, table: Table) -> Iterator[Key]:
    """A key as documents in JSON have it."""
    if not text.startswith("["):
        return
    try:
        key = tuple(map(decode_value, json.loads(text)))
    except (ValueError, RecursionError):
        return
    behind = (None,) if table.key_kind is KeyKind.COLUMNS_OR_ROWID else ()
    if len(key) == len(table.key):
        yield key
    elif len(key) + len(behind) == len(table.key):
        yield (*key, *behind)


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
