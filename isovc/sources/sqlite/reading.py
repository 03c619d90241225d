"""What can be read in one snapshot of a database. Composes shape, rows and pages; knows nothing of versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from isovc.errors import NameUnreadable
from isovc.model import Key, KeyRange, Row, Shape, Table
from isovc.sources.sqlite.access import Access, access
from isovc.sources.sqlite.doubts import Doubt, doubts
from isovc.sources.sqlite.failures import told
from isovc.sources.sqlite.foreign_keys import Broken, broken_references
from isovc.sources.sqlite.health import Keys, Vitals, keys, pointing_nowhere, quick_check, vitals
from isovc.sources.sqlite.long_cells import Apart
from isovc.sources.sqlite.mark import Mark
from isovc.sources.sqlite.pages import PageMap, Pages, read_pages
from isovc.sources.sqlite.rows import read_keys, read_rowids, read_rows
from isovc.sources.sqlite.shape import read_shape
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sources.sqlite.uncompiled import Uncompiled, uncompiled
from isovc.sql import name


class Reading:
    """One snapshot. It ends with the block that opened it, and every iterator it gave ends with it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._connection = snapshot.connection
        self._ways: dict[str, Access] = {}  # a thousand ranges of one table are looked up once

    @property
    def path(self) -> Path:
        """The file."""
        return self._snapshot.path

    @property
    def mark(self) -> Mark:
        """The mark of exactly the state that this snapshot sees (before any change made in it)."""
        return self._snapshot.mark

    def shape(self) -> Shape:
        """Tables, columns, keys and every definition. Raises where a table is of no use: its rows cannot be reached."""
        try:
            with self._told():
                shape = read_shape(self._connection)
        except UnicodeDecodeError:
            raise NameUnreadable(path=self._snapshot.path) from None
        for table in shape.tables.values():
            with self._told(table):
                self._access(table)
        return shape

    def uncompiled(self) -> list[Uncompiled]:
        """Views and triggers that SQLite cannot compile here: type, name and why."""
        with self._told():
            return uncompiled(self._connection)

    def broken_references(self) -> list[Broken]:
        """Every row that points to one which is not there, by child table, key, parent table and columns."""
        with self._told():
            return broken_references(self._connection, self.path, read_shape(self._connection))

    def integrity(self) -> tuple[str, ...]:
        """What SQLite finds wrong with the whole file; nothing: all is well."""
        with self._told():
            lines = tuple(str(row[0]) for row in self._connection.execute("PRAGMA main.integrity_check"))
        return () if lines == ("ok",) else lines

    def vitals(self) -> Vitals:
        """What the header of the file says."""
        with self._told():
            return vitals(self._snapshot)

    def quick_check(self) -> tuple[str, ...]:
        """What SQLite finds wrong without comparing indexes; nothing: all is well."""
        with self._told():
            return quick_check(self._snapshot)

    def pointing_nowhere(self) -> Mapping[tuple[str, str], int]:
        """How many rows point to rows that are not there, by their table and the one they point to."""
        with self._told():
            return pointing_nowhere(self._snapshot)

    def keys(self, shape: Shape) -> Keys:
        """Tables whose rows are not named well."""
        with self._told():
            return keys(self._snapshot, shape)

    def warnings(self) -> tuple[Doubt, ...]:
        """What is kept and will not come back as it is."""
        with self._told():
            return doubts(self._snapshot)

    def rows(self, table: Table, within: KeyRange | None = None, *, apart: Apart | None = None) -> Iterator[list[Row]]:
        """Rows in batches, cells as in `table.cells`, in the order of their encoded keys. Long cells go `apart` piece
        by piece, where SQLite gives them out so."""
        with self._told(table):
            yield from read_rows(self._connection, self._access(table), within, apart)

    def rows_of(self, table: Table, keys: Iterable[Key]) -> Iterator[list[Row]]:
        """The rows with these keys in the order asked for, without those that are not there."""
        with self._told(table):
            yield from read_keys(self._connection, self._access(table), keys)

    def rows_by_rowid(
        self, table: Table, ranges: Iterable[KeyRange], *, apart: Apart | None = None
    ) -> Iterator[list[Row]]:
        """The rows whose rowid is in one of the ranges, whatever their key is, in the order of the rowid."""
        with self._told(table):
            yield from read_rowids(self._connection, self._access(table), ranges, apart)

    def count(self, table: Table) -> int:
        """How many rows the table has."""
        with self._told(table):
            return int(self._connection.execute(f"SELECT count(*) FROM main.{name(table.name)}").get)

    def pages(self, shape: Shape, known: PageMap | None = None) -> Pages:
        """Fingerprints of the pages of every table, to find changes by. An earlier map makes the new one cheaper."""
        with self._told():
            return read_pages(self._snapshot, shape, known)

    def _access(self, table: Table) -> Access:
        way = self._ways.get(table.name)
        if way is None or way.table != table:
            way = self._ways[table.name] = access(self._connection, self._snapshot.path, table)
        return way

    def _told(self, table: Table | None = None) -> AbstractContextManager[None]:
        return told(self._snapshot.path, seconds=self._snapshot.seconds, table=table.name if table else "")
