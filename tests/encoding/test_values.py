"""SQLite's values come back exactly: class, bits and bytes; one encoding a value."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.values import External, decode, encode, packer
from isovc.errors import NotCanonical, NotStorable

integers = st.integers(-(2**63), 2**63 - 1) | st.sampled_from(
    [0, -1, 127, 128, -32, -33, 255, 256, 2**16, 2**31, 2**32 - 1, 2**32, 2**63 - 1, -(2**63)]
)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.binary(max_size=8).map(
    lambda data: data.decode("utf-8", "surrogateescape")
)
externals = st.builds(
    lambda kind, **said: External(**said, is_text=kind == "text", is_file=kind == "file"),
    kind=st.sampled_from(["bytes", "text", "file"]),
    id=st.binary(min_size=32, max_size=32),
    length=st.integers(0, 2**63 - 1),
)
values = st.none() | integers | st.floats(allow_nan=False) | texts | st.binary(max_size=40) | externals


def exact(cells):
    """Values with their class and bits, since 5 == 5.0 == True and 0.0 == -0.0 in Python."""
    return [
        (type(cell), struct.pack(">d", cell) if type(cell) is float else exact(cell) if type(cell) is list else cell)
        for cell in cells
    ]


@given(st.lists(values | st.lists(values, max_size=3)))
def test_values_come_back_exactly(cells):
    assert exact(decode(encode(cells))) == exact(cells)


@given(st.lists(values), st.lists(values))
def test_equal_bytes_mean_equal_values_of_equal_class(one, other):
    assert (encode(one) == encode(other)) == (exact(one) == exact(other))


@given(st.lists(values))
def test_a_packer_that_is_kept_writes_the_same_bytes(cells):
    pack = packer()
    assert [pack(cells), pack(cells)] == [encode(cells)] * 2


@pytest.mark.parametrize(
    "foreign",
    [2**63, -(2**63) - 1, True, float("nan"), "\ud800", {}, {1: 2}, object(), bytearray(b"a"), 1j, [[float("nan")]]],
)
def test_what_sqlite_cannot_hold_is_refused(foreign):
    with pytest.raises(NotStorable) as refused:
        encode([foreign])
    assert "cannot be stored" in refused.value.message


def test_a_list_in_a_list_without_end_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(NotStorable):
        encode(endless)


def test_a_foreign_type_given_to_a_packer_is_refused():
    with pytest.raises(NotStorable):
        packer()([object()])


@given(st.binary(max_size=60))
def test_foreign_bytes_give_only_our_error(data):
    with contextlib.suppress(NotCanonical):
        decode(data)


@given(st.lists(values, min_size=1), st.data())
def test_mutated_bytes_give_only_our_error(cells, data):
    encoded = bytearray(encode(cells))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(NotCanonical):
        assert type(decode(bytes(encoded))) is list


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",  # no list
        b"\x91",  # cut short
        b"\x90\x90",  # more behind it
        b"\xdd\xff\xff\xff\xff",  # claims four thousand million values
        b"\x91\xc6\xff\xff\xff\xff",  # claims a blob of 4 GiB
        b"\x91\xdb\x7f\xff\xff\xff",  # claims a text of 2 GiB
        b"\x91\x81\x90\x01",  # a map
        b"\x91\x80",
        b"\x91\xc1",  # a byte that msgpack never uses
        b"\x91\xd6\xff\x00\x00\x00\x00",  # a time
        b"\x91\x91\xd7\xff" + bytes(8),
        b"\x91\xc7\x0c\xff" + bytes(12),
        b"\x91\xd4\x01\x00",  # our extension, cut short
        b"\x91\xc7\x29\x01x" + bytes(40),  # neither text nor blob
        b"\x91\xc7\x29\x02b" + bytes(40),  # not our extension
        b"\x91" * 5000 + b"\xc0",  # lists in lists
    ],
)
def test_what_no_encoder_of_ours_wrote_is_refused(data):
    with pytest.raises(NotCanonical):
        decode(data)


def test_a_blob_that_looks_like_a_time_is_a_blob():
    assert decode(encode([b"\xd6\xff\x00\x00\x00\x00", [b"\xd7\xff"]])) == [b"\xd6\xff\x00\x00\x00\x00", [b"\xd7\xff"]]


@pytest.mark.parametrize("depth", [500, 1000, 1023, 1030, 5000])
@pytest.mark.parametrize("inside", [b"\xc2", b"\x81\x01\x02", b"\xd6\xff\0\0\0\0"])
def test_however_deep_lists_nest_what_is_none_of_ours_is_refused(depth, inside):
    with pytest.raises(NotCanonical):
        decode(b"\x91" * depth + inside)
