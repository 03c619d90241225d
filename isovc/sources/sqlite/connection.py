"""Connections to one user's file, opened so that nothing of theirs is set off. Knows nothing of rows or versions."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import log2
from pathlib import Path

import apsw

from isovc.errors import DatabaseEncrypted, DatabaseForbidden, DatabaseReadOnly, NoDatabase, NotADatabase

CACHE_KIB = 32 * 1024  # KiB of pages: sorts and scattered updates stay in memory, and memory stays far below 300 MB
_HEAD = 1024  # bytes: enough to tell noise from anything with a structure
_NOISE = 7.5  # bits a byte: 1,024 random bytes have about 7.8, text 4 to 5, machine code 6


@contextmanager
def opened(path: Path, *, busy_seconds: float) -> Iterator[apsw.Connection]:
    """A connection with triggers, foreign-key actions and checks off: our writes set down exactly what was captured."""
    check_file(path)
    # the absolute path, because SQLite gives names like ":memory:" a meaning of their own
    connection = apsw.Connection(str(path.absolute()), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(round(busy_seconds * 1000))
        set_off_nothing(connection)
        try:
            # EXTRA: a transaction counts when its journal is gone. FULL, the default, leaves that name to the system: a
            # power cut can bring it back, and with it the rows of before, when store.db has them as moved already.
            connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}; PRAGMA synchronous=EXTRA")
            connection.execute("PRAGMA schema_version")  # the first look at the file
        except apsw.NotADBError:
            _, head = connection.read("main", 0, 0, min(_HEAD, path.stat().st_size))
            if _is_noise(head):
                raise DatabaseEncrypted(path=path) from None
            raise
        yield connection
    finally:
        connection.close()


def set_off_nothing(connection: apsw.Connection) -> None:
    """Switch triggers, foreign-key actions and checks off for good."""
    for setting, value in (
        (apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_FKEY, 0),
        (apsw.SQLITE_DBCONFIG_DEFENSIVE, 0),  # shadow tables are ours to set
        (apsw.SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 1),  # a rename must not rewrite or check views and triggers
    ):
        connection.config(setting, value)
    connection.execute("PRAGMA ignore_check_constraints=ON")


def check_file(path: Path) -> os.stat_result:
    """What the system knows about the path, because SQLite says of all of it only that it is unable to open it."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise NoDatabase(path=path) from None
    except OSError as error:
        raise DatabaseForbidden(path=path, why=(error.strerror or "the system refuses").lower()) from None
    if stat.S_ISDIR(found.st_mode):
        raise NotADatabase(path=path, why="it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise NotADatabase(path=path, why="it is not a regular file")
    if not os.access(path, os.R_OK):
        raise DatabaseForbidden(path=path, why="you have no right to read it")
    return found


def check_writable(connection: apsw.Connection, path: Path) -> None:
    """A write would fail later and less clearly."""
    if connection.readonly("main"):
        raise DatabaseReadOnly(path=path, what="the file")


def _is_noise(head: bytes) -> bool:
    counts = Counter(head).values()
    return len(head) == _HEAD and -sum(n / _HEAD * log2(n / _HEAD) for n in counts) > _NOISE
