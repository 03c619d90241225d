"""Database files that come and go whole. A file waits under another name beside its own while store.db has not decided
yet whether it is a working copy; whoever comes next finishes what was begun."""

from __future__ import annotations

from pathlib import Path

from isovc.disk import fsync_folder

_COMPANIONS = ("", "-wal", "-journal", "-shm")  # the file itself first


def waiting_name(path: Path) -> Path:
    """Where a database waits that is about to appear at `path`, or to vanish from it."""
    return path.with_name(f".{path.name}.isovc")


def appear(path: Path) -> None:
    """Give a waiting database its name, unless there is one."""
    waiting = waiting_name(path)
    if not path.exists() and waiting.exists():
        _rename(waiting, path)


def step_aside(path: Path) -> None:
    """Let a database wait under the other name, with whatever of it lies beside it."""
    if path.exists():
        _rename(path, waiting_name(path))


def vanish(path: Path) -> None:
    """Delete what waits."""
    for companion in reversed(_COMPANIONS):
        waiting_name(path).with_name(waiting_name(path).name + companion).unlink(missing_ok=True)
    if path.parent.is_dir():
        fsync_folder(path.parent)  # or the rows could come back with the power


def _rename(old: Path, new: Path) -> None:
    # last the file itself: a database must not be met without its log
    for companion in reversed(_COMPANIONS):
        found = old.with_name(old.name + companion)
        if found.exists():
            found.rename(new.with_name(new.name + companion))
    fsync_folder(new.parent)
