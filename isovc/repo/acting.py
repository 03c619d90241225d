"""The commit point of a command: one transaction that moves refs and working copies, and records who did."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from isovc.encoding.signing import Sign
from isovc.errors import Damage, SnapshotForgotten
from isovc.history import CommitId
from isovc.repo.database import Database
from isovc.repo.decided import decide
from isovc.repo.deeds import Deed, Telling, without_passwords
from isovc.repo.merges import needed_by
from isovc.repo.names import BRANCHES
from isovc.repo.operations import Live, Logged, Move, Operation, Operations, SnapshotId
from isovc.repo.refs import Refs, Stamp
from isovc.repo.repository import Repository
from isovc.repo.snapshots import keep_snapshot
from isovc.repo.timeline import Timelines
from isovc.repo.worktrees import Files, Worktrees


class Act:
    """The transaction of one command. What is moved through `refs` and `worktrees` is in the record by itself. `sign`:
    what signs the record, if anything does."""

    def __init__(self, db: Database, deed: Deed, worktree: int, sign: Sign | None) -> None:
        self.db = db
        self.deed = deed
        self.worktree = worktree
        self._sign = sign
        self._last = Operations(db).last()
        self.number = self._last.operation.number + 1 if self._last else 1
        self.refs = Refs(db, act=self.number)
        self.worktrees = Worktrees(db)
        self._live: dict[str, Live] = {}

    def stamp(self, what: str) -> Stamp:
        """For the log of a ref."""
        return Stamp(self.deed.now, what)

    def saw(self, before: Files | None, after: Files | None, *, worktree: int | None = None) -> None:
        """The version a live database held before, and the one it holds after; None: there was, or is, none."""
        before_id = None if before is None else keep_snapshot(self.db, before)
        after_id = before_id if after is before else None if after is None else keep_snapshot(self.db, after)
        self._live[str(self.worktree if worktree is None else worktree)] = (before_id, after_id)

    def lead(self, refs: Mapping[str, CommitId | None], what: str) -> None:
        """Let these refs lead there, wherever they are; None: such a ref shall go."""
        gone_first = sorted(refs.items(), key=lambda item: item[1] is not None)  # a may become a/b
        for name, target in gone_first:
            found = self.refs.get(name)
            seen = found.target if found else None
            if target is not None and target != seen:
                self.refs.move(name, target, self.stamp(what), seen=seen)
            elif target is None and found:
                self.refs.delete(name, self.stamp(what))

    def rename_heads(self, heads: Mapping[int, str]) -> None:
        """Working copies stay where they are, on a branch that is called otherwise."""
        for number, head in heads.items():
            found = self.worktrees.get(number)
            Timelines(self.db).rename(found.head, head)
            self.worktrees.set_head(number, head, found.commit, found.files, merging=found.merging)

    def record(self, telling: Telling) -> Logged | None:
        """Put the operation into the log. Whoever has moved nothing has done nothing."""
        refs = {name: pair for name, pair in self.refs.moved.items() if pair[0] != pair[1]}
        places = {str(key): pair for key, pair in self.worktrees.moved.items() if pair[0] != pair[1]}
        live = {key: pair for key, pair in self._live.items() if refs or places or pair[0] != pair[1]}
        stepped = bool(telling.undone or telling.redone or telling.passed_over)
        if not (refs or places or live or stepped or telling.settings or telling.irreversible):
            return None
        for old, new in _renamed(refs):
            Timelines(self.db).rename(old, new)
        deed, operations = self.deed, Operations(self.db)
        below = telling.below
        if not telling.undone and not telling.redone:
            is_mine = self._last is not None and self._last.operation.worktree == self.worktree
            mine = self._last if is_mine else operations.last(self.worktree)
            below = mine.next_undo if mine else None
        here = self.worktrees.find(self.worktree)
        if telling.settings:
            decide(self.db, {key: then for key, (_, then) in telling.settings.items()})
        needed: set[SnapshotId] = set()
        for each in [each.merging for pair in places.values() for each in pair if each and each.merging]:
            with suppress(Damage, SnapshotForgotten):  # who gives up a merge that is damaged must be able to
                needed |= needed_by(self.db, each)
        return operations.append(
            Operation(
                number=self.number,
                previous=self._last.id if self._last else None,
                command=deed.command,
                words=deed.words,
                summary=_summary(telling),
                author=str(deed.author),
                user=deed.user,
                host=deed.host,
                begun=deed.now,
                ended=max(deed.now, time.time_ns() // 1000),
                worktree=self.worktree,
                database=here.database if here else "",
                refs=refs,
                worktrees=places,
                live=live,
                tables=telling.tables,
                settings=telling.settings,
                undone=telling.undone,
                redone=telling.redone,
                below=below,
                passed_over=telling.passed_over,
                irreversible=telling.irreversible,
            ),
            sign=self._sign,
            needed=needed,
        )


@contextmanager
def acting(repository: Repository, deed: Deed, worktree: int) -> Iterator[Act]:
    """One write transaction of store.db for a command. The block ends with `record`."""
    sign = repository.signer()
    with repository.file.transaction() as db:
        yield Act(db, deed, worktree, sign)


def _renamed(refs: Mapping[str, Move]) -> Iterator[tuple[str, str]]:
    """Branches that are called otherwise since: one went and one came, and no other, where it led."""
    branches = {name: pair for name, pair in refs.items() if name.startswith(BRANCHES)}
    for target in {before for before, _ in branches.values() if before is not None}:
        gone = [name for name, pair in branches.items() if pair == (target, None)]
        come = [name for name, pair in branches.items() if pair == (None, target)]
        if len(gone) == len(come) == 1:
            yield gone[0], come[0]


def _summary(telling: Telling) -> str:
    """What was done and to how many rows, without a password that stands in an address."""
    added, modified, removed = (sum(each[at] for each in telling.tables.values()) for at in range(3))
    counts = [f"{sign}{many}" for sign, many in (("+", added), ("~", modified), ("-", removed)) if many]
    said = f"{telling.summary} ({' '.join(counts)})" if counts else telling.summary
    return without_passwords(said)
