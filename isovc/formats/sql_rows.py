"""One changed row as one SQL statement on one line, which changes exactly one row or, where it does not fit, none.

What names the row stands with `=`, what else must be there with `IS`, so that both can be told apart when read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isovc.formats.delta import RowPatch, by_column, same
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


@dataclass(frozen=True)
class Writer:
    """Statements for the rows of one table, under the name it has when they are run."""

    table: Table
    called: str
    encoding: str
    _binary: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        others = (column.name for column in self.table.columns if column.collation.upper() != "BINARY")
        object.__setattr__(self, "_binary", frozenset(others))

    def delete(self, row: Row, key: Key) -> str:
        """The row goes; it must be as it is said."""
        cells = by_column(self.table, row)
        return f"DELETE FROM {name(self.called)} WHERE {self._row(key, cells)};\n"

    def update(self, change: RowChange) -> str:
        """Cells of a row change."""
        there, after = change.before or (), by_column(self.table, change.after or ())
        # columns that have just been added hold NULL
        before = by_column(self.table, (*there, *(None for _ in range(len(self.table.cells) - len(there)))))
        changed = [column for column, value in after.items() if not same(before[column], value)]
        cells = ", ".join(f"{name(column)} = {self._said(after[column])}" for column in changed)
        old = {column: before[column] for column in changed}
        return f"UPDATE {name(self.called)} SET {cells} WHERE {self._row(change.key, old)};\n"

    def insert(self, row: Row) -> str:
        """A row comes."""
        cells = by_column(self.table, row)
        columns = list(map(name, cells))
        values = list(map(self._said, cells.values()))
        rowid = self._rowid(row[: len(self.table.key)])
        if rowid is not None:
            columns.insert(0, self.rowid_name)
            values.insert(0, self._said(rowid))
        return f"INSERT INTO {name(self.called)} ({', '.join(columns)}) VALUES ({', '.join(values)});\n"

    def make_way(self, key: Key) -> str:
        """A row that only happens to have this rowid takes another one."""
        table, rowid, taken = name(self.called), self.rowid_name, self._said(key[-1])
        return f"UPDATE {table} SET {rowid} = (SELECT max({rowid}) + 1 FROM {table}) WHERE {rowid} = {taken};\n"

    @property
    def rowid_name(self) -> str:
        """What the rowid is called here."""
        taken = {column.name.lower() for column in self.table.columns}
        return next(word for word in _ROWIDS if word not in taken)

    def _rowid(self, key: Key) -> Value:
        """The rowid that names the row, if one does that is no column."""
        return None if self.table.key_kind in (KeyKind.INTEGER, KeyKind.COLUMNS) else key[-1]

    def _row(self, key: Key, cells: Mapping[str, Value]) -> str:
        rowid = self._rowid(key)
        declared = {
            column: value for column, value in zip(self.table.key, key, strict=True) if column in self._declared
        }
        if rowid is not None:
            terms, rest = [f"{self.rowid_name} = {self._said(rowid)}"], {**declared, **cells}
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

    @property
    def _declared(self) -> frozenset[str]:
        return frozenset(column.name for column in self.table.columns if column.primary_key)

    def _said(self, value: Value) -> str:
        return exact_literal(value, self.encoding)


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
