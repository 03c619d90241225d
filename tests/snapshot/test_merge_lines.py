"""Texts merged line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.snapshot.merging.lines import merge_text

LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"d"]), max_size=8).map(b"".join)


@given(LINES, LINES)
def test_what_one_side_left_alone_comes_from_the_other(base: bytes, side: bytes) -> None:
    assert merge_text(base, side, base) == side
    assert merge_text(base, base, side) == side
    assert merge_text(base, side, side) == side


@given(LINES, LINES, LINES)
def test_it_is_the_same_from_either_side(base: bytes, ours: bytes, theirs: bytes) -> None:
    one, other = merge_text(base, ours, theirs), merge_text(base, theirs, ours)
    assert one == other


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.data())
def test_changes_apart_from_each_other_come_together(numbers: list[int], data: st.DataObject) -> None:
    base = [f"line {at} {number}\n" for at, number in enumerate(numbers)]
    place = data.draw(st.integers(0, len(base) - 1))
    first = data.draw(st.integers(0, place))
    last = data.draw(st.integers(place, len(base) - 1))
    ours, theirs, both = list(base), list(base), list(base)
    if last - first < 2:
        return  # they touch
    ours[first] = both[first] = "ours\n"
    theirs[last] = both[last] = "theirs\n"
    texts = ["".join(each).encode() for each in (base, ours, theirs)]
    assert merge_text(*texts) == "".join(both).encode()


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (b"a\n", b"b\n", b"c\n"),
        (b"a\nb\n", b"A\nb\n", b"a\nB\n"),  # neighbours
        (b"a\nb\nc\n", b"a\nc\n", b"a\nB\nc\n"),
        (b"", b"x\n", b"y\n"),
        (b"a\nb\nc\n", b"A\nb\nc\n", b"a\nb\n\xff\n"),  # no text
        (b"a\n\0\nc\n", b"A\n\0\nc\n", b"a\n\0\nC\n"),
    ],
)
def test_what_touches_or_is_no_text_is_left_to_a_person(base: bytes, ours: bytes, theirs: bytes) -> None:
    assert merge_text(base, ours, theirs) is None


def test_json_stays_json() -> None:
    base = b"[\n1,\n2,\n3\n]\n"
    ours, theirs = b"[\n0,\n1,\n2,\n3\n]\n", b"[\n1,\n2\n]\n"
    assert merge_text(base, ours, theirs, is_json=True) == b"[\n0,\n1,\n2\n]\n"
    broken = b"[\n1,\n2,\n3,\n4\n]\n"
    assert merge_text(b"[\n1,\n2,\n3\n]\n", broken, b"[\n3\n]\n", is_json=True) in (None, b"[\n3,\n4\n]\n")
