"""Database files that come and go whole. A file waits under another name beside its own until store.db has decided
whether it is a working copy; whoever comes next finishes what was begun."""

from __future__ import annotations

from pathlib import Path

from isovc.disk import fsync_folder
from isovc.repo.database import Database
from isovc.repo.repository import Repository

_COMPANIONS = ("", "-wal", "-journal", "-shm")  # the file itself first


def growing_name(path: Path) -> Path:
    """Where a database is made that shall appear at `path`."""
    return path.with_name(f".{path.name}.isovc-new")


def decide(db: Database, worktree: int) -> None:
    """In the transaction that makes it a working copy: the file that was made shall appear."""
    db.execute("INSERT OR REPLACE INTO fact(name, value) VALUES(?, 1)", (_fact(worktree),))


def is_decided(repository: Repository, worktree: int) -> bool:
    """Whether it shall appear, and has not yet."""
    with repository.file.reading() as db:
        return db.execute("SELECT 1 FROM fact WHERE name = ?", (_fact(worktree),)).fetchone() is not None


def appear(repository: Repository, worktree: int, path: Path) -> None:
    """Give the database of a working copy its name, if it waits for it: it was about to appear, or to go."""
    if path.exists():
        return
    if _leaving_name(path).exists():
        _rename(_leaving_name(path), path)
        return
    if growing_name(path).exists() and is_decided(repository, worktree):
        _rename(growing_name(path), path)
        with repository.file.transaction() as db:
            db.execute("DELETE FROM fact WHERE name = ?", (_fact(worktree),))


def step_aside(path: Path) -> None:
    """Let a database wait under another name, with whatever of it lies beside it."""
    if path.exists():
        _rename(path, _leaving_name(path))


def vanish(path: Path) -> None:
    """Delete what waits."""
    for waiting in (growing_name(path), _leaving_name(path)):
        for companion in reversed(_COMPANIONS):
            waiting.with_name(waiting.name + companion).unlink(missing_ok=True)
    if path.parent.is_dir():
        fsync_folder(path.parent)  # or the rows could come back with the power


def _leaving_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.isovc")


def _fact(worktree: int) -> str:
    return f"appears {worktree}"


def _rename(old: Path, new: Path) -> None:
    # last the file itself: a database must not be met without its log
    for companion in reversed(_COMPANIONS):
        found = old.with_name(old.name + companion)
        if found.exists():
            found.rename(new.with_name(new.name + companion))
    fsync_folder(new.parent)
