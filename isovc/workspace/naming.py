"""Branches and tags made, renamed and removed, with a look at the working copies that stand on them."""

from __future__ import annotations

from isovc.errors import BranchInUse, NotMerged
from isovc.history import CommitId
from isovc.repo.commits import CommitIndex
from isovc.repo.names import BRANCHES, short
from isovc.repo.refs import Refs, Stamp
from isovc.repo.repository import Repository
from isovc.repo.worktrees import Worktrees


def create(repository: Repository, name: str, target: CommitId, *, time: int) -> None:
    """A new branch or tag, under its full name."""
    with repository.file.transaction() as db:
        Refs(db).create(name, target, Stamp(time, f"create at {target[:12]}"))


def copy(repository: Repository, name: str, new: str, *, time: int) -> None:
    """A second branch that leads where the first does."""
    with repository.file.transaction() as db:
        Refs(db).copy(name, new, Stamp(time, f"copy of {short(name)}"))


def rename(repository: Repository, name: str, new: str, *, time: int) -> None:
    """Another name for a branch; working copies on it stay on it."""
    with repository.file.transaction() as db:
        worktrees = Worktrees(db)
        Refs(db).rename(name, new, Stamp(time, f"rename of {short(name)}"))
        for worktree in worktrees.all():
            if worktree.head == name:
                worktrees.set_head(worktree.id, new, worktree.commit, worktree.files)


def remove(repository: Repository, name: str, *, time: int, force: bool = False) -> CommitId:
    """Take a branch or tag away; where it led. A branch with versions that nothing else leads to needs `force`."""
    with repository.file.transaction() as db:
        refs = Refs(db)
        target = refs.need(name).target
        if name.startswith(BRANCHES):
            for worktree in Worktrees(db).all():
                if worktree.head == name:
                    raise BranchInUse(branch=short(name), database=worktree.database)
            index = CommitIndex(db)
            others = [other.target for other in refs.all() if other.name != name]
            if not force and not any(index.is_ancestor(target, other) for other in others):
                raise NotMerged(branch=short(name))
        return refs.delete(name, Stamp(time, "delete")).target
