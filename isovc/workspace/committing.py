"""The database as it is now, kept for ever under a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isovc.errors import HeadMoved, NothingToCommit
from isovc.history import CommitId, Identity
from isovc.history.git_history import GitHistory
from isovc.progress import SILENT, Progress
from isovc.repo.commits import CommitIndex
from isovc.repo.database import Database
from isovc.repo.refs import Refs
from isovc.repo.refs import Stamp as When
from isovc.repo.worktrees import Files, Worktrees
from isovc.snapshot.version import encode_version
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk
from isovc.workspace.status import Difference, difference


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who does something, and when (microseconds since 1970, minutes east of UTC)."""

    author: Identity
    now: int
    zone: int = 0


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit just made."""

    commit: CommitId
    branch: str | None
    parents: tuple[CommitId, ...]
    difference: Difference


def commit(
    desk: Desk,
    history: GitHistory,
    message: str,
    stamp: Stamp,
    *,
    allow_empty: bool = False,
    progress: Progress = SILENT,
) -> Committed:
    """Commit the database as it is."""
    live = look(desk, progress=progress)
    found = difference(desk, desk.head, live)
    first = desk.worktree.commit is None
    if not found and not allow_empty and not first:
        raise NothingToCommit(branch=desk.worktree.branch or desk.worktree.head[:12])
    parents = (desk.worktree.commit,) if desk.worktree.commit else ()
    files = encode_version(live)
    with desk.repository.file.transaction() as db:
        worktrees = Worktrees(db)
        now = worktrees.get(desk.worktree.id)
        if (now.head, now.commit) != (desk.worktree.head, desk.worktree.commit) or now.intent is not None:
            raise HeadMoved(head=desk.worktree.head)
        made, time = write_commit(db, history, files, parents, message, stamp)
        if desk.worktree.branch is None:
            worktrees.set_head(now.id, made, made, files)
        else:
            Refs(db).move(now.head, made, When(time, f"commit: {message}"), seen=now.commit)
            worktrees.set_head(now.id, now.head, made, files)
    return Committed(made, desk.worktree.branch, parents, found)


def write_commit(
    db: Database, history: GitHistory, files: Files, parents: Sequence[CommitId], message: str, stamp: Stamp
) -> tuple[CommitId, int]:
    """A commit in git and in the index, and its time. The caller's transaction makes it count: until it ends nothing
    leads to the git objects, and nobody else can take the same time."""
    index = CommitIndex(db)
    time = index.next_time(stamp.now)
    made = history.write_commit(files, parents, stamp.author, time, message, zone=stamp.zone)
    index.add(made, parents, time, str(stamp.author), message)
    return made, time
