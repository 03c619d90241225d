"""The database as it is now, kept for ever under a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isovc.errors import HeadMoved, NothingToCommit
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.progress import SILENT, Progress
from isovc.repo.acting import acting
from isovc.repo.commits import CommitIndex
from isovc.repo.database import Database
from isovc.repo.deeds import Deed, Telling
from isovc.repo.refs import Stamp
from isovc.repo.worktrees import Files
from isovc.snapshot.version import encode_version
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk
from isovc.workspace.merging.waiting import refuse_while_waiting
from isovc.workspace.status import Difference, counted, difference


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit just made."""

    commit: CommitId
    branch: str | None
    parents: tuple[CommitId, ...]
    difference: Difference
    message: str

    @property
    def subject(self) -> str:
        """The first line of what it says."""
        return _subject(self.message)


def commit(
    desk: Desk,
    history: GitHistory,
    message: str,
    deed: Deed,
    *,
    allow_empty: bool = False,
    progress: Progress = SILENT,
) -> Committed:
    """Commit the database as it is."""
    refuse_while_waiting(desk)
    live = look(desk, progress=progress)
    found = difference(desk, desk.head, live)
    first = desk.worktree.commit is None
    if not found and not allow_empty and not first:
        raise NothingToCommit(branch=desk.worktree.branch or desk.worktree.head[:12])
    parents = (desk.worktree.commit,) if desk.worktree.commit else ()
    files = encode_version(live)
    with acting(desk.repository, deed, desk.worktree.id) as act:
        now = act.worktrees.get(desk.worktree.id)
        if now.standing != desk.worktree.standing or now.intent is not None:
            raise HeadMoved(head=desk.worktree.head)
        made, time = write_commit(act.db, history, files, parents, message, deed)
        if desk.worktree.branch is None:
            act.worktrees.set_head(now.id, made, made, files)
        else:
            act.refs.move(now.head, made, Stamp(time, f"commit: {message}"), seen=now.commit)
            act.worktrees.set_head(now.id, now.head, made, files)
        act.saw(files, files)
        where = desk.worktree.branch or "no branch"
        act.record(Telling(f"commit {made[:12]} on {where}: {_subject(message)}", tables=counted(found)))
    return Committed(made, desk.worktree.branch, parents, found, message)


def write_commit(
    db: Database, history: GitHistory, files: Files, parents: Sequence[CommitId], message: str, deed: Deed
) -> tuple[CommitId, int]:
    """A commit in git and in the index, and its time. The caller's transaction makes it count: until it ends nothing
    leads to the git objects, and nobody else can take the same time."""
    index = CommitIndex(db)
    time = index.next_time(deed.now)
    made = history.write_commit(files, parents, deed.author, time, message, zone=deed.zone)
    index.add(made, parents, time, str(deed.author), message)
    return made, time


def _subject(message: str) -> str:
    return message.strip().partition("\n")[0]
