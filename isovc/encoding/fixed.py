"""Packed lists whose values all take equally many bytes: one value is taken out, and two lists are compared, without
decoding the rest. Knows nothing of rows or tables.

Columns of floats, of text of one length and of small integers are such lists; that is most of what databases hold. A
value's first byte (and for longer text its second) says how long it is, so a list is one of these if that byte stands
at each step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from isovc.encoding.values import decode

_FEW = 8  # values: so few are compared one by one
_SHORT_TEXT = range(0xA1, 0xC0)
_LENGTH_FOLLOWS = frozenset({0xC4, 0xD9})  # blob and text of up to 255 bytes
_NUMBER_BYTES = {0xCB: 9, 0xCF: 9, 0xD3: 9, 0xCE: 5, 0xD2: 5, 0xCD: 3, 0xD1: 3, 0xCC: 2, 0xD0: 2}


def step(data: bytes, count: int) -> int:
    """How many bytes each of the `count` values of a packed list takes; 0: not all the same."""
    start = _head(count)
    body = len(data) - start
    if count == 0 or body <= 0 or body % count:
        return 0
    width = body // count
    if width == 1:  # as many bytes as values, and no value takes less than one
        return 1
    first = data[start]
    if first in _LENGTH_FOLLOWS:
        length = data[start + 1]
        same = width == length + 2 and data[start + 1 :: width].count(length) == count
    else:
        same = width == _NUMBER_BYTES.get(first) or (first in _SHORT_TEXT and width == first - 0x9F)
    return width if same and data[start::width].count(first) == count else 0


def pick(data: bytes, at: int, count: int, width: int) -> Any:
    """Value number `at` of a list of this step."""
    start = _head(count) + at * width
    return decode(b"\x91" + data[start : start + width])[0]


def unlike(old: bytes, new: bytes, count: int, width: int) -> list[int]:
    """The places where two lists of this step differ."""
    start = _head(count)
    return list(_unlike(old, new, start, width, 0, count))


def _unlike(old: bytes, new: bytes, start: int, width: int, first: int, last: int) -> Iterator[int]:
    if old[start + first * width : start + last * width] == new[start + first * width : start + last * width]:
        return
    if last - first > _FEW:
        middle = (first + last) // 2
        yield from _unlike(old, new, start, width, first, middle)
        yield from _unlike(old, new, start, width, middle, last)
        return
    for at in range(first, last):
        here = start + at * width
        if old[here : here + width] != new[here : here + width]:
            yield at


def _head(count: int) -> int:
    """Bytes before the first value."""
    return 1 if count < 16 else 3 if count < 65536 else 5
