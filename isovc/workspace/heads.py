"""Where somebody who names a version or a branch wants to stand: on which head, at which commit. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable

from isovc.errors import IsovcError, NotABranch
from isovc.history import CommitId
from isovc.repo.database import Database
from isovc.repo.names import BRANCHES
from isovc.repo.refs import Refs
from isovc.repo.revisions import Commit, Where, resolve_commit
from isovc.workspace.desk import Desk

_HERE = ("HEAD", "@")  # stand for a branch, and name none


def tip(desk: Desk, name: str, where: Where) -> CommitId | None:
    """Where a branch leads; None: it is the one we are on, and has no commits yet."""
    with desk.repository.file.reading() as db:
        refs = Refs(db)
        found = refs.get(BRANCHES + name)
        if found is None and desk.worktree.head != BRANCHES + name:
            if _is_version(db, name, where):
                raise NotABranch(name=name)
            refs.need(BRANCHES + name)
    return found.target if found else None


def beginning(desk: Desk, start: str, commit_of: Callable[[str], Commit]) -> tuple[CommitId | None, bool]:
    """Where a new branch that is gone to begins (None: before everything), and whether what is uncommitted goes along
    as a matter of course: it was made on just that version."""
    if start == "HEAD" and desk.worktree.commit is None:
        return None, True
    return commit_of(start).id, start == "HEAD"


def head_of(target: Commit, *, new: str | None = None, detach: bool = False) -> str:
    """The head of who goes to a commit: the branch it was reached by, a new one, or the commit alone."""
    if new is not None:
        return BRANCHES + new
    return target.ref if target.ref and target.ref.startswith(BRANCHES) and not detach else str(target.id)


def head_apart(target: Commit, revision: str, *, new: str | None = None) -> str:
    """The same for a further working copy. Two cannot be on one branch, so HEAD means its commit there."""
    return head_of(target, new=new, detach=revision in _HERE)


def _is_version(db: Database, name: str, where: Where) -> bool:
    try:
        resolve_commit(db, name, where)
    except IsovcError:
        return False
    return True
