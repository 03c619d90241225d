"""Revisions that people type, looked up in the repository they stand in."""

from __future__ import annotations

from isovc.cli.who import present
from isovc.history.git_history import GitHistory
from isovc.repo.revisions import Commit, Empty, Found, Where, resolve, resolve_commit
from isovc.repo.versions import version_of as version_at
from isovc.snapshot.version import Version
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk


def found(desk: Desk, text: str) -> Found:
    """What it means."""
    with desk.repository.file.reading() as db:
        return resolve(db, text, Where(desk.worktree.head, present()))


def commit_of(desk: Desk, text: str) -> Commit:
    """The commit it means; nothing else will do."""
    with desk.repository.file.reading() as db:
        return resolve_commit(db, text, Where(desk.worktree.head, present()))


def version_of(desk: Desk, history: GitHistory, text: str) -> Version:
    """The version it means."""
    meant = found(desk, text)
    if isinstance(meant, Commit):
        return version_at(history, meant.id)
    return Version() if isinstance(meant, Empty) else look(desk)
