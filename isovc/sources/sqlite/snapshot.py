"""One transaction on one file, and the mark of exactly the state it sees. Knows nothing of tables or rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from isovc.errors import DatabaseBusy
from isovc.sources.sqlite.connection import check_file, opened
from isovc.sources.sqlite.mark import Mark, take_mark, wal_state
from isovc.sources.sqlite.who import holders

_SWAPS = 100  # times that another file may be put in the place of the one that was just opened
_TRIES = 100  # marks taken around a BEGIN, about 0.1 ms each, before the writers are asked to wait a moment
_NO_LOG = (-1, -1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A connection inside a transaction."""

    connection: apsw.Connection
    path: Path
    seconds: float
    mark: Mark


@contextmanager
def read_snapshot(path: Path, *, busy_seconds: float) -> Iterator[Snapshot]:
    """A transaction that only reads. Its mark is never later than what it sees: a change would be missed for ever."""
    for _ in range(_SWAPS):
        with ExitStack() as stack:
            inode = _inode(path)
            connection = stack.enter_context(opened(path, busy_seconds=busy_seconds))
            connection.execute("PRAGMA query_only=ON")
            mark = begin_read(connection, path, busy_seconds=busy_seconds)
            if mark.inode == inode:
                yield Snapshot(connection, path, busy_seconds, mark)
                connection.execute("ROLLBACK")
                return
            # another file was put in its place between the two looks: the connection holds the old one
    raise DatabaseBusy(path=path, seconds=busy_seconds, who=holders(path))


def begin_read(connection: apsw.Connection, path: Path, *, busy_seconds: float) -> Mark:
    """Begin a transaction that reads, and say which state it sees."""
    if connection.pragma("journal_mode") == "wal":
        with opened(path, busy_seconds=busy_seconds) as prober:
            mark = _begin_wal(connection, prober, path, busy_seconds=busy_seconds)
            for each in (connection, prober):
                _leave_log(each, mark)
        return mark
    _begin(connection)
    # Under a shared lock nobody commits, so this is the mark of what will be read.
    return take_mark(connection, path, _NO_LOG)


@contextmanager
def write_snapshot(path: Path, *, busy_seconds: float) -> Iterator[Snapshot]:
    """A transaction that holds the write lock from its begin. Who opens it also ends it."""
    with opened(path, busy_seconds=busy_seconds) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            log = _NO_LOG
            if connection.pragma("journal_mode") == "wal":
                with opened(path, busy_seconds=busy_seconds) as prober:
                    log = wal_state(prober)
            yield Snapshot(connection, path, busy_seconds, take_mark(connection, path, log))
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def end_unchanged(snapshot: Snapshot) -> None:
    """End a transaction in which nothing was written, so that the mark it began with stays true."""
    snapshot.connection.execute("ROLLBACK")
    _leave_log(snapshot.connection, snapshot.mark)


def mark_after_commit(snapshot: Snapshot, data_version: int) -> Mark | None:
    """The mark of what this connection has just committed; None when others have committed since."""
    connection = snapshot.connection
    if connection.pragma("journal_mode") == "wal":
        # Closing would do it anyway and change the file's time, and the mark would not be worth keeping.
        try:
            connection.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            pass  # somebody else is at it
    mark = begin_read(connection, snapshot.path, busy_seconds=snapshot.seconds)
    try:
        return mark if connection.pragma("data_version") == data_version else None
    finally:
        connection.execute("ROLLBACK")


def _leave_log(connection: apsw.Connection, mark: Mark) -> None:
    # Closing the last connection moves the log into the file, a write nobody asked a reader for.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, mark.wal is not None)


def _begin(connection: apsw.Connection) -> None:
    connection.execute("BEGIN")
    connection.execute("PRAGMA schema_version")  # BEGIN alone takes no lock and no snapshot


def _begin_wal(connection: apsw.Connection, prober: apsw.Connection, path: Path, *, busy_seconds: float) -> Mark:
    """Between two equal marks nothing was committed, so the snapshot begun between them is that of the mark."""
    before = take_mark(prober, path, wal_state(prober))
    for _ in range(_TRIES):
        _begin(connection)
        after = take_mark(prober, path, wal_state(prober))
        if before == after:
            return after
        before = after
        connection.execute("ROLLBACK")
    if connection.readonly("main"):
        raise apsw.BusyError("others commit without a pause")
    prober.execute("BEGIN IMMEDIATE")  # so busy a file: hold the writers back for a moment
    try:
        _begin(connection)
        # Counted only now: a log that was wholly in the file at the begin may start again under this snapshot, and
        # must not be named in its mark.
        with opened(path, busy_seconds=busy_seconds) as counter:
            return take_mark(connection, path, wal_state(counter))
    finally:
        prober.execute("ROLLBACK")


def _inode(path: Path) -> int:
    return check_file(path).st_ino
