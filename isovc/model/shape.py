"""The shape of a database: its tables, columns, keys and schema text, without any row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

ROWID = "_rowid_"  # the cell name of a key that is no column of its own
ROWID_NAMES = ("rowid", "_rowid_", "oid")  # what SQLite calls the rowid, unless a column has that name


class KeyKind(Enum):
    """What names a row."""

    INTEGER = "integer"  # INTEGER PRIMARY KEY: the rowid under a name
    COLUMNS = "columns"  # PRIMARY KEY columns that are never NULL
    COLUMNS_OR_ROWID = "columns-or-rowid"  # nullable PRIMARY KEY: one more key cell, the rowid where a column is NULL
    ROWID = "rowid"  # no PRIMARY KEY


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column."""

    name: str
    type: str = ""  # as declared
    not_null: bool = False
    default: str | None = None  # SQL text
    primary_key: int = 0  # place in the PRIMARY KEY from 1; 0: not in it
    collation: str = "BINARY"
    generated: str = ""  # "", "virtual" or "stored"


@dataclass(frozen=True, slots=True)
class Table:
    """One table. A row of it is a tuple of `cells`: the key first, then the other stored columns as declared."""

    name: str
    columns: tuple[Column, ...]
    key_kind: KeyKind
    without_rowid: bool = False
    strict: bool = False
    shadow_of: str = ""  # the virtual table this one belongs to

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key cells."""
        declared = sorted((c for c in self.columns if c.primary_key), key=lambda c: c.primary_key)
        names = tuple(c.name for c in declared)
        return names if self.key_kind in (KeyKind.INTEGER, KeyKind.COLUMNS) else (*names, ROWID)

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of all cells of a row, in the order a row holds them."""
        rest = (c.name for c in self.columns if not c.generated and not c.primary_key)
        return (*self.key, *rest)


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """One entry of sqlite_schema that has SQL text."""

    type: str  # table, index, view, trigger
    name: str
    table: str
    sql: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything about a database but its rows. `objects` stand in an order in which they can be executed."""

    encoding: str = "UTF-8"
    pragmas: Mapping[str, int] = field(default_factory=dict)  # page_size, auto_vacuum, user_version, application_id
    objects: tuple[SchemaObject, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)  # every table that has rows of its own, shadow tables too
