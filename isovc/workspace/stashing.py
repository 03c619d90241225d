"""Uncommitted changes put aside by hand, and taken out again: on any branch, merged cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, replace

from isovc.errors import NoCommitsYet, NoSuchStash, NothingToStash
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.acting import acting
from isovc.repo.commits import CommitEntry, CommitIndex
from isovc.repo.deeds import Deed, Telling
from isovc.repo.merges import Task
from isovc.repo.names import STASH
from isovc.repo.refs import Refs
from isovc.snapshot.version import laid_out_like
from isovc.workspace.desk import Desk
from isovc.workspace.merging.tasks import Plan
from isovc.workspace.merging.waiting import refuse_while_waiting
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
        refuse_while_waiting(desk)
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


def plan_pop(desk: Desk, number: int, *, keep: bool = False) -> tuple[Stashed, Plan]:
    """How an entry comes back into the database, beside what is uncommitted there. `keep`: it stays in the stash,
    too."""
    if desk.worktree.commit is None:
        raise NoCommitsYet(branch=desk.worktree.branch or desk.worktree.head[:12])
    chosen = entry(desk, number)
    name = f"stash {chosen.entry.id[:12]}"
    task = Task(name, chosen.entry.parents[:1], chosen.entry.id, "")
    command = f"stash {'apply' if keep else 'pop'}"
    plan = Plan(command, f"{'apply' if keep else 'pop'} {name}", desk.worktree.commit, (task,), commits=False)
    return chosen, plan if keep else replace(plan, drops=chosen.ref)


def drop(desk: Desk, number: int, deed: Deed) -> Stashed:
    """Take an entry out of the stash and leave the database alone."""
    with acting(desk.repository, deed, desk.worktree.id) as act:
        chosen = entry(desk, number)
        act.refs.delete(chosen.ref, act.stamp("drop"))
        act.record(Telling(f"drop stash {chosen.entry.id[:12]}"))
        return chosen


def entry(desk: Desk, number: int) -> Stashed:
    """The one with this number."""
    found = stashed(desk)
    if number >= len(found):
        raise NoSuchStash(number=number, many=len(found))
    return found[number]
