"""One user's SQLite file. Composes what the other modules of this room do; knows nothing of versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from isovc.model import Shape
from isovc.sources.sqlite.connection import check_writable, opened
from isovc.sources.sqlite.copying import copy_file
from isovc.sources.sqlite.failures import told, told_of_file
from isovc.sources.sqlite.layout import lay_out, lay_out_empty
from isovc.sources.sqlite.mark import Mark
from isovc.sources.sqlite.reading import Reading
from isovc.sources.sqlite.snapshot import end_unchanged, mark_after_commit, read_snapshot, write_snapshot
from isovc.sources.sqlite.writing import Writing


class Database:
    """A file that other programs read and write at any time.

    Nothing stays open between two transactions, so a file that is replaced meanwhile is simply seen as it is.
    """

    def __init__(self, path: Path, *, busy_seconds: float = 5.0) -> None:
        self.path = path
        self.busy_seconds = busy_seconds

    @classmethod
    def create(cls, path: Path, shape: Shape, *, busy_seconds: float = 5.0) -> Database:
        """A new file, empty but for the encoding, page size and auto_vacuum of the shape."""
        database = cls(path, busy_seconds=busy_seconds)
        with told_of_file(path):
            path.open("xb").close()
        database.lay_out(shape)
        return database

    def mark(self) -> Mark:
        """The identity of the committed state. Equal marks: nothing was changed between."""
        with self.reading() as reading:
            return reading.mark

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """One snapshot: whatever others commit meanwhile is not seen."""
        with self._told(), read_snapshot(self.path, busy_seconds=self.busy_seconds) as snapshot:
            yield Reading(snapshot)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction under the write lock: committed at the end of the block, rolled back on any exception."""
        with self._told(), write_snapshot(self.path, busy_seconds=self.busy_seconds) as snapshot:
            check_writable(snapshot.connection, self.path)
            data_version = snapshot.connection.pragma("data_version")
            writing = Writing(snapshot)
            yield writing
            if writing.is_changed:
                snapshot.connection.execute("COMMIT")
                writing.committed = mark_after_commit(snapshot, data_version)
            else:
                # a COMMIT would wait until nobody reads, to write nothing
                end_unchanged(snapshot)
                writing.committed = snapshot.mark

    def copy_to(self, path: Path) -> None:
        """Make a new file that holds, byte by byte, what one snapshot of this one sees, its log included.

        It is on disk when this returns. No file may be there before, and none is left where this fails.
        """
        with self._told(), read_snapshot(self.path, busy_seconds=self.busy_seconds) as snapshot:
            copy_file(snapshot, path)

    def lay_out(self, shape: Shape) -> bool:
        """Give the file the page size and auto_vacuum of the shape, an empty one its encoding too.

        This writes the whole file anew where something differs, and SQLite may then number the rows of tables without
        a key anew: capture again afterwards. False: there was nothing to do.
        """
        with self._told(), opened(self.path, busy_seconds=self.busy_seconds) as connection:
            check_writable(connection, self.path)
            if connection.pragma("page_count"):
                return lay_out(connection, shape)
        with self._told():
            lay_out_empty(self.path, shape)
        return True

    def _told(self) -> AbstractContextManager[None]:
        return told(self.path, seconds=self.busy_seconds)
