"""Bytes that come piece by piece, as somebody who fills a buffer asks for them. Knows nothing of chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Protocol, TypeAlias, runtime_checkable

_READ_BYTES = 256 << 10  # bytes asked of a file at a time


@runtime_checkable
class Readable(Protocol):
    """An open file, or what behaves like one."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


Piece: TypeAlias = bytes | bytearray | memoryview
Pieces: TypeAlias = Iterable[Piece] | Readable


class Incoming:
    """Gives out what comes in, once, from the beginning to the end."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces: Iterator[Piece] = _read(pieces) if isinstance(pieces, Readable) else iter(pieces)
        self._rest = memoryview(b"")

    def head(self, size: int) -> bytes:
        """The first bytes, which will be given out again: so many, or all where there are fewer."""
        held = bytearray()
        for piece in self._pieces:
            held += memoryview(piece).cast("B")
            if len(held) >= size:
                break
        head = bytes(held)
        self._pieces = chain([head], self._pieces)
        return head[:size]

    def readinto(self, buffer: memoryview) -> int:
        """Fill the beginning of a buffer; how much of it. 0: there is no more."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece).cast("B")
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def _read(file: Readable) -> Iterator[Piece]:
    while piece := file.read(_READ_BYTES):
        yield piece
