"""What a repository holds and what it weighs. Reads no content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from isovc.repo.names import BRANCHES, TAGS
from isovc.repo.refs import Refs
from isovc.repo.repository import Repository
from isovc.store.check import stats


@dataclass(frozen=True, slots=True)
class Weight:
    """Numbers of things, and bytes."""

    commits: int
    branches: int
    tags: int
    chunks: int
    differences: int
    longest_chain: int
    chunk_bytes: int
    store_bytes: int
    free_bytes: int
    git_bytes: int
    database_bytes: int


def weigh(repository: Repository, database: Path) -> Weight:
    """Count and weigh."""
    store = stats(repository.chunks)
    with repository.file.reading() as db:
        commits: int = db.execute("SELECT count(*) FROM commit_entry").fetchone()[0]
        branches, tags = (len(Refs(db).all(kind)) for kind in (BRANCHES, TAGS))
    git = sum(each.stat().st_size for each in repository.git_folder.rglob("*") if each.is_file())
    return Weight(
        commits,
        branches,
        tags,
        store.chunks,
        store.differences,
        store.longest_chain,
        store.body_bytes,
        store.file_bytes,
        store.free_bytes,
        git,
        database.stat().st_size if database.exists() else 0,
    )
