"""The folder of files beside a working copy: where it lies, what it holds now, and how it becomes another version's.

A folder that nobody has named is not looked at: its files are as they were seen last, or as the commit has them.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from isovc.disk import fsync_folder, write_to_cache
from isovc.encoding.values import decode, encode
from isovc.errors import AttachmentsGone, BadSetting, FolderMissing, IsovcError, NotCanonical, PathTaken
from isovc.progress import SILENT, Progress
from isovc.repo.database import Database as Connection
from isovc.repo.repository import Repository
from isovc.repo.worktrees import Worktree, Worktrees, pack_files, unpack_files
from isovc.snapshot.files import FileChange, file_changes, files_root, with_files
from isovc.snapshot.folder import Known, may_change_unseen, take_folder
from isovc.snapshot.version import Version, decode_version, encode_version
from isovc.sources.files import Folder
from isovc.tree.build import build
from isovc.tree.forest import Root
from isovc.workspace.appearing import growing_name
from isovc.workspace.arriving import Arriving, place_files
from isovc.workspace.desk import Desk, database_path

SETTING = "attachments"
_CLEARS = "clears "  # a fact of store.db, with the number of a working copy behind it


def folder_path(repository: Repository, worktree: Worktree) -> Path | None:
    """Where the files of a working copy lie: those of the main one where the setting says, those of another beside its
    database under a name of its own."""
    if not _said(repository):
        return None
    with repository.file.reading() as db:
        return _path_among(repository, Worktrees(db).all(), worktree)


def _path_among(repository: Repository, known: Sequence[Worktree], worktree: Worktree) -> Path | None:
    said, main = _said(repository), known[0]
    if not said:
        return None
    folder = Path(os.path.normpath(database_path(repository, main).parent / said))
    return folder if worktree.id == main.id else _beside(repository, database_path(repository, worktree))


def _beside(repository: Repository, database: Path) -> Path | None:
    """The folder of a working copy that is not the main one."""
    said = _said(repository)
    return database.with_name(f"{Path(os.path.normpath(said)).name}-{database.stem}") if said else None


def check_folder(path: Path, *, own: Path | None = None) -> None:
    """Refuse a folder that is not there, or is none, or lies in the repository's own folder: a version would hold what
    holds it, and reading the repository's database as a file lets go of the locks on it."""
    if not path.is_dir():
        raise FolderMissing(path=path)
    if own is not None and path.resolve().is_relative_to(own.resolve()):
        raise BadSetting(key=SETTING, value=repr(str(path)), allowed="a folder outside of the repository's own")


def _said(repository: Repository) -> str:
    return str(repository.settings.project.get(SETTING, ""))


def folder_of(desk: Desk) -> Folder | None:
    """The same as something that can be read and written; the database itself is none of its files."""
    path = folder_path(desk.repository, desk.worktree)
    if path is None:
        return None
    if path.is_dir():  # one that is gone is told by whoever needs it
        check_folder(path, own=desk.repository.folder)
    return _folder(desk.repository, path)


def sweep(desk: Desk) -> None:
    """Clear what a command that was killed had made and not brought to its place; what cannot be cleared now the next
    command that brings files clears, or tells."""
    with suppress(IsovcError):
        folder = folder_of(desk)
        if folder is not None:
            folder.sweep()


def _folder(repository: Repository, path: Path) -> Folder:
    with repository.file.reading() as db:
        known = Worktrees(db).all()
    databases = [database_path(repository, each) for each in known]
    others = [_path_among(repository, known, each) for each in known]
    companions = [
        each.with_name(each.name + ending) for each in databases for ending in ("", "-wal", "-shm", "-journal")
    ]
    return Folder(path, ignored=[*companions, repository.folder, *(each for each in others if each and each != path)])


def look_at_files(desk: Desk, *, verify: bool = False, progress: Progress = SILENT) -> Root | None:
    """What the folder holds now; None: no files."""
    folder = folder_of(desk)
    there = [desk.head, *([decode_version(desk.worktree.live.files)] if desk.worktree.live else [])]
    if folder is None:
        return files_root(there[-1])
    roots = [root for version in there if (root := files_root(version)) is not None]
    _appear(folder.path)
    if not folder.path.is_dir():
        if roots:
            raise AttachmentsGone(folder=folder.path)
        return None
    known = None if verify else _known(desk, roots)
    found = take_folder(desk.repository.forest, folder, known, verify=verify, progress=progress)
    if found.known is not known:
        note(desk, found.known)
    desk.repository.notes[desk.worktree.id] = found.notes
    if desk.arriving is not None:
        desk.arriving.looked = found.looked
    return found.known.root if found.known.root.rows else None


def _appear(folder: Path) -> None:
    """Give a folder its name that was about to appear with its database. An empty one may stand there."""
    waiting = growing_name(folder)
    if waiting.is_dir() and not (folder.is_dir() and any(folder.iterdir())):
        waiting.rename(folder)
        fsync_folder(folder.parent)


