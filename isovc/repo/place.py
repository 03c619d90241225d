"""Where a repository lies, and which database it is asked about. Opens no database."""

from __future__ import annotations

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
    """The repository of a folder or of one of its parents; of a database file, if `start` is one."""
    start = start.absolute()
    database = start if start.is_file() else None
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
    """Let commands find the repository from the folder of a worktree."""
    beside.with_name(FOLDER).write_text(f"{_MARK}{repository}\n{beside.name}\n", encoding="utf-8")


def read_pointer(file: Path) -> tuple[Path, Path]:
    """The repository and the database that a pointer names."""
    try:
        mark, repository, database = file.read_text(encoding="utf-8").splitlines(keepends=True)
    except (ValueError, UnicodeDecodeError):
        raise PointerBroken(path=file) from None
    if mark != _MARK:
        raise PointerBroken(path=file)
    return Path(repository.rstrip("\n")), file.with_name(database.rstrip("\n"))
