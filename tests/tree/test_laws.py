"""The laws of trees, on small ranks so that a few hundred rows already stand several levels deep."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.store.memory import MemoryChunks
from isovc.tree.build import build
from isovc.tree.diff import Change, diff, summary
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest
from isovc.tree.read import get, page, rank, scan
from isovc.tree.rules import Rules

RULES = Rules(bits=2, heaviest=600)
WIDTH = 3

values = st.none() | st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, "x", b"x"]) | st.text(max_size=40)
contents = st.dictionaries(st.integers(-300, 300), st.tuples(values, values), max_size=300)
patches = st.dictionaries(st.integers(-300, 300), st.none() | st.tuples(values, values), max_size=60)


def forest() -> Forest:
    return Forest(MemoryChunks(), RULES)


def planted(trees: Forest, rows: dict):
    return build(trees, [(key, *rows[key]) for key in sorted(rows)])


def edits_of(patch: dict) -> list[Edit]:
    return [Edit(encode_key((key,)), None if row is None else (key, *row)) for key, row in sorted(patch.items())]


def patched(rows: dict, patch: dict) -> dict:
    return {key: row for key, row in {**rows, **patch}.items() if row is not None}


@given(contents, st.lists(patches, max_size=3))
@settings(deadline=None)
def test_the_root_depends_on_the_rows_alone(rows, path):
    trees = forest()
    root = planted(trees, rows)
    for patch in path:
        root = edit(trees, root.id, edits_of(patch), width=WIDTH)
        rows = patched(rows, patch)
        assert root == planted(trees, rows)


@given(contents, patches)
@settings(deadline=None)
def test_a_difference_applied_gives_the_other(rows, patch):
    trees = forest()
    old, new = planted(trees, rows), planted(trees, patched(rows, patch))
    changes = list(diff(trees, old.id, new.id, width=WIDTH))
    assert edit(trees, old.id, [Edit(change.key, change.after) for change in changes], width=WIDTH) == new
    reversed_changes = [Change(c.key, c.after, c.before, c.cells) for c in changes]
    assert repr(list(diff(trees, new.id, old.id, width=WIDTH))) == repr(reversed_changes)
    counts = summary(trees, old.id, new.id, width=WIDTH)
    assert counts.added == sum(c.before is None for c in changes)
    assert counts.removed == sum(c.after is None for c in changes)
    assert counts.modified == sum(c.before is not None and c.after is not None for c in changes)
    assert counts.cells == sum(len(c.cells) for c in changes)


@given(contents, st.integers(-301, 301), st.integers(-301, 301))
@settings(deadline=None)
def test_reading_gives_what_was_built(rows, low, high):
    trees = forest()
    root = planted(trees, rows)
    everything = [(key, *rows[key]) for key in sorted(rows)]
    assert repr(list(scan(trees, root.id, cells=range(WIDTH)))) == repr(everything)
    after, upto = encode_key((low,)), encode_key((high,))
    assert repr(list(scan(trees, root.id, cells=[2, 0], after=after, upto=upto))) == repr(
        [(row[2], row[0]) for row in everything if low < row[0] <= high]
    )
    assert repr(get(trees, root.id, after, width=WIDTH)) == repr((low, *rows[low]) if low in rows else None)
    assert rank(trees, root.id, after) == sum(key < low for key in rows)
    offset = abs(low)
    assert repr(page(trees, root.id, offset=offset, limit=50, width=WIDTH)) == repr(everything[offset : offset + 50])
