"""The content of a file stands in a row by its name, and is never loaded with the row."""

from __future__ import annotations

import copy
import pickle

from hypothesis import given
from hypothesis import strategies as st

from isovc.blobs import IS_LARGE, keep_stream, whole
from isovc.encoding.values import External
from isovc.model import ContentId, Row
from isovc.snapshot.values import is_large, row_without_large, with_large, without_large
from isovc.store import MemoryChunks

contents = st.builds(
    lambda digest, length: External(digest, length, is_text=False, is_file=True),
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**40),
)
texts = st.sampled_from(["", "ab", "a" * (IS_LARGE - 1), "b" * IS_LARGE, "0" * 64])
cells = st.none() | st.integers(-5, 5) | st.floats(allow_nan=False) | texts | texts.map(str.encode) | contents


@given(st.lists(st.tuples(st.integers(), cells, cells), min_size=1, max_size=8))
def test_the_content_of_a_file_is_named_and_comes_back_as_the_same_name(rows: list[tuple[object, ...]]) -> None:
    store = MemoryChunks()  # which has none of the contents
    shown: list[Row] = [with_large(store, row) for row in rows]
    for row, seen in zip(rows, shown, strict=True):
        for cell, value in zip(row, seen, strict=True):
            if isinstance(cell, External):
                assert type(value) is ContentId
                assert (value, value.length) == (cell.id.hex(), cell.length)
                assert is_large(value)
    with store.writing() as writer:
        one_by_one = [row_without_large(row, writer, 1) for row in shown]
        together = list(without_large([shown], writer, key_width=1))
    assert one_by_one == together
    for row, kept in zip(rows, together, strict=True):
        for cell, value in zip(row, kept, strict=True):
            if isinstance(value, External) and not value.is_file:
                assert whole(store, value) == cell
            else:
                assert (type(value), value) == (type(cell), cell)


def test_the_content_of_a_file_is_kept_whatever_its_size() -> None:
    store = MemoryChunks()
    with store.writing() as writer:
        empty = keep_stream(writer, [], kind="file")
    assert empty.is_file
    assert with_large(store, (1, empty)) == (1, empty.id.hex())


def test_a_name_can_be_sent_and_copied() -> None:
    name = ContentId("ab" * 32, 7)
    for other in (pickle.loads(pickle.dumps(name)), copy.copy(name), copy.deepcopy(name)):
        assert (type(other), other, other.length) == (ContentId, name, 7)
