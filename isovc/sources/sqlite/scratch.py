"""A database for a moment, in which a virtual table is read or filled through its own module. Knows nothing of
versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

import apsw

from isovc.model import Column, Row, SchemaObject, Shape, Table
from isovc.sources.sqlite.access import access
from isovc.sources.sqlite.cells import placeholder, run
from isovc.sources.sqlite.connection import CACHE_KIB
from isovc.sources.sqlite.failures import told
from isovc.sources.sqlite.load import insert_rows
from isovc.sources.sqlite.rows import read_rows
from isovc.sources.sqlite.schema_table import add_virtual, create
from isovc.sources.sqlite.shape import read_shape
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sources.sqlite.twin import beside
from isovc.sql import name

_CHECK = "integrity-check"


class Scratch:
    """Such a database. It begins empty."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._connection = snapshot.connection

    def make(self, each: SchemaObject) -> None:
        """Run the text of a definition. A virtual table gets stored tables that are as new."""
        create(self._snapshot, each)

    def enter(self, virtual: SchemaObject) -> None:
        """A virtual table whose stored tables are there."""
        add_virtual(self._snapshot, [virtual])

    def fill(self, table: Table, rows: Iterable[list[Row]]) -> None:
        """Let a table hold these rows and no others."""
        way = access(self._connection, self._snapshot.path, table)
        with self._connection:
            self._connection.execute(f"DELETE FROM main.{name(table.name)}")
            for batch in rows:
                insert_rows(self._connection, self._snapshot.path, way, batch)

    def put(self, virtual: Table, rows: Iterable[Row]) -> None:
        """Insert rows into a virtual table, told as a table."""
        way = access(self._connection, self._snapshot.path, virtual)

        def statement(raw: frozenset[int]) -> str:
            values = ", ".join(placeholder(cell, raw) for cell in range(len(way.cells)))
            return f"INSERT INTO main.{name(virtual.name)} ({', '.join(way.cells)}) VALUES ({values})"

        # not as rows of a table are inserted: what the module writes for them counts as rows, too
        with self._connection:
            run(self._connection, statement, rows, way.encoding)

    def order(self, virtual: str, word: str) -> None:
        """Say one of its words to a full-text table."""
        self._connection.execute(f"INSERT INTO main.{name(virtual)} ({name(virtual)}) VALUES (?)", (word,))

    def is_in_step(self, virtual: str, *, ranked: bool) -> bool:
        """Whether a full-text table says the same as the table it indexes. `ranked`: it looks there only when told a
        rank (FTS5)."""
        columns, values = (f"{name(virtual)}, rank", "?, 1") if ranked else (name(virtual), "?")
        try:
            self._connection.execute(f"INSERT INTO main.{name(virtual)} ({columns}) VALUES ({values})", (_CHECK,))
        except apsw.CorruptError:
            return False
        return True

    def rows(self, table: Table) -> Iterator[list[Row]]:
        """All rows of a table in the order of its key; of a virtual table, if it is told as one."""
        return read_rows(self._connection, access(self._connection, self._snapshot.path, table))

    def columns(self, virtual: str) -> tuple[Column, ...]:
        """The columns of a virtual table that a SELECT * shows."""
        found = self._connection.execute(f"PRAGMA main.table_xinfo({name(virtual)})")
        return tuple(Column(str(row[1]), str(row[2])) for row in found if not row[6])

    def stored(self, virtual: str) -> tuple[Table, ...]:
        """The tables in which a virtual table keeps what it holds."""
        return tuple(table for table in read_shape(self._connection).tables.values() if table.shadow_of == virtual)


@contextmanager
def scratch(like: Shape) -> Iterator[Scratch]:
    """One with the encoding and page size of a shape: modules cut what they store to its pages. What does not fit into
    memory goes to a file that has no name."""
    place = Path(gettempdir())
    with told(place, seconds=0), beside(place, like.encoding, where="") as snapshot:
        snapshot.connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        if "page_size" in like.pragmas:
            snapshot.connection.execute(f"PRAGMA page_size={int(like.pragmas['page_size'])}")
        yield Scratch(snapshot)
