"""Files and names that survive a power cut. Knows nothing of what they hold."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file so that a reader, or a power cut, meets the old bytes or the new ones; its mode stays."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if path.exists():
                os.fchmod(handle, stat.S_IMODE(path.stat().st_mode))
            os.fsync(handle)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def write_to_cache(path: Path, data: bytes) -> None:
    """Replace a file whole, if that can be done: what is not kept is found out again."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        fresh.write_bytes(data)
        fresh.replace(path)


def fsync_folder(path: Path) -> None:
    """Make new, renamed and removed names in this folder durable."""
    fsync(path)


def fsync(path: Path) -> None:
    """Make what is in this file or folder durable. No database that somebody has open: closing it would end the locks
    that this process has on it."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
