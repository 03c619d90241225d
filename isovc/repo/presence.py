"""Who is at work in a repository: every command holds a shared kernel lock while it lives, which ends with it however
it ends."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isovc.errors import AlreadyCleaning, NoPermission, RepositoryBusy

_FILE = "commands.lock"
_CLEANING_FILE = "gc.lock"
_PLANTING_FILE = "worktrees.lock"
_TRYING_FILE = "trying.lock"
_TRYING = "trying"
_STEP = 0.02  # seconds between two looks whether the others are done


@contextmanager
def present(folder: Path) -> Iterator[None]:
    """While this block runs, whoever wants to be alone waits."""
    with _opened(folder) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def alone(folder: Path, *, seconds: float) -> Iterator[None]:
    """While this block runs no other command does. Keep it short: they wait."""
    deadline = time.monotonic() + seconds
    with _opened(folder) as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise RepositoryBusy(folder=folder, seconds=seconds) from None
                time.sleep(_STEP)
        yield


@contextmanager
def cleaning(folder: Path) -> Iterator[None]:
    """One sweep at a time: the end of another would be taken for the end of this one."""
    with _opened(folder, _CLEANING_FILE) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyCleaning(folder=folder) from None
        yield


@contextmanager
def planting(folder: Path) -> Iterator[None]:
    """One working copy is made or removed at a time: their files wait under names that two could share."""
    with _opened(folder, _PLANTING_FILE) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def trying(folder: Path) -> Iterator[Path]:
    """A folder for a database that is nobody's, which goes with the block. One at a time, so that whatever a killed
    command has left there is known to be litter, and goes before the next."""
    place = folder / _TRYING
    with _opened(folder, _TRYING_FILE) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        shutil.rmtree(place, ignore_errors=True)
        try:
            place.mkdir()
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _opened(folder: Path, name: str = _FILE) -> Iterator[int]:
    path = folder / name
    try:
        file = path.open("ab")
    except PermissionError:
        raise NoPermission(path=path, deed="write") from None
    with file:
        yield file.fileno()
