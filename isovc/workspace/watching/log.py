"""Recording every transaction of a database in WAL mode. Holds no lock that a writer would wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import chain, islice

from isovc.encoding.values import decode, encode
from isovc.errors import NotCanonical
from isovc.repo.entries import Entry, Kind, TableChanges
from isovc.repo.presence import present
from isovc.snapshot.capture import Known, capture
from isovc.snapshot.values import is_large, row_without_large
from isovc.snapshot.version import same
from isovc.sources.sqlite import MOST_FRAMES, Commit, Following, LogLost, Notices, Place, RowsNow
from isovc.workspace.capturing import known_of
from isovc.workspace.desk import Desk
from isovc.workspace.watching.recording import Draft, Recorder

# frames: three quarters of what SQLite's writers let their log grow to before they empty it themselves. So they find
# nothing to do, and the two syncs of the disk that it takes are not more of them than without a watcher.
_FRAMES = 750
_REST_EVERY, _REST_SELDOM = 0.5, 2.0  # seconds between two times that the log is emptied
_TRIES = 4  # in a row, and more the longer it fails: each leaves less to be synced, and needs a shorter pause
_IDLE = 1.0  # seconds without a commit after which any log is emptied: perhaps somebody waits for it
# transactions that a watcher killed while it empties the log leaves to be seen as one. Where more of them come while a
# batch is written it is tried again at once, so often; then a log that grows is the greater evil.
_FEW, _REFUSALS = 4, 4
# seconds: what is read waits so long for more, as each writing costs the disk some hundred kB, and its writers time.
# Nothing is lost meanwhile: it is in the log, which is held.
_TOGETHER = 0.5
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
        self._written = self._rested = self._taken = time.monotonic()
        self._failed = 0  # times in a row that the log was emptied and did not begin again
        self._refused = 0
        self._presence = ExitStack()  # while what waits has put something into the store that nothing leads to yet
        self._is_attending = False

    def run(self, stop: threading.Event) -> None:
        """Record until `stop` is set, or the file is another one."""
        self._notices.start()
        try:
            self._begin()
            while not stop.is_set() and self._notices.is_same_file:
                self._notices.news.wait(_TICK)
                self._notices.news.clear()
                self._read()
                self._rest()
            self._read()
            self._write()
        finally:
            self._presence.close()
            self._notices.stop()

    def _begin(self) -> None:
        recorder, followed, repository = self._recorder, self._followed, self._desk.repository
        self._attend()
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
            if begun.skipped == 1:
                kind = Kind.TRANSACTION  # one that is seen as one is seen as it was
            recorder.add(Draft(now, kind, begun.skipped, version=None if is_same else version))
        self._read()
        self._write()

    def _read(self, *, write: bool = False) -> None:
        """Take in what was committed since the last time. Written is what has waited long, or what keeps others
        waiting; or all of it."""
        while self._take_some() == _BATCH:
            self._write()
        since = time.monotonic() - self._written
        is_urgent = write or self._followed.holds_two or self._is_attending
        if since > _ALIVE or (self._recorder.waiting and (is_urgent or since > _TOGETHER)):
            self._write()
        if not self._recorder.waiting:
            self._followed.done()

    def _take_some(self) -> int:
        """How many were taken in."""
        taken = 0
        for commit in islice(self._followed.commits(), _BATCH):
            self._take(commit)
            taken += 1
        if taken:
            self._taken = time.monotonic()
        return taken

    def _take(self, commit: Commit) -> None:
        followed, recorder, forest = self._followed, self._recorder, self._desk.repository.forest
        when, since = self._notices.seen_at(followed.place.salts, commit.last)
        rows = followed.rows(commit, most=_MOST_ROWS)
        if rows is not None:
            followed.settle(commit)
            recorder.add(Draft(when, since=since, tables={one.table.name: self._told(one) for one in rows}))
            return
        self._attend()
        known = Known(recorder.version(), followed.reading().pages(followed.shape).map)
        followed.settle(commit)
        found = capture(forest, followed.reading(), known)
        followed.look()
        recorder.add(Draft(when, since=since, version=found.version))

    def _told(self, one: RowsNow) -> TableChanges:
        """Rows as trees hold them."""
        width, rows = len(one.table.key), one.rows
        if any(map(is_large, chain.from_iterable(rows))):
            self._attend()
            with self._desk.repository.forest.store.writing() as writer:
                rows = tuple(row_without_large(row, writer, width) for row in rows)
        return TableChanges(width, one.gone, rows)

    def _attend(self) -> None:
        """Nobody sweeps the store until what waits is written."""
        if not self._is_attending:
            self._presence.enter_context(present(self._desk.repository.folder))
            self._is_attending = True
            self._recorder.refresh()

    def _write(self) -> None:
        self._attend()
        self._recorded(self._recorder.flush(self._place_now))
        self._presence.close()
        self._is_attending = False
        self._written = time.monotonic()

    def _take_all(self) -> None:
        while self._take_some() == _BATCH:
            pass

    def _place_now(self) -> bytes:
        self._take_all()
        return encode(self._followed.place.encode())

    def _rest(self) -> None:
        """Let the log begin again before it grows."""
        now, followed = time.monotonic(), self._followed
        enough = 1 if now - self._taken > _IDLE else _FRAMES
        pause = min(_REST_EVERY * (1 + self._failed), _REST_SELDOM)
        if now - self._rested < pause or not followed.wants_rest(enough):
            return
        for _ in range(_TRIES + self._failed):
            self._read(write=True)
            is_refused = not followed.rest(most=_FEW if self._refused < _REFUSALS else _MOST_ROWS)
            self._take_all()
            if followed.is_at_rest:
                followed.done()  # before all is written: with the next commit it would be too late
            self._read(write=True)
            if is_refused or not followed.wants_rest(enough):
                break
        if is_refused:
            self._refused += 1
        else:
            self._failed = self._failed + 1 if followed.wants_rest(enough) else 0
            self._rested, self._refused = time.monotonic(), 0
        if followed.wants_rest(MOST_FRAMES):
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
