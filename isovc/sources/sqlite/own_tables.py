"""The rows of tables that SQLite keeps for itself, like sqlite_sequence. Knows nothing of definitions.

SQLite changes them while tables are dropped, renamed and filled, so what they are to hold is worked out before and set
down after everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isovc.encoding.orderkey import encode_key
from isovc.model import Row, RowChange, Shape
from isovc.sources.sqlite.access import access
from isovc.sources.sqlite.load import insert_rows
from isovc.sources.sqlite.rows import read_rows
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sql import name


def is_own(table: str) -> bool:
    """SQLite keeps all names that begin so for itself."""
    return table.lower().startswith("sqlite_")


class OwnTables:
    """What SQLite's own tables are to hold in the end."""

    def __init__(
        self,
        snapshot: Snapshot,
        current: Shape,
        target: Shape,
        changes: Mapping[str, Iterable[RowChange]],
        contents: Mapping[str, Iterable[list[Row]]],
    ) -> None:
        self._snapshot = snapshot
        self._target = target
        self._wanted: dict[str, list[Row]] = {}
        for table in filter(is_own, target.tables):
            if table in contents:
                self._wanted[table] = [row for batch in contents[table] for row in batch]
            else:
                self._wanted[table] = _changed(
                    self._rows(current, table), changes.get(table, ()), len(target.tables[table].key)
                )

    def set_down(self) -> None:
        """Make them hold just that."""
        connection = self._snapshot.connection
        for table, wanted in self._wanted.items():
            # repr tells 1 from 1.0 and 0.0 from -0.0
            if repr(self._rows(self._target, table)) != repr(wanted):
                connection.execute(f"DELETE FROM main.{name(table)}")
                way = access(connection, self._snapshot.path, self._target.tables[table])
                insert_rows(connection, self._snapshot.path, way, wanted)

    def _rows(self, shape: Shape, table: str) -> list[Row]:
        if table not in shape.tables:
            return []
        connection = self._snapshot.connection
        way = access(connection, self._snapshot.path, shape.tables[table])
        return [row for batch in read_rows(connection, way) for row in batch]


def _changed(rows: list[Row], changes: Iterable[RowChange], width: int) -> list[Row]:
    found = {encode_key(row[:width]): row for row in rows}
    for change in changes:
        if change.after is None:
            found.pop(encode_key(change.key), None)
        else:
            found[encode_key(change.key)] = change.after
    return [found[key] for key in sorted(found)]
