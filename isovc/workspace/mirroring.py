"""Branches and tags shown to git's own tools. They count only in store.db; a mirror that lags is set right next
time."""

from __future__ import annotations

from isovc.errors import IsovcError
from isovc.history.git_history import GitHistory
from isovc.repo.names import BRANCHES, TAGS
from isovc.repo.refs import Refs
from isovc.repo.repository import Repository
from isovc.repo.worktrees import Worktrees


def mirror(repository: Repository, history: GitHistory) -> str:
    """Make git's refs equal to ours, and pack its objects when there are many. What hinders it is given back in
    words: the command that asked for it is done, and must not look as if it were not."""
    try:
        _mirror(repository, history)
    except IsovcError as error:
        return f"git's own tools see an older state for now: {error.message}"
    return ""


def _mirror(repository: Repository, history: GitHistory) -> None:
    with repository.file.reading() as db:
        refs = Refs(db)
        shown = {ref.name: ref.target for kind in (BRANCHES, TAGS) for ref in refs.all(kind)}
        head = Worktrees(db).all()[0].head
    history.mirror(shown, head)
    if history.count_loose() > repository.settings.whole("history.pack_after"):
        history.pack()
