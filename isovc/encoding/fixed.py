"""Packed lists whose values all take equally many bytes: one value is taken out, and two lists are compared, without
decoding the rest. Knows nothing of rows or tables.

Columns of floats, of text of one length and of small integers are such lists; that is most of what databases hold. A
value's first byte (and for longer text its second) says how long it is, so a list is one of these if that byte stands
at each step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from isovc.encoding.values import decode

_SOME = 8  # values: compared one by one; more of them in halves, as most differ in one place
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


def pick(columns: Iterable[tuple[bytes, int]], at: int, count: int) -> list[Any]:
    """Value number `at` of each of some lists, given with their steps: one decoding for all of them."""
    start = _head(count)
    picked = [data[start + at * width : start + at * width + width] for data, width in columns]
    many = len(picked)
    head = bytes([0x90 | many]) if many < 16 else b"\xdc" + many.to_bytes(2, "big")
    return decode(head + b"".join(picked))


def holds(data: bytes, first: int, values: bytes, many: int, count: int, width: int) -> bool:
    """Whether a list of this step holds, from number `first` on, what another packed list of `many` values does."""
    start = _head(count) + first * width
    return data[start : start + many * width] == values[_head(many) :]


def unlike(old: bytes, new: bytes, count: int, width: int) -> list[int]:
    """The places where two lists of this step differ."""
    found: list[int] = []
    start = _head(count)
    waiting = [(0, count)]
    while waiting:  # parts that differ, the first one on top
        first, last = waiting.pop()
        low, high = start + first * width, start + last * width
        if last - first <= _SOME:
            places = range(low, high, width)
            found.extend([(at - start) // width for at in places if old[at : at + width] != new[at : at + width]])
            continue
        half = (first + last) // 2
        middle = start + half * width
        if old[middle:high] != new[middle:high]:
            waiting.append((half, last))
        if old[low:middle] != new[low:middle]:
            waiting.append((first, half))
    return found


def _head(count: int) -> int:
    """Bytes before the first value."""
    return 1 if count < 16 else 3 if count < 65536 else 5
