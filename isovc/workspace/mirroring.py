"""Branches and tags shown to git's own tools. They count only in store.db; a mirror that lags is set right next
time."""

from __future__ import annotations

from isovc.history.git_history import GitHistory
from isovc.repo.names import BRANCHES, TAGS
from isovc.repo.refs import Refs
from isovc.repo.repository import Repository
from isovc.repo.worktrees import Worktrees


def mirror(repository: Repository, history: GitHistory) -> None:
    """Make git's refs equal to ours, and pack its objects when there are many."""
    with repository.file.reading() as db:
        refs = Refs(db)
        shown = {ref.name: ref.target for kind in (BRANCHES, TAGS) for ref in refs.all(kind)}
        head = Worktrees(db).all()[0].head
    history.mirror(shown, head)
    if history.count_loose() > repository.settings.whole("history.pack_after"):
        history.pack()
