"""Is all there that the merges need which wait for a person? Knows nothing of how they go on."""

from __future__ import annotations

from collections.abc import Iterator

from isovc.errors import IsovcError
from isovc.lifecycle.damage import Damage
from isovc.repo.commits import CommitIndex
from isovc.repo.database import Database
from isovc.repo.merges import commits_of, read_needed, read_waiting
from isovc.repo.operations import SnapshotId
from isovc.repo.repository import Repository
from isovc.repo.worktrees import Worktrees, merging_in


def lacking(repository: Repository) -> Iterator[Damage]:
    """States and versions without which a merge cannot go on, or back."""
    try:
        with repository.file.reading() as db:
            waiting = [(each.database, merge) for each in Worktrees(db).all() for merge in merging_in(each)]
            for database, merge in waiting:
                yield from _lacking(db, f"working copy {database}", merge)
    except IsovcError as error:
        yield Damage(error.message)


def _lacking(db: Database, where: str, snapshot: SnapshotId) -> Iterator[Damage]:
    try:
        merge = read_waiting(db, snapshot)
    except IsovcError as error:
        yield Damage(f"{where}: {error.message}")
        return
    for name, version in merge.versions.items():
        try:
            read_needed(db, version)
        except IsovcError as error:
            yield Damage(f"{where}: {name} of its {merge.command}: {error.message}")
    index = CommitIndex(db)
    for commit in sorted(commits_of(merge)):
        if commit not in index:
            yield Damage(f"{where}: its {merge.command} needs commit {commit[:12]}, which is not there", commit)
