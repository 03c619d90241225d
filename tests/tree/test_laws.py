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
from isovc.tree.merge import Conflict, merge
from isovc.tree.read import batches, get, page, rank, scan
from isovc.tree.rules import Rules
from isovc.tree.walk import walk

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
    back = batches(trees, root.id, cells=range(WIDTH), after=after, upto=upto, backwards=True)
    assert repr([row for batch in back for row in batch]) == repr(
        [row for row in reversed(everything) if low < row[0] <= high]
    )
    assert repr(get(trees, root.id, after, width=WIDTH)) == repr((low, *rows[low]) if low in rows else None)
    assert rank(trees, root.id, after) == sum(key < low for key in rows)
    offset = abs(low)
    assert repr(page(trees, root.id, offset=offset, limit=50, width=WIDTH)) == repr(everything[offset : offset + 50])


def merged(trees: Forest, base, ours, theirs):
    steps = list(merge(trees, base.id, ours.id, theirs.id, width=WIDTH))
    conflicts = [step for step in steps if isinstance(step, Conflict)]
    return edit(trees, ours.id, [s for s in steps if not isinstance(s, Conflict)], width=WIDTH), conflicts


@given(contents, patches, patches)
@settings(deadline=None)
def test_merging_obeys_its_laws(rows, mine, other):
    trees = forest()
    base = planted(trees, rows)
    ours, theirs = planted(trees, patched(rows, mine)), planted(trees, patched(rows, other))
    assert merged(trees, base, base, theirs) == (theirs, [])
    assert merged(trees, base, ours, base) == (ours, [])
    assert merged(trees, base, ours, ours) == (ours, [])
    one, conflicts = merged(trees, base, ours, theirs)
    two, mirrored = merged(trees, base, theirs, ours)
    assert [(c.key, repr(c.base), repr(c.ours), repr(c.theirs), c.cells) for c in conflicts] == [
        (c.key, repr(c.base), repr(c.theirs), repr(c.ours), c.cells) for c in mirrored
    ]
    if not conflicts:
        assert one == two


def model_of_merge(was, mine, other):
    """The same, row by row and cell by cell, in plain Python: (row, whether it conflicts)."""
    alike = lambda a, b: repr(a) == repr(b)  # noqa: E731 - values of different classes differ
    if alike(mine, other) or alike(was, other):
        return mine, False
    if alike(was, mine):
        return other, False
    if was is None or mine is None or other is None:
        return mine, True
    cells = [
        (o if alike(b, m) else m, not (alike(b, m) or alike(b, o) or alike(m, o)))
        for b, m, o in zip(was, mine, other, strict=True)
    ]
    return tuple(cell for cell, _ in cells), any(open_one for _, open_one in cells)


@given(contents, patches, patches)
@settings(deadline=None)
def test_merging_agrees_with_a_plain_model(rows, mine, other):
    trees = forest()
    ours, theirs = patched(rows, mine), patched(rows, other)
    expected, open_keys = {}, []
    for key in rows.keys() | ours.keys() | theirs.keys():
        row, is_open = model_of_merge(rows.get(key), ours.get(key), theirs.get(key))
        if is_open:
            open_keys.append(encode_key((key,)))
            row = ours.get(key)
        if row is not None:
            expected[key] = row
    result, conflicts = merged(trees, planted(trees, rows), planted(trees, ours), planted(trees, theirs))
    assert [conflict.key for conflict in conflicts] == sorted(open_keys)
    assert result == planted(trees, expected)


@given(contents, patches)
@settings(deadline=None)
def test_walking_meets_every_chunk_once_and_no_other(rows, patch):
    trees = forest()
    old = planted(trees, rows)
    met = list(walk(trees, old.id))
    assert len(met) == len(set(met))
    new = edit(trees, old.id, edits_of(patch), width=WIDTH)
    seen = set(met)
    fresh = list(walk(trees, new.id, seen))
    assert not set(fresh) & set(met)
    assert set(met) | set(fresh) == seen
    lonely = Forest(MemoryChunks(), RULES)
    with lonely.store.writing() as writer:
        for chunk in walk(trees, new.id):
            writer.put(trees.store.get(chunk))
    assert list(scan(lonely, new.id, cells=range(WIDTH))) == list(scan(trees, new.id, cells=range(WIDTH)))
