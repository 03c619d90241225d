"""What only sqlite_schema can do: virtual tables without their module, tables of SQLite's own, the order of entries.

`PRAGMA writable_schema` is what `.dump` and `.recover` of SQLite's shell use for the same ends. It is on for single
statements only, never touches a root page, and is followed by a new schema version, so that other connections read the
schema again, and by RESET, so that this one does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apsw

from isovc.errors import ShapeNotReached
from isovc.model import SchemaObject
from isovc.sources.sqlite.failures import missing
from isovc.sources.sqlite.order import Place
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sql import name, renamed

_ASIDE = "isovc_aside_"


@contextmanager
def _by_hand(connection: apsw.Connection) -> Iterator[None]:
    connection.execute("PRAGMA writable_schema=ON")
    try:
        yield
    finally:
        version = int(connection.pragma("schema_version"))
        connection.execute(f"PRAGMA schema_version={(version + 1) & 0x7FFFFFFF}; PRAGMA writable_schema=RESET")


def create(snapshot: Snapshot, each: SchemaObject) -> None:
    """Run the text of a definition: one CREATE statement, nothing else."""
    connection = snapshot.connection
    cursor, run = connection.cursor(), []

    def only_one(_cursor: apsw.Cursor, sql: str, _bindings: object) -> bool:
        run.append(sql)
        return len(run) == 1  # a text that hides a second statement is not a definition

    cursor.exec_trace = only_one
    if not each.sql.lstrip().upper().startswith("CREATE"):
        raise ShapeNotReached(path=snapshot.path, type=each.type, name=each.name, why="its text is no definition")
    try:
        if each.name.lower().startswith("sqlite_"):
            with _by_hand(connection):  # the names that SQLite keeps for itself
                cursor.execute(each.sql)
        else:
            cursor.execute(each.sql)
    except apsw.ExecTraceAbort:
        why = "its text is more than one statement"
        raise ShapeNotReached(path=snapshot.path, type=each.type, name=each.name, why=why) from None
    except apsw.SQLError as error:
        if missing(str(error), snapshot.path, each.table):
            raise
        # two definitions that each were true somewhere do not go together
        raise ShapeNotReached(path=snapshot.path, type=each.type, name=each.name, why=str(error)) from error


def forget_virtual(connection: apsw.Connection, tables: Sequence[SchemaObject]) -> None:
    """Drop virtual tables without asking their modules; their stored tables are tables like others."""
    if tables:
        with _by_hand(connection):
            connection.executemany(
                "DELETE FROM main.sqlite_schema WHERE type = 'table' AND name = ?", [(each.name,) for each in tables]
            )


def add_virtual(snapshot: Snapshot, tables: Sequence[SchemaObject]) -> None:
    """Enter virtual tables; CREATE VIRTUAL TABLE would make and fill stored tables that are there already."""
    if tables:
        connection = snapshot.connection
        taken = {str(row[0]).lower() for row in connection.execute("SELECT name FROM main.sqlite_schema")}
        for each in tables:
            if each.name.lower() in taken:  # it would be written down, and the file be damaged
                why = "there is another object of that name"
                raise ShapeNotReached(path=snapshot.path, type="table", name=each.name, why=why)
        with _by_hand(connection):
            connection.executemany(
                "INSERT INTO main.sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('table', ?, ?, 0, ?)",
                [(each.name, each.table, each.sql) for each in tables],
            )


def drop_own(connection: apsw.Connection, table: str) -> None:
    """Drop a table that SQLite keeps for itself, under a name where it may be dropped."""
    aside = free_name(connection)
    with _by_hand(connection):
        sql = str(connection.execute("SELECT sql FROM main.sqlite_schema WHERE name = ?", (table,)).get)
        connection.execute(
            "UPDATE main.sqlite_schema SET tbl_name = ?1, name = replace(name, ?2, ?1),"
            " sql = CASE type WHEN 'table' THEN ?3 END WHERE tbl_name = ?2",
            (aside, table, renamed(sql, aside)),
        )
    connection.execute(f"DROP TABLE main.{name(aside)}")


def places(connection: apsw.Connection) -> list[Place]:
    """The entries that have a text, in the order they stand in."""
    rows = connection.execute("SELECT type, name FROM main.sqlite_schema WHERE sql NOT NULL ORDER BY rowid")
    return [(str(kind), str(label)) for kind, label in rows]


def arrange(connection: apsw.Connection, wanted: Sequence[Place]) -> None:
    """Put the entries into this order, each index that has no text right behind its table.

    The order decides in which order triggers fire and `.dump` writes. The rowid of an entry means nothing else.
    """
    rows: list[tuple[Any, ...]] = list(
        connection.execute("SELECT rowid, type, name, tbl_name, sql FROM main.sqlite_schema")
    )
    place = {each: number for number, each in enumerate(wanted)}
    last = len(place)

    def where(row: Sequence[object]) -> tuple[int, int]:
        _, kind, label, table, sql = row
        return (
            (place.get(("table", str(table)), last), 1)
            if sql is None
            else (place.get((str(kind), str(label)), last), 0)
        )

    top = max((row[0] for row in rows), default=0)
    with _by_hand(connection):
        connection.executemany(
            "UPDATE main.sqlite_schema SET rowid = ? WHERE rowid = ?",
            [(top + 1 + number, row[0]) for number, row in enumerate(sorted(rows, key=where))],
        )


def free_name(connection: apsw.Connection) -> str:
    """A table name that nothing has."""
    taken = {str(row[0]).lower() for row in connection.execute("SELECT name FROM main.sqlite_schema")}
    number = 0
    while f"{_ASIDE}{number}" in taken:
        number += 1
    return f"{_ASIDE}{number}"
