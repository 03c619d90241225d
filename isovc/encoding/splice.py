"""A difference to a known neighbour that is one stretch of bytes. Knows nothing of zstd or stores.

    08 | length of the common beginning | length of the common end | the bytes between

Lengths are little-endian in groups of 7 bits, the highest bit set on all but the last. No zstd frame of ours begins
with 08: that bit of its first byte is reserved. One changed cell of a column is such a stretch, one changed child of
a node too, and finding it takes a quarter of what zstd takes for it.
"""

from __future__ import annotations

from isovc.encoding.compress import LARGEST_CHUNK
from isovc.errors import NotCanonical

_MARK = b"\x08"
_LONGEST = 64  # bytes between: beyond it zstd is likely to find something more


def splice(content: bytes, base: bytes) -> bytes | None:
    """`content` as a difference to `base`; None where too much differs."""
    if abs(len(content) - len(base)) > _LONGEST:
        return None
    shorter = min(len(content), len(base))
    front = _common_front(content, base, shorter)
    back = _common_back(content, base, shorter - front)
    between = content[front : len(content) - back]
    if len(between) > _LONGEST:
        return None
    return _MARK + _number(front) + _number(back) + between


def is_splice(body: bytes) -> bool:
    """Whether `splice` made it, rather than zstd."""
    return body[:1] == _MARK


def unsplice(body: bytes, base: bytes) -> bytes:
    """What `splice` was given with the same base."""
    front, at = _read_number(body, 1)
    back, at = _read_number(body, at)
    if front + back > len(base) or front + back + len(body) - at > LARGEST_CHUNK:
        raise NotCanonical(what="a difference", why=f"{front} and {back} bytes are not in its base of {len(base)}")
    return base[:front] + body[at:] + base[len(base) - back :]


def _common_front(a: bytes, b: bytes, most: int) -> int:
    """How many bytes they have in common at the beginning, by halves: comparing slices takes no step of Python a
    byte."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_back(a: bytes, b: bytes, most: int) -> int:
    """The same at the end."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_number(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(body) or shift > 28:
            raise NotCanonical(what="a difference", why="it is cut short")
        value |= (body[at] & 0x7F) << shift
        shift += 7
        at += 1
        if body[at - 1] < 0x80:
            return value, at
