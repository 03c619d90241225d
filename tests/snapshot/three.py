"""A database and two that were made from it, as versions; and a version as a database that the stock module opens."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isovc.model.shape import ROWID
from isovc.snapshot.capture import capture
from isovc.snapshot.values import with_large
from isovc.snapshot.version import Version
from isovc.sources.sqlite import Database
from isovc.sql import name, names
from isovc.store import MemoryChunks
from isovc.tree.forest import Forest
from isovc.tree.read import scan

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Three:
    forest: Forest
    base: Version
    ours: Version
    theirs: Version


def three(folder: Path, base: str, ours: str, theirs: str, forest: Forest | None = None) -> Three:
    """What these scripts make. Foreign keys are not looked at, but for what the scripts say."""
    forest = forest or Forest(MemoryChunks())
    paths = [folder / f"{side}.db" for side in ("base", "ours", "theirs")]
    versions = []
    for path, script in zip(paths, (base, ours, theirs), strict=True):
        path.unlink(missing_ok=True)
        if path is not paths[0]:
            shutil.copy(paths[0], path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.executescript(f"BEGIN; {script}; COMMIT")
        with Database(path).reading() as live:
            versions.append(capture(forest, live).version)
    return Three(forest, *versions)


def rows(forest: Forest, version: Version, table: str) -> Rows:
    """The rows of a table, keys first."""
    width = len(version.shape.tables[table].cells)
    return [with_large(forest.store, row) for row in scan(forest, version.roots[table].id, cells=range(width))]


def laid_out(forest: Forest, version: Version) -> sqlite3.Connection:
    """The version as a database in memory, with all its rows."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    for each in version.shape.objects:
        if not each.name.startswith("sqlite_"):
            made.execute(each.sql)
    for table, shape in sorted(version.shape.tables.items(), reverse=True):
        cells = [cell for cell in shape.cells if cell != ROWID or len(shape.key) == 1]
        if table == "sqlite_sequence":
            made.execute("DELETE FROM sqlite_sequence")
        made.executemany(
            f"INSERT INTO {name(table)} ({names(cells)}) VALUES ({', '.join('?' * len(cells))})",
            [
                [value for cell, value in zip(shape.cells, row, strict=True) if cell in cells]
                for row in rows(forest, version, table)
            ],
        )
    return made


def broken(forest: Forest, version: Version) -> Counter[tuple[str, str]]:
    """Rows that point to nothing, by table and the one they point to."""
    with closing(laid_out(forest, version)) as made:
        return Counter((child, parent) for child, _, parent, _ in made.execute("PRAGMA foreign_key_check"))
