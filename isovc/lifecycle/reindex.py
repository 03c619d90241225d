"""The index of the commits made again from git. Knows nothing of rows."""

from __future__ import annotations

from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.acting import acting
from isovc.repo.commits import CommitIndex
from isovc.repo.deeds import Deed, Telling
from isovc.repo.repository import Repository

_WHOLE = 0  # the operation is about the repository, not about one of its working copies
_ID = 20  # bytes of a commit's id


def reindex(repository: Repository, history: GitHistory, deed: Deed) -> int:
    """Enter every commit that a name, a working copy or the index itself leads to, and that git has; how many."""
    with acting(repository, deed, _WHOLE) as act:
        tips = {ref.target for ref in act.refs.all()} | act.refs.been_since(0)
        for worktree in act.worktrees.all():
            tips.update(each for each in (worktree.commit, worktree.intent and worktree.intent.commit) if each)
        # those that only the time of undo leads to
        listed = (row[0] for row in act.db.execute("SELECT id FROM commit_entry", ()))
        tips.update(CommitId(raw.hex()) for raw in listed if isinstance(raw, bytes) and len(raw) == _ID)
        many = CommitIndex(act.db).rebuild(history, sorted(filter(history.has, tips)))
        act.record(Telling(f"make the index of {many} versions again", passed_over=True))
    return many
