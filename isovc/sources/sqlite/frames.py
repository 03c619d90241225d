"""The write-ahead log as a line of transactions: which pages each of them wrote. Knows nothing of what pages hold."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apsw

from isovc.errors import NotCanonical
from isovc.sources.sqlite.mark import wal_page_size

HEADER, FRAME_HEADER = 32, 24  # bytes
_SLAB = 1 << 20  # bytes read at once


class LogLost(Exception):  # it never leaves the rooms that follow a log
    """The log is not the one that was followed: somebody removed it, or put another file in its place."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a log behind a whole transaction; or the begin of one, behind no frame."""

    device: int
    inode: int
    salts: bytes  # 8 bytes, new each time the log begins again; empty: nothing is known of a log
    frames: int
    checksum: bytes  # 8 bytes over everything in the log so far; empty at the begin

    def encode(self) -> list[int | bytes]:
        """As values that can be kept."""
        return [self.device, self.inode, self.salts, self.frames, self.checksum]

    @classmethod
    def decode(cls, said: Sequence[object]) -> Place:
        """The place that gave these values."""
        if list(map(type, said)) != [int, int, bytes, int, bytes]:
            raise NotCanonical(what="a place in a log", why="it holds something of another kind")
        return cls(*said)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction: its frames in the order they were written, and the pages of the database behind it."""

    first: int  # number of its first frame, from 0
    pages: array[int]  # the page that each frame holds
    size: int
    checksum: bytes

    @property
    def last(self) -> int:
        """How many frames the log has up to and with this transaction."""
        return self.first + len(self.pages)

    def newest(self) -> dict[int, int]:
        """Each page with the number of the frame that holds it in the end."""
        return {page: self.first + at for at, page in enumerate(self.pages)}


class Log:
    """The log of one file, read through a connection that has it open."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        whole, head = connection.read("main", 1, 0, HEADER)
        self.salts = head[16:24] if whole else b""
        self.page_size = wal_page_size(head)
        self._stride = FRAME_HEADER + self.page_size

    def page(self, frame: int, offset: int = 0, amount: int | None = None) -> bytes:
        """What a frame holds, or a part of it."""
        at = HEADER + frame * self._stride + FRAME_HEADER + offset
        return self._connection.read("main", 1, at, self.page_size if amount is None else amount)[1]

    def checksum(self, frames: int) -> bytes | None:
        """The checksum behind so many frames of this log; empty behind none, None where there are not so many."""
        if frames == 0:
            return b""
        head = self._head(frames - 1)
        return head[16:24] if head[8:16] == self.salts else None

    def behind(self, place: Place) -> int | None:
        """How many transactions the log before this one had behind a place, as far as this one has not come yet. None:
        nobody can tell, as that log was cut off or written over."""
        if not place.frames or self._head(place.frames - 1)[8:] != place.salts + place.checksum:
            return None
        found = 0
        for frame in itertools.count(place.frames):
            head = self._head(frame)
            if head[8:16] != place.salts:
                return None if head and head[8:16] == self.salts else found
            found += head[4:8] != bytes(4)
        return found

    def _head(self, frame: int) -> bytes:
        """The header of a frame; empty behind the end of the file."""
        whole, head = self._connection.read("main", 1, HEADER + frame * self._stride, FRAME_HEADER)
        return head if whole else b""

    def commits(self, after: int, upto: int) -> Iterator[Commit]:
        """The transactions behind so many frames, up to `upto` frames, of which all are committed."""
        first, pages = after, array("I")
        for page, size, checksum in self._heads(after, upto):
            pages.append(page)
            if size:
                yield Commit(first, pages, size, checksum)
                first, pages = first + len(pages), array("I")

    def _heads(self, first: int, upto: int) -> Iterator[tuple[int, int, bytes]]:
        stride = self._stride
        step = max(1, _SLAB // stride)
        for at in range(first, upto, step):
            many = min(step, upto - at)
            slab = self._connection.read("main", 1, HEADER + at * stride, many * stride)[1]
            for place in range(0, many * stride, stride):
                head = slab[place : place + FRAME_HEADER]
                if head[8:16] != self.salts:
                    raise LogLost
                yield int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big"), head[16:24]
