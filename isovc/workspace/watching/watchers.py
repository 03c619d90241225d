"""Who watches a working copy: a kernel lock that ends with its process however it ends, and what it says of itself."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from isovc.errors import AlreadyWatched, NoPermission, NotWatched
from isovc.workspace.desk import Desk

_GLANCE = 0.2  # seconds that a look at the lock takes at most, on a machine that is busy
_STEP = 0.02  # seconds between two looks whether it has ended


@dataclass(frozen=True, slots=True)
class Watcher:
    """What a watcher says of itself. `ready`: it has seen the database as it is, and everything from then on."""

    pid: int
    begun: int  # microseconds since 1970
    every: float  # seconds
    ready: bool = False


def pid_file(desk: Desk) -> Path:
    """Where it says so. The file stays, empty, when it ends."""
    return desk.repository.folder / f"watch-{desk.worktree.id}.pid"


def log_file(desk: Desk) -> Path:
    """Where it writes what people should know."""
    return desk.repository.folder / f"watch-{desk.worktree.id}.log"


def names_file(desk: Desk) -> Path:
    """Where it says who goes on holding the log for it if it is killed."""
    return desk.repository.folder / f"watch-{desk.worktree.id}.hold"


@contextmanager
def only_watcher(desk: Desk, *, every: float) -> Iterator[None]:
    """While this block runs no other process watches the database."""
    path = pid_file(desk)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except PermissionError:
        raise NoPermission(path=path, deed="write") from None
    try:
        try:
            _lock(handle)
        except BlockingIOError:
            found = _said(path)
            raise AlreadyWatched(path=desk.database.path, pid=found.pid if found else None) from None
        _say(path, Watcher(os.getpid(), time.time_ns() // 1000, every))
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    """Whoever only looks whether somebody watches holds the lock for a moment, too."""
    deadline = time.monotonic() + _GLANCE
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_STEP / 10)


def say_ready(desk: Desk) -> None:
    """The one that holds the lock has seen the database."""
    found = _said(pid_file(desk))
    if found is not None and not found.ready:
        _say(pid_file(desk), Watcher(found.pid, found.begun, found.every, ready=True))


def watcher_of(desk: Desk) -> Watcher | None:
    """Who watches now; None: nobody."""
    path = pid_file(desk)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _said(path) or Watcher(0, 0, 0.0)
    finally:
        os.close(handle)


def left_by(desk: Desk) -> Watcher | None:
    """A watcher that ended without saying so, as one that is killed; None: there is none, or one is at work."""
    return _said(pid_file(desk)) if watcher_of(desk) is None else None


def stop_watcher(desk: Desk, *, seconds: float) -> Watcher:
    """Ask it to end, and wait until it has."""
    found = watcher_of(desk)
    if found is None or not found.pid:
        raise NotWatched(path=desk.database.path)
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while watcher_of(desk) is not None:
        if time.monotonic() > deadline:
            raise AlreadyWatched(path=desk.database.path, pid=found.pid)
        time.sleep(_STEP)
    return found


def _say(path: Path, watcher: Watcher) -> None:
    # in its place: the lock is on the file, and not on its name
    with path.open("r+b") as file:
        file.write(json.dumps(asdict(watcher)).encode())
        file.truncate()


def _said(path: Path) -> Watcher | None:
    try:
        return Watcher(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
