"""What a folder of files tells and takes, as plain records. Knows nothing of disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

EARLIEST, LATEST = -(1 << 63), (1 << 63) - 1  # ns: the years 1677 to 2262, as far as 64 bits reach; disks go further


def within_reach(time: int) -> int:
    """The nearest time that can be kept."""
    return min(max(time, EARLIEST), LATEST)


class Seen(
    NamedTuple
):  # a tuple: a million of them are made in a walk, and a frozen dataclass takes five times as long
    """One file or link as `lstat` tells it."""

    path: str  # relative, '/' between its parts; bytes that are no UTF-8 as surrogates (surrogateescape)
    is_link: bool
    size: int  # of a link: the length of its target in bytes
    mode: int  # permission bits; of a link always 0o777
    mtime: int  # nanoseconds, like ctime
    ctime: int
    inode: int
    device: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in the folder that is not kept, or could not be looked at: what lies below it is unknown, not gone."""

    path: str
    why: str  # one clause: "it is a socket"


@dataclass(frozen=True, slots=True)
class Walk:
    """Everything in the folder, sorted by the bytes of the paths."""

    entries: list[Seen]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A file or link that shall be in the folder. The content of a link is its target."""

    path: str
    is_link: bool
    mode: int  # permission bits; not asked of a link
    mtime: int  # nanoseconds
