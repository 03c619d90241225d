"""Versions of what isovc is made of, and the disk that things lie on. Opens no database."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from isovc import __version__
from isovc.formats.words import size
from isovc.history.library import library as git_library
from isovc.lifecycle.doctor.finding import Finding, advice, ok, problem
from isovc.sources.sqlite.library import library as user_library
from isovc.store.library import library as store_library

_MOUNTS = Path("/proc/self/mountinfo")
_OVER_A_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|lustre|glusterfs|beegfs|fuse\.(sshfs|rclone|glusterfs|s3fs)"
)
_FULL = 32 << 20  # bytes: below, the log of the next commit may not fit, whatever it holds
_ESCAPED = re.compile(r"\\([0-7]{3})")


def versions() -> dict[str, str]:
    """What is at work here."""
    return {
        "isovc": __version__,
        "python": platform.python_version(),
        "databases": user_library(),
        "store": store_library(),
        "git": git_library(),
        "system": f"{platform.system()} {platform.release()}",
    }


def machine() -> Iterator[Finding]:
    """The same as findings."""
    for what, said in versions().items():
        yield ok(what, said)


def disk(folder: Path, needed: int) -> Iterator[Finding]:
    """Room where something lies that may have to be written once more: `needed` bytes."""
    free = shutil.disk_usage(folder).free
    if free < _FULL:
        yield problem(str(folder), f"only {size(free)} are free", "make room before anything else is done")
    elif free < needed:
        said = f"{size(free)} are free, and {size(needed)} may be needed to write the database once more"
        yield advice(str(folder), said, "make room: restore and worktree add make a copy first")
    else:
        yield ok(str(folder), f"{size(free)} are free")
    if not os.access(folder, os.W_OK):
        yield problem(str(folder), "you have no right to write here", f"look at its owner and mode: ls -ld {folder}")
    kind = file_system(folder, _mounts())
    if _OVER_A_NETWORK.fullmatch(kind):
        yield advice(
            str(folder),
            f"it lies on a network file system ({kind}): every look at a lock goes over the network, and locks that it"
            " does not keep well can damage a database",
            "keep database and repository on a disk of this machine",
        )


def file_system(path: Path, mounts: str) -> str:
    """The kind of file system that a path lies on, out of the system's list; nothing: nobody knows."""
    real, found, longest = os.path.realpath(path), "", 0
    for line in mounts.splitlines():
        # "36 35 98:0 /root /mnt/point rw,noatime master:1 - ext3 /dev/root rw"
        about, _, source = line.partition(" - ")
        words, kind = about.split(" "), source.partition(" ")[0]
        if len(words) < 5 or not kind:
            continue
        point = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), words[4])
        if (real == point or real.startswith(point.rstrip("/") + "/")) and len(point) >= longest:
            found, longest = kind, len(point)
    return found


def _mounts() -> str:
    try:
        return _MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return ""  # a system without /proc
