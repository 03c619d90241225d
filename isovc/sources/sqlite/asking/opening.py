"""The connections that questions are put to: an empty one, the live database, a file that nobody writes any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from isovc.sources.sqlite.connection import CACHE_KIB, opened
from isovc.sources.sqlite.failures import told


@contextmanager
def in_memory() -> Iterator[apsw.Connection]:
    """A database without anything."""
    with closing(apsw.Connection(":memory:")) as connection:
        yield connection


@contextmanager
def live(path: Path, *, busy_seconds: float) -> Iterator[apsw.Connection]:
    """A database that others use meanwhile. Nothing is written to it, its log stays where it is."""
    with told(path, seconds=busy_seconds), opened(path, busy_seconds=busy_seconds) as connection:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.execute("PRAGMA query_only=ON")
        yield connection


@contextmanager
def of_file(path: Path) -> Iterator[apsw.Connection]:
    """A file that nobody writes any more."""
    flags = apsw.SQLITE_OPEN_READONLY
    with told(path, seconds=0), closing(apsw.Connection(str(path.absolute()), flags=flags)) as connection:
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        yield connection
