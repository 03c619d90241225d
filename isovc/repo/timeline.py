"""What watchers saw of live databases, in store.db: entries in packs, and whole versions to rebuild them from.

A timeline belongs to a working copy and the head it was on. Its entries are numbered from 1, their times grow strictly.
The last pack is written again with every batch until it is full, all others stay as they are until they are thinned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from isovc.encoding.values import External
from isovc.errors import EntryThinned, NoSuchEntry, NothingWatched, RowDamaged
from isovc.repo.database import Database
from isovc.repo.entries import Entry, decode_entries, encode_entries, named_values
from isovc.repo.seals import sealer, together
from isovc.repo.worktrees import Files, pack_files, unpack_files

LINE = "id, worktree, head, next, time, seen, place, operation, seals"  # as they stand in seals, and the next likewise
PACK = "id, line, first, last, first_time, last_time, entries, odd, changes, large, body"
ROOT = "line, number, files"
FULL_ENTRIES, FULL_CHANGES = 512, 1024  # a pack with so many is full: it is written again with every batch before


@dataclass(frozen=True, slots=True)
class Line:
    """One timeline. The fields are those of the table."""

    id: int
    worktree: int
    head: str
    next: int
    time: int
    seen: int
    place: bytes | None
    operation: int
    seals: bytes


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack of entries, not yet looked into."""

    id: int
    line: int
    first: int
    last: int
    first_time: int
    last_time: int
    entries: int
    odd: int
    changes: int
    large: int
    body: bytes

    def read(self) -> list[Entry]:
        """What is in it."""
        return decode_entries(self.body)

    @property
    def is_full(self) -> bool:
        """Nothing is put into it any more."""
        return self.entries >= FULL_ENTRIES or self.changes >= FULL_CHANGES


@dataclass(frozen=True, slots=True)
class Found:
    """The entry that was in force at a time: the newest at or before it. `early`: how much earlier than asked, in
    milliseconds; `following`: the one after it."""

    asked: int
    entry: Entry
    early: float
    following: Entry | None


