"""Opening what lies in a folder without ever going through a link. Knows nothing of what is looked for.

Each part of a path is opened relative to the one before it (openat, O_NOFOLLOW), so that no link leads elsewhere, not
even one that another program puts there in the middle; and paths may be as long and as deep as they like.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from isovc.errors import DiskFailed, DiskFull, FileRefused, FileUnreadable, FolderGone, IsovcError, NoPermission
from isovc.sources.files.names import decoded
from isovc.sources.files.seen import Seen, within_reach

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

NOT_THERE = (
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ELOOP,
)  # a name, or a folder on the way to it, that is not there (any more)


def opened_root(path: Path) -> int:
    """The folder itself, which may be reached by links."""
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise FolderGone(folder=path, why="is not there") from None
    except PermissionError:
        raise NoPermission(path=path, deed="read") from None
    except OSError as error:
        if error.errno in NOT_THERE:
            raise FolderGone(folder=path, why="is no folder") from None
        raise told(error, str(path)) from error


@contextmanager
def root(path: Path) -> Iterator[int]:
    handle = opened_root(path)
    try:
        yield handle
    finally:
        os.close(handle)


def descend(top: int, parts: Sequence[bytes]) -> int:
    """The folder below an open one, as a handle of its own; OSError where something on the way is no folder."""
    if not parts:
        return os.open(b".", _FOLDER, dir_fd=top)
    here = os.open(parts[0], _FOLDER, dir_fd=top)
    for part in parts[1:]:
        try:
            below = os.open(part, _FOLDER, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here


@contextmanager
def beneath(top: int, parts: Sequence[bytes]) -> Iterator[int]:
    """The same for a while."""
    handle = descend(top, parts)
    try:
        yield handle
    finally:
        os.close(handle)


def looked(path: str, name: bytes, folder: int) -> Seen | None:
    """One name of an open folder, if it is a file or a link."""
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return seen(path, found) if kept(found.st_mode) else None


def kept(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def seen(path: str, found: os.stat_result) -> Seen:
    is_link = stat.S_ISLNK(found.st_mode)
    return Seen(
        path,
        is_link,
        found.st_size,
        0o777 if is_link else found.st_mode & 0o777,
        within_reach(found.st_mtime_ns),
        within_reach(found.st_ctime_ns),
        found.st_ino,
        found.st_dev,
    )


def told(error: OSError, path: str | bytes, *, deed: str = "write") -> IsovcError:
    """The system's error in our words."""
    name = decoded(path) if isinstance(path, bytes) else path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path=name)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return FileUnreadable(path=name) if deed == "read" else NoPermission(path=name, deed=deed)
    if error.errno == errno.EIO or deed == "read":
        return DiskFailed(path=name, why=error.strerror or str(error))
    return FileRefused(path=name, why=error.strerror or str(error))


@contextmanager
def telling(path: str) -> Iterator[None]:
    """The system's errors about writing a path, in our words."""
    try:
        yield
    except OSError as error:
        raise told(error, path) from error
    except OverflowError:
        raise FileRefused(path=path, why="its time is out of reach") from None
