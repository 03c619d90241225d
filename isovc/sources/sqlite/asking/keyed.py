"""A table that lies elsewhere, as a query needs it, and how it is declared to SQLite. Knows neither trees nor files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from typing import Any, Protocol

import apsw

from isovc.model import Column, KeyKind, Row, Table, Value
from isovc.model.shape import ROWID
from isovc.sql import affinity, name

_PLAIN = frozenset({int, float, str, bytes, type(None)})  # what needs not be fetched
_COLLATIONS = ("BINARY", "NOCASE", "RTRIM")
DECLARED = "isovc_declared"  # the name of a table while it is declared, which SQLite then forgets
INDEX = "isovc_key"  # of a filled table whose key may hold NULL


class Scan(Protocol):
    """Rows with `after` < encoded key <= `upto` in batches, the chosen cells of each."""

    def __call__(
        self, cells: Sequence[int], after: bytes | None, upto: bytes | None, *, backwards: bool
    ) -> Iterator[list[tuple[Any, ...]]]: ...


@dataclass(frozen=True)  # no slots: what every row asks again is worked out once
class Keyed:
    """A table with its rows in the order of their encoded keys. `called`: its name in the query. `content` names its
    rows: where it is the same, they are. `whole` makes a value of what a cell came as, for large ones that are fetched
    only when somebody looks. `before`: how many rows have a smaller key."""

    table: Table
    called: str
    content: bytes
    rows: int
    scan: Scan
    whole: Callable[[Any], Value]
    before: Callable[[bytes], int]

    @cached_property
    def cell_of(self) -> tuple[int, ...]:
        """For each column the cell that holds it. Generated ones, which are kept nowhere, stand behind the others."""
        places = {cell: at for at, cell in enumerate((*self.table.cells, *self._generated))}
        return tuple(places[column.name] for column in self.table.columns)

    @cached_property
    def _generated(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.columns if column.generated)

    @cached_property
    def affinities(self) -> tuple[str, ...]:
        """The affinity of each column."""
        return tuple(_affinity(column, self.table) for column in self.table.columns)

    @cached_property
    def key_columns(self) -> tuple[int, ...]:
        """The numbers of the columns that are key cells, in the order of the key."""
        by_cell = {cell: at for at, cell in enumerate(self.cell_of)}
        return tuple(by_cell[at] for at in range(len(self.table.key)) if at in by_cell)

    @cached_property
    def named_by_rowid(self) -> bool:
        """Whether the one key cell is the rowid."""
        return self.table.key_kind in (KeyKind.INTEGER, KeyKind.ROWID)

    def whole_batches(self, columns: Sequence[int], *, backwards: bool) -> Iterator[list[Row]]:
        """All rows with these columns, by number; -1: the rowid."""
        cells = [0 if column < 0 else self.cell_of[column] for column in columns]
        return map(self._whole_batch, self.scan(cells, None, None, backwards=backwards))

    def _whole_batch(self, rows: list[tuple[Any, ...]]) -> list[Row]:
        if _PLAIN.issuperset(map(type, chain.from_iterable(rows))):
            return rows
        return [tuple(map(self.whole, row)) for row in rows]

    def seen_with(self, columns: Collection[str]) -> Keyed:
        """The same with these columns alone (in lower case), and the key where it is one integer."""
        table = self.table
        keeps_key = table.key_kind is KeyKind.INTEGER
        kept = [c for c in table.columns if c.name.lower() in columns or (keeps_key and c.primary_key)]
        return replace(self, table=replace(table, columns=tuple(kept))) if len(kept) < len(table.columns) else self


def add_collations(connection: apsw.Connection, table: Table, used: Callable[[str], None]) -> None:
    """Let columns be declared whose collation only the program has that the database belongs to. `used` is told when
    something compares by it: it must stop that, as a stock SQLite does, and cannot do so by raising."""
    for column in table.columns:
        if column.collation.upper() not in _COLLATIONS:
            connection.create_collation(column.collation, partial(_compare, used, column.collation))


def _compare(used: Callable[[str], None], collation: str, *_: str) -> int:
    used(collation)
    return 0


def virtual_declaration(keyed: Keyed) -> str:
    """What `declare_vtab` is told: names, affinities and collations decide how SQLite compares."""
    table = keyed.table
    columns = ", ".join(_declared(column, table) for column in table.columns)
    if table.without_rowid:
        return f"CREATE TABLE {DECLARED}({columns}, PRIMARY KEY({_key(table)})) WITHOUT ROWID"
    return f"CREATE TABLE {DECLARED}({columns})"


def stored_declaration(whole: Table, table: Table, called: str) -> tuple[str, str]:
    """A table of its own that holds rows of `table`, which may be part of a wider one, and what is to be run once the
    rows are in it. No rule but the key: rows that were kept were good enough."""
    columns = ", ".join(_declared(column, table) for column in table.columns)
    if table.key_kind is KeyKind.INTEGER:
        columns = ", ".join(
            f"{name(column.name)} INTEGER PRIMARY KEY" if column.primary_key else _declared(column, table)
            for column in table.columns
        )
    has_key = {c.name for c in whole.columns if c.primary_key} <= {c.name for c in table.columns}
    if table.key_kind is KeyKind.COLUMNS and has_key:
        # rows come in this order, so they are only appended
        return f"CREATE TABLE {name(called)}({columns}, PRIMARY KEY({_key(table)})) WITHOUT ROWID", ""
    if table.key_kind is KeyKind.COLUMNS_OR_ROWID and has_key:
        return f"CREATE TABLE {name(called)}({columns})", f"CREATE INDEX {INDEX} ON {name(called)}({_key(table)})"
    return f"CREATE TABLE {name(called)}({columns or 'isovc_nothing'})", ""


def _key(table: Table) -> str:
    return ", ".join(f"{name(cell)} COLLATE BINARY" for cell in table.key if cell != ROWID)


def _declared(column: Column, table: Table) -> str:
    return f"{name(column.name)} {_affinity(column, table)} COLLATE {name(column.collation)}"


def _affinity(column: Column, table: Table) -> str:
    """The name of each affinity is a type that has it."""
    return "BLOB" if table.strict and column.type.upper() == "ANY" else affinity(column.type)
