"""One changed row as one SQL statement on one line, which changes exactly one row or, where it does not fit, none.

What names the row stands with `=`, what else must be there with `IS`, so that both can be told apart when read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from isovc.formats.delta import RowPatch, key_columns, namer, same
from isovc.formats.literals import LITERAL, exact_literal, value_of
from isovc.model import Key, KeyKind, Row, RowChange, Table, Value
from isovc.sql import name, names

_ROWIDS = ("rowid", "_rowid_", "oid")
_NAME = r'"(?:[^"]|"")*"'
_CELL = re.compile(rf"({_NAME}|{'|'.join(_ROWIDS)})|({LITERAL})", re.DOTALL)
_START = re.compile(rf"(?:DELETE FROM|UPDATE|INSERT INTO) ({_NAME})", re.DOTALL)
# Where a part of a statement begins is looked for only outside of quotes: names and texts may hold these words.
_PIECE = re.compile(rf"{_NAME}|{LITERAL}|\w+|[^\w\s]", re.DOTALL)
_WHOLE = re.compile(r"""(?:[^'"]|'(?:[^']|'')*'|"(?:[^"]|"")*")*;\n""")


class _Rowid(str):
    """The rowid's name, which is none of a column."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What names the rows of a table."""

    name: str
    key: tuple[str, ...]
    kind: KeyKind

    @classmethod
    def of(cls, table: Table) -> Layout:
        """Of a table."""
        return cls(table.name, table.key, table.key_kind)


class Writer:
    """Statements for the rows of one table, under the name it has when they are run."""

    def __init__(self, table: Table, called: str, encoding: str) -> None:
        self._table = name(called)
        self._encoding = encoding
        self._named = namer(table)
        self._width, self._key_width = len(table.cells), len(table.key)
        self._key = key_columns(table)
        self._has_rowid = len(self._key) < self._key_width
        self._rowid_name = rowid_name(table) if self._has_rowid else ""
        self._columns = list(self._named((None,) * self._width))
        self._binary = {column.name for column in table.columns if column.collation.upper() != "BINARY"}

    def delete(self, row: Row, key: Key) -> str:
        """The row goes; it must be as it is said."""
        return f"DELETE FROM {self._table} WHERE {self._row(key, self._named(row))};\n"

    def update(self, change: RowChange) -> str:
        """Cells of a row change."""
        there, after = change.before or (), self._named(change.after or ())
        # columns that have just been added hold NULL
        before = self._named((*there, *repeat(None, self._width - len(there))))
        changed = [column for column, value in after.items() if not same(before[column], value)]
        cells = ", ".join(f"{name(column)} = {self._said(after[column])}" for column in changed)
        old = {column: before[column] for column in changed}
        return f"UPDATE {self._table} SET {cells} WHERE {self._row(change.key, old)};\n"

    def insert(self, row: Row) -> str:
        """A row comes."""
        columns = names(self._columns)
        values = ", ".join(map(self._said, self._named(row).values()))
        rowid = row[self._key_width - 1] if self._has_rowid else None
        if rowid is not None:
            columns, values = f"{self._rowid_name}, {columns}", f"{self._said(rowid)}, {values}"
        return f"INSERT INTO {self._table} ({columns}) VALUES ({values});\n"

    def make_way(self, key: Key) -> str:
        """A row that only happens to have this rowid takes another one."""
        table, rowid = self._table, self._rowid_name
        free = f"(SELECT max({rowid}) + 1 FROM {table})"
        return f"UPDATE {table} SET {rowid} = {free} WHERE {rowid} = {self._said(key[-1])};\n"

    def _row(self, key: Key, cells: Mapping[str, Value]) -> str:
        declared = dict(zip(self._key, key, strict=False))
        if self._has_rowid and key[-1] is not None:
            terms, rest = [f"{self._rowid_name} = {self._said(key[-1])}"], {**declared, **cells}
        else:
            terms = [self._equal(column, value) for column, value in declared.items()]
            rest = {column: value for column, value in cells.items() if column not in declared}
        if len(rest) == 1:
            terms.append(f"{names(rest)} IS {self._said(next(iter(rest.values())))}")
        elif rest:
            terms.append(f"({names(rest)}) IS ({', '.join(map(self._said, rest.values()))})")
        return " AND ".join(terms)

    def _equal(self, column: str, value: Value) -> str:
        said = self._said(value)
        plain = f"{name(column)} = {said}"
        # the index finds the rows that are equal to it, BINARY picks the one
        return f"{plain} AND {name(column)} COLLATE BINARY = {said}" if column in self._binary else plain

    def _said(self, value: Value) -> str:
        return exact_literal(value, self._encoding)


def rowid_name(table: Table) -> str:
    """What the rowid is called in a table; empty where columns have all of its names."""
    taken = {column.name.lower() for column in table.columns}
    return next((word for word in _ROWIDS if word not in taken), "")


def is_whole(text: str) -> bool:
    """Whether a statement ends here; a name may hold line ends."""
    return text.endswith(";\n") and _WHOLE.fullmatch(text) is not None


def table_of(text: str) -> str | None:
    """The table that a statement is about; None: it is none of ours."""
    found = _START.match(text)
    return None if found is None else found[1][1:-1].replace('""', '"')


def decode_row(text: str, layout: Layout, encoding: str) -> RowPatch:
    """The change that a statement makes; ValueError where it is none of ours."""
    start = _START.match(text)
    if start is None:
        raise ValueError("it is no statement for a row")
    rest = text[start.end() :]
    if text.startswith("INSERT"):
        columns, values = _split(rest, "VALUES")
        cells = dict(zip(_cells(columns, encoding), _cells(values, encoding), strict=True))
        return _patch(layout, cells, None, cells)
    setting, where = _split(rest, "WHERE")
    named, there = _where(where, encoding)
    if text.startswith("DELETE"):
        return _patch(layout, {**named, **there}, {**named, **there}, None)
    _, setting = _split(setting, "SET")
    flat = _cells(setting, encoding)
    after = dict(zip(map(str, flat[::2]), flat[1::2], strict=True))
    before = {column: value for column, value in there.items() if column in after}
    return _patch(layout, {**named, **there}, before, after)


def _patch(
    layout: Layout, named: Mapping[Any, Value], before: Mapping[Any, Value] | None, after: Mapping[Any, Value] | None
) -> RowPatch:
    """The change, with the rowid in the key only."""
    rowid = next((value for cell, value in named.items() if isinstance(cell, _Rowid)), None)
    columns = layout.key if layout.kind in (KeyKind.INTEGER, KeyKind.COLUMNS) else layout.key[:-1]
    by_name = {str(cell): value for cell, value in named.items() if not isinstance(cell, _Rowid)}
    key = tuple(by_name.get(column) for column in columns)
    if len(columns) < len(layout.key):
        key = (*key, rowid)
    return RowPatch(layout.name, key, _named(before), _named(after))


def _named(cells: Mapping[Any, Value] | None) -> dict[str, Value] | None:
    if cells is None:
        return None
    return {str(cell): value for cell, value in cells.items() if not isinstance(cell, _Rowid)}


def _where(text: str, encoding: str) -> tuple[dict[Any, Value], dict[Any, Value]]:
    """What names the row, and what else must be there."""
    named: dict[Any, Value] = {}
    there: dict[Any, Value] = {}
    for term in _terms(text):
        if "IS" in term:
            at = term.index("IS")
            columns, values = _of(term[:at], encoding), _of(term[at + 1 :], encoding)
            there.update(zip(columns, values, strict=True))
        else:
            column, value = _of([piece for piece in term if piece not in ("COLLATE", "BINARY")], encoding)
            named[column] = value
    return named, there


def _terms(text: str) -> Iterable[list[str]]:
    term: list[str] = []
    for piece in _PIECE.findall(text):
        if piece == "AND":
            yield term
            term = []
        elif piece != ";":
            term.append(piece)
    yield term


def _split(text: str, word: str) -> tuple[str, str]:
    for found in _PIECE.finditer(text):
        if found[0] == word:
            return text[: found.start()], text[found.end() :]
    raise ValueError(f"it has no {word}")


def _cells(text: str, encoding: str) -> list[Any]:
    return _of(_PIECE.findall(text), encoding)


def _of(pieces: Sequence[str], encoding: str) -> list[Any]:
    """Names and values among other pieces."""
    found: list[Any] = []
    for piece in pieces:
        if piece in _ROWIDS:
            found.append(_Rowid(piece))
        elif piece[0] == '"':
            found.append(piece[1:-1].replace('""', '"'))
        elif _CELL.fullmatch(piece):
            found.append(value_of(piece, encoding))
    return found
