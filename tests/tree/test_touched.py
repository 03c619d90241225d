"""Rows in several trees at once, compared with what `diff` gives."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.store import MemoryChunks
from isovc.tree.build import build
from isovc.tree.diff import diff
from isovc.tree.forest import Forest
from isovc.tree.touched import changed_keys, go_down, is_changed


@given(seed=st.integers(0, 2**32), many=st.sampled_from([0, 1, 50, 700, 6000]), edits=st.integers(0, 40))
def test_changed_rows_are_those_of_the_diff(seed: int, many: int, edits: int) -> None:
    draw = random.Random(seed)
    old = {number * 2: (number * 2, draw.random(), "x") for number in range(many)}
    new = dict(old)
    for _ in range(edits):
        number = draw.randrange(-3, 2 * many + 9)
        if draw.random() < 0.3:
            new.pop(number, None)
        else:
            new[number] = (number, draw.choice([0.5, None]), "x")
    if draw.random() < 0.1:  # trees of different heights
        new = {number: row for number, row in new.items() if number < 20}
    forest = Forest(MemoryChunks())
    with forest.store.writing() as writer:
        roots = [
            build(forest, (rows[number] for number in sorted(rows)), writer=writer, key_width=1).id
            for rows in (old, new)
        ]
    wanted = [change.key for change in diff(forest, *roots, width=3)]
    assert list(changed_keys(forest, *roots, width=3)) == wanted
    asked = {*wanted, *(encode_key((draw.randrange(-9, 2 * many + 20),)) for _ in range(60))}
    assert {key for key in asked if is_changed(forest, *roots, key, width=3)} == set(wanted)
    for key in asked:
        go_down(forest, roots, key)  # whatever lies there, and wherever it ends
