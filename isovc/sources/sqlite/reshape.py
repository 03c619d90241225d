"""Gives a database another shape: which definitions go, which come, in which order. Knows nothing of pages.

All happens inside the caller's transaction. A definition whose text is the same stays untouched. SQLite's own
ALTER is used where it gives exactly the wanted text; any other changed table is made anew beside the old one. Tables
whose name begins with sqlite_ are kept by SQLite itself while all this goes on, so their rows are set down last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import apsw

from isovc.errors import ShapeNotReached
from isovc.model import KeyKind, Row, RowChange, SchemaObject, Shape, Table
from isovc.sources.sqlite.access import access
from isovc.sources.sqlite.failures import told
from isovc.sources.sqlite.layout import TRANSACTIONAL
from isovc.sources.sqlite.load import change_rows, delete_rows, insert_rows
from isovc.sources.sqlite.order import wanted_places
from isovc.sources.sqlite.own_tables import OwnTables, is_own
from isovc.sources.sqlite.schema_table import (
    add_virtual,
    arrange,
    create,
    drop_own,
    forget_virtual,
    free_name,
    places,
)
from isovc.sources.sqlite.shape import kind_of, read_objects, read_shape
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sql import added_columns, name, names

Changes = Mapping[str, Iterable[RowChange]]
Contents = Mapping[str, Iterable[list[Row]]]


def reshape(snapshot: Snapshot, target: Shape, changes: Changes, contents: Contents) -> None:
    """Apply a shape, row changes and whole contents."""
    connection = snapshot.connection
    current = read_shape(connection)
    for pragma in TRANSACTIONAL:
        if pragma in target.pragmas and target.pragmas[pragma] != current.pragmas[pragma]:
            connection.execute(f"PRAGMA {pragma}={int(target.pragmas[pragma])}")
    own = OwnTables(snapshot, current, target, changes, contents)
    if current.objects == target.objects and not contents:
        _change(snapshot, target, changes)
        own.set_down()
        return
    before = places(connection)
    work = _plan(connection, current, target, contents)
    _drop(snapshot, work)
    for table in work.anew:
        with _told(snapshot, table):
            _make_anew(snapshot, current.tables[table], target, list(changes.get(table, ())))
    # SQLite's own first, or SQLite would make them along with the first table that needs them
    for each in sorted(work.come, key=lambda each: not is_own(each.name)):
        if kind_of(each) == "table":
            create(snapshot, each)
            with _told(snapshot, each.name):
                _fill(snapshot, target.tables[each.name], contents)
    _change(snapshot, target, {table: rows for table, rows in changes.items() if table not in work.anew})
    for each in work.come:  # indexes once the rows are there: sorting them is faster than inserting one by one
        if kind_of(each) in ("index", "view", "trigger"):
            with _told(snapshot, each.table):
                create(snapshot, each)
    add_virtual(connection, [each for each in work.come if kind_of(each) == "virtual"])
    own.set_down()
    order = wanted_places(before, target)
    if places(connection) != order:
        arrange(connection, order)
    _check(snapshot, target)


@dataclass(frozen=True, slots=True)
class _Work:
    go: tuple[SchemaObject, ...]
    anew: tuple[str, ...]  # tables that keep their rows and get another text
    come: tuple[SchemaObject, ...]


def _plan(connection: apsw.Connection, current: Shape, target: Shape, contents: Contents) -> _Work:
    old, wanted = set(current.objects), set(target.objects)
    texts = {each.name: each.sql for each in target.objects if kind_of(each) == "table"}
    anew = []
    for each in current.objects:
        is_kept = each.name in texts and each.name not in contents and not is_own(each.name)
        if kind_of(each) == "table" and each not in wanted and is_kept:
            if not _add_columns(connection, each, texts[each.name]):
                anew.append(each.name)
            old.discard(each)
            wanted = {other for other in wanted if not (kind_of(other) == "table" and other.name == each.name)}
    moved = {*anew, *contents}  # what hangs on these goes with them and comes back
    go = tuple(each for each in current.objects if each in old and (each not in wanted or _hangs_on(each, moved)))
    come = tuple(each for each in target.objects if each in wanted and (each not in old or _hangs_on(each, moved)))
    return _Work(go, tuple(anew), come)


def _hangs_on(each: SchemaObject, tables: set[str]) -> bool:
    if each.type == "view":
        return False
    return each.table in tables if each.type in ("index", "trigger") else each.name in tables


def _add_columns(connection: apsw.Connection, old: SchemaObject, sql: str) -> bool:
    """Let SQLite add the columns; False, and nothing changed, where that would not give this very text."""
    added = added_columns(old.sql, sql)
    if not added:
        return False
    connection.execute("SAVEPOINT isovc_add")
    try:
        for definition in added:
            connection.execute(f"ALTER TABLE main.{name(old.name)} ADD COLUMN {definition}")
        is_exact = any(each.name == old.name and each.sql == sql for each in read_objects(connection))
    except (apsw.SQLError, apsw.ConstraintError):
        is_exact = False
    if not is_exact:
        connection.execute("ROLLBACK TO isovc_add")
    connection.execute("RELEASE isovc_add")
    return is_exact


def _drop(snapshot: Snapshot, work: _Work) -> None:
    connection = snapshot.connection
    by_kind: dict[str, list[SchemaObject]] = {}
    for each in work.go:
        by_kind.setdefault(kind_of(each), []).append(each)
    for kind in ("trigger", "view", "index"):
        for each in by_kind.get(kind, ()):
            connection.execute(f"DROP {kind.upper()} main.{name(each.name)}")
    forget_virtual(connection, by_kind.get("virtual", []))
    for each in sorted(by_kind.get("table", ()), key=lambda each: is_own(each.name)):
        if is_own(each.name):
            drop_own(connection, each.name)
        else:
            connection.execute(f"DROP TABLE main.{name(each.name)}")


def _make_anew(snapshot: Snapshot, old: Table, target: Shape, changes: list[RowChange]) -> None:
    """The old table steps aside, the new one is made under its name, the rows move over.

    Rows that change stay behind and come new: what they were may be just what the new table does not take.
    """
    connection, path, table = snapshot.connection, snapshot.path, old.name
    new = target.tables[table]
    if (old.key, old.key_kind) != (new.key, new.key_kind):
        raise ShapeNotReached(path=path, what=f"the table {table}", why="its key changes and its rows are not given")
    aside = free_name(connection)
    connection.execute(f"ALTER TABLE main.{name(table)} RENAME TO {name(aside)}")
    create(snapshot, next(each for each in target.objects if kind_of(each) == "table" and each.name == table))
    behind, way = (access(connection, path, each) for each in (replace(old, name=aside), new))
    delete_rows(connection, path, behind, [change.key for change in changes if change.before is not None])
    columns = [cell for cell in new.cells[len(new.key) :] if cell in old.cells[len(old.key) :]]
    shared = [*(column.name for column in new.columns if column.primary_key), *columns]
    source, goal = names(shared), names(shared)
    is_rowid_apart = not (old.without_rowid or new.without_rowid) and new.key_kind is not KeyKind.INTEGER
    if is_rowid_apart and behind.rowid and way.rowid:
        source, goal = ", ".join(filter(None, (behind.rowid, source))), ", ".join(filter(None, (way.rowid, goal)))
    connection.execute(f"INSERT OR ABORT INTO main.{name(table)} ({goal}) SELECT {source} FROM main.{name(aside)}")
    connection.execute(f"DROP TABLE main.{name(aside)}")
    insert_rows(connection, path, way, [change.after for change in changes if change.after is not None])


def _fill(snapshot: Snapshot, table: Table, contents: Contents) -> None:
    if is_own(table.name) or table.name not in contents:
        return
    way = access(snapshot.connection, snapshot.path, table)
    for batch in contents[table.name]:
        insert_rows(snapshot.connection, snapshot.path, way, batch)


def _change(snapshot: Snapshot, target: Shape, changes: Changes) -> None:
    for table, rows in changes.items():
        if not is_own(table):
            with _told(snapshot, table):
                way = access(snapshot.connection, snapshot.path, target.tables[table])
                change_rows(snapshot.connection, snapshot.path, way, rows)


def _told(snapshot: Snapshot, table: str) -> AbstractContextManager[None]:
    return told(snapshot.path, seconds=snapshot.seconds, table=table)


def _check(snapshot: Snapshot, target: Shape) -> None:
    """The text of every definition is as it was, or the transaction is given up."""
    found = set(read_objects(snapshot.connection))
    for each in target.objects:
        if each not in found:
            raise ShapeNotReached(
                path=snapshot.path, what=f"the {each.type} {each.name}", why="its text came out different"
            )
    for each in found - set(target.objects):
        raise ShapeNotReached(path=snapshot.path, what=f"the {each.type} {each.name}", why="it would be left over")
