"""A kernel lock around changes of the git directory, so that nobody ever has to unlock by hand.

The kernel drops the lock with its holder, whatever ended it. Knows nothing of git's own lock files.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isovc.errors import HistoryBusy

NAME = "isovc-flock"
_PAUSE = 0.005  # seconds between two tries: short against a commit, long against a busy loop


@contextmanager
def exclusive(directory: Path, *, wait: float) -> Iterator[None]:
    """Hold the lock of this directory; wait at most so many seconds for another holder."""
    handle = os.open(directory / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        deadline = time.monotonic() + wait
        while not _taken(handle):
            if time.monotonic() >= deadline:
                raise HistoryBusy(path=directory, seconds=wait)
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
