"""Stretches of rows held against a tree give exactly the changes that a plain dict gives."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.store import MemoryChunks
from isovc.tree.build import build
from isovc.tree.edit import Edit, Patch, edit
from isovc.tree.forest import Forest
from isovc.tree.rules import Rules
from isovc.tree.stretches import Stretch, changes_in

values = st.none() | st.integers(-3, 300) | st.sampled_from([0.0, -0.0, 1.0, "x", b"x"]) | st.text(max_size=20)
keys = st.integers(-40, 40) | st.sampled_from([0.5, 1.0, "k", b"k"])
contents = st.dictionaries(keys, st.tuples(values, values), max_size=80)
patches = st.dictionaries(keys, st.none() | st.tuples(values, values), max_size=20)


def by_key(rows: dict) -> dict[bytes, tuple]:
    return {encode_key((key,)): (key, *rest) for key, rest in rows.items()}


@given(contents, patches, st.lists(st.integers(-45, 45), max_size=6))
def test_stretches_that_cover_everything_give_every_change(rows, patch, cuts):
    trees = Forest(MemoryChunks(), Rules(bits=2, heaviest=400))
    old = by_key(rows)
    new = by_key({key: row for key, row in {**rows, **patch}.items() if row is not None})
    root = build(trees, [old[key] for key in sorted(old)])
    bounds = [None, *(encode_key((cut,)) + b"\xff" for cut in sorted(set(cuts))), None]
    stretches = [
        Stretch(after, upto, [new[key] for key in sorted(new) if (after or b"") < key and (not upto or key <= upto)])
        for after, upto in itertools.pairwise(bounds)
    ]
    found = list(changes_in(trees, root.id, stretches, width=3, key_width=1))
    changes = [change for one in found for change in (one.changes(3) if isinstance(one, Patch) else [one])]
    assert [(c.key, repr(c.before), repr(c.after)) for c in changes] == [
        (key, repr(old.get(key)), repr(new.get(key)))
        for key in sorted(old.keys() | new.keys())
        if repr(old.get(key)) != repr(new.get(key))
    ]
    steps = [one if isinstance(one, Patch) else Edit(one.key, one.after) for one in found]
    edited = edit(trees, root.id, steps, width=3)
    assert edited == build(trees, [new[key] for key in sorted(new)])
