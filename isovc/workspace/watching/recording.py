"""States of a live database on their way to the timeline of its branch, a batch in one transaction of store.db.

A batch is written when no command of isovc is half-way in the database, so that what such a command did is known as
its own deed, and what came behind a switch goes to the other branch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from isovc.errors import TimelineBroken
from isovc.repo.database import Database as Connection
from isovc.repo.entries import Cells, Entry, Kind, TableChanges, last_of_each
from isovc.repo.operations import Operation, Operations
from isovc.repo.repository import Repository
from isovc.repo.timeline import Line, Timelines
from isovc.repo.worktrees import Files, Worktree, Worktrees
from isovc.snapshot.replay import replay
from isovc.snapshot.version import FILES, Version, decode_version, encode_version

_PATIENCE = 5.0  # seconds to wait for a command that is at work in the database; one that was killed is not waited for
_STEP = 0.005

# When the next whole version is kept. It costs about so many bytes for a leaf of a tree and for a row in it, and shall
# not cost a transaction more than that; but no rebuilding shall have to make more rows than so many.
_LEAST_TRANSACTIONS = 4096
_LEAF_BYTES, _ROW_BYTES, _BYTES_A_TRANSACTION = 150, 60, 110
_LEAF_ROWS = 64
_MOST_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A state that is to be recorded. `version`: all of it, where what differs is not told by `tables`. `since`: when
    it was not there yet, where it was found late; 0: who found it did not look before."""

    time: int
    kind: Kind = Kind.TRANSACTION
    transactions: int | None = 1
    operation: int | None = None
    tables: Mapping[str, TableChanges] = field(default_factory=dict)
    version: Version | None = None
    since: int | None = None

    @property
    def changes(self) -> int:
        """How many rows are told."""
        return sum(map(len, self.tables.values()))


