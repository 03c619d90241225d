"""Read transactions that keep the log of a database from beginning again over frames that nobody has read yet.

A transaction that reads keeps checkpoints from moving later frames into the file, and the log from beginning again. A
new one is begun before the last one is let go of, so that there is no moment without. One that was begun while all of
the log was in the file lets the log begin again, and keeps everything of the new one: only from there can the log be
emptied, so `rest` goes there. None of this makes a writer wait.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import apsw

from isovc.sources.sqlite.connection import check_file, opened
from isovc.sources.sqlite.mark import wal_state

MOST_FRAMES = 65_536  # in the log of a writer that never pauses; then a gap is the lesser evil
_SOON, _BLINK = 0.005, 0.0001  # seconds
_BEGIN = "BEGIN; PRAGMA schema_version"  # BEGIN alone takes no snapshot


class Beside(Protocol):
    """Another process that holds the same, in case this one is killed."""

    def renew(self) -> None: ...
    def held(self) -> None: ...
    def let_go(self) -> None: ...
    def is_new(self) -> bool: ...


class _Nobody:
    def renew(self) -> None: ...
    def held(self) -> None: ...
    def let_go(self) -> None: ...
    def is_new(self) -> bool:
        return False


class Rest(NamedTuple):
    """The end of a log that is wholly in the file: under a transaction that began there the log can begin again only
    there, and once, and nothing leaves the new one."""

    salts: bytes
    frames: int


class Hold:
    """The connections that follow one file. `reader` always has a transaction, after the first `renew`."""

    def __init__(self, reader: apsw.Connection, other: apsw.Connection, prober: apsw.Connection, inode: int) -> None:
        self.reader = reader
        self.prober = prober
        self.inode = inode
        self.at_rest = False  # the log can begin again under the transaction that is held
        self.may_rest = False  # or perhaps it can: somebody was at work while that was looked at
        self.beside: Beside = _Nobody()
        self._other = other
        self._last_held = False
        self._rest: Rest | None = None
        self._last_rest: Rest | None = None

    def state(self) -> tuple[int, int]:
        """(committed frames in the log, frames of it that are in the file)."""
        return wal_state(self.prober)

    def salts(self) -> bytes:
        """Those of the log; empty where there is none."""
        whole, found = self.reader.read("main", 1, 16, 8)
        return found if whole else b""

    @property
    def rests(self) -> list[Rest]:
        """Where the log can begin again under what is held."""
        return [each for each in (self._last_rest, self._rest) if each is not None]

    @property
    def holds_two(self) -> bool:
        """Whether what was held before the last `renew` still is."""
        return self._last_held

    def renew(self) -> None:
        """Hold what is there now, too. `let_go` ends what was held before."""
        salts, before = self.salts(), self.state()
        self.beside.renew()
        self.reader, self._other = self._other, self.reader
        for _ in self.reader.execute(_BEGIN):
            pass
        self.beside.held()
        self._last_held = self._other.in_transaction
        after = self.state()
        self.at_rest = before == after and before[0] == before[1]
        self.may_rest = before[0] == before[1] or after[0] == after[1]
        self._last_rest = self._rest if self._last_held else None
        self._rest = Rest(salts, before[0]) if self.at_rest and salts == self.salts() else None

    def let_go(self) -> None:
        """What was held before the last `renew` has been read."""
        if self._last_held:
            self._other.execute("ROLLBACK")
            self._last_rest = None
            self.beside.let_go()
        self._last_held = False

    def await_commit(self) -> None:
        """Return right behind a commit, if one comes soon: the longest while before the next."""
        before, deadline = self.state(), time.monotonic() + _SOON
        while self.state() == before and time.monotonic() < deadline:
            time.sleep(_BLINK)

    def empty(self) -> None:
        """Move into the file what nobody needs in the log any more. Waits for nobody, and nobody waits for it."""
        try:
            self.prober.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            pass  # somebody else is at it


@contextmanager
def holding(path: Path, *, busy_seconds: float) -> Iterator[Hold]:
    """Connections to a file, with nothing held yet. Closing them leaves the log as it is: it shows where to go on."""
    with ExitStack() as stack:
        inode = check_file(path).st_ino
        reader, other, prober = (stack.enter_context(opened(path, busy_seconds=busy_seconds)) for _ in range(3))
        for connection in (reader, other, prober):
            connection.execute("PRAGMA query_only=ON; PRAGMA wal_autocheckpoint=0")
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            connection.pragma("journal_mode")
        yield Hold(reader, other, prober, inode)
        for connection in (reader, other, prober):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
