"""Sets rows of one table down: whole contents, or changes. Knows nothing of definitions or transactions.

Every statement says OR ABORT, because a table may declare ON CONFLICT REPLACE, IGNORE or ROLLBACK: then a row that does
not fit would push out another, vanish, or end the transaction, and SQLite would call that a success.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import apsw

from isovc.errors import RowRefused
from isovc.model import Key, KeyKind, Row, RowChange, Value
from isovc.sources.sqlite.access import Access
from isovc.sources.sqlite.cells import Statement, placeholder, run
from isovc.sql import name


def insert_rows(connection: apsw.Connection, path: Path, way: Access, rows: Sequence[Row]) -> None:
    """Insert rows that are not there yet."""
    if way.table.key_kind is not KeyKind.COLUMNS_OR_ROWID:
        _insert(connection, path, way, rows)
        return
    # A rowid that is part of a key must be kept; all other rows take what is free, so they come second and give way.
    width = len(way.key)
    named = [row for row in rows if row[width - 1] is not None]
    table = name(way.table.name)
    free = f"(SELECT max({way.rowid}) + 1 FROM main.{table})"
    move = f"UPDATE OR ABORT main.{table} SET {way.rowid} = {free}"
    run(connection, lambda _: f"{move} WHERE {way.rowid} = ?1", [(row[width - 1],) for row in named], way.encoding)
    _insert(connection, path, way, named)
    _insert(connection, path, way, [row for row in rows if row[width - 1] is None])


def _insert(connection: apsw.Connection, path: Path, way: Access, rows: Sequence[Row]) -> None:
    columns = list(way.key[: len(way.collations)])
    if way.table.key_kind is not KeyKind.COLUMNS:
        columns.append(way.rowid)
    columns.extend(map(name, way.table.cells[len(way.key) :]))
    into = f"INSERT OR ABORT INTO main.{name(way.table.name)} ({', '.join(columns)}) VALUES "

    def statement(as_bytes: frozenset[int]) -> str:
        return into + "(" + ", ".join(placeholder(i, as_bytes) for i in range(len(columns))) + ")"

    _run_exactly(connection, path, way, statement, rows, wrong="rows were not taken")


def change_rows(connection: apsw.Connection, path: Path, way: Access, changes: Iterable[RowChange]) -> None:
    """Deletes, then updates of just the cells that differ, then inserts."""
    removed, modified, added = _sorted(changes)
    delete_rows(connection, path, way, [change.key for change in removed])
    if modified:
        connection.execute("SAVEPOINT isovc_updates")
        try:
            _update(connection, path, way, modified)
        except apsw.ConstraintError:
            # Rows exchange a value that must be unique: not one by one, but all out and all in again.
            connection.execute("ROLLBACK TO isovc_updates")
            delete_rows(connection, path, way, [change.key for change in modified])
            added = [*modified, *added]
        connection.execute("RELEASE isovc_updates")
    insert_rows(connection, path, way, [change.after for change in added if change.after is not None])


def _sorted(changes: Iterable[RowChange]) -> tuple[list[RowChange], list[RowChange], list[RowChange]]:
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


def _update(connection: apsw.Connection, path: Path, way: Access, changes: list[RowChange]) -> None:
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
        _run_exactly(connection, path, way, _updating(way, columns), by_columns)
        _run_exactly(connection, path, way, _updating(way, columns, by_rowid=True), by_rowid)


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
    wrong: str = "rows to be changed are not there",
) -> None:
    before = connection.total_changes()
    run(connection, statement, rows, way.encoding)
    missing = len(rows) - (connection.total_changes() - before)
    if missing:
        raise RowRefused(path=path, table=way.table.name, why=f"{missing} {wrong}")