def remember_arrived(desk: Desk, version: Version) -> None:
    """Note how the files look that a command has just written, so that they need not be read."""
    arriving = desk.arriving
    if arriving is None or not arriving.changes:
        return
    root = files_root(version) or build(desk.repository.forest, ())
    kept = {path: seen for path, seen in arriving.looked.items() if path not in arriving.changes}
    now = time.time_ns()
    believed = {path: None if may_change_unseen(seen, now) else seen for path, seen in kept.items()}
    note(desk, Known(root, {**believed, **arriving.looks()}))


def note(desk: Desk, known: Known) -> None:
    """Remember how the files looked."""
    write_to_cache(_cache(desk), known.encode())


def _known(desk: Desk, roots: list[Root]) -> Known | None:
    """What was known when the folder was looked at last, if that is a tree that something still leads to."""
    known = _read_known(_cache(desk))
    return known if known is not None and known.root in roots else None


def _read_known(file: Path) -> Known | None:
    with suppress(OSError, NotCanonical, ValueError):
        return Known.decode(file.read_bytes())
    return None


def _cache(desk: Desk) -> Path:
    return _cache_file(desk.repository, desk.worktree.id)


def _cache_file(repository: Repository, number: int) -> Path:
    return repository.cache / f"files-{number}"


def grow(here: Desk, database: Path, target: Version) -> None:
    """Make the folder of a working copy that is going to be there, under the name under which it waits."""
    folder = _beside(here.repository, database)
    if folder is None:
        return
    if folder.exists() and any(folder.iterdir()):
        raise PathTaken(path=folder)
    growing = growing_name(folder)
    shutil.rmtree(growing, ignore_errors=True)
    growing.mkdir()
    changes = file_changes(here.repository.forest, Version(), target)
    place_files(Folder(growing), here.repository.chunks, changes)


def wither(here: Desk, database: Path) -> None:
    """Forget a folder that waits and shall not appear."""
    folder = _beside(here.repository, database)
    if folder is not None:
        shutil.rmtree(growing_name(folder), ignore_errors=True)


def decide_to_clear(db: Connection, there: Desk, folder: Folder | None, held: Version) -> None:
    """In the transaction that forgets a working copy: its files shall go, too."""
    if folder is not None:
        value = encode([os.fsencode(folder.path), pack_files(encode_version(held))])
        db.execute("INSERT OR REPLACE INTO fact(name, value) VALUES(?, ?)", (f"{_CLEARS}{there.worktree.id}", value))


def clear_decided(repository: Repository) -> None:
    """Take away the files of working copies that are no more, also where their removal was interrupted."""
    for name, value in to_clear(repository):
        path, files = decode(value)
        number = int(name.removeprefix(_CLEARS))
        _clear(repository, number, Path(os.fsdecode(path)), decode_version(unpack_files(files)))
        with repository.file.transaction() as db:
            db.execute("DELETE FROM fact WHERE name = ?", (name,))


def to_clear(repository: Repository) -> list[tuple[str, bytes]]:
    """What `clear_decided` would do, as facts of store.db."""
    with repository.file.reading() as db:
        return db.execute("SELECT name, value FROM fact WHERE name LIKE ?", (f"{_CLEARS}%",)).fetchall()


def _clear(repository: Repository, number: int, path: Path, held: Version) -> None:
    """What the working copy did not hold stays, and so does what somebody has written since."""
    if not path.is_dir():
        return
    folder = _folder(repository, path)
    root = files_root(held)
    known = _read_known(_cache_file(repository, number))
    if root is None or known is None or known.root != root:
        known = None
    taken = take_folder(repository.forest, folder, known)
    found = with_files(Version(), taken.known.root)
    # of those that are gone already the folders may still be there
    written = {change.path for change in file_changes(repository.forest, held, found) if change.after is not None}
    going = (each for each in file_changes(repository.forest, held, Version()) if each.path not in written)
    place_files(folder, repository.chunks, going)
    with suppress(OSError):  # not empty
        path.rmdir()
        fsync_folder(path.parent)  # or what is left of it could come back with the power, and be in the way


def put_right(desk: Desk, live: Version, chosen: Version, other: Version) -> None:
    """After an interruption: files that are as in `other` become as in `chosen`. What somebody wrote since stays."""
    folder = folder_of(desk)
    if folder is None or files_root(chosen) == files_root(live):
        return
    forest = desk.repository.forest
    theirs = {change.path: change.before for change in file_changes(forest, other, chosen)}
    changes = [
        FileChange(change.path, change.before, change.after)
        for change in file_changes(forest, live, chosen)
        if change.path in theirs and theirs[change.path] == change.before
    ]
    arriving = Arriving(folder, forest.store)
    try:
        arriving.stage(changes)
        held = {change.path: folder.look(change.path) for change in changes if change.before is not None}
        arriving.looked = {path: seen for path, seen in held.items() if seen is not None}
        arriving.check_places()  # an ignored file may have come since
        arriving.arrive()
    finally:
        arriving.drop()
