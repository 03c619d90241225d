"""Is everything that is kept whole? Every chunk is hashed again, every version followed to its last leaf. Changes
nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isovc.encoding.digest import ChunkId
from isovc.errors import IsovcError
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.lifecycle.audit.verify import damages_of_the_log
from isovc.lifecycle.awaited import lacking
from isovc.lifecycle.damage import Damage
from isovc.lifecycle.indexed import REINDEX, Line, compared, lines, unlisted
from isovc.lifecycle.losses import Losses
from isovc.lifecycle.named import disagreements, leading
from isovc.lifecycle.recorded import kept_states
from isovc.lifecycle.sealed import broken_seals
from isovc.lifecycle.watched import damaged_timelines
from isovc.progress import SILENT, Progress
from isovc.repo.repository import Repository
from isovc.repo.versions import files_of, numbers_of
from isovc.repo.worktrees import Files, Worktrees
from isovc.snapshot.version import Version, decode_version, encode_version
from isovc.store.check import check as check_store
from isovc.tree.check import check as check_tree
from isovc.tree.read import count


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check found."""

    chunks: int
    commits: int
    damages: tuple[Damage, ...]


class _Versions:
    """Checks versions one after another; what they share is looked at once."""

    def __init__(self, repository: Repository, *, trees: bool, suspicious: bool) -> None:
        self._forest = repository.forest
        self._losses = Losses(repository.forest, suspicious=suspicious)
        self._planted: set[ChunkId] | None = set() if trees else None

    def check(self, version: Version) -> Iterator[Damage]:
        """What is wrong with the trees of a version."""
        for table, root in version.roots.items():
            lost = list(self._losses.of(root.id).values())
            if lost:
                more = f" (and {len(lost) - 1} more)" if lost[1:] else ""
                yield Damage(f"table {table}: {lost[0]}{more}", table=table)
                continue
            if count(self._forest, root.id) != root.rows:
                yield Damage(f"table {table}: its rows are counted wrong", table=table)
            if self._planted is not None:
                for problem in check_tree(self._forest, root.id, self._planted):
                    yield Damage(f"table {table}: {problem}", table=table)


def verify(
    repository: Repository, history: GitHistory, *, trees: bool = False, progress: Progress = SILENT
) -> Verified:
    """Check all of it. `trees`: plant every table again, too, and compare."""
    store = check_store(repository.chunks, progress)
    damages = [Damage(each) for each in store.problems]
    damages += [Damage(each.message) for each in store.damaged]
    damages += broken_seals(repository)
    index = lines(repository, damages)
    versions = _Versions(repository, trees=trees, suspicious=not store.clean)
    with progress.task("Checking versions", total=len(index), unit="versions") as task:
        for line in index.values():
            damages += _commit(history, line, index, versions)
            task.advance()
    damages += disagreements(repository, {line.id: line.time for line in index.values()})
    if damages:  # it may be the index that lost some
        for commit in unlisted(history, leading(repository), index):
            damages.append(Damage(f"commit {commit[:12]} is not in the index of the commits", commit, remedy=REINDEX))
            damages += _rows(history, commit, versions)
    damages += damages_of_the_log(repository, progress)
    damages += _states(repository, versions)
    damages += lacking(repository)
    damages += _working_copies(repository, history, versions)
    damages += damaged_timelines(repository, versions.check)
    return Verified(store.chunks, len(index), tuple(dict.fromkeys(damages)))


def _commit(history: GitHistory, line: Line, index: dict[int, Line], versions: _Versions) -> Iterator[Damage]:
    try:
        yield from compared(history, line, index)
    except IsovcError as error:
        yield Damage(f"commit {line.id[:12]}: {error.message}", line.id)
    else:
        yield from _rows(history, line.id, versions)


def _rows(history: GitHistory, commit: CommitId, versions: _Versions) -> Iterator[Damage]:
    try:
        for damage in versions.check(decode_version(files_of(history, commit))):
            yield Damage(f"commit {commit[:12]}: {damage.what}", commit, damage.table)
        numbers_of(history, commit)
    except IsovcError as error:
        yield Damage(f"commit {commit[:12]}: {error.message}", commit)


def _working_copies(repository: Repository, history: GitHistory, versions: _Versions) -> Iterator[Damage]:
    try:
        with repository.file.reading() as db:
            known = Worktrees(db).all()
        for worktree in known:
            where = f"working copy {worktree.database}"
            for damage in _remembered(worktree.live.files if worktree.live else worktree.files, versions):
                yield Damage(f"{where}: {damage.what}", table=damage.table)
            if worktree.files != files_of(history, worktree.commit):
                yield Damage(f"{where}: what is noted of its commit is not what git has", worktree.commit)
    except IsovcError as error:
        yield Damage(error.message)


def _states(repository: Repository, versions: _Versions) -> Iterator[Damage]:
    try:
        for name, files in kept_states(repository):
            if files is None:
                yield Damage(f"{name} is not what was written there")
                continue
            for damage in versions.check(decode_version(files)):
                yield Damage(f"{name}: {damage.what}", table=damage.table)
    except IsovcError as error:
        yield Damage(error.message)


def _remembered(files: Files, versions: _Versions) -> Iterator[Damage]:
    version = decode_version(files)
    if encode_version(version) != files:
        yield Damage("what was seen in it is noted in other words than ours")
    yield from versions.check(version)