class Recorder:
    """Writes for one working copy. One that failed is thrown away: what it had not written is in the database's log,
    and another one goes on from where this one was."""

    def __init__(self, repository: Repository, worktree: int) -> None:
        self._repository = repository
        self._worktree = worktree
        self._drafts: list[Draft] = []
        self._base = Version()  # the newest whole version that is kept
        self._base_number = 0
        self._rows: dict[str, dict[bytes, Cells | None]] = {}  # that differ from it
        self._transactions = 0  # behind it
        with repository.file.reading() as db:
            self._head = Worktrees(db).get(worktree).head
            self.line = Timelines(db).find(worktree, self._head)
            if self.line is not None and self.line.next > 1:
                self._load(db, self.line)

    def _load(self, db: Connection, line: Line) -> None:
        found = Timelines(db).root(line, line.next - 1)
        if found is None:
            raise TimelineBroken(head=line.head, number=line.next - 1, why="no whole version stands before it")
        self._base_number, files = found
        behind = list(Timelines(db).entries(line, self._base_number, line.next - 1))
        self._base, self._rows, self._transactions = decode_version(files), last_of_each(behind), len(behind)

    def refresh(self) -> None:
        """Go on from another whole version where gc has let go of the one that was gone on from."""
        if self.line is None:
            return
        with self._repository.file.reading() as db:
            line = Timelines(db).by_id(self.line.id)
            if not Timelines(db).has_root(line, self._base_number):
                self._load(db, line)

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever recorded here."""
        return self.line is None or self.line.next == 1

    @property
    def waiting(self) -> int:
        """How many states wait for `flush`."""
        return len(self._drafts)

    def add(self, draft: Draft) -> None:
        """One state more."""
        self._drafts.append(draft)

    def version(self) -> Version:
        """What the last state held, as a whole."""
        return self._version(self._drafts)

    def moved_since(self) -> bool:
        """Whether a command of isovc has changed the database or gone to another branch since the last state."""
        with self._repository.file.reading() as db:
            return self.line is not None and bool(_moves(db, self._worktree, self.line.operation))

    def flush(self, place: Callable[[], bytes | None]) -> list[Entry]:
        """Write what waits, and that nothing else happened until now. What was written. `place` tells where that is;
        no command is at work when it is asked, so that it can `add` what one has done."""
        while True:
            if self._is_root_due():
                self._keep_root()
            worktree = self._at_peace()
            with self._repository.file.reading() as db:
                newest = _newest(db)
                line = None if self.line is None else Timelines(db).by_id(self.line.id)
                moves = _moves(db, self._worktree, line.operation) if line and line.operation != newest else []
            where = place()
            stretches = self._stretches(moves, worktree.head, line.head if line else worktree.head)
            seen = time.time_ns() // 1000
            written: list[Entry] = []
            numbers: dict[int, int] = {}
            with self._repository.file.transaction(durable=False) as db:
                if _newest(db) != newest or Worktrees(db).get(self._worktree).intent != worktree.intent:
                    continue  # a command came between
                timelines = Timelines(db)
                for head, drafts in stretches:
                    line = timelines.open(self._worktree, head)
                    entries, roots = _entries(line, drafts)
                    line = timelines.append(line, entries, seen=seen, place=where, operation=newest, roots=roots)
                    written += entries
                    numbers |= {id(draft): entry.number for draft, entry in zip(drafts, entries, strict=True)}
            self._went(line, stretches, numbers)
            return written

    def _stretches(
        self, moves: Sequence[tuple[Operation, str | None]], head: str, begin: str
    ) -> list[tuple[str, list[Draft]]]:
        """What waits, cut where commands of isovc went from one branch to another."""
        waiting, there = list(self._drafts), begin
        found: list[tuple[str, list[Draft]]] = []
        done: list[Draft] = []
        for operation, goes_to in moves:
            at = _made_by(operation, str(self._worktree), waiting)
            if at is not None:
                waiting[at] = replace(waiting[at], operation=operation.number)
            if goes_to is not None and goes_to != there:
                # a command that changed nothing in the database is placed by the clock
                upto = sum(each.time <= operation.ended for each in waiting) if at is None else at + 1
                arrival = self._arrival([*done, *waiting[:upto]], operation.number)
                found.append((there, waiting[: upto if at is None else at]))
                done += waiting[:upto]
                waiting, there = [arrival, *waiting[upto:]], goes_to
        if there != head:
            found.append((there, waiting))
            waiting, there = [self._arrival([*done, *waiting], None)], head
        return [*found, (there, waiting)]

    def _arrival(self, before: Sequence[Draft], operation: int | None) -> Draft:
        told = before[-1].time if before else time.time_ns() // 1000
        return Draft(told, Kind.ARRIVED, None, operation=operation, version=self._version(before))

    def _version(self, drafts: Sequence[Draft]) -> Version:
        whole = max((at for at, draft in enumerate(drafts) if draft.version is not None), default=None)
        if whole is None:
            return replay(self._repository.forest, self._base, _with(self._rows, drafts))
        version = drafts[whole].version
        assert version is not None
        return replay(self._repository.forest, version, _with({}, drafts[whole + 1 :]))

    def _went(
        self, line: Line | None, stretches: Sequence[tuple[str, list[Draft]]], numbers: Mapping[int, int]
    ) -> None:
        """What waited is written."""
        for head, drafts in stretches:
            for draft in drafts:
                if draft.version is not None:
                    self._base, self._rows, self._transactions = draft.version, {}, 0
                    self._base_number = numbers[id(draft)]
                else:
                    self._rows = _with(self._rows, [draft], copy=False)
                    self._transactions += 1
            self._head = head
        self.line, self._drafts = line, []

    def _is_root_due(self) -> bool:
        rows = sum(map(len, self._rows.values()))
        if rows >= _MOST_ROWS:
            return True
        if self._transactions < _LEAST_TRANSACTIONS:
            return False
        leaves = sum(min(len(some), self._base.roots[name].rows // _LEAF_ROWS + 1) for name, some in self._rows.items())
        return leaves * _LEAF_BYTES + rows * _ROW_BYTES <= self._transactions * _BYTES_A_TRANSACTION

    def _keep_root(self) -> None:
        """Keep what the last written state held as a whole."""
        assert self.line is not None
        version = replay(self._repository.forest, self._base, self._rows)
        with self._repository.file.transaction(durable=False) as db:
            line = Timelines(db).by_id(self.line.id)
            Timelines(db).set_root(line, line.next - 1, encode_version(version))
        self._base, self._rows, self._transactions, self._base_number = version, {}, 0, line.next - 1

    def _at_peace(self) -> Worktree:
        """The working copy, with no command half-way in its database."""
        patience = time.monotonic() + _PATIENCE
        while True:
            with self._repository.file.reading() as db:
                found = Worktrees(db).get(self._worktree)
            if found.intent is None or time.monotonic() > patience:
                return found
            time.sleep(_STEP)


def _with(
    rows: dict[str, dict[bytes, Cells | None]], drafts: Sequence[Draft], *, copy: bool = True
) -> dict[str, dict[bytes, Cells | None]]:
    """These rows with what drafts tell."""
    found = {name: dict(some) for name, some in rows.items()} if copy else rows
    for name, some in last_of_each(drafts).items():
        found.setdefault(name, {}).update(some)
    return found


def _entries(line: Line, drafts: Sequence[Draft]) -> tuple[list[Entry], dict[int, Files]]:
    """Drafts as entries behind the last one, and the whole versions among them."""
    entries: list[Entry] = []
    roots: dict[int, Files] = {}
    at = line.time
    for number, draft in enumerate(drafts, line.next):
        since = _since(line, draft, at)
        at = max(draft.time, at + 1)
        whole = draft.version is not None
        entries.append(Entry(number, at, draft.kind, since, draft.transactions, draft.operation, whole, draft.tables))
        if draft.version is not None:
            roots[number] = encode_version(draft.version)
    return entries, roots


def _since(line: Line, draft: Draft, before: int) -> int | None:
    """When the state before this one was last seen, where that is not simply until this one came."""
    if draft.kind is not Kind.TRANSACTION:
        return line.seen if line.next > 1 else None
    if draft.since is None or line.next == 1:
        return None
    since = max(draft.since, line.seen)
    return since if before <= since < draft.time else None  # what else was found with the first one follows it


def _newest(db: Connection) -> int:
    """The number of the newest operation."""
    return int(db.execute("SELECT value FROM total WHERE name = 'operation'", ()).fetchone()[0])


def _moves(db: Connection, worktree: int, since: int) -> list[tuple[Operation, str | None]]:
    """The operations behind this one that changed the database of a working copy, or where it stands, the oldest first;
    and the head it stood on then, where they set one."""
    found: list[tuple[Operation, str | None]] = []
    name = str(worktree)
    for logged in Operations(db).newest_first(batch=8):
        operation = logged.operation
        if operation.number <= since:
            break
        standing = operation.worktrees.get(name, (None, None))[1]
        before, after = operation.live.get(name, (None, None))
        if standing is not None or before != after:
            found.append((operation, standing.head if standing else None))
    return found[::-1]


def _made_by(operation: Operation, worktree: str, drafts: Sequence[Draft]) -> int | None:
    """The draft that an operation made: the first one since it began that changed as many rows of the same tables."""
    before, after = operation.live.get(worktree, (None, None))
    if before == after:
        return None
    wanted = {name: sum(counts) for name, counts in operation.tables.items() if any(counts) and name != FILES}
    since = [
        (at, draft) for at, draft in enumerate(drafts) if draft.operation is None and draft.time >= operation.begun
    ]
    for at, draft in since:
        if {name: len(table) for name, table in draft.tables.items()} == wanted:
            return at
    return next((at for at, draft in since if draft.version is not None), None)
