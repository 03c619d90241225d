"""Giving back the space of what nothing leads to any more, in small steps, while others work."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from isovc.blobs import parts
from isovc.encoding.digest import ChunkId
from isovc.errors import CleaningTooLong
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.lifecycle.paying import note_cleaned
from isovc.lifecycle.roots import Roots, roots, undo_window
from isovc.lifecycle.thinning import thin
from isovc.progress import SILENT, Progress
from isovc.repo.acting import acting
from isovc.repo.commits import CommitIndex
from isovc.repo.database import Database
from isovc.repo.deeds import Deed, Telling
from isovc.repo.merges import needed_by
from isovc.repo.presence import alone, cleaning
from isovc.repo.repository import Repository
from isovc.repo.snapshots import forget_snapshots
from isovc.repo.versions import version_of
from isovc.repo.worktrees import merging_in
from isovc.snapshot.reach import reach
from isovc.snapshot.version import Version, decode_version
from isovc.store.sweep import Sweep

_WHOLE = 0  # the operation is about the repository, not about one of its working copies
_MOMENT = 10.0  # seconds to wait for a moment in which no other command is at work


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What a sweep would delete, or has."""

    chunks: int
    bytes: int  # of these chunks, as they lie at rest
    commits: int  # that nothing leads to: they leave the index; their few bytes in git stay
    given_back: int  # bytes the file system has again
    states: int = 0  # recorded ones that are kept as one with others, or no more


class _Marked:
    """Everything met so far on the way from the roots."""

    def __init__(
        self, repository: Repository, history: GitHistory, progress: Progress, seconds: float | None = None
    ) -> None:
        self._repository = repository
        self._history = history
        self._progress = progress
        self._seconds = seconds
        self._begun = monotonic()
        self.chunks: set[ChunkId] = set()
        self.commits: set[CommitId] = set()

    def follow(self, found: Roots) -> None:
        """Go from these roots to whatever has not been met."""
        with self._repository.file.reading() as db:
            entries = CommitIndex(db).walk(found.commits)
            fresh = [entry.id for entry in entries if entry.id not in self.commits]
        with self._progress.task("Looking what is needed", total=len(fresh), unit="versions") as task:
            for commit in fresh:
                self._keep(version_of(self._history, commit))
                self.commits.add(commit)
                task.advance()
        for files in found.files:
            self._keep(decode_version(files))
        for value in found.values:
            self.chunks.update(parts(self._repository.forest.store, value))

    def _keep(self, version: Version) -> None:
        for _ in reach(self._repository.forest, version, self.chunks):
            if self._seconds is not None and monotonic() > self._begun + self._seconds:
                raise CleaningTooLong(folder=self._repository.folder, seconds=self._seconds)


def plan(repository: Repository, history: GitHistory, now: int, *, progress: Progress = SILENT) -> Cleaning:
    """What `clean` would delete. Changes nothing."""
    marked = _Marked(repository, history, progress)
    with repository.file.reading() as db:
        found = roots(db, since=undo_window(repository, now))
    marked.follow(found)
    seqs, size = Sweep(repository.chunks).lost(marked.chunks)
    with repository.file.reading() as db:
        commits = len(_lost(db, marked.commits))
    return Cleaning(len(seqs), size, commits, 0, thin(repository, now, dry_run=True, progress=progress))


def clean(
    repository: Repository,
    history: GitHistory,
    deed: Deed,
    *,
    progress: Progress = SILENT,
    wait: float = _MOMENT,
    seconds: float | None = None,
) -> Cleaning:
    """Delete what nothing leads to. `wait`: for a moment alone; `seconds`: how long the looking may take."""
    with cleaning(repository.folder):
        return _clean(repository, history, deed, progress, wait, seconds)


def _clean(
    repository: Repository, history: GitHistory, deed: Deed, progress: Progress, wait: float, seconds: float | None
) -> Cleaning:
    since = undo_window(repository, deed.now)
    states = thin(repository, deed.now, progress=progress)
    sweep = Sweep(repository.chunks)
    with alone(repository.folder, seconds=wait):
        sweep.begin()
    try:
        marked = _Marked(repository, history, progress, seconds)
        commits: int | None = None
        while commits is None:
            with repository.file.reading() as db:
                found = roots(db, since=since)
            marked.follow(found)
            commits = _forget_lost(repository, marked, since, deed)
        seqs, size = sweep.lost(marked.chunks)
        with progress.task("Cleaning up", total=len(seqs), unit="chunks") as task:
            deleted = 0
            for many in sweep.delete(seqs):
                deleted += many
                task.advance(many)
    finally:
        given_back = sweep.end()
        note_cleaned(repository)
    return Cleaning(deleted, size, commits, given_back, states)


def _forget_lost(repository: Repository, marked: _Marked, since: int, deed: Deed) -> int | None:
    """Take commits that nothing leads to out of the index, so that nobody can go there any more; how many. None:
    somebody has gone to one of them meanwhile."""
    with acting(repository, deed, _WHOLE) as act:
        if not roots(act.db, since=since).commits <= marked.commits:
            return None
        lost = _lost(act.db, marked.commits)
        act.db.executemany("DELETE FROM commit_entry WHERE id = ?", [(bytes.fromhex(each),) for each in lost])
        merging = [merge for each in act.worktrees.all() for merge in merging_in(each)]
        forgotten = forget_snapshots(act.db, since, needed_by(act.db, *merging))
        if lost or forgotten:
            what = f"forget {len(lost)} versions and {forgotten} states that nothing leads to"
            act.record(Telling(what, passed_over=True))
        return len(lost)


def _lost(db: Database, kept: set[CommitId]) -> list[CommitId]:
    known = (CommitId(row[0].hex()) for row in db.execute("SELECT id FROM commit_entry", ()))
    return [each for each in known if each not in kept]
