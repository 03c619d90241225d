"""Changes the rows of one table as far as the table takes them, and lists the rest. Knows nothing of definitions.

All at once first. Only where that fails, row by row: the changed rows go out and come in again, those that were there
before new ones, each in the order of their keys, so of two that exclude each other it is the later one, and the new one
rather than the changed one, that is refused. A refused row goes back to what it was. That can push out a row that has
come in meanwhile: then this one is refused too and goes back. Nothing else is ever pushed out, because what was there
before did fit together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import apsw

from isovc.encoding.orderkey import encode_key
from isovc.model import Key, Row, RowChange
from isovc.sources.sqlite.access import Access
from isovc.sources.sqlite.cells import REFUSING, Refused
from isovc.sources.sqlite.in_the_way import Find, searching
from isovc.sources.sqlite.load import by_op, change_rows, check_inserting, delete_rows, insert_rows, update_rows
from isovc.sources.sqlite.refusal import Refusal, Refusals, kind_of_refusal
from isovc.sources.sqlite.rows import read_keys


def change_or_refuse(
    connection: apsw.Connection,
    path: Path,
    way: Access,
    changes: Iterable[RowChange],
    refusals: Refusals,
    *,
    is_reshaped: bool,
) -> None:
    """Change what can be changed. `is_reshaped`: the table has got other cells than `before` of the changes tells."""
    wanted = list(changes)
    start = connection.total_changes()
    connection.execute("SAVEPOINT isovc_rows")
    try:
        change_rows(connection, path, way, wanted)
    except REFUSING:
        connection.execute("ROLLBACK TO isovc_rows")
        if is_reshaped:
            wanted = as_they_stand(connection, way, wanted)
        refused = _take_rows(connection, path, way, wanted)
        refusals.rows += refused
        if len(refused) == len(wanted):  # all of it came to nothing, and counts as that
            connection.execute("ROLLBACK TO isovc_rows")
            refusals.undone += connection.total_changes() - start
    connection.execute("RELEASE isovc_rows")


def fill_or_refuse(
    connection: apsw.Connection, path: Path, way: Access, batches: Iterable[list[Row]], refusals: Refusals
) -> None:
    """Insert the rows that a new table takes."""
    left: list[RowChange] = []
    width = len(way.key)

    def refused(row: Row, _: apsw.Error) -> None:
        left.append(RowChange(row[:width], None, row))

    check_inserting(connection, way)
    for batch in batches:
        insert_rows(connection, path, way, batch, refused=refused)
    refusals.rows += _take_rows(connection, path, way, left)


def as_they_stand(connection: apsw.Connection, way: Access, changes: Sequence[RowChange]) -> list[RowChange]:
    """The changes with what the rows are now, where the table has got other cells than the changes tell."""
    width = len(way.key)
    keys = [change.key for change in changes if change.before is not None]
    now = {encode_key(row[:width]): row for batch in read_keys(connection, way, keys) for row in batch}
    return [
        change if change.before is None else replace(change, before=now.get(encode_key(change.key), change.before))
        for change in changes
    ]


def _take_rows(connection: apsw.Connection, path: Path, way: Access, changes: Iterable[RowChange]) -> list[Refusal]:
    """Row by row; what was refused, in key order."""
    check_inserting(connection, way)
    removed, modified, added = by_op(changes)
    delete_rows(connection, path, way, [change.key for change in removed])
    return _Taking(connection, path, way).take([*_in_order(modified), *_in_order(added)])


def _in_order(changes: Iterable[RowChange]) -> list[RowChange]:
    return sorted(changes, key=lambda change: encode_key(change.key))


def _note(stuck: list[Row], row: Row, _: apsw.Error) -> None:
    stuck.append(row)


class _Taking:
    def __init__(self, connection: apsw.Connection, path: Path, way: Access) -> None:
        self._connection = connection
        self._path = path
        self._way = way
        self._refused: dict[bytes, Refusal] = {}

    def take(self, changes: list[RowChange]) -> list[Refusal]:
        left = changes
        late: set[bytes] = set()
        while True:
            waiting, pushed = self._all_at_once(left)
            waiting, has_taken = self._each_alone(waiting)
            # Where nothing was pushed out, what is in the way of a row is there to stay. Else what it had kept out may
            # fit now, if it comes before it.
            if not has_taken and pushed <= late:
                return [self._refused[place] for place in sorted(self._refused)]
            late |= pushed
            left = sorted(waiting, key=lambda change: encode_key(change.key) in late)

    def _all_at_once(self, changes: list[RowChange]) -> tuple[list[RowChange], set[bytes]]:
        """All out and in again, those that are not taken as they were; those that may still have a chance, and those of
        them that had been taken and were pushed out again."""
        way, width = self._way, len(self._way.key)
        by_place = {encode_key(change.key): change for change in changes}
        for place in by_place:
            self._refused.pop(place, None)
        waiting: set[bytes] = set()
        out: list[RowChange] = []

        def refused(row: Row, error: apsw.Error) -> None:
            place = encode_key(row[:width])
            out.append(by_place[place])
            if (kind := kind_of_refusal(error)) == "unique" or by_place[place].before is not None:
                waiting.add(place)
            else:
                self._refused[place] = Refusal(way.table.name, by_place[place].key, kind, str(error))

        self._delete([change.key for change in changes if change.before is not None])
        self._insert([change.after for change in changes if change.after is not None], refused)
        all_pushed: set[bytes] = set()
        # a row that was there stays, whatever a CHECK says of it today
        self._connection.pragma("ignore_check_constraints", True)
        while back := [change.before for change in out if change.before is not None]:
            stuck: list[Row] = []
            self._insert(back, partial(_note, stuck))
            pushed: dict[bytes, Key] = {}
            if stuck:
                with searching(self._connection, way) as find:
                    pushed = {encode_key(key): key for row in stuck for key in find(row)}
            self._delete(list(pushed.values()))
            self._insert(stuck)
            all_pushed.update(pushed)
            waiting.update(pushed)
            out = [by_place[place] for place in sorted(pushed)]
        self._connection.pragma("ignore_check_constraints", False)
        return [change for change in changes if encode_key(change.key) in waiting], all_pushed

    def _each_alone(self, changes: list[RowChange]) -> tuple[list[RowChange], bool]:
        """Every row once more, as all others stand now; those that are still not taken, and whether one was."""
        if not changes:
            return [], False
        still: list[RowChange] = []
        with searching(self._connection, self._way) as find:
            for change in changes:
                place = encode_key(change.key)
                try:
                    if change.before is None:
                        self._insert([change.after or ()])
                    else:  # as it stays in its place, it may break a CHECK that is about none of the cells that change
                        update_rows(self._connection, self._path, self._way, [change])
                except REFUSING as error:
                    self._refused[place] = self._refusal(change, error, find)
                    still.append(change)
        return still, len(still) < len(changes)

    def _refusal(self, change: RowChange, error: apsw.Error, find: Find) -> Refusal:
        kind, why = kind_of_refusal(error), str(error)
        others: tuple[Key, ...] = ()
        if kind == "unique":
            self._connection.execute("SAVEPOINT isovc_without")
            try:
                self._delete([change.key] if change.before is not None else [])
                others = find(change.after or ())
            except REFUSING as deeper:  # with nothing in its way it would not be taken either
                kind, why = kind_of_refusal(deeper), str(deeper)
            self._connection.execute("ROLLBACK TO isovc_without; RELEASE isovc_without")
        return Refusal(self._way.table.name, change.key, kind, why, others)

    def _delete(self, keys: list[Key]) -> None:
        delete_rows(self._connection, self._path, self._way, keys)

    def _insert(self, rows: list[Row], refused: Refused | None = None) -> None:
        insert_rows(self._connection, self._path, self._way, rows, refused=refused)
