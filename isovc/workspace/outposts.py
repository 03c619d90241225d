"""Worktrees: other versions as database files of their own, which share the repository. Made, listed, left."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from isovc.errors import BranchInUse, FolderMissing, LastWorktree, NotAWorktree, PathTaken
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.names import BRANCHES, short
from isovc.repo.place import FOLDER, write_pointer
from isovc.repo.versions import files_of
from isovc.repo.worktrees import Worktree, Worktrees
from isovc.snapshot.move import plan_move
from isovc.snapshot.version import Version, decode_version
from isovc.sources.sqlite import Database
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk, database_path, desk


@dataclass(frozen=True, slots=True)
class Outpost:
    """One working copy as a list shows it."""

    path: Path
    branch: str | None
    commit: CommitId | None
    is_there: bool


def add(here: Desk, history: GitHistory, path: Path, head: str, commit: CommitId | None) -> Desk:
    """A new database file at `path` that holds a version, with a working copy of its own."""
    repository = here.repository
    path = path.absolute()
    if path.exists():
        raise PathTaken(path=path)
    if not path.parent.is_dir():
        raise FolderMissing(path=path.parent)
    files = files_of(history, commit)
    stored = os.path.relpath(path, repository.folder.parent)
    with repository.file.transaction() as db:
        worktrees = Worktrees(db)
        for other in worktrees.all():
            if other.head == head and head.startswith(BRANCHES):
                raise BranchInUse(branch=short(head), database=other.database)
            if other.database == stored:  # its file is gone, or it would have been refused above
                worktrees.remove(other.id)
        made = worktrees.add(stored, head, commit, files)
    there = desk(repository, made)
    try:
        _fill(here, there, decode_version(files))
        if path.parent != repository.folder.parent and not (path.parent / FOLDER).exists():
            write_pointer(path, repository.folder)
    except BaseException:
        _forget(there)
        raise
    look(there)
    return there.again()


def listed(here: Desk) -> list[Outpost]:
    """All working copies, the main one first."""
    with here.repository.file.reading() as db:
        found = Worktrees(db).all()
    paths = [database_path(here.repository, each) for each in found]
    return [Outpost(path, each.branch, each.commit, path.exists()) for path, each in zip(paths, found, strict=True)]


def remove(here: Desk, path: Path) -> Worktree:
    """Forget a working copy and delete its file."""
    path = path.absolute()
    with here.repository.file.reading() as db:
        known = Worktrees(db).all()
    for place, worktree in enumerate(known):
        if database_path(here.repository, worktree).absolute() == path:
            if place == 0:
                raise LastWorktree(path=path)
            _forget(desk(here.repository, worktree))
            return worktree
    raise NotAWorktree(path=path)


def _fill(here: Desk, there: Desk, target: Version) -> None:
    path = there.database.path
    if not here.database.path.exists() or not target.shape.tables:
        Database.create(path, target.shape)
        live = Version()
    else:
        # a copy of the file is made in a moment, and only what differs has to be written after that
        here.database.copy_to(path)
        live = look(there.again())
    with there.database.writing() as writing:
        plan = plan_move(here.repository.forest, live, target)
        writing.apply(plan.target, plan.changes, contents=plan.contents)


def _forget(there: Desk) -> None:
    path = there.database.path
    with there.repository.file.transaction() as db:
        Worktrees(db).remove(there.worktree.id)
    for suffix in ("-wal", "-shm", "-journal", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    pointer = path.with_name(FOLDER)
    if pointer.is_file():
        pointer.unlink()
