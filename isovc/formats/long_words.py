"""Values that are too long to be held, as `formats.words` has those that are not: read only around what changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress, count
from operator import ne

from isovc.model import Unread, Value

LONG = 1 << 20  # bytes: what is shorter is held, since one such value more or less in memory does not matter
BLOB = 16  # bytes of it that are shown
WIDTH = 60  # letters of a text; two of them, a key and a name fit a wide terminal
_MOST = 4 * WIDTH + 4  # bytes that hold so many, and the rest of one that was cut


def first_difference(one: Value | Unread, other: Value | Unread) -> int:
    """The first byte in which two texts, or two blobs, differ."""
    at = 0
    for left, right in _abreast(_pieces(one), _pieces(other)):
        if left != right:
            return at + next(compress(count(), map(ne, left, right)), min(len(left), len(right)))
        at += len(left)
    return at


def around(value: Value | Unread, start: int) -> tuple[bytes, int]:
    """Some bytes from there on, and how many bytes the whole has. Of a text none begins inside a letter."""
    found, at = b"", 0
    most = _MOST if is_text(value) else BLOB
    for piece in _pieces(value):
        found += piece[max(0, start - at) :][: most - len(found)]
        at += len(piece)
        if len(found) == most:
            break
    while start and is_text(value) and found and found[0] & 0xC0 == 0x80:
        found = found[1:]
    return found, value.length if isinstance(value, Unread) else at


def is_text(value: Value | Unread) -> bool:
    """Whether it is a text."""
    return value.is_text if isinstance(value, Unread) else isinstance(value, str)


def _pieces(value: Value | Unread) -> Iterator[bytes]:
    if isinstance(value, Unread):
        yield from value.pieces()
    elif isinstance(value, str):
        yield value.encode("utf-8", "surrogateescape")
    elif isinstance(value, bytes):
        yield value


def _abreast(one: Iterator[bytes], other: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Both, cut at the same places; at last what one of them has more."""
    left = right = b""
    while True:
        left, right = left or next(one, b""), right or next(other, b"")
        if not left or not right:
            if left != right:
                yield left, right
            return
        many = min(len(left), len(right))
        yield left[:many], right[:many]
        left, right = left[many:], right[many:]
