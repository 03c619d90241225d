"""Files for people: they appear whole or not at all, and take no other's place unasked."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from isovc.disk import fsync_folder
from isovc.errors import FolderMissing, PathTaken


def write_file(path: Path, pieces: Iterable[bytes], *, replace: bool = False, mode: int = 0o666) -> None:
    """Write a new file. `replace`: it may take the place of an ordinary one."""
    path = path.absolute()
    if not path.parent.is_dir():
        raise FolderMissing(path=path.parent)
    if os.path.lexists(path) and not (replace and path.is_file()):
        raise PathTaken(path=path)
    fresh = path.with_name(f".{path.name[:200]}.{secrets.token_hex(6)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(handle)
        if replace:
            fresh.replace(path)
        else:
            _publish(fresh, path)
        fsync_folder(path.parent)
    finally:
        fresh.unlink(missing_ok=True)


def _publish(fresh: Path, path: Path) -> None:
    try:
        path.hardlink_to(fresh)  # unlike a rename, never takes the place of something
    except FileExistsError:
        raise PathTaken(path=path) from None
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        try:  # a file system without hard links: claim the name, then rename onto the claim
            path.touch(exist_ok=False)
        except FileExistsError:
            raise PathTaken(path=path) from None
        fresh.replace(path)
