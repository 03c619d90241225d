"""A live database in WAL mode, transaction by transaction, as any program commits them. Knows nothing of versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, islice
from pathlib import Path

import apsw

from isovc.encoding.orderkey import encode_key
from isovc.model import Key, KeyKind, KeyRange, Row, Shape, Table
from isovc.sources.sqlite.btree import Strange
from isovc.sources.sqlite.companion import accompanied, held_alone
from isovc.sources.sqlite.connection import set_off_nothing
from isovc.sources.sqlite.failures import told
from isovc.sources.sqlite.frames import Commit, Log, LogLost, Place
from isovc.sources.sqlite.holding import Hold, Rest, holding
from isovc.sources.sqlite.mark import Mark
from isovc.sources.sqlite.ownership import Page
from isovc.sources.sqlite.past import Past
from isovc.sources.sqlite.reading import Reading
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sources.sqlite.touched import Finder, Touched

# frames: a transaction of more is looked at as a whole, in a stream, and nothing of it is held in memory
_MANY_FRAMES = 2000
_MANY_PAGES = 20_000  # pages of the file that may be held in memory while what happened meanwhile is read: 80 MB
_BY_ROWID = (KeyKind.INTEGER, KeyKind.ROWID)
_SMALLEST = -(1 << 63)  # rowid
_NO_MARK = Mark(0, 0, 0, 0, 0, bytes(14))  # of a state that no file shows; no other process can look at it


@dataclass(frozen=True, slots=True)
class Begun:
    """Where following began. `exactly`: right behind the place that was asked for, so that nothing was missed.
    `skipped`: transactions since then that can only be seen as one; None: nobody knows how many."""

    exactly: bool
    skipped: int | None


@dataclass(frozen=True, slots=True)
class RowsNow:
    """What one transaction made of the rows of a table: keys that are gone, and rows as they are now."""

    table: Table
    gone: tuple[Key, ...]
    rows: tuple[Row, ...]


class Following:
    """Goes from one state of a database to the next. Made by `following`."""

    def __init__(self, path: Path, hold: Hold, seconds: float, names: Path | None) -> None:
        self.path = path
        self._names = names
        self._hold = hold
        self._seconds = seconds
        device = path.stat().st_dev
        self.place = Place(device, hold.inode, b"", 0, b"")
        hold.renew()
        self._past = Past(hold.reader, int(hold.reader.pragma("page_size")), _pages(hold.reader))
        self._connection = self._past.connect()
        set_off_nothing(self._connection)
        self._may_begin_again = False  # the log, under what is held or was held since `done`
        self._finder: Finder | None = None
        self._reading: Reading | None = None  # it knows how to reach tables, as long as the shape stays
        self._shape = Shape()

    def close(self) -> None:
        """Let go of the states of the past; the connections to the file are closed by who opened them."""
        self._connection.close()
        self._past.close()

    def begin(self, place: Place | None) -> Begun:
        """Stand at this place if the log still leads on from there, else at the present."""
        log, frames, in_file = self._state()
        known, missed = self._found_again(place, log, frames)
        exactly, skipped = missed is not None, missed or 0
        until = max(known, in_file) if exactly else frames
        self.place = replace(self.place, salts=log.salts if log else b"")
        if log is not None:
            self._past.begin_log(log)
            while self.place.frames < until:
                for commit in log.commits(self.place.frames, frames):
                    if commit.first >= until:
                        break
                    skipped += commit.first >= known
                    self._past.settle(commit)
                    self.place = replace(self.place, frames=commit.last, checksum=commit.checksum)
                until = self._keep_unread(log, frames)
        if not self.place.frames:
            self._past.pages = _pages_in_file(self._hold.reader)
            self._past.hide()
            if log is not None:
                self._keep_unread(log, frames)
        return Begun(exactly, skipped if exactly else None)

    def _found_again(self, place: Place | None, log: Log | None, frames: int) -> tuple[int, int | None]:
        """How much of the log was followed before, and how many transactions of the one before are missing between;
        None: nobody knows."""
        if place is None or log is None or (place.device, place.inode) != (self.place.device, self.place.inode):
            return 0, None
        if place.salts == log.salts:
            found = place.frames <= frames and log.checksum(place.frames) == place.checksum
            return (place.frames, 0) if found else (0, None)
        # the log has begun again once; all of the last one is in the file
        if not _is_next(place.salts, log.salts):
            return 0, None
        if self._names is not None and Rest(place.salts, place.frames) in held_alone(self._names):
            return 0, 0
        return 0, log.behind(place)

    def _keep_unread(self, log: Log, frames: int) -> int:
        """Remember the pages of the file that transactions yet to be read change: a checkpoint may be faster. How many
        frames have to be skipped instead."""
        pages = {page for commit in log.commits(self.place.frames, frames) for page in commit.pages}
        if not self._past.keep(pages, _MANY_PAGES):
            return frames
        return self._hold.state()[1]

    def commits(self) -> Iterator[Commit]:
        """The transactions behind the last one that was settled. When all are taken, and kept, comes `done`."""
        frames, in_file = self._hold.state()
        can_begin_again = frames == in_file and not self._hold.at_rest
        if not self._hold.holds_two and (can_begin_again or self._hold.beside.is_new()):
            self._renew()  # the log may begin again once the last one is let go of
        elif frames in (self.place.frames, 0, -1) and self._salts() in (self.place.salts, b""):
            return
        log, frames, _ = self._state()
        if log is None or not frames:
            return
        if log.salts != self.place.salts:
            if self.place.salts and not (self._may_begin_again or self._hold.may_rest):
                raise LogLost
            self._past.begin_log(log)
            self.place = replace(self.place, salts=log.salts, frames=0, checksum=b"")
        if frames < self.place.frames:
            raise LogLost
        yield from log.commits(self.place.frames, frames)

    def _renew(self) -> None:
        self._may_begin_again = self._may_begin_again or self._hold.may_rest
        self._hold.renew()

    def _state(self) -> tuple[Log | None, int, int]:
        """The log, how many frames it has, and how many of them are in the file."""
        while True:
            salts = self._salts()
            frames, in_file = self._hold.state()
            log = Log(self._hold.reader)
            if log.salts == salts:
                return (log if salts else None), max(frames, 0), max(in_file, 0)

    @property
    def is_at_rest(self) -> bool:
        """Whether the log begins again with the next commit, if `done` comes before."""
        frames, in_file = self._hold.state()
        return self._hold.at_rest and frames == in_file == self.place.frames

    @property
    def holds_two(self) -> bool:
        """Whether `done` is waited for: until then the log is kept from beginning again."""
        return self._hold.holds_two

    def done(self) -> None:
        """What was read is kept elsewhere: it may leave the log."""
        self._hold.let_go()
        self._past.use(self._hold.reader)
        self._past.forget()
        self._may_begin_again = False
        if self._past.log is not None:
            self._past.log = Log(self._hold.reader)

    def wants_rest(self, frames: int) -> bool:
        """Whether so many frames wait in the log, or some of it while nothing is going on."""
        there, in_file = self._hold.state()
        return there >= frames and not (self._hold.at_rest and there == in_file)

    def rest(self, *, most: int) -> bool:
        """Empty the log, so that it may begin again and the writers' own checkpoints find nothing to do. That takes
        two syncs of the disk, and succeeds if nobody commits meanwhile. Refused where more than `most` transactions
        have not been read, because only as one could the next watcher see them. `commits` and `done` must follow."""
        self._hold.await_commit()
        self._renew()
        log, frames, _ = self._state()
        if log is not None and log.salts == self.place.salts:
            # what is about to be moved into the file has not been read yet
            unread = list(islice(log.commits(self.place.frames, frames), most + 1))
            pages = {page for commit in unread for page in commit.pages}
            if len(unread) > most or not self._past.keep(pages, _MANY_PAGES):
                return False
            self._past.use(self._hold.reader)
            self._past.log = log
            self._hold.let_go()
            self._hold.empty()
            frames, in_file = self._hold.state()
            if frames == in_file:
                self._renew()
        return True

    @property
    def shape(self) -> Shape:
        """What `look` has read."""
        return self._shape

    def look(self) -> Shape:
        """Read the shape of the state that is settled, and find rows by pages from here on."""
        self._finder = self._reading = None
        self._shape = self.reading().shape()
        with self._told(), suppress(Strange):
            self._finder = Finder(self._snapshot(), self._shape, self._past.before, self._past.pages)
        return self._shape

    def rows(self, commit: Commit, *, most: int) -> list[RowsNow] | None:
        """What this transaction, the next one to be settled, made of the rows. None: more than `most`, or more than
        rows."""
        if self._finder is None or len(commit.pages) > _MANY_FRAMES:
            self._finder = self._reading = None
            return None
        self._past.show(commit)
        try:
            with self._told():
                touched = self._finder.find(
                    sorted(set(commit.pages)), _kept(self._past.before), _kept(self._past.page), commit.size
                )
                if sum(len(each.old) + len(each.new) for each in touched.values()) <= 2 * most:
                    return [self._now(commit, name, each) for name, each in touched.items() if each.old or each.new]
        except Strange:
            pass
        self._past.hide()
        self._finder = self._reading = None
        return None

    def settle(self, commit: Commit) -> None:
        """Go on to the state behind this transaction."""
        self._past.settle(commit)
        self.place = replace(self.place, frames=commit.last, checksum=commit.checksum)

    def reading(self) -> Reading:
        """What SQL shows of the state that is settled (or shown)."""
        self._reading = self._reading or Reading(self._snapshot())
        return self._reading

    def _now(self, commit: Commit, name: str, touched: Touched) -> RowsNow:
        table, reading = self._shape.tables[name], self.reading()
        width = len(table.key)
        if table.without_rowid or table.key_kind in _BY_ROWID:
            rows, old = _all(reading.rows_of(table, touched.new)), list(touched.old)
        else:
            rows = _all(reading.rows_by_rowid(table, _ranges(touched.new)))
            self._past.hide()
            old = [row[:width] for row in _all(reading.rows_by_rowid(table, _ranges(touched.old)))]
            self._past.show(commit)
        there = {encode_key(row[:width]) for row in rows}  # 1 and 1.0 are two keys
        return RowsNow(table, tuple(key for key in old if encode_key(key) not in there), rows)

    def _snapshot(self) -> Snapshot:
        return Snapshot(self._connection, self.path, self._seconds, _NO_MARK)

    def _salts(self) -> bytes:
        return self._hold.salts()

    def _told(self) -> AbstractContextManager[None]:
        return told(self.path, seconds=self._seconds)


@contextmanager
def following(path: Path, *, busy_seconds: float, names: Path | None = None) -> Iterator[Following | None]:
    """Follow a file; None where it is in no WAL mode, and has no log to follow. With a file of `names` a companion
    goes on holding the log if this process is killed."""
    with told(path, seconds=busy_seconds), holding(path, busy_seconds=busy_seconds) as hold, ExitStack() as stack:
        if hold.reader.pragma("journal_mode") != "wal":
            yield None
            return
        if names is not None:
            hold.beside = stack.enter_context(accompanied(path, names, busy_seconds=busy_seconds))
        followed = Following(path, hold, busy_seconds, names)
        stack.callback(followed.close)
        yield followed


def _pages(reader: apsw.Connection) -> int:
    return int(reader.pragma("page_count"))


def _pages_in_file(reader: apsw.Connection) -> int:
    """The size of the database as its file alone has it."""
    _, head = reader.read("main", 0, 0, 100)
    said = int.from_bytes(head[28:32], "big")
    return said if head[24:28] == head[92:96] and said else _pages(reader)


def _is_next(old: bytes, new: bytes) -> bool:
    """Whether a log with these salts began where one with those ended: SQLite counts in the first half."""
    return len(old) == 8 and (int.from_bytes(old[:4], "big") + 1) % (1 << 32) == int.from_bytes(new[:4], "big")


def _kept(page: Page) -> Page:
    """The same, each page read once."""
    return cache(page)


def _all(batches: Iterator[list[Row]]) -> tuple[Row, ...]:
    return tuple(chain.from_iterable(batches))


def _ranges(rowids: Iterable[Key]) -> Iterator[KeyRange]:
    for (rowid,) in rowids:
        assert isinstance(rowid, int)
        yield KeyRange((rowid - 1,) if rowid > _SMALLEST else None, (rowid,))
