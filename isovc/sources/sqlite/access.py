"""How the rows of one table are named, ordered and found in SQL. Knows nothing of files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import apsw

from isovc.encoding.orderkey import encode_key
from isovc.errors import RowidHidden
from isovc.model import ROWID_NAMES, Key, KeyKind, KeyRange, Row, Table
from isovc.sources.sqlite.cells import as_bytes, exact, from_exact, measured, placeholder
from isovc.sources.sqlite.shape import index_columns, key_index
from isovc.sql import name

ORDER = "isovc_order"  # a function our connections define: the tree's order where no collation of SQLite gives it


_ALL = slice(None)


@dataclass(frozen=True)  # no slots, so that what every statement says again is put together once
class Access:
    """One table as its rows are reached. The parts are SQL expressions."""

    table: Table
    encoding: str
    rowid: str  # what the rowid is called here; empty where the table has none that can be named
    key: tuple[str, ...]  # what the key cells are
    sorted_by: tuple[str, ...]  # expressions that put rows into tree order
    collations: tuple[str, ...]  # of the index behind each key column

    @property
    def by_function(self) -> bool:
        """Only the order function puts the rows into tree order."""
        return self.sorted_by[0].startswith(ORDER)

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """Every cell of a row as an expression."""
        return (*self.key, *map(name, self.table.cells[len(self.key) :]))

    def select(
        self, where: str = "", *, exactly: bool, ordered: bool = True, part: slice = _ALL, above: int | None = None
    ) -> str:
        """SQL for rows, or for a part of their cells. `above`: cells behind the key that have more bytes are only
        measured."""
        cells = self.cells[part]
        if above is not None:
            width, first = len(self.key), part.start or 0
            columns = ", ".join(
                exact(cell) if at < width else measured(cell, above) for at, cell in enumerate(cells, first)
            )
        else:
            columns = ", ".join(map(exact, cells)) if exactly else self._columns if part is _ALL else ", ".join(cells)
        return f"SELECT {columns} FROM {self._source}{where and f' WHERE {where}'}{self._order if ordered else ''}"

    @cached_property
    def _columns(self) -> str:
        return ", ".join(self.cells)

    @cached_property
    def _source(self) -> str:
        return f"main.{name(self.table.name)}"

    @cached_property
    def _order(self) -> str:
        return f" ORDER BY {', '.join(self.sorted_by)}"

    def is_key(self, as_bytes: frozenset[int], *, first: int = 0) -> str:
        """A condition for one row: its key cells are bound from place `first` on."""
        terms = []
        for i, column in enumerate(self.collations):
            bound, expression = placeholder(first + i, as_bytes), self.key[i]
            # the index finds the rows that are equal to it, BINARY picks the one
            terms.append(f"{expression} COLLATE {name(self.collations[i])} = {bound}")
            if column.upper() != "BINARY":
                terms.append(f"{expression} COLLATE BINARY = {bound}")
        return " AND ".join(terms) or f"{self.rowid} = {placeholder(first, as_bytes)}"


def access(connection: apsw.Connection, path: Path, table: Table) -> Access:
    """How to reach the rows of this table."""
    encoding = str(connection.pragma("encoding"))
    rowid = "" if table.without_rowid else _rowid(table)
    if table.key_kind in (KeyKind.ROWID, KeyKind.COLUMNS_OR_ROWID) and not rowid:
        raise RowidHidden(path=path, table=table.name)
    if table.key_kind is KeyKind.ROWID:
        return Access(table, encoding, rowid, (rowid,), (rowid,), ())
    columns = tuple(map(name, table.key if table.key_kind is not KeyKind.COLUMNS_OR_ROWID else table.key[:-1]))
    if table.key_kind is KeyKind.INTEGER:
        return Access(table, encoding, columns[0], columns, columns, ())
    index = key_index(connection, table.name)
    indexed = index_columns(connection, index) if index else ()
    if table.without_rowid:
        for column in indexed:
            # SQLite cannot open the table without them, and only a comparison says which one is missing
            connection.execute(f"SELECT 'a' < 'b' COLLATE {name(column.collation)}")
    by_name: dict[str, str] = {}
    for column in indexed:
        by_name.setdefault(name(column.name), column.collation)
    # A column's own collation decides how it compares; the tree knows only BINARY.
    binary = {name(column.name) for column in table.columns if column.collation.upper() == "BINARY"}
    ordered = tuple(column if column in binary else f"{column} COLLATE BINARY" for column in columns)
    collations = tuple(by_name.get(column, "BINARY") for column in columns)
    key = columns
    if table.key_kind is KeyKind.COLUMNS_OR_ROWID:
        some_null = " OR ".join(f"{column} IS NULL" for column in columns)
        key = (*columns, f"CASE WHEN {some_null} THEN {rowid} END")
        ordered = (*ordered, rowid)  # decides only between keys with a NULL, all others differ before it
    if encoding != "UTF-8":
        ordered = (_define_order(connection, key, encoding),)
    return Access(table, encoding, rowid, key, ordered, collations)


def _rowid(table: Table) -> str:
    taken = {column.name.lower() for column in table.columns}
    return next((word for word in ROWID_NAMES if word not in taken), "")


def _define_order(connection: apsw.Connection, key: tuple[str, ...], encoding: str) -> str:
    def order(*cells: object) -> bytes:
        return encode_key(from_exact(cells, encoding))

    connection.create_scalar_function(ORDER, order, deterministic=True)
    return f"{ORDER}({', '.join(map(exact, key))})"


def in_range(way: Access, within: KeyRange) -> tuple[str, Row]:
    """The condition `after < key <= upto` in tree order, and what to bind.

    A bound that is shorter than the key stands before every key that begins with it, as its encoded bytes do.
    """
    after, upto = within.after or (), within.upto or ()
    if way.by_function:
        bounds = tuple(encode_key(bound) for bound in (after, upto) if bound)
        signs = (">",) * bool(after) + ("<=",) * bool(upto)
        return " AND ".join(f"{way.sorted_by[0]} {sign} ?{i + 1}" for i, sign in enumerate(signs)), bounds
    raw, bound = as_bytes((*after, *upto), way.encoding)
    places = [placeholder(i, raw) for i in range(len(bound))]
    terms = [
        _bound(way, cells, there, is_lower=is_lower)
        for cells, there, is_lower in ((after, places[: len(after)], True), (upto, places[len(after) :], False))
        if cells
    ]
    return " AND ".join(terms), bound


def _bound(way: Access, bound: Key, places: list[str], *, is_lower: bool) -> str:
    whole = len(bound) == len(way.key)
    sign = (">" if whole else ">=") if is_lower else ("<=" if whole else "<")
    if way.table.key_kind is KeyKind.COLUMNS_OR_ROWID:
        columns = [*way.sorted_by[:-1], way.key[-1]][: len(bound)]
        return _nullable(columns, places, bound, sign, is_lower=is_lower)
    return f"({', '.join(way.sorted_by[: len(bound)])}) {sign} ({', '.join(places)})"


def _nullable(columns: list[str], places: list[str], bound: Key, sign: str, *, is_lower: bool) -> str:
    """The same where cells may be NULL, which row values cannot compare: cell by cell, NULL first."""
    strict = sign[0]
    last = len(bound) - 1
    parts = []
    for i, cell in enumerate(bound):
        equal = [f"{columns[j]} IS {places[j]}" for j in range(i)]
        parts.append(" AND ".join([*equal, _compare(columns[i], places[i], cell, strict)]))
    if "=" in sign:
        parts.append(" AND ".join(f"{columns[j]} IS {places[j]}" for j in range(last + 1)))
    exactly = "(" + " OR ".join(f"({part})" for part in parts) + ")"
    # what the index can use: the first cell alone
    if bound[0] is not None and is_lower:
        return f"{columns[0]} >= {places[0]} AND {exactly}"
    return exactly


def _compare(column: str, place: str, cell: object, sign: str) -> str:
    if cell is None:
        # every bound cell must show in the statement, this NULL too
        return f"{column} IS NOT {place}" if sign == ">" else f"{place} NOT NULL"
    return f"{column} > {place}" if sign == ">" else f"({column} < {place} OR {column} IS NULL)"
