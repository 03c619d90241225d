"""One working copy on the desk: its repository, its database, what is known of it. Every command begins here."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from isovc.errors import InsideRepository, NotAWorktree, NoWorktrees, PathNotText, WorkingCopyThere
from isovc.repo.decided import write_decided
from isovc.repo.place import Place
from isovc.repo.repository import Repository
from isovc.repo.worktrees import Worktree, Worktrees
from isovc.snapshot.version import Version, decode_version
from isovc.sources.sqlite import Database
from isovc.workspace.appearing import appear
from isovc.workspace.arriving import Arriving


@dataclass(frozen=True, slots=True)
class Desk:
    """A repository and one of its working copies, as they were when last looked at. `then`: tells what the database
    held, where the past is looked at instead of the present. `arriving`: files on
    their way while something changes."""

    repository: Repository
    worktree: Worktree
    database: Database
    then: Callable[[], Version] | None = None
    arriving: Arriving | None = None

    @property
    def head(self) -> Version:
        """The version that is checked out."""
        return decode_version(self.worktree.files)

    def again(self) -> Desk:
        """The same, looked at anew."""
        with self.repository.file.reading() as db:
            return replace(self, worktree=Worktrees(db).get(self.worktree.id))


def sit_down(repository: Repository, place: Place) -> Desk:
    """At the database the person stands beside, or at the main one."""
    with repository.file.reading() as db:
        known = Worktrees(db).all()
    write_decided(repository)
    if not known:
        raise NoWorktrees(folder=repository.folder)
    if place.database is None:
        return desk(repository, known[0])
    for worktree in known:
        if is_same(database_path(repository, worktree), place.database):
            return desk(repository, worktree)
    raise NotAWorktree(path=place.database)


def desk(repository: Repository, worktree: Worktree) -> Desk:
    """At this one."""
    path = database_path(repository, worktree)
    appear(repository, worktree.id, path)
    return Desk(repository, worktree, Database(path, busy_seconds=repository.settings.number("busy.seconds")))


def database_path(repository: Repository, worktree: Worktree) -> Path:
    """Where the database of a worktree lies. Kept relative to the repository's own folder, so both may move
    together."""
    return path_of(repository, worktree.database)


def path_of(repository: Repository, stored: str) -> Path:
    """The path that a name in store.db means."""
    return Path(os.path.normpath(Path(os.path.realpath(repository.folder.parent), stored)))


def stored_path(repository: Repository, path: Path) -> str:
    """The same the other way round. The folder's real path counts: `..` behind a link would lead elsewhere."""
    real = Path(os.path.realpath(path.parent), path.name)
    return os.path.relpath(real, os.path.realpath(repository.folder.parent))


def check_foreign(repository: Repository, path: Path) -> None:
    """Refuse to write a file where a working copy or the repository lies."""
    real = Path(os.path.realpath(path))
    if real.is_relative_to(os.path.realpath(repository.folder)):
        raise InsideRepository(path=path)
    with repository.file.reading() as db:
        known = Worktrees(db).all()
    for worktree in known:
        database = os.path.realpath(database_path(repository, worktree))
        if str(real) in [database + ending for ending in ("", "-wal", "-shm", "-journal")]:
            raise WorkingCopyThere(path=path)


def check_text(path: Path) -> None:
    """Refuse a path that is no text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise PathNotText(path=path) from None


def is_same(one: Path, other: Path) -> bool:
    """Whether two paths name one file, be it there or not."""
    return os.path.realpath(one) == os.path.realpath(other)