class Timelines:
    """The tables timeline, timeline_pack and timeline_root. Made for one transaction or one reading, and not kept
    longer."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seal = sealer()

    # -- reading -------------------------------------------------------------------------------------------------------

    def all(self) -> list[Line]:
        """Every timeline."""
        return [self._line(row) for row in self._db.execute(f"SELECT {LINE}, seal FROM timeline ORDER BY id", ())]

    def find(self, worktree: int, head: str) -> Line | None:
        """The timeline of a working copy on this head, if it was ever watched there."""
        sql = f"SELECT {LINE}, seal FROM timeline WHERE worktree = ? AND head = ?"
        row = self._db.execute(sql, (worktree, head)).fetchone()
        return None if row is None else self._line(row)

    def get(self, worktree: int, head: str) -> Line:
        """The same; it must be there."""
        found = self.find(worktree, head)
        if found is None or found.next == 1:
            raise NothingWatched(head=head)
        return found

    def by_id(self, number: int) -> Line:
        """One by its number, as it is now."""
        row = self._db.execute(f"SELECT {LINE}, seal FROM timeline WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise RowDamaged(row=f"the row of timeline {number}")
        return self._line(row)

    def entry(self, line: Line, number: int) -> Entry:
        """The entry with this number. Of one that was thinned away none tells what it was."""
        if not 0 < number < line.next:
            raise NoSuchEntry(number=number, first=self.first(line).number, last=line.next - 1)
        found = next(self.entries(line, number - 1, number), None)
        if found is None:
            raise EntryThinned(number=number, near=self._around(line, number))
        return found

    def _around(self, line: Line, number: int) -> list[int]:
        """The numbers on both sides of one that is not there."""
        sql = "SELECT coalesce(max(first), 0) FROM timeline_pack WHERE line = ? AND first < ?"
        first = self._db.execute(sql, (line.id, number)).fetchone()[0]
        before = [each.number for each in self.entries(line, first - 1, number)]
        return before[-1:] + [each.number for each in islice(self.entries(line, number, line.next), 1)]

    def entry_at(self, line: Line, time: int) -> Found | None:
        """The newest entry at or before this time; None: the timeline begins later."""
        newest = "SELECT id FROM timeline_pack WHERE line = ? AND first_time <= ? ORDER BY first DESC LIMIT 1"
        sql = f"SELECT {PACK}, seal FROM timeline_pack WHERE id = ({newest})"
        row = self._db.execute(sql, (line.id, time)).fetchone()
        if row is None:
            return None
        pack = self._pack(row)
        entries = pack.read()
        at = sum(each.time <= time for each in entries) - 1
        entry = entries[at]
        following = entries[at + 1] if at + 1 < len(entries) else None
        if following is None and (later := next(self.packs(line, after=pack.last), None)):
            following = later.read()[0]
        return Found(time, entry, (time - entry.time) / 1000, following)

    def first(self, line: Line) -> Entry:
        """The oldest entry that is kept."""
        for pack in self.packs(line):
            return pack.read()[0]
        raise NothingWatched(head=line.head)

    def packs(self, line: Line, *, after: int = 0, upto: int = 1 << 62) -> Iterator[Pack]:
        """The packs with entries behind this number, up to and with that one. Reads one at a time."""
        where = "line = ? AND last > ? AND first <= ? AND first > ? ORDER BY first LIMIT 1"
        sql = f"SELECT {PACK}, seal FROM timeline_pack WHERE {where}"
        begin = "SELECT coalesce(max(first), 0) FROM timeline_pack WHERE line = ? AND first <= ?"
        before = self._db.execute(begin, (line.id, after)).fetchone()[0] - 1
        while True:
            row = self._db.execute(sql, (line.id, after, upto, before)).fetchone()
            if row is None:
                return
            pack = self._pack(row)
            before = pack.first
            yield pack

    def entries(self, line: Line, after: int, upto: int) -> Iterator[Entry]:
        """The entries behind this number, up to and with that one."""
        for pack in self.packs(line, after=after, upto=upto):
            yield from (each for each in pack.read() if after < each.number <= upto)

    def last_pack(self, line: Line) -> Pack | None:
        """The newest one, which may not be full."""
        sql = f"SELECT {PACK}, seal FROM timeline_pack WHERE line = ? ORDER BY first DESC LIMIT 1"
        row = self._db.execute(sql, (line.id,)).fetchone()
        return None if row is None else self._pack(row)

    def root(self, line: Line, number: int, *, later: bool = False) -> tuple[int, Files] | None:
        """The nearest whole version at or before this number, or the first one behind it, and its own number."""
        where, order = ("number > ?", "") if later else ("number <= ?", " DESC")
        sql = f"SELECT {ROOT}, seal FROM timeline_root WHERE line = ? AND {where} ORDER BY number{order} LIMIT 1"
        row = self._db.execute(sql, (line.id, number)).fetchone()
        return None if row is None else self._root(row)

    def has_root(self, line: Line, number: int) -> bool:
        """Whether a whole version stands at this number."""
        sql = "SELECT 1 FROM timeline_root WHERE line = ? AND number = ?"
        return self._db.execute(sql, (line.id, number)).fetchone() is not None

    def roots(self, line: Line | None = None) -> list[tuple[int, Files]]:
        """All whole versions, of one timeline or of all."""
        where, cells = ("", ()) if line is None else (" WHERE line = ?", (line.id,))
        rows = self._db.execute(f"SELECT {ROOT}, seal FROM timeline_root{where} ORDER BY line, number", cells)
        return [self._root(row) for row in rows]

    def named_values(self) -> Iterator[External]:
        """Large values of which only the name stands in entries."""
        rows = self._db.execute(f"SELECT {PACK}, seal FROM timeline_pack WHERE large > 0", ())
        for row in rows:
            yield from named_values(self._pack(row).read())

    # -- writing -------------------------------------------------------------------------------------------------------

    def open(self, worktree: int, head: str) -> Line:
        """The timeline of a working copy on this head; a new, empty one where there is none."""
        found = self.find(worktree, head)
        if found is None:
            number = self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM timeline", ()).fetchone()[0]
            found = Line(number, worktree, head, 1, 0, 0, None, 0, bytes(8))
            self._keep(found)
        return found

    def append(
        self,
        line: Line,
        entries: Sequence[Entry],
        *,
        seen: int,
        place: bytes | None,
        operation: int,
        roots: Mapping[int, Files] | None = None,
    ) -> Line:
        """Put entries behind the last one, with whole versions for some of them. `line` as it is now."""
        change: list[bytes] = []
        some = list(entries)
        last = self.last_pack(line)
        if some and last is not None and not last.is_full:
            some = [*last.read(), *some]
            change.append(self._drop_pack(last.id))
        change += [self._add_pack(line.id, pack) for pack in _cut(some)]
        change += [self._add_root(line.id, number, files) for number, files in (roots or {}).items()]
        return self._note(
            line,
            change,
            next=some[-1].number + 1 if some else line.next,
            time=some[-1].time if some else line.time,
            seen=seen,
            place=place,
            operation=operation,
        )

    def replace(self, line: Line, packs: Iterable[int], entries: Sequence[Entry]) -> Line:
        """Put these entries in the place of whole packs."""
        change = [self._drop_pack(each) for each in packs]
        change += [self._add_pack(line.id, pack) for pack in _cut(entries)]
        return self._note(line, change)

    def set_root(self, line: Line, number: int, files: Files | None) -> Line:
        """This whole version stands at that number; None: none does any more."""
        known = self._db.execute(
            "SELECT seal FROM timeline_root WHERE line = ? AND number = ?", (line.id, number)
        ).fetchone()
        change: list[bytes] = [] if known is None else [bytes(known[0])]
        self._db.execute("DELETE FROM timeline_root WHERE line = ? AND number = ?", (line.id, number))
        if files is not None:
            change.append(self._add_root(line.id, number, files))
        return self._note(line, change)

    def rename(self, old: str, new: str) -> None:
        """The branch is called otherwise, and takes its timelines along."""
        for line in self.all():
            if line.head == old and self.find(line.worktree, new) is None:
                self._keep(replace(line, head=new))

    def _note(self, line: Line, change: Iterable[bytes], **cells: Any) -> Line:
        made = replace(line, seals=together([line.seals, *change]), **cells)
        self._keep(made)
        return made

    def _keep(self, line: Line) -> None:
        cells = _cells(line)
        marks = ", ".join("?" * (len(cells) + 1))
        self._db.execute(f"INSERT OR REPLACE INTO timeline({LINE}, seal) VALUES({marks})", (*cells, self._seal(cells)))

    def _add_pack(self, line: int, entries: Sequence[Entry]) -> bytes:
        number = self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM timeline_pack", ()).fetchone()[0]
        cells = (
            number,
            line,
            entries[0].number,
            entries[-1].number,
            entries[0].time,
            entries[-1].time,
            len(entries),
            sum(each.is_odd for each in entries),
            sum(each.changes for each in entries),
            sum(1 for _ in named_values(entries)),
            encode_entries(entries),
        )
        seal = self._seal(cells)
        marks = ", ".join("?" * (len(cells) + 1))
        self._db.execute(f"INSERT INTO timeline_pack({PACK}, seal) VALUES({marks})", (*cells, seal))
        return seal

    def _drop_pack(self, number: int) -> bytes:
        seal = self._db.execute("SELECT seal FROM timeline_pack WHERE id = ?", (number,)).fetchone()[0]
        self._db.execute("DELETE FROM timeline_pack WHERE id = ?", (number,))
        return bytes(seal)

    def _add_root(self, line: int, number: int, files: Files) -> bytes:
        cells = (line, number, pack_files(files))
        seal = self._seal(cells)
        self._db.execute(f"INSERT INTO timeline_root({ROOT}, seal) VALUES(?, ?, ?, ?)", (*cells, seal))
        return seal

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _line(self, row: Sequence[Any]) -> Line:
        return Line(*self._checked(row, "the row of timeline {}"))

    def _pack(self, row: Sequence[Any]) -> Pack:
        return Pack(*self._checked(row, "stretch {} of the timelines"))

    def _root(self, row: Sequence[Any]) -> tuple[int, Files]:
        _, number, files = self._checked(row, "a whole version of timeline {}")
        return number, unpack_files(files)

    def _checked(self, row: Sequence[Any], what: str) -> Sequence[Any]:
        if self._seal(row[:-1]) != row[-1]:
            raise RowDamaged(row=what.format(row[0]))
        return row[:-1]


def _cells(line: Line) -> tuple[Any, ...]:
    return tuple(getattr(line, name) for name in Line.__slots__)


def _cut(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Packs, all but the last of them full."""
    begin = changes = 0
    for at, entry in enumerate(entries):
        changes += entry.changes
        if at + 1 - begin >= FULL_ENTRIES or changes >= FULL_CHANGES:
            yield entries[begin : at + 1]
            begin, changes = at + 1, 0
    if entries[begin:]:
        yield entries[begin:]
