"""Recording every transaction of a database in WAL mode. Holds no lock that a writer would wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import chain

from isovc.encoding.values import decode, encode
from isovc.errors import NotCanonical
from isovc.repo.entries import Entry, Kind, TableChanges
from isovc.repo.presence import present
from isovc.snapshot.capture import Known, capture
from isovc.snapshot.values import is_large, row_without_large
from isovc.snapshot.version import same
from isovc.sources.sqlite import Commit, Following, LogLost, Notices, Place, RowsNow
from isovc.workspace.capturing import known_of
from isovc.workspace.desk import Desk
from isovc.workspace.recording import Draft, Recorder

# frames: a quarter of what SQLite's writers let their log grow to before they empty it themselves. So they find nothing
# to do, and a watcher that was killed has three quarters of it as the time to come back before anything is lost.
_FRAMES = 250
_REST_EVERY, _REST_SELDOM = 0.25, 2.0  # seconds between two times that the log is emptied: two syncs of the disk each
_IDLE = 1.0  # seconds after which less than that is worth emptying, because somebody else may wait for it
_MOST_FRAMES = 65_536  # in the log of a writer that never pauses; then a gap is the lesser evil
_MOST_ROWS = 2000  # of one transaction that are told; one that touches more is kept as a whole version
_BATCH = 500  # transactions in one transaction of store.db
_ALIVE = 10.0  # seconds after which it is written down that nothing happened
_TICK = 0.1  # seconds: so soon an end is noticed


class LogWatch:
    """From the moment the file is opened until it is another one."""

    def __init__(
        self,
        desk: Desk,
        recorder: Recorder,
        followed: Following,
        *,
        every: float,
        recorded: Callable[[list[Entry]], None],
    ) -> None:
        self._desk = desk
        self._recorder = recorder
        self._followed = followed
        self._recorded = recorded
        self._notices = Notices(desk.database.path, every=every)
        self._written = self._rested = time.monotonic()
        self._rest_every = _REST_EVERY

    def run(self, stop: threading.Event) -> None:
        """Record until `stop` is set, or the file is another one."""
        self._notices.start()
        try:
            with present(self._desk.repository.folder):
                self._begin()
            while not stop.is_set() and self._notices.is_same_file:
                if self._notices.news.wait(_TICK):
                    self._notices.news.clear()
                    self._read()
                self._rest()
                if time.monotonic() - self._written > _ALIVE:
                    self._write()
            self._read()
            self._write()
        finally:
            self._notices.stop()

    def _begin(self) -> None:
        recorder, followed, repository = self._recorder, self._followed, self._desk.repository
        place, moved = _place(recorder), recorder.moved_since()
        begun = followed.begin(None if moved else place)
        followed.look()
        if not (begun.exactly and begun.skipped == 0):
            version = capture(repository.forest, followed.reading(), known_of(self._desk)).version
            kind = Kind.GAP
            if recorder.is_new:
                kind = Kind.START
            elif moved:
                kind = Kind.ARRIVED
            elif place is not None and place.inode != followed.place.inode:
                kind = Kind.REPLACED
            now = time.time_ns() // 1000
            is_same = kind is not Kind.START and same(version, recorder.version())
            recorder.add(Draft(now, kind, begun.skipped, version=None if is_same else version))
        self._read()
        self._write()

    def _read(self) -> None:
        """Record what was committed since the last time."""
        folder, waiting = self._desk.repository.folder, self._recorder.waiting
        with present(folder):
            self._recorder.refresh()
            for commit in self._followed.commits():
                self._take(commit)
                waiting = self._recorder.waiting
                if waiting >= _BATCH:
                    self._write()
            if waiting:
                self._write()
        self._followed.done()

    def _take(self, commit: Commit) -> None:
        followed, recorder, forest = self._followed, self._recorder, self._desk.repository.forest
        when = self._notices.seen_at(followed.place.salts, commit.last)
        rows = followed.rows(commit, most=_MOST_ROWS)
        if rows is not None:
            followed.settle(commit)
            recorder.add(Draft(when, tables={one.table.name: self._told(one) for one in rows}))
            return
        known = Known(recorder.version(), followed.reading().pages(followed.shape).map)
        followed.settle(commit)
        found = capture(forest, followed.reading(), known)
        followed.look()
        recorder.add(Draft(when, version=found.version))

    def _told(self, one: RowsNow) -> TableChanges:
        """Rows as trees hold them."""
        width, rows = len(one.table.key), one.rows
        if any(map(is_large, chain.from_iterable(rows))):
            with self._desk.repository.forest.store.writing() as writer:
                rows = tuple(row_without_large(row, writer, width) for row in rows)
        return TableChanges(width, one.gone, rows)

    def _write(self) -> None:
        self._recorded(self._recorder.flush(encode(self._followed.place.encode())))
        self._written = time.monotonic()

    def _rest(self) -> None:
        """Let the log begin again before it grows."""
        since = time.monotonic() - self._rested
        if since < self._rest_every or not self._followed.wants_rest(1 if since > _IDLE else _FRAMES):
            return
        self._followed.rest()
        self._read()
        is_done = not self._followed.wants_rest(_FRAMES)
        self._rest_every = _REST_EVERY if is_done else min(2 * self._rest_every, _REST_SELDOM)
        self._rested = time.monotonic()
        if self._followed.wants_rest(_MOST_FRAMES):
            raise LogLost


def _place(recorder: Recorder) -> Place | None:
    """Where the last watcher was in the log."""
    if recorder.line is None or recorder.line.place is None:
        return None
    said: Sequence[object] = decode(recorder.line.place)
    try:
        return Place.decode(said)
    except NotCanonical:
        return None  # the mark of a file without a log
