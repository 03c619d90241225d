"""Revisions that people type, looked up in the repository they stand in."""

from __future__ import annotations

from isovc.cli.here import Here
from isovc.cli.who import present
from isovc.history.git_history import GitHistory
from isovc.repo.database import Database
from isovc.repo.revisions import Commit, Empty, Found, Where, resolve, resolve_commit, shared_name
from isovc.repo.versions import version_of as version_at
from isovc.snapshot.version import Version
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk


def where(desk: Desk) -> Where:
    """What revisions are relative to here and now."""
    return Where(desk.worktree.head, present())


def meant_by(here: Here, desk: Desk, text: str, *, branch_first: bool = False) -> Found:
    """What it means."""
    with desk.repository.file.reading() as db:
        found = resolve(db, text, where(desk), branch_first=branch_first)
        warn_if_shared(here, db, text, branch_first=branch_first)
    return found


def commit_of(here: Here, desk: Desk, text: str, *, branch_first: bool = False) -> Commit:
    """The commit it means; nothing else will do."""
    with desk.repository.file.reading() as db:
        found = resolve_commit(db, text, where(desk), branch_first=branch_first)
        warn_if_shared(here, db, text, branch_first=branch_first)
    return found


def warn_if_shared(here: Here, db: Database, text: str, *, branch_first: bool = False) -> None:
    """Say which one was taken, if a tag and a branch have the name."""
    name = shared_name(db, text)
    if name:
        taken, other = (
            (f"branch is taken, refs/tags/{name}", "tag")
            if branch_first
            else (f"tag is taken, refs/heads/{name}", "branch")
        )
        here.screen.warn(f"{name} is ambiguous: the {taken} is the {other}")


def version_of(desk: Desk, history: GitHistory, meant: Found) -> Version:
    """The version that was meant."""
    if isinstance(meant, Commit):
        return version_at(history, meant.id)
    return Version() if isinstance(meant, Empty) else look(desk)
