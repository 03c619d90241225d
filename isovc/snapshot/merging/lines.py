"""Texts that both sides changed, merged line by line. Pure; knows no files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher

_MOST = 20_000  # lines of a text: comparing longer ones may take minutes, and a person is quicker


def merge_text(base: bytes, ours: bytes, theirs: bytes, *, is_json: bool = False) -> bytes | None:
    """The text with the changes of both; None: they touch, or it is no text. JSON stays JSON.

    >>> merge_text(b"a\\nb\\nc\\n", b"A\\nb\\nc\\n", b"a\\nb\\nC\\n")
    b'A\\nb\\nC\\n'
    """
    sides = [each.splitlines(keepends=True) for each in (base, ours, theirs)]
    if not all(map(_is_text, (base, ours, theirs))) or max(map(len, sides)) > _MOST:
        return None
    was, mine, other = sides
    merged: list[bytes] = []
    at = here = there = 0
    for begin, left, right, length in _shared(was, mine, other):
        stretches = was[at:begin], mine[here:left], other[there:right]
        if stretches[1] == stretches[0]:
            merged += stretches[2]
        elif stretches[2] in (stretches[0], stretches[1]):
            merged += stretches[1]
        else:
            return None
        merged += was[begin : begin + length]
        at, here, there = begin + length, left + length, right + length
    found = b"".join(merged)
    if is_json and all(map(_is_json, (base, ours, theirs))) and not _is_json(found):
        return None
    return found


def _shared(was: list[bytes], mine: list[bytes], other: list[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """Stretches that all three have: where they begin in each, and how long they are; the last is the end."""
    left, right = (_matching(was, side) for side in (mine, other))
    one, two = next(left, None), next(right, None)
    while one is not None and two is not None:
        begin, end = max(one[0], two[0]), min(one[0] + one[2], two[0] + two[2])
        if begin < end:
            yield begin, one[1] + begin - one[0], two[1] + begin - two[0], end - begin
        if one[0] + one[2] < two[0] + two[2]:
            one = next(left, None)
        else:
            two = next(right, None)
    yield len(was), len(mine), len(other), 0


def _matching(was: list[bytes], side: list[bytes]) -> Iterator[tuple[int, int, int]]:
    found = SequenceMatcher(None, was, side, autojunk=False).get_matching_blocks()
    return ((each.a, each.b, each.size) for each in found)


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
