"""Many rows by their keys are the same rows as one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.tree.read import get, get_many
from tests.tree.planting import cells, forest, planted, values

_ROWS = st.lists(st.tuples(cells, cells, values, values), max_size=200)
_INTEGERS = st.dictionaries(st.integers(-2_000, 2_000), values, max_size=300)


@given(_ROWS, st.lists(st.tuples(cells, cells), max_size=80), st.data())
def test_whatever_kind_the_keys_are_of(rows, others, data):
    trees = forest()
    root = planted(trees, rows, key_width=2)
    there = [row[:2] for row in rows]
    asked = data.draw(st.lists(st.sampled_from(there), max_size=40)) if there else []
    keys = sorted({encode_key(key) for key in (*asked, *others)})
    # before and behind all that can be there
    keys = [b"", *keys, b"\xff" * 9]
    one_by_one = [(key, get(trees, root.id, key, width=4)) for key in keys]
    assert repr(list(get_many(trees, root.id, iter(keys), width=4))) == repr(one_by_one)


@given(_INTEGERS, st.integers(1, 3), st.integers(-2_500, 2_500), st.integers(0, 900), st.integers(1, 3))
def test_more_keys_than_are_held_together(rows, width, first, many, step):
    trees = forest()
    root = planted(trees, [(key, value, value) for key, value in rows.items()])
    numbers = range(first, first + many * step, step)
    found = list(get_many(trees, root.id, (encode_key((number,)) for number in numbers), width=width))
    assert [key for key, _ in found] == [encode_key((number,)) for number in numbers]
    expected = [(number, rows[number], rows[number])[:width] if number in rows else None for number in numbers]
    assert repr([row for _, row in found]) == repr(expected)


@given(_INTEGERS)
def test_no_keys_no_rows(rows):
    trees = forest()
    root = planted(trees, [(key, value) for key, value in rows.items()])
    assert list(get_many(trees, root.id, [], width=2)) == []


def test_each_node_is_fetched_once():
    """What it is for: nodes and leaves shared by many keys are read once."""
    trees = forest()
    root = planted(trees, [(key, key) for key in range(2_000)])
    fetched = []
    get_chunks = trees.store.get_many
    trees.store.get_many = lambda chunks: fetched.extend(chunks) or get_chunks(chunks)
    list(get_many(trees, root.id, (encode_key((key,)) for key in range(200)), width=2))
    assert len(fetched) == len(set(fetched)) > 3
