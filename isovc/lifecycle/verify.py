"""Is everything that is kept whole? Every chunk is hashed again, every version followed to its last leaf. Changes
nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isovc.encoding.digest import ChunkId
from isovc.errors import ChunkMissing, IsovcError
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.progress import SILENT, Progress
from isovc.repo.commits import CommitEntry, CommitIndex
from isovc.repo.refs import Refs
from isovc.repo.repository import Repository
from isovc.repo.versions import version_of
from isovc.repo.worktrees import Worktrees
from isovc.snapshot.reach import reach
from isovc.snapshot.version import Version, decode_version
from isovc.store.check import check as check_store
from isovc.tree.check import check as check_tree


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is wrong, and what it concerns."""

    what: str
    commit: CommitId | None = None
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check found."""

    chunks: int
    commits: int
    damages: tuple[Damage, ...]


def verify(
    repository: Repository, history: GitHistory, *, trees: bool = False, progress: Progress = SILENT
) -> Verified:
    """Check all of it. `trees`: plant every table again, too, and compare."""
    store = check_store(repository.chunks, progress)
    damages = [Damage(each) for each in store.problems]
    damages += [Damage(each.message) for each in store.damaged]
    damages += _names(repository)
    entries = _entries(repository, damages)
    seen: set[ChunkId] = set()
    planted: set[ChunkId] = set()
    with progress.task("Checking versions", total=len(entries), unit="versions") as task:
        for entry in entries:
            damages += _commit(repository, history, entry, seen, planted if trees else None)
            task.advance()
    damages += _working_copies(repository, seen)
    return Verified(store.chunks, len(entries), tuple(dict.fromkeys(damages)))


def _entries(repository: Repository, damages: list[Damage]) -> list[CommitEntry]:
    try:
        with repository.file.reading() as db:
            index = CommitIndex(db)
            known = db.execute("SELECT id FROM commit_entry").fetchall()
            return list(index.walk(CommitId(row[0].hex()) for row in known))
    except IsovcError as error:
        damages.append(Damage(error.message))
        return []


def _names(repository: Repository) -> Iterator[Damage]:
    try:
        with repository.file.reading() as db:
            index = CommitIndex(db)
            for ref in Refs(db).all():
                if ref.target not in index:
                    yield Damage(f"{ref.name} leads to commit {ref.target[:12]}, which is not known", ref.target)
    except IsovcError as error:
        yield Damage(error.message)


def _commit(
    repository: Repository,
    history: GitHistory,
    entry: CommitEntry,
    seen: set[ChunkId],
    planted: set[ChunkId] | None,
) -> Iterator[Damage]:
    try:
        made = history.read_commit(entry.id)
        if (made.parents, made.committed, made.message) != (entry.parents, entry.time, entry.message):
            yield Damage(f"commit {entry.id[:12]} reads otherwise in git than in the index", entry.id)
        version = version_of(history, entry.id)
    except IsovcError as error:
        yield Damage(error.message, entry.id)
        return
    for damage in _version(repository, version, seen, planted):
        yield Damage(f"commit {entry.id[:12]}: {damage.what}", entry.id, damage.table)


def _version(
    repository: Repository, version: Version, seen: set[ChunkId], planted: set[ChunkId] | None
) -> Iterator[Damage]:
    for table, root in version.roots.items():
        try:
            reached = {chunk for _, chunk in reach(repository.forest, Version(version.shape, {table: root}), seen)}
            # the pieces of large values are named, and nothing was read of them
            for chunk in sorted(reached - repository.chunks.has_many(reached)):
                yield Damage(f"table {table}: {ChunkMissing(chunk=chunk).message}", table=table)
        except IsovcError as error:
            yield Damage(f"table {table}: {error.message}", table=table)
            continue
        if planted is not None:
            for problem in check_tree(repository.forest, root.id, planted):
                yield Damage(f"table {table}: {problem}", table=table)


def _working_copies(repository: Repository, seen: set[ChunkId]) -> Iterator[Damage]:
    try:
        with repository.file.reading() as db:
            known = Worktrees(db).all()
        for worktree in known:
            live = [worktree.live.files] if worktree.live else []
            for files in [worktree.files, *live]:
                for damage in _version(repository, decode_version(files), seen, None):
                    yield Damage(f"working copy {worktree.database}: {damage.what}", table=damage.table)
    except IsovcError as error:
        yield Damage(error.message)
