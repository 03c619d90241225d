"""Who holds a file's locks, as far as the system tells. Knows nothing of SQLite but which files it locks."""

from __future__ import annotations

import os
from pathlib import Path

_LOCKS = Path("/proc/locks")


def holders(path: Path) -> tuple[str, ...]:
    """The other processes with a lock on the database or its shared memory, as `name (process 123)`."""
    inodes = {found for file in (path, path.with_name(path.name + "-shm")) if (found := _inode(file)) is not None}
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return ()  # a system without /proc
    pids = {int(pid) for line in lines if (pid := _pid(line, inodes))}
    return tuple(f"{_command(pid)} (process {pid})" for pid in sorted(pids - {os.getpid()}))


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _pid(line: str, inodes: set[int]) -> str:
    # "1: POSIX  ADVISORY  WRITE 5828 fe:00:2146552 0 EOF"; a waiting lock has "->" behind its number. The device is
    # not compared: some file systems show another one here than in stat, and a false name beats none.
    words = line.replace("->", " ").split()
    place = words[5].split(":") if len(words) > 5 else []
    return words[4] if len(place) == 3 and place[2].isdigit() and int(place[2]) in inodes else ""


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip() or "a program"
    except OSError:
        return "a program"
