"""Branches and tags made, renamed and removed, with a look at the working copies that stand on them."""

from __future__ import annotations

from isovc.errors import BranchInUse, KeptThere, NotMerged
from isovc.history import CommitId
from isovc.repo.commits import CommitIndex
from isovc.repo.names import BRANCHES, TAGS, short
from isovc.repo.refs import Refs, Stamp
from isovc.repo.repository import Repository
from isovc.repo.worktrees import Worktrees
from isovc.workspace.moving import kept_name


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
        refs, worktrees = Refs(db), Worktrees(db)
        on_it = [worktree for worktree in worktrees.all() if worktree.head == name]
        if refs.get(name) is None and on_it:
            refs.check_new(new)  # a branch without commits is but the word of those who are on it
        else:
            refs.rename(name, new, Stamp(time, f"rename of {short(name)}"))
        if refs.get(kept_name(name)) is not None:
            refs.rename(kept_name(name), kept_name(new), Stamp(time, f"rename of {short(name)}"))
        for worktree in on_it:
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
            others = [ref.target for kind in (BRANCHES, TAGS) for ref in refs.all(kind) if ref.name != name]
            kept = refs.get(kept_name(name))
            if not force and not any(index.is_ancestor(target, other) for other in others):
                raise NotMerged(branch=short(name))
            if kept and not force:
                raise KeptThere(branch=short(name), commit=kept.target)
            if kept:
                refs.delete(kept.name, Stamp(time, "delete"))
        return refs.delete(name, Stamp(time, "delete")).target
