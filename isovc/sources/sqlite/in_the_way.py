"""Which rows would have to go for another one to come. Knows nothing of changes.

SQLite itself is asked, because only it knows what every index makes of a row, whatever its collations, expressions and
conditions: the row is inserted OR REPLACE, what that pushes out is written down, and all of it is rolled back. Triggers
of the TEMP schema fire on our connections, where those of the database do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import apsw

from isovc.encoding.orderkey import encode_key
from isovc.model import Key, KeyKind, Row
from isovc.sources.sqlite.access import Access
from isovc.sources.sqlite.cells import exact, from_exact, run
from isovc.sources.sqlite.load import inserting
from isovc.sql import name

Find = Callable[[Row], tuple[Key, ...]]
_PUSHED_OUT = "isovc_pushed_out"


@contextmanager
def searching(connection: apsw.Connection, way: Access) -> Iterator[Find]:
    """A function that finds the keys of the rows in the way of a row, in key order. The row has been tried before, so
    no other row has its rowid any more if that is its key."""
    cells = _key_of_old(way)
    columns = ", ".join(f"c{i}" for i in range(len(cells)))
    trigger = f"CREATE TEMP TRIGGER {_PUSHED_OUT} BEFORE DELETE ON main.{name(way.table.name)}"
    connection.execute(f"CREATE TEMP TABLE {_PUSHED_OUT} ({columns})")
    connection.execute(f"{trigger} BEGIN INSERT INTO {_PUSHED_OUT} VALUES ({', '.join(cells)}); END")
    pushing = inserting(way, "REPLACE")

    def find(row: Row) -> tuple[Key, ...]:
        connection.execute("SAVEPOINT isovc_search")
        connection.execute(f"DELETE FROM temp.{_PUSHED_OUT}")
        run(connection, pushing, [row], way.encoding)
        found = connection.execute(f"SELECT * FROM temp.{_PUSHED_OUT}").fetchall()
        connection.execute("ROLLBACK TO isovc_search; RELEASE isovc_search")
        return tuple(sorted((from_exact(each, way.encoding) for each in found), key=encode_key))

    connection.execute("PRAGMA recursive_triggers=ON")  # what REPLACE deletes fires triggers only then
    try:
        yield find
    finally:
        connection.execute("PRAGMA recursive_triggers=OFF")
    # on any exception the transaction is rolled back, and these with it
    connection.execute(f"DROP TRIGGER temp.{_PUSHED_OUT}; DROP TABLE temp.{_PUSHED_OUT}")


def _key_of_old(way: Access) -> list[str]:
    """The key cells of the row that goes, in the exact way."""
    rowid = f"OLD.{way.rowid}"
    if way.table.key_kind is KeyKind.ROWID:
        return [rowid]
    columns = [f"OLD.{column}" for column in way.key[: len(way.collations) or 1]]
    cells = list(map(exact, columns))
    if way.table.key_kind is KeyKind.COLUMNS_OR_ROWID:
        cells.append(f"CASE WHEN {' OR '.join(f'{column} IS NULL' for column in columns)} THEN {rowid} END")
    return cells
