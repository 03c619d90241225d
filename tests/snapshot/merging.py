"""Three databases made with stock SQLite, merged, and what comes out laid out again."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from isovc.encoding.orderkey import encode_key
from isovc.snapshot.capture import capture
from isovc.snapshot.merging.how import PLAIN, How
from isovc.snapshot.merging.merge import Merged, merge
from isovc.snapshot.move import plan_move
from isovc.snapshot.values import with_large
from isovc.snapshot.version import Version, same_shape
from isovc.sources.sqlite import Database
from isovc.store import MemoryChunks
from isovc.tree.forest import Forest
from isovc.tree.read import scan

NOWHERE = "CREATE TABLE isovc_x (a); DROP TABLE isovc_x;"  # so that the file is one


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "some.db"


def version_of(forest: Forest, sql: str | Sequence[str]) -> Version:
    """What a database holds after some statements; one that SQLite refuses is as if it had not been said."""
    with scratch() as path:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.executescript(NOWHERE)
            if isinstance(sql, str):
                connection.executescript(sql)
            else:
                for statement in sql:
                    try:
                        connection.executescript(f"BEGIN; {statement}; COMMIT")
                    except sqlite3.Error:
                        connection.rollback()
        with Database(path).reading() as reading:
            return capture(forest, reading).version


class Merging:
    """One base and two sides."""

    def __init__(self, base: str, ours: str, theirs: str) -> None:
        self.forest = Forest(MemoryChunks())
        scripts = base, f"{base}; {ours}", f"{base}; {theirs}"
        self.base, self.ours, self.theirs = (version_of(self.forest, script) for script in scripts)

    def merged(self, how: How = PLAIN, *, turned: bool = False) -> Merged:
        """What comes out; always something that can be laid out."""
        ours, theirs = (self.theirs, self.ours) if turned else (self.ours, self.theirs)
        found = merge(self.forest, self.base, ours, theirs, how)
        check_laid_out(self.forest, found.version)
        return found

    def rows(self, found: Merged, table: str) -> list[dict[str, Any]]:
        """The rows of a table, by name of the column."""
        return rows_of(self.forest, found.version, table)


def rows_of(forest: Forest, version: Version, table: str) -> list[dict[str, Any]]:
    cells = version.shape.tables[table].cells
    rows = scan(forest, version.roots[table].id, cells=range(len(cells)))
    return [dict(zip(cells, with_large(forest.store, row), strict=True)) for row in rows]


def texts(version: Version) -> dict[str, str]:
    return {each.name: each.sql for each in version.shape.objects}


def places(found: Merged) -> list[tuple[str, tuple[str, str] | None]]:
    return [(each.kind, each.place) for each in found.conflicts]


def check_laid_out(forest: Forest, version: Version) -> None:
    """A database made of it holds just that."""
    with scratch() as path:
        database = Database.create(path, version.shape)
        with database.writing() as writing:
            plan = plan_move(forest, Version(), version)
            writing.apply(plan.target, plan.changes, contents=plan.contents)
        with database.reading() as reading:
            back = capture(forest, reading).version
        assert same_shape(back.shape, version.shape)
        assert back.roots == version.roots
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for name, table in version.shape.tables.items():
        width = len(table.key)
        keys = [encode_key(row[:width]) for row in scan(forest, version.roots[name].id, cells=range(width))]
        assert keys == sorted(set(keys))
