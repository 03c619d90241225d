"""The file store.db: making it, opening it, its transactions, and SQLite's errors as ours. Knows no table's meaning."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from isovc.disk import fsync, fsync_folder
from isovc.errors import (
    DiskFailed,
    DiskFull,
    FormatTooNew,
    IsovcError,
    NoPermission,
    NotOurs,
    StoreBusy,
    StoreDamaged,
    StoreExists,
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
        self._connections: set[sqlite3.Connection] = set()
        self._guard = threading.Lock()
        with _system_errors(path, "open"):
            if not path.exists():
                raise StoreMissing(path=path)
            if not path.is_file():
                raise NotOurs(path=path, why="it is a folder" if path.is_dir() else "it is no ordinary file")
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> StoreFile:
        """A new, empty store, which appears whole or not at all. What already stands at `path` is left alone."""
        with _system_errors(path, "create"), _translated(path, busy_seconds, "create"):
            with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as nursery:
                built = Path(nursery, path.name)
                _build(built)
                _publish(built, path)
            fsync_folder(path.parent)
        return cls(path, busy_seconds=busy_seconds)

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, for reading."""
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connect()
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection; all that is read inside the block is of one moment."""
        with _translated(self.path, self._busy_seconds, "read"):
            connection = self.connection()
            if connection.in_transaction:  # inside another block: its moment is ours
                yield connection
                return
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """One write transaction: all of it is kept, on disk, when the block ends, or nothing. Not `durable`: a power
        cut may take it back, with everything later, until somebody else's transaction is on disk."""
        with _translated(self.path, self._busy_seconds, "write"):
            connection = self.connection()
            assert not connection.in_transaction, "a transaction begins where no other block of this thread is open"
            if not durable:
                connection.execute("PRAGMA synchronous = NORMAL")
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise
            finally:
                if not durable:
                    connection.execute("PRAGMA synchronous = FULL")

    def give_back(self, pages: int) -> None:
        """Hand at most so many free pages back to the file system."""
        with _translated(self.path, self._busy_seconds, "shrink"):
            self.connection().executescript(f"PRAGMA incremental_vacuum({pages})")  # execute() would free one page only

    def release(self) -> None:
        """Close this thread's connection: for a thread that ends before the store is closed."""
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is not None:
            del self._own.connection
            with self._guard:
                self._connections.discard(connection)
            connection.close()

    def close(self) -> None:
        """Close every thread's connection. The last one of all processes folds the log back into the file."""
        with self._guard:
            connections, self._connections = self._connections, set()
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
                self._connections.add(connection)
            return connection

    def _migrate(self) -> None:
        version = self._version()
        if version == len(STEPS):
            return
        with self.transaction() as db:
            upgrade(db, db.execute("PRAGMA user_version").fetchone()[0])  # again, now that nobody else can be at it

    def _version(self) -> int:
        with self.reading() as db:
            application: int = db.execute("PRAGMA application_id").fetchone()[0]
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
            pages: int = db.execute("PRAGMA page_count").fetchone()[0]
            # each version has other tables, so with ours it is none that is newer
            strange = application != APPLICATION_ID or version > len(STEPS)
            if strange and pages and has_our_tables(db):
                raise StoreDamaged(path=self.path, why="its first page says that it is something else")
        if application != APPLICATION_ID:
            why = "it is another program's database" if application else "it has no mark of ours"
            raise NotOurs(path=self.path, why=why if pages else "it is empty")
        if version > len(STEPS):
            raise FormatTooNew(path=self.path, version=version, readable=len(STEPS))
        return version


def upgrade(db: sqlite3.Connection, version: int) -> None:
    """From `version` to the newest, inside a transaction of the caller."""
    for step in STEPS[version:]:
        for statement in statements(step):
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {len(STEPS)}")


def has_our_tables(db: sqlite3.Connection) -> bool:
    """Whether its tables are those that this isovc makes, to the letter."""
    listing = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY name"
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    try:
        upgrade(fresh, 0)
        wanted = fresh.execute(listing).fetchall()
    finally:
        fresh.close()
    return db.execute(listing).fetchall() == wanted


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would end the transaction they belong to."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _build(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # so that gc can give space back bit by bit
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("BEGIN")
        upgrade(connection, 0)
        connection.execute("COMMIT")
        # last: what is written in WAL mode reaches the file when it is closed, where no error would be told any more
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    fsync(path)


def _publish(built: Path, path: Path) -> None:
    try:
        path.hardlink_to(built)  # unlike a rename, never takes the place of something
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        path.touch(exist_ok=False)  # a file system without hard links: claim the name, then rename onto the claim
        built.replace(path)


@contextmanager
def _system_errors(path: Path, deed: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise StoreExists(path=path) from None
    except FileNotFoundError:
        raise StoreMissing(path=path.parent) from None
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise NoPermission(path=path, deed=deed) from None
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(path=path) from None
        raise DiskFailed(path=path, why=error.strerror or str(error)) from error


@contextmanager
def _translated(path: Path, busy_seconds: float, deed: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.ProgrammingError:  # a mistake of ours, like a closed connection: no damage, and not to be hidden
        raise
    except UnicodeDecodeError:  # SQLite's complaint quotes a damaged name, and the module cannot make text of it
        raise StoreDamaged(path=path, why="a name in it is no text") from None
    except sqlite3.Error as error:
        raise translate(error, path, busy_seconds, deed) from error


def translate(error: sqlite3.Error, path: Path, busy_seconds: float, deed: str) -> IsovcError:
    """SQLite's error in our words."""
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code = extended & 0xFF
    why = str(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
        return StoreBusy(path=path, seconds=busy_seconds)
    # the file that connections share beside the log is made in full at once: on a full disk that fails first
    if code == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_SHMSIZE:
        return DiskFull(path=path)
    if code == sqlite3.SQLITE_NOTADB:
        return NotOurs(path=path, why="it is not an SQLite database")
    if extended == sqlite3.SQLITE_READONLY and _may_write(path) and _may_write(path.parent):
        # SQLite makes these with the rights that the database has at that moment, and they may outlast it
        for beside in (path.with_name(path.name + ending) for ending in ("-wal", "-shm")):
            if beside.exists() and not _may_write(beside):
                return NoPermission(path=beside, deed=deed)
        return StoreDamaged(path=path, why="its first page says that it must not be written")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return NoPermission(path=path, deed=deed)
    if code == sqlite3.SQLITE_IOERR:
        return DiskFailed(path=path, why=why)
    return StoreDamaged(path=path, why=why)


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
