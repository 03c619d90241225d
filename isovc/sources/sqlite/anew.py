"""A table whose text changes: it is made anew, and its rows move over. Knows nothing of other definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import apsw

from isovc.encoding.orderkey import encode_key
from isovc.errors import ShapeNotReached
from isovc.model import KeyKind, Row, RowChange, SchemaObject, Shape, Table
from isovc.sources.sqlite.access import Access, access
from isovc.sources.sqlite.cells import REFUSING
from isovc.sources.sqlite.load import check_inserting, delete_rows, insert_rows
from isovc.sources.sqlite.refusal import Refusals
from isovc.sources.sqlite.schema_table import create, free_name
from isovc.sources.sqlite.shape import kind_of
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sources.sqlite.taking import as_they_stand, change_or_refuse
from isovc.sql import name, names


def make_anew(
    snapshot: Snapshot,
    old: Table,
    target: Shape,
    changes: list[RowChange],
    rules: Sequence[SchemaObject],
    refusals: Refusals | None,
) -> None:
    """The old table steps aside, the new one is made under its name, the rows move over.

    Rows that change stay behind and come new: what they were may be just what the new table does not take. `rules` are
    indexes that the changed rows have to meet.
    """
    connection, path = snapshot.connection, snapshot.path
    new = target.tables[old.name]
    if (old.key, old.key_kind) != (new.key, new.key_kind):
        why = "its key changes and its rows are not given"
        raise ShapeNotReached(path=path, type="table", name=old.name, why=why)
    connection.execute("SAVEPOINT isovc_anew")
    way = _move_over(snapshot, old, target, changes, rules)
    try:
        insert_rows(connection, path, way, [change.after for change in changes if change.after is not None])
    except REFUSING:
        if refusals is None:
            raise
        connection.execute("ROLLBACK TO isovc_anew")
        way = _move_over(snapshot, old, target, changes, rules)
        _come_singly(snapshot, old, way, changes, refusals)
    connection.execute("RELEASE isovc_anew")


def _move_over(
    snapshot: Snapshot, old: Table, target: Shape, changes: list[RowChange], rules: Sequence[SchemaObject]
) -> Access:
    """Give the new table the rows that do not change."""
    connection, path, table = snapshot.connection, snapshot.path, old.name
    new = target.tables[table]
    aside = free_name(connection)
    connection.execute(f"ALTER TABLE main.{name(table)} RENAME TO {name(aside)}")
    create(snapshot, next(each for each in target.objects if kind_of(each) == "table" and each.name == table))
    behind, way = (access(connection, path, each) for each in (replace(old, name=aside), new))
    delete_rows(connection, path, behind, [change.key for change in changes if change.before is not None])
    shared = [*(column.name for column in new.columns if column.primary_key), *_shared(old, new)]
    source, goal = names(shared), names(shared)
    is_rowid_apart = not (old.without_rowid or new.without_rowid) and new.key_kind is not KeyKind.INTEGER
    if is_rowid_apart and behind.rowid and way.rowid:
        source, goal = ", ".join(filter(None, (behind.rowid, source))), ", ".join(filter(None, (way.rowid, goal)))
    connection.execute(f"INSERT OR ABORT INTO main.{name(table)} ({goal}) SELECT {source} FROM main.{name(aside)}")
    connection.execute(f"DROP TABLE main.{name(aside)}")
    for each in rules:
        create(snapshot, each)
    return way


def _shared(old: Table, new: Table) -> list[str]:
    return [cell for cell in new.cells[len(new.key) :] if cell in old.cells[len(old.key) :]]


def _come_singly(snapshot: Snapshot, old: Table, way: Access, changes: list[RowChange], refusals: Refusals) -> None:
    """The changed rows as they were, as far as the new table takes that, and then what becomes of them."""
    connection, path = snapshot.connection, snapshot.path
    width, shared = len(old.key), _shared(old, way.table)
    places = [*range(width), *(old.cells.index(cell, width) for cell in shared)]
    befores = [tuple(row[place] for place in places) for row in (change.before for change in changes) if row]
    homeless: set[bytes] = set()

    def refused(row: Row, _: apsw.Error) -> None:
        homeless.add(encode_key(row[:width]))

    check_inserting(connection, way)
    insert_rows(connection, path, way, befores, refused=refused, cells=shared)
    wanted = []
    for change in changes:
        if encode_key(change.key) not in homeless:
            wanted.append(change)
        elif change.after is not None:
            wanted.append(RowChange(change.key, None, change.after))
    there = len(refusals.rows)
    wanted = as_they_stand(connection, way, wanted)
    change_or_refuse(connection, path, way, wanted, refusals, is_reshaped=False)
    for each in refusals.rows[there:]:
        if encode_key(each.key) in homeless:  # it fits neither as it was nor as it is to be
            raise ShapeNotReached(path=path, type="table", name=old.name, why=each.why)
