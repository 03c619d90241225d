"""Keys sort as SQLite sorts, and come back exactly."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.orderkey import decode_key, encode_key, encode_keys
from isovc.errors import IsovcError, NotCanonical, NotStorable

integers = st.integers(-(2**63), 2**63 - 1)
near = st.sampled_from([0, 1, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**62])
floats = st.floats(allow_nan=False) | near.map(float) | st.integers(-5, 5).map(lambda n: n / 2) | st.just(-0.0)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.text(alphabet="ab\0\x01\U0001f600\uffff")
broken = st.binary(max_size=6).map(lambda b: b.decode("utf-8", "surrogateescape"))
cells = st.none() | integers | near | floats | texts | broken | st.binary(max_size=8) | st.binary(max_size=3).map(bytes)


def exact(values):
    """Values with their class and bits, since 5 == 5.0 in Python."""
    return [(type(v), struct.pack(">d", v) if type(v) is float else v) for v in values]


@given(st.lists(cells, max_size=4))
def test_a_key_comes_back_exactly(key):
    assert exact(decode_key(encode_key(key), len(key))) == exact(key)


def to_sql(value):
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


@given(st.lists(st.tuples(cells, cells), min_size=2, max_size=8))
def test_keys_sort_as_sqlite_sorts_them(keys):
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE TABLE t(place INTEGER PRIMARY KEY, a, b)")
        for place, (a, b) in enumerate(keys):
            casts = ["CAST(? AS TEXT)" if isinstance(v, str) else "?" for v in (a, b)]
            db.execute(f"INSERT INTO t VALUES(?, {casts[0]}, {casts[1]})", (place, to_sql(a), to_sql(b)))
        # every pair, so that a tie in SQLite (5 and 5.0) is seen as one
        less = db.execute(
            "SELECT x.place, y.place FROM t x, t y WHERE x.a IS NOT y.a AND (x.a < y.a OR x.a IS NULL OR"
            " (typeof(x.a) <> typeof(y.a) AND x.place < 0)) OR x.a IS y.a AND x.b IS NOT y.b AND"
            " (x.b < y.b OR x.b IS NULL)"
        ).fetchall()
        for x, y in less:
            assert encode_key(keys[x]) < encode_key(keys[y])
    db.close()


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_many_keys_at_once_are_the_same_as_one_by_one(keys):
    assert encode_keys(list(zip(*keys, strict=True))) == [encode_key(key) for key in keys]
    assert encode_keys([[key[0] for key in keys]]) == [encode_key(key[:1]) for key in keys]


@given(st.lists(integers, min_size=1))
def test_integers_at_once_are_the_same_as_one_by_one(column):
    assert encode_keys([column]) == [encode_key((value,)) for value in column]


@given(st.binary(max_size=40), st.integers(0, 3))
def test_foreign_bytes_give_only_our_error(data, width):
    try:
        key = decode_key(data, width)
    except NotCanonical:
        return
    assert encode_key(key) == data


@given(st.lists(cells, min_size=1, max_size=4), st.data())
def test_mutated_keys_give_only_our_error(key, data):
    mutated = bytearray(encode_key(key))
    mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    mutated = bytes(mutated[: data.draw(st.integers(0, len(mutated)))])
    with suppress(NotCanonical):
        assert encode_key(decode_key(mutated, len(key))) == mutated


@pytest.mark.parametrize(
    "data", ["", "21", "2100", "21" + "00" * 7, "21" + "00" * 8 + "f3", "1f00", "30", "3061", "99"]
)
def test_a_key_cut_short_is_refused(data):
    with pytest.raises(NotCanonical):
        decode_key(bytes.fromhex(data), 1)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, float("nan"), "\ud800", object(), [1]])
def test_what_sqlite_cannot_hold_is_refused(value):
    with pytest.raises(NotStorable):
        encode_key((value,))
    with pytest.raises(IsovcError):
        encode_keys([[value]])


def test_a_key_of_the_format_keeps_its_bytes():
    key = (None, -1, 7, 1.5, 2.0, -0.0, "a\0b", b"\0", float("-inf"), 1e300)
    assert encode_key(key).hex() == (
        "05" "20ffffffffffffffff" "210000000000000007" "210000000000000001f3bff8000000000000"
        "210000000000000002" "210000000000000000" "306100ff6200" "4000ff00" "1f000fffffffffffff" "22fe37e43c8800759c"
        "00040100" "0502"
    )  # fmt: skip
