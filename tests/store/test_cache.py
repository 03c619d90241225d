"""What was lately read is remembered up to a number of bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isovc.store.cache import RecentContents


@given(st.integers(0, 30), st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=12))))
def test_the_newest_are_remembered_within_the_capacity(capacity, kept):
    recent, first = RecentContents(capacity), {}
    for name, content in kept:
        chunk = bytes([name])
        if recent.get(chunk) is None:
            first[chunk] = content
        recent.keep(chunk, content)
        held = {chunk: content for chunk in first if (content := recent.get(chunk)) is not None}
        assert sum(map(len, held.values())) <= capacity
        assert all(first[chunk] == content for chunk, content in held.items())
        if len(first[chunk]) <= capacity:
            assert chunk in held


def test_what_is_forgotten_makes_room():
    recent = RecentContents(10)
    recent.keep(b"a", bytes(10))
    recent.forget({b"a", b"never kept"})
    assert recent.get(b"a") is None
    recent.keep(b"b", bytes(4))
    recent.keep(b"c", bytes(6))
    assert recent.get(b"b") == bytes(4)
