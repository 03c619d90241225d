"""Worktrees: other versions as database files of their own, which share the repository. Made, listed, left."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from isovc.errors import (
    AlreadyThere,
    BranchInUse,
    DatabaseCorrupt,
    DatabaseEncrypted,
    FolderMissing,
    FolderOfAnother,
    InsideRepository,
    LastWorktree,
    NotADatabase,
    NotAWorktree,
    PathTaken,
    WhichWorktree,
)
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.acting import acting
from isovc.repo.deeds import Deed, Telling
from isovc.repo.names import BRANCHES, short
from isovc.repo.past import standings
from isovc.repo.place import FOLDER, read_pointer, write_pointer
from isovc.repo.presence import planting
from isovc.repo.refs import Refs
from isovc.repo.repository import Repository
from isovc.repo.versions import files_of
from isovc.repo.worktrees import Files, Worktree, Worktrees
from isovc.snapshot.version import Version, decode_version, encode_version
from isovc.sources.sqlite import Database
from isovc.workspace.appearing import appear, decide, growing_name, is_decided, step_aside, vanish
from isovc.workspace.attachments import clear_decided, decide_to_clear, folder_of, grow, to_clear, wither
from isovc.workspace.capturing import look, remember
from isovc.workspace.desk import Desk, check_text, database_path, desk, is_same, path_of, stored_path
from isovc.workspace.filling import fill
from isovc.workspace.merging.waiting import refuse_while_waiting


@dataclass(frozen=True, slots=True)
class Outset:
    """A working copy that shall be: where, at which commit, with what in its database (None: just that commit), under
    which number (None: a new one), and where refs shall lead then."""

    path: Path
    head: str
    commit: CommitId
    head_files: Files
    live_files: Files | None = None
    number: int | None = None
    refs: Mapping[str, CommitId | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outpost:
    """One working copy as a list shows it."""

    path: Path
    branch: str | None
    commit: CommitId | None
    is_there: bool


def add(
    here: Desk, history: GitHistory, path: Path, head: str, commit: CommitId, deed: Deed, *, create: bool = False
) -> Desk:
    """A new database file at `path` that holds a version, with a working copy of its own. `create`: the branch is made
    too."""
    telling = Telling(f"add working copy {path.name} at {commit[:12]}")
    if create:
        with here.repository.file.reading() as db:
            Refs(db).check_new(head)
    refs: dict[str, CommitId | None] = {head: commit} if create else {}
    return plant(here, Outset(path, head, commit, files_of(history, commit), refs=refs), deed, telling)


def plant(here: Desk, plan: Outset, deed: Deed, telling: Telling) -> Desk:
    """Make the file of a working copy, and let it appear when store.db knows of it. One whose file was lost is the same
    one again; what was seen of it last is in the record."""
    repository, path = here.repository, plan.path.absolute()
    check_text(path)
    with planting(repository.folder):
        if os.path.lexists(path):
            raise PathTaken(path=path)
        if not path.parent.is_dir():
            raise FolderMissing(path=path.parent)
        _check_folder(repository, path)
        clear_decided(repository)
        stored = stored_path(repository, path)
        with repository.file.reading() as db:
            _check_free(Worktrees(db), plan.head, stored)
        vanish(path)
        target = decode_version(plan.live_files or plan.head_files)
        try:
            mark, pages = fill(here, growing_name(path), target)
            grow(here, path, target)
            if not (path.parent / FOLDER).exists():
                write_pointer(path, repository.folder)
            made = _enter(here, plan, stored, deed, telling)
        except BaseException:
            # one that asks us to stop may do so right after all was decided: then the files are waited for
            if not any(is_decided(repository, number) for number in _numbers(repository, path)):
                wither(here, path)
            _as_decided(repository, path)
            raise
        there = desk(repository, made)  # and the file appears
    remember(there, mark.encode(), target, pages)  # its name is new to it, so it is looked at once more
    look(there.again())
    return there.again()


def listed(here: Desk) -> list[Outpost]:
    """All working copies, the main one first; as they were, where the past is looked at."""
    if here.then is not None:
        with here.repository.file.reading() as db:
            then = standings(db)
        places = [path_of(here.repository, each.database) for each in then]
        return [Outpost(path, one.branch, one.commit, path.exists()) for path, one in zip(places, then, strict=True)]
    if to_clear(here.repository):
        with planting(here.repository.folder):
            clear_decided(here.repository)
    with here.repository.file.reading() as db:
        found = Worktrees(db).all()
    paths = [database_path(here.repository, each) for each in found]
    for path, each in zip(paths, found, strict=True):
        appear(here.repository, each.id, path)
    return [Outpost(path, each.branch, each.commit, path.exists()) for path, each in zip(paths, found, strict=True)]


def remove(here: Desk, path: Path, deed: Deed) -> tuple[Worktree, bool]:
    """Forget a working copy and delete its file. The operation keeps what was in it; where it cannot be read the file
    stays, and then False."""
    path = path.absolute()
    with here.repository.file.reading() as db:
        known = Worktrees(db).all()
    for place, worktree in enumerate(known):
        if is_same(database_path(here.repository, worktree), path):
            if place == 0:
                raise LastWorktree(path=path)
            refuse_while_waiting(desk(here.repository, worktree))
            telling = Telling(f"remove working copy {worktree.database}")
            return worktree, uproot(here, worktree, deed, telling)
    raise NotAWorktree(path=path)


def uproot(
    here: Desk, worktree: Worktree, deed: Deed, telling: Telling, refs: Mapping[str, CommitId | None] | None = None
) -> bool:
    """Let a working copy go, with its file, and let refs lead elsewhere. What cannot be read cannot be kept either, and
    stays where it lies: then False."""
    repository = here.repository
    with planting(repository.folder):
        there = desk(repository, worktree)
        path = there.database.path
        folder = folder_of(there)
        live: Version | None = None
        is_readable = True
        try:
            live = look(there) if path.exists() else None
        except (DatabaseCorrupt, NotADatabase, DatabaseEncrypted):
            is_readable = False
        if is_readable:
            step_aside(path)
        try:
            # one that removes itself would take with it the place where undo could be typed
            by = here.worktree.id if here.worktree.id != worktree.id else _main(repository)
            with acting(repository, deed, by) as act:
                act.worktrees.remove(worktree.id)
                act.lead(refs or {}, deed.command)
                seen = (
                    worktree.live.files if worktree.live and is_readable else None
                )  # of a file that is gone, all there is
                act.saw(encode_version(live) if live else seen, None, worktree=worktree.id)
                if live is not None:
                    decide_to_clear(act.db, there, folder, live)
                act.record(telling)
        finally:
            _as_decided(repository, path)
        clear_decided(repository)
        with suppress(OSError):
            (repository.cache / f"pages-{worktree.id}").unlink(missing_ok=True)
            (repository.cache / f"files-{worktree.id}").unlink(missing_ok=True)
        return is_readable


def numbered(here: Desk, path: Path) -> int:
    """The number of the working copy at a path, be its file there or not."""
    with here.repository.file.reading() as db:
        for worktree in Worktrees(db).all():
            if is_same(database_path(here.repository, worktree), path.absolute()):
                return worktree.id
    raise NotAWorktree(path=path)


def adopt(here: Desk, path: Path, deed: Deed, *, number: int | None = None) -> Worktree:
    """A database that was moved or renamed is the working copy again whose file is gone. `number`: which one, where
    several are."""
    repository, path = here.repository, path.absolute()
    check_text(path)
    with Database(path).reading() as reading:
        reading.shape()  # refuses what is no database
    stored = stored_path(repository, path)
    with planting(repository.folder):
        with repository.file.reading() as db:
            known = Worktrees(db).all()
        if any(is_same(database_path(repository, each), path) for each in known):
            raise AlreadyThere(path=path)
        gone = [each for each in known if not database_path(repository, each).exists() and number in (None, each.id)]
        if len(gone) != 1:
            raise WhichWorktree(path=path, gone=tuple(each.database for each in gone))
        _check_folder(repository, path)
        pointer = path.with_name(FOLDER)
        if not pointer.exists() or (pointer.is_file() and not read_pointer(pointer)[1].exists()):
            write_pointer(path, repository.folder)  # first: who finds the copy there must find the repository
        with acting(repository, deed, here.worktree.id) as act:
            act.worktrees.set_database(gone[0].id, stored)
            act.record(Telling(f"find working copy {gone[0].database} at {stored}", passed_over=True))
            found = act.worktrees.get(gone[0].id)
        left = database_path(repository, gone[0])
        if left.parent != path.parent:
            _move_pointer(repository, left)
        return found


def _enter(here: Desk, plan: Outset, stored: str, deed: Deed, telling: Telling) -> Worktree:
    with acting(here.repository, deed, here.worktree.id) as act:
        _check_free(act.worktrees, plan.head, stored)
        after = plan.live_files or plan.head_files
        act.lead(plan.refs, deed.command)
        lost = next((each for each in act.worktrees.all() if each.database == stored), None)
        if lost is not None:  # its file is gone, or it would have been refused before: it is the same working copy
            number = act.worktree = lost.id  # beside it one types the undo that brings back what was seen of it
            act.worktrees.set_head(number, plan.head, plan.commit, plan.head_files)
            act.worktrees.set_live(number, None)
            act.worktrees.set_intent(number, None)
        else:
            number = act.worktrees.add(stored, plan.head, plan.commit, plan.head_files, number=plan.number).id
        # what was seen of the lost one last is all that is left of it
        act.saw(lost.live.files if lost and lost.live else None, after, worktree=number)
        decide(act.db, number)
        act.record(telling)
        return act.worktrees.get(number)


def _as_decided(repository: Repository, path: Path) -> None:
    """Let a waiting database appear or vanish: store.db says which, whatever interrupted us."""
    known = _numbers(repository, path)
    for number in known:
        appear(repository, number, path)
    vanish(path)
    if not known:
        _move_pointer(repository, path)


def _numbers(repository: Repository, path: Path) -> list[int]:
    with repository.file.reading() as db:
        return [each.id for each in Worktrees(db).all() if database_path(repository, each) == path]


def _main(repository: Repository) -> int:
    with repository.file.reading() as db:
        return Worktrees(db).all()[0].id


def _check_free(worktrees: Worktrees, head: str, stored: str) -> None:
    for other in worktrees.all():
        if other.head == head and head.startswith(BRANCHES) and other.database != stored:
            raise BranchInUse(branch=short(head), database=other.database)


def _check_folder(repository: Repository, path: Path) -> None:
    """Commands beside the new file must find this repository, and none else."""
    if path.is_relative_to(os.path.realpath(repository.folder)) or path.is_relative_to(repository.folder.absolute()):
        raise InsideRepository(path=path)
    found = path.with_name(FOLDER)
    leads_to = read_pointer(found)[0] if found.is_file() else found
    if found.exists() and not is_same(leads_to, repository.folder):
        raise FolderOfAnother(folder=path.parent, repository=leads_to)


def _move_pointer(repository: Repository, gone: Path) -> None:
    """Commands in that folder find another working copy there, or no repository any more."""
    pointer = gone.with_name(FOLDER)
    if not (pointer.is_file() and is_same(read_pointer(pointer)[0], repository.folder)):
        return
    with repository.file.reading() as db:
        left = [database_path(repository, each) for each in Worktrees(db).all()]
    if gone in left:
        return
    pointer.unlink()
    for other in left:
        if other.parent == gone.parent:
            write_pointer(other, repository.folder)
            break
