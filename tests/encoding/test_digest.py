"""Ids come from kind and content, and from the key where there is one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.digest import ID_BYTES, Kind, chunk_id, fingerprint, keyed_chunk_id


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_equal_ids_mean_equal_content(one, other):
    assert (chunk_id(one) == chunk_id(other)) == (one == other)
    assert (fingerprint(one) == fingerprint(other)) == (one == other)


@given(st.binary(max_size=100))
def test_the_kind_takes_part_in_the_id(content):
    assert len({chunk_id(bytes([kind]) + content) for kind in Kind}) == len(Kind)


@given(st.binary(max_size=100), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_another_key_gives_another_id(content, one, other):
    ids = {chunk_id(content), keyed_chunk_id(one)(content), keyed_chunk_id(other)(content)}
    assert len(ids) == (3 if one != other else 2)
    assert {len(chunk) for chunk in ids} == {ID_BYTES}


@given(st.binary(max_size=100))
def test_a_view_has_the_fingerprint_of_its_bytes(content):
    assert fingerprint(memoryview(content)) == fingerprint(content) < 2**128
