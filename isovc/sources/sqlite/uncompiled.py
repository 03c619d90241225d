"""Views and triggers that SQLite cannot compile here. Knows nothing of rows; fires nothing, writes nothing.

SQLite compiles a view when a statement reads it and a trigger when a statement sets it off, so such statements are
prepared and never run. Where one of several triggers is at fault, each is asked as a TEMP trigger of the same text: on
our connections those alone are compiled, and they never reach the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import apsw

from isovc.model import SchemaObject
from isovc.sources.sqlite.prepared import why_not
from isovc.sources.sqlite.shape import read_objects
from isovc.sql import event_of, folded, name

Uncompiled = tuple[str, str, str]  # type, name, why in SQLite's words
Found = dict[tuple[str, str], str]  # why, by type and name
_CREATE = re.compile(r"\s*CREATE\s+TRIGGER\b", re.IGNORECASE)
_ROWID = ("rowid", "_rowid_", "oid")


def uncompiled(connection: apsw.Connection) -> list[Uncompiled]:
    """Each by its type and name, in the order of the schema.

    Triggers of a table that takes no statement even without them, as where its index needs a function that is missing,
    are not among them: that is the table's own trouble, which `doubts` tells.
    """
    objects = read_objects(connection)
    views = {each.name for each in objects if each.type == "view"}
    found: Found = {}
    for view in sorted(views):
        if error := why_not(connection, f"SELECT * FROM main.{name(view)}"):
            found["view", view] = str(error)
    triggers = [each for each in objects if each.type == "trigger"]
    for table in dict.fromkeys(each.table for each in triggers):
        own = [each for each in triggers if each.table == table]
        if ("view", table) in found:  # without its columns they cannot be compiled either
            found.update({("trigger", each.name): found["view", table] for each in own})
        else:
            of_views = [each for each in triggers if each.table in views]
            found.update(_at_fault(connection, table, own, of_views, is_view=table in views))
    places = [(each.type, each.name) for each in objects]
    return [(*place, found[place]) for place in places if place in found]


def _at_fault(
    connection: apsw.Connection,
    table: str,
    own: Sequence[SchemaObject],
    of_views: Sequence[SchemaObject],
    *,
    is_view: bool,
) -> Found:
    """`of_views`: triggers that other views need to be written to."""
    rows = connection.execute(f"PRAGMA main.table_xinfo({name(table)})").fetchall()
    columns = [str(row[1]) for row in rows if not row[6]]  # generated ones cannot be set
    setting_off = {each: sql for each in own if (sql := _setting_off(each, [*columns, *([] if is_view else _ROWID)]))}
    if not is_view:  # a view takes no statement without its triggers
        setting_off = {each: sql for each, sql in setting_off.items() if not why_not(connection, sql)}
    with _firing(connection):
        failing = {sql for sql in set(setting_off.values()) if why_not(connection, sql)}
    found = {}
    for each, sql in setting_off.items():
        if sql in failing:
            with _as_temp(connection, [each, *(other for other in of_views if not _fire_together(each, other))]):
                if error := why_not(connection, sql):
                    found[each.type, each.name] = str(error)
    return found


def _fire_together(one: SchemaObject, other: SchemaObject) -> bool:
    """Whether a statement that sets off one may set off the other by itself, not by what the one does."""
    (event, of), (other_event, other_of) = event_of(one.sql), event_of(other.sql)
    if (one.table, event) != (other.table, other_event):
        return False
    return not of or not other_of or not set(map(folded, of)).isdisjoint(map(folded, other_of))


def _setting_off(trigger: SchemaObject, columns: Sequence[str]) -> str:
    """A statement that sets it off; empty: nothing does, because it waits for columns that are not there."""
    event, of = event_of(trigger.sql)
    table, awaited = f"main.{name(trigger.table)}", set(map(folded, of))
    set_off_by = [name(column) for column in columns if not of or folded(column) in awaited]
    update = f"UPDATE {table} SET {set_off_by[0]} = {set_off_by[0]}" if set_off_by else ""
    statements = {"INSERT": f"INSERT INTO {table} DEFAULT VALUES", "DELETE": f"DELETE FROM {table}", "UPDATE": update}
    return statements.get(event, "")


@contextmanager
def _firing(connection: apsw.Connection) -> Iterator[None]:
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 1)
    try:
        yield
    finally:
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)


@contextmanager
def _as_temp(connection: apsw.Connection, triggers: Iterable[SchemaObject]) -> Iterator[None]:
    reads_only = connection.pragma("query_only")
    connection.execute("PRAGMA query_only=OFF; SAVEPOINT isovc_temp")
    try:
        for each in triggers:
            connection.execute(_CREATE.sub("CREATE TEMP TRIGGER", each.sql, count=1))
        yield
    finally:
        connection.execute("ROLLBACK TO isovc_temp; RELEASE isovc_temp")
        connection.pragma("query_only", reads_only)
