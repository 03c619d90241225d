"""Sets rows of one table down: whole contents, or changes. Knows nothing of definitions or transactions.

Every statement says OR ABORT, because a table may declare ON CONFLICT REPLACE, IGNORE or ROLLBACK: then a row that does
not fit would push out another, vanish, or end the transaction, and SQLite would call that a success.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import apsw

from isovc.errors import RowRefused
from isovc.model import Key, KeyKind, Row, RowChange, Value
from isovc.sources.sqlite.access import Access
from isovc.sources.sqlite.cells import Refused, Statement, placeholder, run
from isovc.sources.sqlite.long_cells import Laying, is_long
from isovc.sources.sqlite.prepared import why_not
from isovc.sources.sqlite.rows import rowid_of
from isovc.sql import name


def insert_rows(
    connection: apsw.Connection,
    path: Path,
    way: Access,
    rows: Sequence[Row],
    *,
    refused: Refused | None = None,
    cells: Sequence[str] | None = None,
) -> None:
    """Insert rows that are not there yet. `refused` is told of those that are not taken: of rows that exclude each
    other, all but the first. `cells`: the rows hold just these behind their key, and the others have their default."""
    taking = inserting(way, "ABORT", cells)
    columns = way.table.cells if cells is None else (*way.table.cells[: len(way.key)], *cells)
    late = Laying(connection, way, columns, lambda _: connection.last_insert_rowid())
    if way.table.key_kind is not KeyKind.COLUMNS_OR_ROWID:
        _insert(connection, path, way, taking, rows, refused, late)
        return
    # A rowid that is part of a key must be kept; all other rows take what is free, so they come second and give way.
    last = len(way.key) - 1
    ordered = rows if refused else sorted(rows, key=lambda row: row[last] is None)
    for _, each in groupby(ordered, key=lambda row: row[last] is None):
        some = list(each)
        _make_room(connection, way, some)
        _insert(connection, path, way, taking, some, refused, late)


def _make_room(connection: apsw.Connection, way: Access, rows: Sequence[Row]) -> None:
    """Give another rowid to rows that need none, where it is the key of one of these."""
    if way.table.key_kind is KeyKind.COLUMNS_OR_ROWID:
        last, table = len(way.key) - 1, name(way.table.name)
        free = f"(SELECT max({way.rowid}) + 1 FROM main.{table})"
        move = f"UPDATE OR ABORT main.{table} SET {way.rowid} = {free} WHERE {way.rowid} = ?1"
        run(connection, lambda _: move, [(row[last],) for row in rows if row[last] is not None], way.encoding)


def inserting(way: Access, where_refused: str, cells: Sequence[str] | None = None) -> Statement:
    """The statement that inserts a row, and what it does where the row is not taken."""
    columns = list(way.key[: len(way.collations)])
    if way.table.key_kind is not KeyKind.COLUMNS:
        columns.append(way.rowid)
    columns.extend(map(name, way.table.cells[len(way.key) :] if cells is None else cells))
    into = f"INSERT OR {where_refused} INTO main.{name(way.table.name)} ({', '.join(columns)}) VALUES "

    def statement(as_bytes: frozenset[int]) -> str:
        return into + "(" + ", ".join(placeholder(i, as_bytes) for i in range(len(columns))) + ")"

    return statement


def check_inserting(connection: apsw.Connection, way: Access) -> None:
    """Raise what stands against any row of the table, before rows are told that they are not taken."""
    if error := why_not(connection, inserting(way, "ABORT")(frozenset()), (None,) * len(way.table.cells)):
        raise error


def _insert(
    connection: apsw.Connection,
    path: Path,
    way: Access,
    taking: Statement,
    rows: Sequence[Row],
    refused: Refused | None,
    late: Laying,
) -> None:
    if refused is None:
        _run_exactly(connection, path, way, taking, rows, late=late, wrong="rows were not taken")
    else:
        run(connection, taking, rows, way.encoding, refused, late=late)


def change_rows(connection: apsw.Connection, path: Path, way: Access, changes: Iterable[RowChange]) -> None:
    """Deletes, then updates of just the cells that differ, then inserts."""
    removed, modified, added = by_op(changes)
    if way.table.key_kind in (KeyKind.INTEGER, KeyKind.ROWID):
        # SQLite holds all of a row that it updates, twice: one with long cells goes out and comes in again
        long = [change for change in modified if any(map(is_long, change.after or ()))]
        if long:
            modified = [change for change in modified if not any(map(is_long, change.after or ()))]
            removed, added = [*removed, *long], [*long, *added]
    delete_rows(connection, path, way, [change.key for change in removed])
    if modified:
        connection.execute("SAVEPOINT isovc_updates")
        try:
            update_rows(connection, path, way, modified)
        except apsw.ConstraintError:
            # Rows exchange a value that must be unique: not one by one, but all out and all in again.
            connection.execute("ROLLBACK TO isovc_updates")
            delete_rows(connection, path, way, [change.key for change in modified])
            added = [*modified, *added]
        connection.execute("RELEASE isovc_updates")
    insert_rows(connection, path, way, [change.after for change in added if change.after is not None])


def by_op(changes: Iterable[RowChange]) -> tuple[list[RowChange], list[RowChange], list[RowChange]]:
    """The removed ones, the modified ones and the added ones."""
    removed: list[RowChange] = []
    modified: list[RowChange] = []
    added: list[RowChange] = []
    for change in changes:
        (added if change.before is None else removed if change.after is None else modified).append(change)
    return removed, modified, added


def delete_rows(connection: apsw.Connection, path: Path, way: Access, keys: list[Key]) -> None:
    """Delete the rows with these keys, all of which are there."""
    delete = f"DELETE FROM main.{name(way.table.name)} WHERE "
    by_columns, by_rowid = _by_columns(way, keys)
    _run_exactly(connection, path, way, lambda raw: delete + way.is_key(raw), by_columns)
    _run_exactly(connection, path, way, lambda _: f"{delete}{way.rowid} = ?1", by_rowid)


def _by_columns(way: Access, keys: list[Key]) -> tuple[list[Key], list[Key]]:
    """The keys to be found by `is_key`, and those to be found by their rowid, as far as there are both."""
    if way.table.key_kind is not KeyKind.COLUMNS_OR_ROWID:
        return keys, []
    return [key[:-1] for key in keys if key[-1] is None], [key[-1:] for key in keys if key[-1] is not None]


def update_rows(connection: apsw.Connection, path: Path, way: Access, changes: list[RowChange]) -> None:
    """Set just the cells that differ."""
    # Rows in which the same cells change share a statement.
    groups: dict[tuple[int, ...], list[RowChange]] = {}
    for change in changes:
        groups.setdefault(_differing(change, len(way.key)), []).append(change)
    cells = way.table.cells
    for places, members in groups.items():
        if not places:
            continue
        by_columns: list[Row] = []
        by_rowid: list[Row] = []
        for change in members:
            row = change.after or ()
            values = tuple(row[place] for place in places)
            if way.table.key_kind is KeyKind.COLUMNS_OR_ROWID and change.key[-1] is not None:
                by_rowid.append((*values, change.key[-1]))
            else:
                by_columns.append((*values, *change.key[: len(way.collations) or 1]))
        columns = [cells[place] for place in places]
        late = Laying(connection, way, columns, partial(_rowid_of_update, connection, way, len(columns)))
        _run_exactly(connection, path, way, _updating(way, columns), by_columns, late=late)
        late = Laying(connection, way, columns, itemgetter(-1))
        _run_exactly(connection, path, way, _updating(way, columns, by_rowid=True), by_rowid, late=late)


def _rowid_of_update(connection: apsw.Connection, way: Access, width: int, row: Row) -> int:
    key = row[width:]
    return rowid_of(connection, way, (*key, None) if way.table.key_kind is KeyKind.COLUMNS_OR_ROWID else key)


def _updating(way: Access, columns: list[str], *, by_rowid: bool = False) -> Statement:
    def statement(as_bytes: frozenset[int]) -> str:
        new = ", ".join(f"{name(column)} = {placeholder(i, as_bytes)}" for i, column in enumerate(columns))
        where = f"{way.rowid} = ?{len(columns) + 1}" if by_rowid else way.is_key(as_bytes, first=len(columns))
        return f"UPDATE OR ABORT main.{name(way.table.name)} SET {new} WHERE {where}"

    return statement


def _differing(change: RowChange, width: int) -> tuple[int, ...]:
    before, after = change.before or (), change.after or ()
    places = range(width, len(after))
    if len(before) != len(after):
        return tuple(places)
    return tuple(place for place in places if not same(before[place], after[place]))


def same(one: Value, other: Value) -> bool:
    """Equal and of one storage class; -0.0 is not 0.0."""
    if one is other:
        return True
    return type(one) is type(other) and one == other and (one != 0 or repr(one) == repr(other))


def _run_exactly(
    connection: apsw.Connection,
    path: Path,
    way: Access,
    statement: Statement,
    rows: Sequence[Row],
    *,
    late: Laying | None = None,
    wrong: str = "rows to be changed are not there",
) -> None:
    before = connection.total_changes()
    run(connection, statement, rows, way.encoding, late=late)
    missing = len(rows) - (connection.total_changes() - before)
    if missing > 0:  # what a trigger of ours writes down counts, too
        raise RowRefused(path=path, table=way.table.name, why=f"{missing} {wrong}")
