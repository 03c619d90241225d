"""Where a repository lies, and which database it is asked about. Opens no database."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from isovc.disk import fsync_folder, write_durably
from isovc.errors import InsideRepository, NoRepository, PathReserved, PointerBroken

FOLDER = ".isovc"
_COMPANIONS = ("-journal", "-wal", "-shm")  # what SQLite writes beside a database
_MARK = "isovc worktree\n"  # first line of the file that stands for the repository beside a worktree


@dataclass(frozen=True, slots=True)
class Place:
    """A repository, and the database that the person stands beside (None: the main one)."""

    folder: Path
    database: Path | None


def find(start: Path) -> Place:
    """The repository of a folder or of one of its parents; of a database file, if `start` is no folder."""
    start = start.absolute()
    found = _nearest(start)
    if found is None:
        raise NoRepository(folder=start)
    # a file that is gone still means itself: a command must not go to another database instead
    return found if start.is_dir() else replace(found, database=start)


def named(folder: Path, start: Path) -> Place:
    """The repository that `--repo` names, by the folder `.isovc` or by the one that holds it. Which of its databases is
    meant, `start` says as it does for `find`."""
    folder, start = folder.absolute(), start.absolute()
    inside = next((each for each in (folder, folder / FOLDER) if (each / "store.db").is_file()), None)
    if inside is None:
        raise NoRepository(folder=folder)
    if not start.is_dir():
        return Place(inside, start)
    beside = _nearest(start)
    # in the folder of another repository one stands beside none of this one's databases
    is_mine = beside is not None and os.path.realpath(beside.folder) == os.path.realpath(inside)
    return Place(inside, beside.database if beside and is_mine else None)


def check_free(path: Path) -> None:
    """Refuse a name for a new database that a repository, or SQLite beside another database, needs for itself."""
    real = Path(os.path.realpath(path))
    if FOLDER in real.parts:
        raise InsideRepository(path=path)
    for ending in _COMPANIONS:
        base = real.with_name(real.name.removesuffix(ending) or real.name)
        if base != real and base.exists():
            raise PathReserved(path=path, beside=base.name)


def _nearest(start: Path) -> Place | None:
    """What the first of a folder and its parents says that says anything."""
    for folder in [start, *start.parents]:
        inside = folder / FOLDER
        if inside.is_dir():
            return Place(inside, None)
        if inside.is_file():
            return Place(*read_pointer(inside))
    return None


def write_pointer(beside: Path, repository: Path) -> None:
    """Let commands find the repository from the folder of a worktree, also when both are moved together."""
    # as JSON, because a name may hold line ends and bytes that are no text
    names = json.dumps([os.path.relpath(repository, os.path.realpath(beside.parent)), beside.name])
    for left in beside.parent.glob(f".{FOLDER}.*"):  # of one that was interrupted: only one is written at a time
        left.unlink(missing_ok=True)
    write_durably(beside.with_name(FOLDER), f"{_MARK}{names}\n".encode("ascii"))
    fsync_folder(beside.parent)


def read_pointer(file: Path) -> tuple[Path, Path]:
    """The repository and the database that a pointer names."""
    try:
        text = file.read_text(encoding="ascii")
        if not text.startswith(_MARK):
            raise PointerBroken(path=file)
        repository, database = json.loads(text.removeprefix(_MARK))
        return Path(os.path.normpath(Path(os.path.realpath(file.parent), repository))), file.with_name(database)
    except (ValueError, TypeError):
        raise PointerBroken(path=file) from None
