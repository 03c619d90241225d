"""Keys as people type them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from isovc.errors import BadKey
from isovc.formats.keys import meant, written
from isovc.model import Column, KeyKind, Table


def table(*types: str, kind: KeyKind = KeyKind.COLUMNS) -> Table:
    columns = (Column(f"c{at}", each, primary_key=at + 1) for at, each in enumerate(types))
    return Table("t", (*columns, Column("rest")), kind)


ONE = table("INTEGER", kind=KeyKind.INTEGER)
BARE = Table("t", (Column("rest"),), KeyKind.ROWID)


@pytest.mark.parametrize(
    ("shape", "text", "likeliest"),
    [
        (ONE, "3", (3,)),
        (ONE, " -3 ", (-3,)),
        (ONE, "3.0", (3,)),
        (ONE, "'3'", (3,)),
        (BARE, "7", (7,)),
        (table("TEXT"), "3", ("3",)),
        (table("TEXT"), "1.50", ("1.50",)),
        (table("TEXT"), "'it''s'", ("it's",)),
        (table("TEXT"), "a, b", ("a, b",)),
        (table("TEXT"), "NULL", ("NULL",)),
        (table("TEXT"), "x'00ff'", (b"\x00\xff",)),
        (table("REAL"), "3", (3.0,)),
        (table("NUMERIC"), "2.5", (2.5,)),
        (table("REAL"), "-inf", (-math.inf,)),
        (table("TEXT"), "inf", ("inf",)),
        (table(""), "3", (3,)),
        (table(""), "'3'", ("3",)),
        (table("INTEGER", "TEXT"), "1,abc", (1, "abc")),
        (table("INTEGER", "TEXT"), "1, 'a,b'", (1, "a,b")),
        (table("TEXT", "TEXT"), "'a','b'", ("a", "b")),
        (table("TEXT", "TEXT"), ",", ("", "")),
        (table("TEXT", kind=KeyKind.COLUMNS_OR_ROWID), "a", ("a", None)),
        (table("TEXT", "INTEGER", kind=KeyKind.COLUMNS_OR_ROWID), "a,1", ("a", 1, None)),
        (ONE, "[3]", (3,)),
        (table("TEXT"), '["a"]', ('["a"]',)),
    ],
)
def test_the_likeliest_meaning_comes_first(shape: Table, text: str, likeliest: tuple[Any, ...]) -> None:
    first = next(meant(text, shape))
    assert (first, list(map(type, first))) == (likeliest, list(map(type, likeliest)))


def test_a_list_need_not_say_that_the_rowid_is_not_needed() -> None:
    assert (1.5, None) in list(meant("[1.5]", table("REAL", kind=KeyKind.COLUMNS_OR_ROWID)))


def test_where_nothing_decides_all_meanings_are_given() -> None:
    assert list(meant("3", table(""))) == [(3,), ("3",)]
    assert (math.inf,) in list(meant("inf", table("")))
    assert (b"\x00\xff",) in list(meant("00ff", table("BLOB")))
    assert (None, 17) in list(meant("NULL,17", table("TEXT", kind=KeyKind.COLUMNS_OR_ROWID)))


@pytest.mark.parametrize(
    ("shape", "text"),
    [(ONE, "abc"), (ONE, "1.5"), (ONE, "9" * 23), (ONE, ""), (ONE, "1,2"), (BARE, "'x'"), (table("", ""), "1")],
)
def test_words_of_another_shape_are_refused(shape: Table, text: str) -> None:
    with pytest.raises(BadKey) as told:
        list(meant(text, shape))
    assert told.value.columns[0] in ("c0", "rowid")


@pytest.mark.parametrize("key", [(3,), ("it's",), (1, "a b"), (b"\x00\xff",), ("a", None), (2.5,)])
def test_what_is_written_means_the_key_again(key: tuple[Any, ...]) -> None:
    cells = key[:-1] if key[-1] is None else key
    kind = KeyKind.COLUMNS_OR_ROWID if key[-1] is None else KeyKind.COLUMNS
    shape = table(*("" for _ in cells), kind=kind)
    for text in written(key):
        assert key in list(meant(text, shape))
