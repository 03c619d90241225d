"""A database file, its version, and both of them asked."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw

from isovc.model import Row
from isovc.snapshot.capture import capture
from isovc.snapshot.query.session import Session, Way
from isovc.snapshot.query.shelf import Shelf
from isovc.snapshot.version import Version
from isovc.sources.sqlite import Database
from isovc.sources.sqlite.asking import Questions, live
from isovc.store import MemoryChunks
from isovc.tree.forest import Forest


class Asked:
    """A database file and its version."""

    def __init__(self, folder: Path, script: str, rows: dict[str, list[Row]] | None = None) -> None:
        self.path = folder / "real.db"
        with closing(apsw.Connection(str(self.path))) as connection:
            connection.execute(script)
            for table, some in (rows or {}).items():
                for row in some:
                    columns = (
                        "a, b" if "STORED" in script and table == "t" else "x, y, z" if table == "u" else "a, b, c"
                    )
                    row = row[: columns.count(",") + 1]
                    try:
                        connection.execute(f"INSERT INTO {table}({columns}) VALUES ({', '.join('?' * len(row))})", row)
                    except apsw.Error:
                        pass  # the table does not take it
        self.forest = Forest(MemoryChunks())
        with Database(self.path).reading() as reading:
            self.version: Version = capture(self.forest, reading).version
        self.shelf = folder / "shelf"

    def session(self, way: Way) -> Session:
        return Session(self.forest, Shelf(self.shelf, capacity=1 << 30), self.path, version=self.version, way=way)

    def real(self, sql: str) -> list[Row]:
        """What the database itself answers."""
        with live(self.path, busy_seconds=1) as connection:
            questions = Questions(connection, self.path)
            questions.wake_all()
            return list(questions.rows(questions.understand(sql)))

    def ours(self, sql: str, way: Way) -> list[Row]:
        with self.session(way) as session:
            return list(session.ask(sql).rows)


def told(rows: list[Row], *, ordered: bool) -> list[str]:
    shown = [repr(row) for row in rows]
    return shown if ordered else sorted(shown)
