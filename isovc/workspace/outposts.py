"""Worktrees: other versions as database files of their own, which share the repository. Made, listed, left."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from isovc.errors import BranchInUse, FolderMissing, FolderOfAnother, LastWorktree, NotAWorktree, PathTaken
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.names import BRANCHES, short
from isovc.repo.place import FOLDER, read_pointer, write_pointer
from isovc.repo.refs import Refs, Stamp
from isovc.repo.repository import Repository
from isovc.repo.versions import files_of
from isovc.repo.worktrees import Worktree, Worktrees
from isovc.snapshot.move import plan_move
from isovc.snapshot.version import Version, decode_version
from isovc.sources.sqlite import Database
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk, check_text, database_path, desk, is_same, stored_path


@dataclass(frozen=True, slots=True)
class Outpost:
    """One working copy as a list shows it."""

    path: Path
    branch: str | None
    commit: CommitId | None
    is_there: bool


def add(
    here: Desk, history: GitHistory, path: Path, head: str, commit: CommitId, *, now: int, create: bool = False
) -> Desk:
    """A new database file at `path` that holds a version, with a working copy of its own. `create`: the branch is made
    too."""
    repository = here.repository
    path = path.absolute()
    check_text(path)
    if os.path.lexists(path):
        raise PathTaken(path=path)
    if not path.parent.is_dir():
        raise FolderMissing(path=path.parent)
    _check_folder(repository, path)
    files = files_of(history, commit)
    stored = stored_path(repository, path)
    with repository.file.transaction() as db:
        worktrees = Worktrees(db)
        for other in worktrees.all():
            if other.head == head and head.startswith(BRANCHES):
                raise BranchInUse(branch=short(head), database=other.database)
            if other.database == stored:  # its file is gone, or it would have been refused above
                worktrees.remove(other.id)
        if create:
            Refs(db).create(head, commit, Stamp(now, f"create at {commit[:12]}"))
        made = worktrees.add(stored, head, commit, files)
    there = desk(repository, made)
    try:
        _fill(here, there, decode_version(files))
        if not (path.parent / FOLDER).exists():
            write_pointer(path, repository.folder)
    except BaseException:
        _forget(there, branch=head if create else None, now=now)
        raise
    look(there)
    return there.again()


def listed(here: Desk) -> list[Outpost]:
    """All working copies, the main one first."""
    with here.repository.file.reading() as db:
        found = Worktrees(db).all()
    paths = [database_path(here.repository, each) for each in found]
    return [Outpost(path, each.branch, each.commit, path.exists()) for path, each in zip(paths, found, strict=True)]


def remove(here: Desk, path: Path, *, now: int) -> Worktree:
    """Forget a working copy and delete its file."""
    path = path.absolute()
    with here.repository.file.reading() as db:
        known = Worktrees(db).all()
    for place, worktree in enumerate(known):
        if is_same(database_path(here.repository, worktree), path):
            if place == 0:
                raise LastWorktree(path=path)
            _forget(desk(here.repository, worktree), branch=None, now=now)
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


def _check_folder(repository: Repository, path: Path) -> None:
    """Commands beside the new file must find this repository, and none else."""
    found = path.with_name(FOLDER)
    leads_to = read_pointer(found)[0] if found.is_file() else found
    if found.exists() and not is_same(leads_to, repository.folder):
        raise FolderOfAnother(folder=path.parent, repository=leads_to)


def _forget(there: Desk, *, branch: str | None, now: int) -> None:
    path, repository = there.database.path, there.repository
    with repository.file.transaction() as db:
        Worktrees(db).remove(there.worktree.id)
        if branch is not None:
            Refs(db).delete(branch, Stamp(now, "delete"))
        left = [database_path(repository, each) for each in Worktrees(db).all()]
    for suffix in ("-wal", "-shm", "-journal", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    (repository.cache / f"pages-{there.worktree.id}").unlink(missing_ok=True)
    pointer = path.with_name(FOLDER)
    if pointer.is_file() and is_same(read_pointer(pointer)[0], repository.folder):
        pointer.unlink()
        for other in left:
            if other.parent == path.parent:
                write_pointer(other, repository.folder)
                break
