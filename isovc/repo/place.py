"""Where a repository lies, and which database it is asked about. Opens no database."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from isovc.errors import NoRepository, PointerBroken

FOLDER = ".isovc"
_MARK = "isovc worktree\n"  # first line of the file that stands for the repository beside a worktree


@dataclass(frozen=True, slots=True)
class Place:
    """A repository, and the database that the person stands beside (None: the main one)."""

    folder: Path
    database: Path | None


def find(start: Path) -> Place:
    """The repository of a folder or of one of its parents; of a database file, if `start` is no folder."""
    start = start.absolute()
    # a file that is gone still means itself: a command must not go to another database instead
    database = None if start.is_dir() else start
    for folder in [start, *start.parents]:
        inside = folder / FOLDER
        if inside.is_dir():
            return Place(inside, database)
        if inside.is_file():
            repository, beside = read_pointer(inside)
            return Place(repository, database or beside)
    raise NoRepository(folder=start)


def named(folder: Path) -> Place:
    """The repository that `--repo` names: the folder `.isovc`, or the one that holds it."""
    folder = folder.absolute()
    for inside in (folder, folder / FOLDER):
        if (inside / "store.db").is_file():
            return Place(inside, None)
    raise NoRepository(folder=folder)


def write_pointer(beside: Path, repository: Path) -> None:
    """Let commands find the repository from the folder of a worktree, also when both are moved together."""
    # as JSON, because a name may hold line ends and bytes that are no text
    names = json.dumps([os.path.relpath(repository, os.path.realpath(beside.parent)), beside.name])
    beside.with_name(FOLDER).write_text(f"{_MARK}{names}\n", encoding="ascii")


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
