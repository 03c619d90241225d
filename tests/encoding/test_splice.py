"""Differences of one stretch: exact, small, and never more than they should be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.compress import LARGEST_CHUNK, compress, compress_against
from isovc.encoding.splice import is_splice, splice, unsplice
from isovc.errors import NotCanonical

few = st.binary(max_size=50)


@given(st.binary(max_size=400), few, few, st.integers(0, 400))
def test_a_splice_gives_back_the_content(base, gone, come, at):
    old, new = base[:at] + gone + base[at:], base[:at] + come + base[at:]
    body = splice(new, old)
    assert body is not None
    assert is_splice(body)
    assert unsplice(body, old) == new
    assert len(body) <= len(come) + 11


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_two_contents_are_spliced_right_or_not_at_all(content, base):
    body = splice(content, base)
    assert body is None or unsplice(body, base) == content


def test_too_much_between_is_no_splice():
    assert splice(b"a" + b"x" * 65 + b"b", b"a" + b"y" * 65 + b"b") is None
    assert splice(bytes(200), bytes(100)) is None


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_frame_is_taken_for_a_splice(content, base):
    assert not is_splice(compress(content, level=1))
    assert not is_splice(compress_against(content, base, level=1))


@given(st.binary(max_size=30), st.binary(max_size=300))
def test_damaged_splices_give_our_error_or_some_bytes(tail, base):
    try:
        assert len(unsplice(b"\x08" + tail, base)) <= len(base) + len(tail)
    except NotCanonical:
        pass


@pytest.mark.parametrize("body", [b"\x08", b"\x08\x05", b"\x08\x81\x80\x80\x80\x80\x01\x00", b"\x08\x07\x07"])
def test_a_splice_that_asks_for_more_than_there_is_is_refused(body):
    with pytest.raises(NotCanonical):
        unsplice(body, bytes(10))


def test_a_splice_cannot_grow_beyond_the_largest_chunk():
    base = bytes(LARGEST_CHUNK)
    body = b"\x08" + b"\x80\x80\x80\x20" + b"\x00" + b"x"
    with pytest.raises(NotCanonical):
        unsplice(body, base)
