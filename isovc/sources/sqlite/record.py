"""Decodes the key out of a record as it stands in an index page. Knows nothing of pages."""

from __future__ import annotations

import struct

from isovc.model import Key, KeyKind, Table, Value
from isovc.sources.sqlite.pagefile import varint

_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8)  # by serial type


def key_of(record: bytes, table: Table) -> Key:
    """The tree key of an index entry, or of a row of a table WITHOUT ROWID: its first cells. UTF-8 databases only."""
    if table.key_kind is KeyKind.COLUMNS_OR_ROWID:
        *cells, rowid = _cells(record, len(table.key))
        columns = _as_declared(cells, table)
        return (*columns, rowid if None in columns else None)
    return _as_declared(_cells(record, len(table.key)), table)


def _as_declared(cells: list[Value], table: Table) -> Key:
    # a REAL column keeps whole numbers as integers and gives them back as floats
    real = {column.name for column in table.columns if _is_real(column.type)}
    pairs = zip(table.key, cells, strict=False)
    return tuple(float(cell) if type(cell) is int and name in real else cell for name, cell in pairs)


def _is_real(declared: str) -> bool:
    """SQLite's rule: the first of these words in the type decides."""
    word = declared.upper()
    if any(part in word for part in ("INT", "CHAR", "CLOB", "TEXT", "BLOB")):
        return False
    return any(part in word for part in ("REAL", "FLOA", "DOUB"))


def _cells(record: bytes, count: int) -> list[Value]:
    body, at = varint(record, 0)
    cells: list[Value] = []
    for _ in range(count):
        kind, at = varint(record, at)
        cell, body = _cell(record, kind, body)
        cells.append(cell)
    return cells


def _cell(record: bytes, kind: int, at: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind <= 6:
        size = _INTEGER_BYTES[kind]
        return int.from_bytes(record[at : at + size], "big", signed=True), at + size
    if kind == 7:
        return struct.unpack_from(">d", record, at)[0], at + 8
    if kind <= 9:
        return kind - 8, at
    size = (kind - 12) // 2
    data = record[at : at + size]
    return (data.decode("utf-8", "surrogateescape") if kind % 2 else data), at + size
