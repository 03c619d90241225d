"""The file store.db: making it, opening it, its transactions, and SQLite's errors as ours. Knows no table's meaning."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isovc.errors import (
    DiskFailed,
    DiskFull,
    FormatTooNew,
    IsovcError,
    NoPermission,
    NotOurs,
    StoreBusy,
    StoreDamaged,
    StoreMissing,
)
from isovc.store.schema import APPLICATION_ID, PAGE_SIZE, STEPS

BUSY_SECONDS = 30.0  # a commit holds the lock for a fraction of a second; half a minute means something is really long

# pages of 64 KiB: the log is folded back into the file every 16 MiB, and cut to that size afterwards
_CHECKPOINT_PAGES = 256
_CACHE_KIB = 16 * 1024


class StoreFile:
    """store.db, opened. Threads share it: each has a connection of its own, made when it first asks."""

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        if not path.is_file():
            raise StoreMissing(path=path)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> StoreFile:
        """A new, empty store. What already stands at `path` is left alone and refused."""
        with _translated(path, busy_seconds, "create"):
            path.touch(exist_ok=False)
            connection = sqlite3.connect(path, isolation_level=None)
            try:
                connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # so that gc can give space back bit by bit
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            finally:
                connection.close()
        return cls(path, busy_seconds=busy_seconds)

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, for reading."""
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connect()
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, with SQLite's errors turned into ours."""
        with _translated(self.path, self._busy_seconds, "read"):
            yield self.connection()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: all of it is kept, on disk, when the block ends, or nothing."""
        with _translated(self.path, self._busy_seconds, "write"):
            connection = self.connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close every thread's connection. The last one of all processes folds the log back into the file."""
        with self._guard:
            connections, self._connections = self._connections, []
            self._own = threading.local()
        for connection in connections:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        with _translated(self.path, self._busy_seconds, "open"):
            # check_same_thread off: only close() ever comes from another thread
            connection = sqlite3.connect(
                self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
                connection.execute(f"PRAGMA journal_size_limit = {_CHECKPOINT_PAGES * PAGE_SIZE}")
                connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
                connection.execute("PRAGMA foreign_keys = ON")
            except BaseException:
                connection.close()
                raise
            with self._guard:
                self._connections.append(connection)
            return connection

    def _migrate(self) -> None:
        version = self._version()
        if version == len(STEPS):
            return
        with self.transaction() as db:
            # again, now that nobody else can be at it
            for step in STEPS[db.execute("PRAGMA user_version").fetchone()[0] :]:
                for statement in statements(step):
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(STEPS)}")

    def _version(self) -> int:
        with self.reading() as db:
            application: int = db.execute("PRAGMA application_id").fetchone()[0]
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION_ID:
            raise NotOurs(
                path=self.path, why="it is another program's database" if application else "it has no mark of ours"
            )
        if version > len(STEPS):
            raise FormatTooNew(path=self.path, version=version, readable=len(STEPS))
        return version


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would end the transaction they belong to."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def _translated(path: Path, busy_seconds: float, deed: str) -> Iterator[None]:
    try:
        yield
    except IsovcError:
        raise
    except FileExistsError:
        raise NotOurs(path=path, why="a file stands there already") from None
    except PermissionError:
        raise NoPermission(path=path, deed=deed) from None
    except sqlite3.Error as error:
        raise translate(error, path, busy_seconds, deed) from error


def translate(error: sqlite3.Error, path: Path, busy_seconds: float, deed: str) -> IsovcError:
    """SQLite's error in our words."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    why = str(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(path=path, seconds=busy_seconds)
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(path=path)
    if code == sqlite3.SQLITE_NOTADB:
        return NotOurs(path=path, why="it is not an SQLite database")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return NoPermission(path=path, deed=deed)
    if code == sqlite3.SQLITE_IOERR:
        return DiskFailed(path=path, why=why)
    return StoreDamaged(path=path, why=why)
