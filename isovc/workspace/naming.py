"""Branches and tags made, renamed and removed, with a look at the working copies that stand on them."""

from __future__ import annotations

from isovc.errors import BranchInUse, BranchWaitedFor, KeptThere, NotMerged
from isovc.history import CommitId
from isovc.repo.acting import Act, acting
from isovc.repo.commits import CommitIndex
from isovc.repo.deeds import Deed, Telling
from isovc.repo.merges import read_merge
from isovc.repo.names import BRANCHES, TAGS, kept_name, short, what_is
from isovc.repo.timeline import Timelines
from isovc.workspace.desk import Desk


def create(desk: Desk, name: str, target: CommitId, deed: Deed) -> None:
    """A new branch or tag, under its full name."""
    with acting(desk.repository, deed, desk.worktree.id) as act:
        act.refs.create(name, target, act.stamp(f"create at {target[:12]}"))
        act.record(Telling(f"make {what_is(name)} {short(name)} at {target[:12]}"))


def _refuse_waited_for(act: Act, name: str) -> None:
    """A rebase that waits stands apart from its branch, and leads it elsewhere at its end."""
    for worktree in act.worktrees.all():
        if worktree.merging is not None and worktree.branch is None:
            waiting = read_merge(act.db, worktree.merging)
            if waiting.home == name:
                raise BranchWaitedFor(branch=short(name), command=waiting.command, database=worktree.database)


def copy(desk: Desk, name: str, new: str, deed: Deed) -> None:
    """A second branch that leads where the first does."""
    with acting(desk.repository, deed, desk.worktree.id) as act:
        act.refs.copy(name, new, act.stamp(f"copy of {short(name)}"))
        act.record(Telling(f"copy branch {short(name)} to {short(new)}"))


def rename(desk: Desk, name: str, new: str, deed: Deed) -> None:
    """Another name for a branch; working copies on it stay on it."""
    if name == new:
        return
    with acting(desk.repository, deed, desk.worktree.id) as act:
        _refuse_waited_for(act, name)
        refs, stamp = act.refs, act.stamp(f"rename of {short(name)}")
        on_it = [worktree for worktree in act.worktrees.all() if worktree.head == name]
        if refs.get(name) is None and on_it:
            refs.check_new(new)  # a branch without commits is but the word of those who are on it
        else:
            refs.rename(name, new, stamp)
        if refs.get(kept_name(name)) is not None:
            refs.rename(kept_name(name), kept_name(new), stamp)
        Timelines(act.db).rename(name, new)
        for worktree in on_it:
            act.worktrees.set_head(worktree.id, new, worktree.commit, worktree.files, merging=worktree.merging)
        act.record(Telling(f"rename branch {short(name)} to {short(new)}"))


def remove(desk: Desk, name: str, deed: Deed, *, force: bool = False) -> CommitId:
    """Take a branch or tag away; where it led. A branch with versions that nothing else leads to needs `force`."""
    with acting(desk.repository, deed, desk.worktree.id) as act:
        refs, stamp = act.refs, act.stamp("delete")
        target = refs.need(name).target
        if name.startswith(BRANCHES):
            _refuse_waited_for(act, name)
            for worktree in act.worktrees.all():
                if worktree.head == name:
                    raise BranchInUse(branch=short(name), database=worktree.database)
            index = CommitIndex(act.db)
            others = [ref.target for kind in (BRANCHES, TAGS) for ref in refs.all(kind) if ref.name != name]
            kept = refs.get(kept_name(name))
            if not force and not any(index.is_ancestor(target, other) for other in others):
                raise NotMerged(branch=short(name))
            if kept and not force:
                raise KeptThere(branch=short(name), commit=kept.target)
            if kept:
                refs.delete(kept.name, stamp)
        refs.delete(name, stamp)
        act.record(Telling(f"remove {what_is(name)} {short(name)}, which was at {target[:12]}"))
        return target
