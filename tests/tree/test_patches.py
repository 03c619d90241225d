"""A patch does what the edits that it stands for would do, alone or among others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.errors import NotSorted
from isovc.store import MemoryChunks
from isovc.tree.build import build
from isovc.tree.edit import Edit, Patch, edit, row_by_row
from isovc.tree.forest import Forest
from isovc.tree.rules import Rules

values = st.none() | st.integers(-3, 300) | st.sampled_from([0.0, 1.0, "x" * 50, b"x"])


def planted(rows: dict[int, tuple], **rules: int) -> tuple[Forest, bytes]:
    trees = Forest(MemoryChunks(), Rules(**rules))
    return trees, build(trees, [(key, *rows[key]) for key in sorted(rows)]).id


@given(
    st.dictionaries(st.integers(0, 60), st.tuples(values, values), min_size=1),
    st.dictionaries(st.integers(0, 60), st.none() | st.tuples(values, values), max_size=8),
    st.data(),
)
def test_a_patch_and_edits_behind_it_meet_in_a_leaf(rows, others, data):
    trees, root = planted(rows, bits=20)  # all rows in one leaf, and what comes behind them belongs to it
    (leaf,) = trees.leaves(list(trees.top(root).entries))
    at = data.draw(st.integers(0, leaf.rows - 1))
    cells = data.draw(st.dictionaries(st.integers(1, 2), values.map(lambda value: {at: value}), min_size=1))
    patch = Patch(leaf.key(at), leaf, cells)
    number = leaf.column(0)[at]
    behind = {key: row for key, row in others.items() if key > number}
    edits = [Edit(encode_key((key,)), row and (key, *row)) for key, row in sorted(behind.items())]
    changed = (cells.get(1, {at: rows[number][0]})[at], cells.get(2, {at: rows[number][1]})[at])
    wanted = {key: row for key, row in {**rows, number: changed, **behind}.items() if row is not None}
    expected = build(trees, [(key, *wanted[key]) for key in sorted(wanted)])
    assert edit(trees, root, [patch, *edits], width=3) == expected
    assert edit(trees, root, row_by_row([patch, *edits], 3), width=3) == expected


def test_an_edit_of_a_row_before_the_last_one_of_a_patch_is_out_of_order():
    trees, root = planted({key: (key, "") for key in range(5)})
    (leaf,) = trees.leaves(list(trees.top(root).entries))
    patch = Patch(leaf.key(1), leaf, {1: {1: "a", 3: "b"}})
    with pytest.raises(NotSorted):
        edit(trees, root, [patch, Edit(encode_key((2,)), None)], width=3)
