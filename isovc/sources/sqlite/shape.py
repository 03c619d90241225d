"""Reads the shape of a database: objects, tables, columns, keys. Knows nothing of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import apsw

from isovc.model import Column, KeyKind, SchemaObject, Shape, Table
from isovc.sql import module_of, name

PRAGMAS = ("page_size", "auto_vacuum", "user_version", "application_id")
_GENERATED = {2: "virtual", 3: "stored"}
# The order VACUUM gives the schema too, so that a VACUUM is no change: within a kind the order stays as it is.
_ORDER = {"table": 0, "virtual": 1, "index": 2, "view": 3, "trigger": 4}


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of PRAGMA table_list."""

    kind: str  # table, shadow, virtual, view
    without_rowid: bool
    strict: bool


@dataclass(frozen=True, slots=True)
class IndexColumn:
    """One key column of an index."""

    name: str
    descending: bool
    collation: str


def read_shape(connection: apsw.Connection) -> Shape:
    """The shape of what the connection's transaction sees."""
    objects = read_objects(connection)
    listed = _listed(connection)
    virtual = [each.name for each in objects if kind_of(each) == "virtual"]
    tables = {
        each.name: _table(connection, each.name, listed[each.name], virtual)
        for each in objects
        if kind_of(each) == "table"
    }
    pragmas = {pragma: int(connection.pragma(pragma)) for pragma in PRAGMAS}
    return Shape(str(connection.pragma("encoding")), pragmas, objects, tables)


def read_objects(connection: apsw.Connection) -> tuple[SchemaObject, ...]:
    """Everything in sqlite_schema that has SQL text, in an order in which it can be executed."""
    rows = connection.execute(
        "SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE sql NOT NULL ORDER BY rowid"
    )
    return tuple(sorted((SchemaObject(*row) for row in rows), key=lambda each: _ORDER[kind_of(each)]))


def kind_of(each: SchemaObject) -> str:
    """The type of an object, virtual tables told apart."""
    return "virtual" if each.type == "table" and module_of(each.sql) else each.type


def is_unique(each: SchemaObject) -> bool:
    """A UNIQUE index: SQLite keeps the text of one from its first words on, in just these."""
    return each.type == "index" and each.sql.upper().startswith("CREATE UNIQUE INDEX ")


def unknown_modules(connection: apsw.Connection, objects: Iterable[SchemaObject]) -> tuple[tuple[str, str], ...]:
    """(virtual table, module) for each module that this SQLite does not have."""
    known = {str(row[0]).lower() for row in connection.execute("PRAGMA module_list")}
    modules = ((each.name, module_of(each.sql)) for each in objects)
    return tuple((table, module) for table, module in modules if module and module.lower() not in known)


def _listed(connection: apsw.Connection) -> dict[str, Listed]:
    rows = connection.execute("PRAGMA main.table_list")
    return {row[1]: Listed(row[2], bool(row[4]), bool(row[5])) for row in rows}


def _table(connection: apsw.Connection, table: str, listed: Listed, virtual: list[str]) -> Table:
    rows: list[tuple[Any, ...]] = connection.execute(f"PRAGMA main.table_xinfo({name(table)})").fetchall()
    columns = tuple(
        Column(
            label,
            declared,
            bool(not_null),
            default,
            primary_key,
            _collation(connection, table, label),
            _GENERATED.get(hidden, ""),
        )
        for _, label, declared, not_null, default, primary_key, hidden in rows
    )
    owner = max((each for each in virtual if table.lower().startswith(each.lower() + "_")), key=len, default="")
    return Table(
        table,
        columns,
        _key_kind(connection, table, columns, without_rowid=listed.without_rowid),
        listed.without_rowid,
        listed.strict,
        owner if listed.kind == "shadow" else "",
    )


def _collation(connection: apsw.Connection, table: str, column: str) -> str:
    return str(connection.column_metadata("main", table, column)[1])


def _key_kind(connection: apsw.Connection, table: str, columns: tuple[Column, ...], *, without_rowid: bool) -> KeyKind:
    key = [column for column in columns if column.primary_key]
    if not key:
        return KeyKind.ROWID
    if without_rowid:
        return KeyKind.COLUMNS
    if key_index(connection, table) is None:
        return KeyKind.INTEGER  # a primary key without an index of its own is the rowid; its declared type can mislead
    return KeyKind.COLUMNS if all(column.not_null for column in key) else KeyKind.COLUMNS_OR_ROWID


def key_index(connection: apsw.Connection, table: str) -> str | None:
    """The name of the index that keeps the PRIMARY KEY unique."""
    rows = connection.execute(f"PRAGMA main.index_list({name(table)})")
    return next((str(index) for _, index, _, origin, _ in rows.fetchall() if origin == "pk"), None)


def index_columns(connection: apsw.Connection, index: str) -> tuple[IndexColumn, ...]:
    """The key columns of an index, in its order; PRIMARY KEY (a, b, a) names a twice."""
    rows: list[tuple[Any, ...]] = connection.execute(f"PRAGMA main.index_xinfo({name(index)})").fetchall()
    return tuple(IndexColumn(row[2], bool(row[3]), row[4]) for row in rows if row[5])
