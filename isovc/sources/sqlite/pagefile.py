"""The pages of a file as one snapshot sees them: fingerprints, overflow chains, single pages. Knows nothing of tables.

A page that the write-ahead log holds in a frame of the snapshot is taken from there. SQLite may move frames into the
file meanwhile, never later ones than this snapshot's; only when all of them are in the file may the log begin again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from operator import sub

import apsw

from isovc.encoding.digest import fingerprint
from isovc.sources.sqlite.mark import wal_page_size
from isovc.sources.sqlite.snapshot import Snapshot

_SLAB = 1 << 20  # bytes read at once
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
        self.prints: list[int] = [0]  # by page number, which counts from 1
        self.links = bytearray(4 * (self.count + 1))  # the first four bytes of each page: an overflow page's next
        self.spilled: dict[int, tuple[int, ...]] = {}  # pages with cells that overflow -> where each chain begins
        self._scan()

    def page(self, number: int) -> bytes:
        """One page."""
        if number in self._frames:
            return self._connection.read("main", 1, self._frames[number] + _FRAME_HEADER, self.page_size)[1]
        return self._connection.read("main", 0, (number - 1) * self.page_size, self.page_size)[1]

    def kind(self, number: int) -> int:
        """The type byte of a b-tree page."""
        return self.links[4 * number]

    def chain(self, number: int) -> Iterator[int]:
        """The pages of an overflow chain."""
        for _ in range(self.count):
            if not 0 < number <= self.count:
                return
            yield number
            number = int.from_bytes(self.links[4 * number : 4 * number + 4], "big")

    def _scan(self) -> None:
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
            self.prints += [fingerprint(slab[at : at + size]) for at in range(0, pages * size, size)]
            for byte in range(4):
                self.links[4 * first + byte : 4 * (first + pages) : 4] = slab[byte::size]
            self._spills(slab, first, pages)

    def _spills(self, slab: bytes, first: int, pages: int) -> None:
        least = (self.usable - 12) * 32 // 255 - 23  # bytes of a cell that overflows which stay in its page
        kinds = slab[:: self.page_size]
        for place in range(pages):
            kind = kinds[place]
            if kind not in (TABLE_LEAF, INDEX_LEAF):
                continue
            at = place * self.page_size
            cells = slab[at + 3] << 8 | slab[at + 4]
            if 8 + 2 * cells > self.usable:
                continue  # no b-tree page, whatever its first byte says
            pointers = sorted(struct.unpack_from(f">{cells}H", slab, at + 8))
            # a cell that overflows leaves a wide gap to the next one; nearly all pages have none
            if cells and max(map(sub, [*pointers[1:], self.usable], pointers), default=0) >= least:
                page = slab[at : at + self.page_size]
                heads = tuple(head for cell in pointers if (head := overflow(page, cell, kind, self.usable)))
                if heads:
                    self.spilled[first + place] = heads


def overflow(page: bytes, cell: int, kind: int, usable: int) -> int:
    """The first overflow page of a cell, or 0."""
    try:
        payload, at = varint(page, cell)
        if kind == TABLE_LEAF:
            _, at = varint(page, at)
        local = local_bytes(payload, usable, is_table=kind == TABLE_LEAF)
        return 0 if local == payload else int.from_bytes(page[at + local : at + local + 4], "big")
    except IndexError:
        return 0  # no b-tree page after all


def local_bytes(payload: int, usable: int, *, is_table: bool) -> int:
    """How much of a payload its b-tree page holds; the file format fixes it."""
    most = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
    if payload <= most:
        return payload
    least = (usable - 12) * 32 // 255 - 23
    kept = least + (payload - least) % (usable - 4)
    return kept if kept <= most else least


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


@contextmanager
def read_file(snapshot: Snapshot) -> Iterator[PageFile | None]:
    """The pages of this snapshot; None for a file that is still empty."""
    connection, wal = snapshot.connection, snapshot.mark.wal
    if not connection.pragma("page_count"):
        yield None
        return
    file = PageFile(connection, _frames(connection, wal.frames) if wal else {})
    if wal and connection.read("main", 1, 0, _WAL_HEADER)[1][16:24] != wal.salts:
        # The log began again while it was read, so all of this snapshot is in the file, and stays as long as we do.
        file = PageFile(connection, {})
    yield file


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
