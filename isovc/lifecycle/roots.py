"""What must be kept: every version that a name, a working copy or the time of undo leads to. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from isovc.encoding.values import External
from isovc.history import CommitId
from isovc.repo.commits import CommitIndex
from isovc.repo.database import Database
from isovc.repo.merges import commits_of, read_needed, read_waiting
from isovc.repo.refs import Refs
from isovc.repo.repository import Repository
from isovc.repo.snapshots import kept_since
from isovc.repo.timeline import Timelines
from isovc.repo.worktrees import Files, Worktrees, merging_in

_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Roots:
    """Commits (and with them all they descend from), and versions that no commit holds yet."""

    commits: frozenset[CommitId]
    files: tuple[Files, ...]
    values: tuple[External, ...] = ()  # large ones, of which recorded states have only the names


def roots(db: Database, *, since: int) -> Roots:
    """All of them now. Names that were moved since that time still count where they were."""
    refs = Refs(db)
    commits = {ref.target for ref in refs.all()}
    commits |= refs.been_since(since)
    # a commit made on no branch has left no line in a log
    commits.update(
        CommitId(row[0].hex()) for row in db.execute("SELECT id FROM commit_entry WHERE time >= ?", (since,))
    )
    files: list[Files] = []
    for worktree in Worktrees(db).all():
        if worktree.commit:
            commits.add(worktree.commit)
        if worktree.live:
            files.append(worktree.live.files)
        if worktree.intent:
            files += [worktree.intent.before_files, worktree.intent.head_files, worktree.intent.live_files]
            commits.update(each for each in (worktree.intent.commit, *worktree.intent.refs.values()) if each)
        for merging in merging_in(worktree):
            waiting = read_waiting(db, merging)
            commits |= commits_of(waiting)
            files += [read_needed(db, each) for each in (merging, *waiting.versions.values())]
    files += kept_since(db, since)
    files += [each for _, each in Timelines(db).roots()]
    known = CommitIndex(db)
    values = tuple(Timelines(db).named_values())
    return Roots(frozenset(each for each in commits if each in known), tuple(files), values)


def undo_window(repository: Repository, now: int) -> int:
    """The time since which everything that was there is still kept."""
    return now - repository.settings.whole("gc.undo_days") * _DAY
