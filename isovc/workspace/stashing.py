"""Uncommitted changes put aside by hand, and taken out again: on any branch, merged cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

from isovc.errors import CannotPop, NoCommitsYet, NoSuchStash, NothingToStash
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.acting import acting
from isovc.repo.commits import CommitEntry, CommitIndex
from isovc.repo.deeds import Deed, Telling
from isovc.repo.names import STASH
from isovc.repo.refs import Refs
from isovc.repo.versions import version_of
from isovc.snapshot.merge import merge
from isovc.snapshot.version import Version, laid_out_like, same
from isovc.workspace.desk import Desk
from isovc.workspace.moving import Step, changing, confirm, keep_uncommitted, move
from isovc.workspace.status import Difference, difference


@dataclass(frozen=True, slots=True)
class Stashed:
    """One entry: the newest has the number 0."""

    number: int
    ref: str
    entry: CommitEntry


def push(desk: Desk, history: GitHistory, message: str, deed: Deed) -> tuple[CommitId, Difference]:
    """Put what is uncommitted aside; the database is then what was committed last."""
    with changing(desk) as (desk, writing, live):
        if desk.worktree.commit is None:
            raise NoCommitsYet(branch=desk.worktree.branch or desk.worktree.head[:12])
        kept = keep_uncommitted(desk, history, live, deed, message=message)
        if kept is None:
            raise NothingToStash
        wanted = laid_out_like(desk.head, live)
        here = desk.worktree
        refs = {f"{STASH}{deed.now:020}": kept}  # by time: a number would be another one's after a drop
        telling = Telling(f"stash {kept[:12]}")
        intent = move(desk, writing, live, Step(deed, telling, here.head, here.commit, here.files, wanted, refs))
        moved = difference(desk, live, wanted)
    confirm(desk, intent, writing, moved)
    return kept, moved


def stashed(desk: Desk) -> list[Stashed]:
    """All entries, the newest first."""
    with desk.repository.file.reading() as db:
        index = CommitIndex(db)
        found = [(ref.name, index.get(ref.target)) for ref in reversed(Refs(db).all(STASH))]
    return [Stashed(number, name, entry) for number, (name, entry) in enumerate(found)]


def pop(desk: Desk, history: GitHistory, number: int, deed: Deed, *, keep: bool = False) -> tuple[Stashed, Difference]:
    """Bring an entry back into the database, beside what is uncommitted there. `keep`: it stays in the stash, too."""
    with changing(desk) as (desk, writing, live):
        chosen = _entry(desk, number)
        base, *_ = chosen.entry.parents
        before, changed = version_of(history, base), version_of(history, chosen.entry.id)
        wanted = laid_out_like(_brought(desk, before, live, changed, chosen), live)
        here = desk.worktree
        refs: dict[str, CommitId | None] = {} if keep else {chosen.ref: None}
        telling = Telling(f"{'apply' if keep else 'pop'} stash {chosen.entry.id[:12]}")
        step = Step(deed, telling, here.head, here.commit, here.files, wanted, refs)
        intent = move(desk, writing, live, step, refuse_violations=True)
        moved = difference(desk, live, wanted)
    confirm(desk, intent, writing, moved)
    return chosen, moved


def drop(desk: Desk, number: int, deed: Deed) -> Stashed:
    """Take an entry out of the stash and leave the database alone."""
    with acting(desk.repository, deed, desk.worktree.id) as act:
        chosen = _entry(desk, number)
        act.refs.delete(chosen.ref, act.stamp("drop"))
        act.record(Telling(f"drop stash {chosen.entry.id[:12]}"))
        return chosen


def _entry(desk: Desk, number: int) -> Stashed:
    found = stashed(desk)
    if number >= len(found):
        raise NoSuchStash(number=number, many=len(found))
    return found[number]


def _brought(desk: Desk, before: Version, live: Version, changed: Version, chosen: Stashed) -> Version:
    if same(before, live):
        return changed
    merged = merge(desk.repository.forest, before, live, changed)
    if merged.conflicts:
        tables = sorted({each.table for each in merged.conflicts})
        raise CannotPop(entry=chosen.entry.id, number=chosen.number, tables=tables, rows=len(merged.conflicts))
    return merged.version
