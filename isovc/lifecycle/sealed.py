"""Do the rows of the small tables agree with their seals? Knows nothing of what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from isovc.errors import IsovcError
from isovc.history import CommitId
from isovc.lifecycle.damage import Damage
from isovc.lifecycle.indexed import REINDEX
from isovc.repo.database import Database
from isovc.repo.decided import decided
from isovc.repo.graph import BONES
from isovc.repo.operations import Operations
from isovc.repo.refs import LINE, REF, Refs
from isovc.repo.repository import Repository
from isovc.repo.seals import sealer
from isovc.repo.worktrees import COLUMNS, Worktrees

_COMMIT = 20  # bytes of a commit's id


def broken_seals(repository: Repository) -> Iterator[Damage]:
    """Each row that is not what was written."""
    yield from _broken(repository, "commit_entry", BONES, "seal", 6, "the entry of commit {}")
    yield from _broken(repository, "commit_entry", "id, author, message", "words_seal", 0, "the entry of commit {}")
    yield from _broken(repository, "ref", REF, "seal", 0, "the row of {}")
    yield from _broken(repository, "ref_log", LINE, "seal", 0, "line {1} of the log of {0}")
    yield from _broken(repository, "worktree", COLUMNS, "seal", 0, "the row of working copy {}")
    looks: list[Callable[[Database], object]] = [
        lambda db: Refs(db).all(),
        lambda db: Refs(db).been_since(0),
        lambda db: Worktrees(db).all(),
        lambda db: Operations(db).last(),
        decided,
    ]
    for look in looks:
        try:
            with repository.file.reading() as db:
                look(db)
        except IsovcError as error:
            yield Damage(error.message)


def _broken(repository: Repository, table: str, columns: str, seal: str, named: int, row: str) -> Iterator[Damage]:
    made = sealer()
    try:
        with repository.file.reading() as db:
            for *cells, kept in db.execute(f"SELECT {columns}, {seal} FROM {table}"):
                if made(cells) != kept:
                    name = cells[named]
                    is_commit = isinstance(name, bytes) and len(name) == _COMMIT
                    shown = name.hex()[:12] if isinstance(name, bytes) else name
                    what = f"{row.format(shown, *cells[named + 1 :])} in store.db is damaged"
                    remedy = REINDEX if table == "commit_entry" else ""
                    yield Damage(what, CommitId(name.hex()) if is_commit else None, remedy=remedy)
    except IsovcError as error:
        yield Damage(error.message)
