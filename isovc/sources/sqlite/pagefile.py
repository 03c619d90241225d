"""The pages of a file as one snapshot sees them, one by one or by the slab. Knows nothing of tables.

A page that the write-ahead log holds in a frame of the snapshot is taken from there. SQLite may move frames into the
file meanwhile, never later ones than this snapshot's. The log cannot begin again before the snapshot ends, because a
mark names a log only where the snapshot had to begin inside it.
"""

from __future__ import annotations

from collections.abc import Iterator

import apsw

from isovc.sources.sqlite.mark import wal_page_size
from isovc.sources.sqlite.snapshot import Snapshot

_SLAB = 256 << 10  # bytes read at once: what a core still has at hand when they are looked at; 1 MiB takes 1.2 times
_WAL_HEADER, _FRAME_HEADER = 32, 24  # bytes
TABLE_LEAF, INDEX_LEAF, TABLE_INTERIOR, INDEX_INTERIOR = 13, 10, 5, 2


class PageFile:
    """The pages of one snapshot."""

    def __init__(self, connection: apsw.Connection, frames: dict[int, int]) -> None:
        self._connection = connection
        self._frames = frames  # page number -> where its frame begins in the log
        self.page_size = int(connection.pragma("page_size"))
        self.count = int(connection.pragma("page_count"))
        self.usable = self.page_size - self.page(1)[20]

    def page(self, number: int) -> bytes:
        """One page."""
        if number in self._frames:
            return self._connection.read("main", 1, self._frames[number] + _FRAME_HEADER, self.page_size)[1]
        return self._connection.read("main", 0, (number - 1) * self.page_size, self.page_size)[1]

    def slabs(self) -> Iterator[tuple[int, bytes]]:
        """All pages, many at once, each time with the number of the first."""
        size = self.page_size
        step = max(1, _SLAB // size)
        for first in range(1, self.count + 1, step):
            pages = min(step, self.count + 1 - first)
            slab = self._connection.read("main", 0, (first - 1) * size, pages * size)[1]
            inside = (
                [number for number in range(first, first + pages) if number in self._frames] if self._frames else []
            )
            if inside:
                patched = bytearray(slab)
                for number in inside:
                    patched[(number - first) * size : (number - first + 1) * size] = self.page(number)
                slab = bytes(patched)
            yield first, slab

    def chain(self, number: int) -> Iterator[bytes]:
        """What an overflow chain holds, page by page, without its links."""
        while 0 < number <= self.count:
            page = self.page(number)
            yield page[4 : self.usable]
            number = int.from_bytes(page[:4], "big")


def local_bytes(payload: int, usable: int, *, is_table: bool) -> int:
    """How much of a payload its b-tree page holds; the file format fixes it."""
    most, least = most_local(usable, is_table=is_table), least_local(usable)
    if payload <= most:
        return payload
    kept = least + (payload - least) % (usable - 4)
    return kept if kept <= most else least


def most_local(usable: int, *, is_table: bool) -> int:
    """The largest payload of a leaf's cell that does not overflow, in bytes."""
    return usable - 35 if is_table else (usable - 12) * 64 // 255 - 23


def least_local(usable: int) -> int:
    """What a cell that overflows leaves in its page at least, in bytes."""
    return (usable - 12) * 32 // 255 - 23


def varint(data: bytes, at: int) -> tuple[int, int]:
    """One of SQLite's variable-length integers, unsigned, and where it ends."""
    value = 0
    for _ in range(8):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    return value << 8 | data[at], at + 1


def page_file(snapshot: Snapshot) -> PageFile | None:
    """The pages of this snapshot; None for a file that is still empty."""
    connection, wal = snapshot.connection, snapshot.mark.wal
    if not connection.pragma("page_count"):
        return None
    return PageFile(connection, _frames(connection, wal.frames) if wal else {})


def _frames(connection: apsw.Connection, count: int) -> dict[int, int]:
    """Where the log holds the newest version of each page it has."""
    stride = _FRAME_HEADER + wal_page_size(connection.read("main", 1, 0, _WAL_HEADER)[1])
    step = max(1, _SLAB // stride)
    found = {}
    for first in range(0, count, step):
        begin = _WAL_HEADER + first * stride
        frames = min(step, count - first)
        slab = connection.read("main", 1, begin, frames * stride)[1]
        for place in range(frames):
            found[int.from_bytes(slab[place * stride : place * stride + 4], "big")] = begin + place * stride
    return found
