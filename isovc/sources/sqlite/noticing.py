"""When something was committed to a file: looked at again and again by a thread of its own, so that the time a
transaction was seen does not depend on how long it takes to read what it did. Holds no lock of the database."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from isovc.errors import IsovcError
from isovc.sources.sqlite.connection import check_file, opened
from isovc.sources.sqlite.failures import told
from isovc.sources.sqlite.mark import wal_state

_MICROSECOND = 1000  # nanoseconds
# seconds between two looks, beside the interval, from which on the time of what is found says little: the process was
# stopped, or the machine slept
_LATE = 0.25


class Notices:
    """Looks at a file in WAL mode every so often, from `start` to `stop`. `news` is set when there is something to
    read, when the file is another one, or when looking failed."""

    def __init__(self, path: Path, *, every: float) -> None:
        self.path = path
        self.every = every
        self.news = threading.Event()
        self.is_same_file = True
        # salts, frames, when, and when it was looked before, if that was long ago; 0: never
        self._seen: deque[tuple[bytes, int, int, int | None]] = deque()
        self._looked = 0
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._inode = path.stat().st_ino
        self._thread = threading.Thread(target=self._work, name="isovc-notices", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """No look is under way when this returns."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def seen_at(self, salts: bytes, frames: int) -> tuple[int, int | None]:
        """When so many frames of a log were first seen, in microseconds since 1970, and when they were not there yet,
        if nobody had looked for long: then 0 where this was the first look. Asked for ever later ones."""
        with self._guard:
            if any(log == salts for log, *_ in self._seen):
                while self._seen[0][0] != salts or (self._seen[0][1] < frames and len(self._seen) > 1):
                    self._seen.popleft()
                if self._seen[0][0] == salts and self._seen[0][1] >= frames:
                    return self._seen[0][2:]
            return self._found_now()

    def _found_now(self) -> tuple[int, int | None]:
        now = time.time_ns() // _MICROSECOND
        is_late = now - self._looked > (_LATE + 2 * self.every) * 1_000_000
        return now, self._looked if is_late else None

    def _work(self) -> None:
        try:
            with told(self.path, seconds=0), opened(self.path, busy_seconds=0) as connection:
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
                last = (b"", -1, -1)
                while not self._stopping.is_set():
                    began, state = time.time_ns() // _MICROSECOND, _state(connection)
                    with self._guard:
                        if state != last:
                            self._seen.append((*state[:2], *self._found_now()))
                        self._looked = began  # it was as it is at some time from then on
                    if state != last:
                        last = state
                        self.news.set()
                    if self._is_another():
                        return
                    self._stopping.wait(self.every)
        except (IsovcError, OSError):
            self.is_same_file = False
        finally:
            self.news.set()

    def _is_another(self) -> bool:
        try:
            self.is_same_file = self.path.stat().st_ino == self._inode
        except OSError:
            self.is_same_file = False
        return not self.is_same_file


def _state(connection: apsw.Connection) -> tuple[bytes, int, int]:
    frames, in_file = wal_state(connection)
    whole, salts = connection.read("main", 1, 16, 8)
    return (salts if whole else b""), frames, in_file


class Glance:
    """A look at a file that keeps no log: has anything been committed? Holds no lock of the database."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection

    def state(self) -> tuple[int, bytes]:
        """Which file it is, and its header's counters. Another one: something has changed."""
        return check_file(self._path).st_ino, self._connection.read("main", 0, 18, 10)[1]


@contextmanager
def glancing(path: Path) -> Iterator[Glance]:
    """Looks at this file."""
    with told(path, seconds=0), opened(path, busy_seconds=0) as connection:
        yield Glance(path, connection)
