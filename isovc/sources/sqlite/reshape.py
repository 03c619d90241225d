"""Gives a database another shape: which definitions go, which come, in which order. Knows nothing of pages.

All happens inside the caller's transaction. A definition whose text is the same stays untouched. SQLite's own
ALTER is used where it gives exactly the wanted text; any other changed table is made anew beside the old one. Tables
whose name begins with sqlite_ are kept by SQLite itself while all this goes on, so their rows are set down last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import apsw

from isovc.errors import ShapeNotReached
from isovc.model import Row, RowChange, SchemaObject, Shape, Table
from isovc.sources.sqlite.access import access
from isovc.sources.sqlite.anew import make_anew
from isovc.sources.sqlite.cells import REFUSING
from isovc.sources.sqlite.failures import told
from isovc.sources.sqlite.layout import TRANSACTIONAL
from isovc.sources.sqlite.load import change_rows, insert_rows
from isovc.sources.sqlite.order import wanted_places
from isovc.sources.sqlite.own_tables import OwnTables, is_own
from isovc.sources.sqlite.refusal import Refusals
from isovc.sources.sqlite.schema_table import (
    add_virtual,
    arrange,
    create,
    drop_own,
    forget_virtual,
    places,
)
from isovc.sources.sqlite.shape import is_unique, kind_of, read_objects, read_shape
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sources.sqlite.taking import change_or_refuse, fill_or_refuse
from isovc.sql import added_columns, name

Changes = Mapping[str, Iterable[RowChange]]
Contents = Mapping[str, Iterable[list[Row]]]


def reshape(
    snapshot: Snapshot, target: Shape, changes: Changes, contents: Contents, refusals: Refusals | None = None
) -> None:
    """Apply a shape, row changes and whole contents. With `refusals`, rows that are not taken are listed there, and a
    definition that cannot be laid out is always told by its type and name."""
    connection = snapshot.connection
    current = read_shape(connection)
    for pragma in TRANSACTIONAL:
        if pragma in target.pragmas and target.pragmas[pragma] != current.pragmas[pragma]:
            connection.execute(f"PRAGMA {pragma}={int(target.pragmas[pragma])}")
    own = OwnTables(snapshot, current, target, changes, contents)
    if current.objects == target.objects and not contents:
        _change(snapshot, current, target, changes, refusals)
        own.set_down()
        return
    before = places(connection)
    work = _plan(connection, current, target, contents)
    _drop(snapshot, work)
    lay = partial(_laying, snapshot, by_place=refusals is not None)
    # A rule that was there before is asked row by row; a new one when it is laid out, once the rows are there.
    early = [each for each in work.come if refusals is not None and each in current.objects and is_unique(each)]
    for table in work.anew:
        keep = [each for each in early if each.table == table]
        with lay("table", table, table):
            make_anew(snapshot, current.tables[table], target, list(changes.get(table, ())), keep, refusals)
    # SQLite's own first, or SQLite would make them along with the first table that needs them
    for each in sorted(work.come, key=lambda each: not is_own(each.name)):
        if kind_of(each) == "table":
            with lay("table", each.name, each.name):
                create(snapshot, each)
                new = refusals if each.name not in current.tables else None
                _fill(snapshot, target.tables[each.name], contents, new)
                for index in early:
                    if index.table == each.name:
                        create(snapshot, index)
    here = {table: rows for table, rows in changes.items() if table not in work.anew}
    _change(snapshot, current, target, here, refusals)
    for each in work.come:  # indexes once the rows are there: sorting them is faster than inserting one by one
        if kind_of(each) in ("index", "view", "trigger") and each not in early:
            with lay(each.type, each.name, each.table):
                create(snapshot, each)
    add_virtual(snapshot, [each for each in work.come if kind_of(each) == "virtual"])
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


def _fill(snapshot: Snapshot, table: Table, contents: Contents, refusals: Refusals | None) -> None:
    if is_own(table.name) or table.name not in contents:
        return
    way = access(snapshot.connection, snapshot.path, table)
    if refusals is not None:
        fill_or_refuse(snapshot.connection, snapshot.path, way, contents[table.name], refusals)
        return
    for batch in contents[table.name]:
        insert_rows(snapshot.connection, snapshot.path, way, batch)


def _change(snapshot: Snapshot, current: Shape, target: Shape, changes: Changes, refusals: Refusals | None) -> None:
    connection, path = snapshot.connection, snapshot.path
    for table, rows in changes.items():
        if not is_own(table):
            with told(path, seconds=snapshot.seconds, table=table):
                new = target.tables[table]
                way = access(connection, path, new)
                if refusals is None:
                    change_rows(connection, path, way, rows)
                else:
                    is_reshaped = current.tables[table].cells != new.cells
                    change_or_refuse(connection, path, way, rows, refusals, is_reshaped=is_reshaped)


@contextmanager
def _laying(snapshot: Snapshot, type_: str, label: str, table: str, *, by_place: bool) -> Iterator[None]:
    """What is not taken while a definition is laid out leaves as an error about its table; `by_place`: about it."""
    with told(snapshot.path, seconds=snapshot.seconds, table=table):
        try:
            yield
        except (*REFUSING, apsw.TooBigError) as error:
            if not by_place:
                raise
            raise ShapeNotReached(path=snapshot.path, type=type_, name=label, why=str(error)) from error


def _check(snapshot: Snapshot, target: Shape) -> None:
    """The text of every definition is as it was, or the transaction is given up."""
    found = set(read_objects(snapshot.connection))
    for each in target.objects:
        if each not in found:
            why = "its text came out different"
            raise ShapeNotReached(path=snapshot.path, type=each.type, name=each.name, why=why)
    for each in found - set(target.objects):
        raise ShapeNotReached(path=snapshot.path, type=each.type, name=each.name, why="it would be left over")
