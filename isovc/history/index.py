"""Indexes of packs: which object lies where. Checked whole when read, so that nothing after has to doubt them.

Knows nothing of what is in a pack.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from isovc.errors import GitObjectDamaged

_MAGIC = b"\xfftOc\0\0\0\x02"  # version 2, the only one written since 2007
_FANOUT = 8  # bytes before the table of how many ids begin with at most each byte
_IDS = _FANOUT + 256 * 4
ID = 20  # bytes of a SHA-1
_FAR = 1 << 31  # an offset with this bit is a place in the table of long offsets


class PackIndex:
    """The index of one pack."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pack = path.with_suffix(".pack")
        data = path.read_bytes()
        if data[:8] != _MAGIC or len(data) < _IDS or sha1(data[:-ID]) != data[-ID:]:
            raise GitObjectDamaged(
                name=path.name, why="the index of a pack does not have the bytes it was written with"
            )
        self._data = memoryview(data)
        self.count = self._number(_IDS - 4, 4)
        self._offsets = _IDS + self.count * (ID + 4)  # behind the ids and a checksum of each object
        self._ids = _Slices(self._data, self.count)

    def find(self, name: bytes) -> int | None:
        """Where in the pack this object begins."""
        first = name[0]
        low = self._number(_FANOUT + 4 * (first - 1), 4) if first else 0
        at = bisect_left(self._ids, name, low, self._number(_FANOUT + 4 * first, 4))
        if at == self.count or self._ids[at] != name:
            return None
        offset = self._number(self._offsets + 4 * at, 4)
        if offset & _FAR:
            return self._number(self._offsets + 4 * self.count + 8 * (offset ^ _FAR), 8)
        return offset

    def names(self) -> Iterator[bytes]:
        """All objects of the pack, in order."""
        return iter(self._ids)

    def _number(self, at: int, width: int) -> int:
        return int.from_bytes(self._data[at : at + width], "big")


class _Slices:
    """The ids as a sequence, cut out when asked for."""

    def __init__(self, data: memoryview, count: int) -> None:
        self._data, self._count = data, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: int) -> bytes:
        return bytes(self._data[_IDS + at * ID : _IDS + (at + 1) * ID])

    def __iter__(self) -> Iterator[bytes]:
        return map(self.__getitem__, range(self._count))


def sha1(data: bytes | memoryview) -> bytes:
    """Git's digest; it names things here and keeps nobody out."""
    return hashlib.sha1(data, usedforsecurity=False).digest()
