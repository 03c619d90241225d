"""Recording the states of a database that keeps no log of its transactions (rollback-journal mode): what can be seen
when looking at it again and again, and how many transactions each look missed.

A glance at the counters in the file's header holds no lock. Only to read what has changed a read transaction is held,
as any program that reads does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from isovc.encoding.values import decode, encode
from isovc.repo.entries import Entry, Kind
from isovc.repo.presence import present
from isovc.snapshot.capture import Known, capture
from isovc.snapshot.version import same
from isovc.sources.sqlite import Mark, Reading, glancing
from isovc.workspace.capturing import known_of
from isovc.workspace.desk import Desk
from isovc.workspace.watching.recording import Draft, Recorder

_ALIVE = 10.0  # seconds after which it is written down that nothing happened
_DUTY = 20  # writers wait while the file is read, so it is read for at most one part in so many of the time
_IN_LOG = b"\x02\x02"  # bytes 18 and 19 of a file in WAL mode


class FileWatch:
    """From the moment the file is opened until it is another one, or in WAL mode."""

    def __init__(
        self, desk: Desk, recorder: Recorder, *, every: float, recorded: Callable[[list[Entry]], None]
    ) -> None:
        self._desk = desk
        self._recorder = recorder
        self._every = every
        self._recorded = recorded
        self._known: Known | None = None
        self._mark: Mark | None = None
        self._written = 0.0

    def run(self, stop: threading.Event) -> None:
        """Record until `stop` is set, or there is another way to."""
        with glancing(self._desk.database.path) as glance:
            seen = glance.state()
            self._look(begin=True)
            self._write()
            while not stop.wait(self._every):
                now = glance.state()
                if now[0] != seen[0] or now[1][:2] == _IN_LOG:
                    return
                if now != seen:
                    seen, began = now, time.monotonic()
                    self._look(begin=False)
                    stop.wait((time.monotonic() - began) * _DUTY)
                elif time.monotonic() - self._written > _ALIVE:
                    self._write()
            if glance.state() != seen:
                self._look(begin=False)
            self._write()

    def _look(self, *, begin: bool) -> None:
        """Record what is there now."""
        recorder, before = self._recorder, self._mark
        with present(self._desk.repository.folder):
            recorder.refresh()
            with self._desk.database.reading() as reading:
                mark = self._mark = reading.mark
                if begin and not recorder.is_new and not recorder.moved_since() and _mark(recorder) == mark.encode():
                    return
                now = time.time_ns() // 1000
                found = self._capture(reading)
            if before is not None and mark.inode == before.inode:
                many = (_count(mark) - _count(before)) % (1 << 32)
                if not many:
                    return
                recorder.add(Draft(now, Kind.SEEN, many, version=found.version))
            else:
                is_same = not recorder.is_new and same(found.version, recorder.version())
                recorder.add(Draft(now, self._kind(mark), None, version=None if is_same else found.version))
            self._known = found
            self._write()

    def _capture(self, reading: Reading) -> Known:
        return capture(self._desk.repository.forest, reading, self._known or known_of(self._desk))

    def _kind(self, mark: Mark) -> Kind:
        recorder = self._recorder
        if recorder.is_new:
            return Kind.START
        if recorder.moved_since():
            return Kind.ARRIVED
        last = _mark(recorder)
        is_other = last is not None and Mark.decode(last).inode != mark.inode
        return Kind.REPLACED if is_other else Kind.GAP

    def _write(self) -> None:
        assert self._mark is not None
        place = encode([self._mark.encode()])
        self._recorded(self._recorder.flush(lambda: place))
        self._written = time.monotonic()


def _mark(recorder: Recorder) -> bytes | None:
    """The mark of the state that was recorded last; None where that one was found in a log."""
    if recorder.line is None or recorder.line.place is None:
        return None
    said = decode(recorder.line.place)
    return said[0] if len(said) == 1 else None


def _count(mark: Mark) -> int:
    """How often the file was changed, as its header counts it."""
    return int.from_bytes(mark.counters[2:6], "big")
