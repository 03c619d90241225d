"""Work in proportion to the change: how many chunks an edit writes, and how little memory long work takes."""

from __future__ import annotations

import tracemalloc
from random import Random

import pytest

from isovc.encoding.digest import chunk_id
from isovc.encoding.orderkey import encode_key
from isovc.tree.build import build
from isovc.tree.check import check
from isovc.tree.diff import diff
from isovc.tree.edit import Edit, Replacement, edit
from isovc.tree.merge import Conflict, merge
from isovc.tree.read import scan
from isovc.tree.rules import Rules
from isovc.tree.walk import walk
from tests.tree.planting import edits, forest, leaf_ids, planted

SMALL = Rules(bits=3, heaviest=64 << 10)


def table(many: int, *, first: int = 0) -> list[tuple]:
    return [(n, f"name {n}", n * 0.5) for n in range(first, first + many)]


def depth(trees, root) -> int:
    level, _ = trees.top(root.id)
    return level + 2


def fresh(trees, before, after) -> list[bytes]:
    return list(walk(trees, after.id, set(walk(trees, before.id))))


@pytest.mark.parametrize("key", [0, 1, 777, 1234, 1999])
def test_an_edit_of_one_row_writes_one_chunk_a_level(key):
    trees = forest(SMALL)
    before = planted(trees, table(2000))
    assert depth(trees, before) >= 4
    after = edit(trees, before.id, edits([((key,), (key, "other", 1.5))]), width=3)
    assert len(fresh(trees, before, after)) == depth(trees, before)


def test_an_edit_that_changes_nothing_writes_nothing():
    trees = forest(SMALL)
    before = planted(trees, table(500))
    chunks = set(trees.store.ids())
    same = [((key,), (key, f"name {key}", key * 0.5)) for key in range(0, 500, 7)]
    gone = [((key,), None) for key in range(1000, 1010)]
    assert edit(trees, before.id, edits(same + gone), width=3) == before
    assert edit(trees, before.id, [], width=3) == before
    assert set(trees.store.ids()) == chunks


def test_a_nullable_column_at_the_end_rewrites_nothing():
    trees = forest(SMALL)
    before = planted(trees, table(1000))
    assert planted(trees, [(*row, None) for row in table(1000)]) == before
    assert list(scan(trees, before.id, cells=[0, 3]))[:2] == [(0, None), (1, None)]
    after = edit(trees, before.id, edits([((5,), (5, "name 5", 2.5, "new"))]), width=4)
    assert list(scan(trees, after.id, cells=[3]))[4:7] == [(None,), ("new",), (None,)]
    back = edit(trees, after.id, edits([((5,), (5, "name 5", 2.5, None))]), width=4)
    assert back == before


@pytest.mark.parametrize("many", range(1, 8))
def test_a_nullable_column_moves_no_boundary_of_heavy_runs(many):
    trees = forest(Rules(bits=2, heaviest=90))
    rows = [(n, "x" * (n % 9)) for n in range(300)]
    assert planted(trees, [(*row, *[None] * many) for row in rows]) == planted(trees, rows)


def boundaries(trees, root) -> list[bytes]:
    return [trees.leaves([entry])[0].keys()[-1] for entry in _leaf_entries(trees, root)]


def _leaf_entries(trees, root):
    level, entries = trees.top(root.id)
    while level:
        entries = [child for children in trees.children(level, entries) for child in children]
        level -= 1
    return entries


def test_an_update_moves_no_boundary_and_an_insert_or_delete_at_most_one():
    trees, random = forest(SMALL), Random(5)
    before = planted(trees, [(n * 2, "x", 1.0) for n in range(1500)])
    ends = set(boundaries(trees, before))
    for _ in range(60):
        key = random.randrange(-1, 3001)
        there = key % 2 == 0 and 0 <= key < 3000
        updated = edit(trees, before.id, edits([((key,), (key, "y", 2.0))]), width=3)
        assert len(ends ^ set(boundaries(trees, updated))) <= (0 if there else 2)  # the last leaf's end may go along
        if there:
            removed = edit(trees, before.id, edits([((key,), None)]), width=3)
            assert len(ends ^ set(boundaries(trees, removed))) <= 2


def test_heavy_rows_are_divided_and_light_again_joined():
    trees, random = forest(Rules()), Random(3)
    heavy = [(n, random.randbytes(random.choice([20_000, 40_000]))) for n in range(150)]
    root = planted(trees, heavy)
    assert list(check(trees, root.id)) == []
    for chunk in leaf_ids(trees, root):
        assert len(trees.store.get(chunk)) <= 64 << 10
    light = [(n, b"") for n in range(150)]
    path = root
    for start in range(0, 150, 40):
        path = edit(trees, path.id, edits(((n,), (n, b"")) for n in range(start, min(start + 40, 150))), width=2)
    assert path == planted(trees, light)
    assert edit(trees, path.id, edits(((n,), row) for n, row in enumerate(heavy)), width=2) == root


def test_one_row_heavier_than_a_run_stands_alone():
    trees = forest(Rules())
    rows = [(n, bytes([n]) * (200_000 if n % 7 == 0 else 10)) for n in range(100)]
    root = planted(trees, rows)
    assert list(scan(trees, root.id, cells=[0, 1])) == rows
    assert list(check(trees, root.id)) == []


def test_two_thousand_columns():
    trees = forest(Rules())
    rows = [(n, *range(n, n + 1999)) for n in range(80)]
    root = planted(trees, rows)
    assert list(scan(trees, root.id, cells=range(2000))) == rows
    changed = (40, *range(39, 39 + 1998), "end")
    after = edit(trees, root.id, edits([((40,), changed)]), width=2000)
    (change,) = diff(trees, root.id, after.id, width=2000)
    assert (change.before, change.after) == (rows[40], changed)
    assert after == planted(trees, [*rows[:40], changed, *rows[41:]])


def test_more_edits_of_one_run_than_are_held():
    trees = forest(Rules(bits=60))  # all of it is one run
    before = planted(trees, table(50, first=1000))
    rows = table(5000)
    after = edit(trees, before.id, [Edit(encode_key(row[:1]), row) for row in rows], width=3)
    assert after == planted(trees, [*rows, *table(0)])
    assert edit(trees, after.id, [Edit(encode_key(row[:1]), None) for row in rows], width=3) == planted(trees, [])


def test_growing_at_the_end_is_the_same_as_building():
    trees = forest(SMALL)
    root = planted(trees, [])
    for start in range(0, 2000, 90):
        root = edit(trees, root.id, edits(((n,), (n, "x")) for n in range(start, start + 90)), width=2)
    assert root == planted(trees, [(n, "x") for n in range(2070)])


def test_everything_deleted_and_put_back_is_the_same_tree():
    trees = forest(SMALL)
    root = planted(trees, table(1000))
    empty = edit(trees, root.id, edits(((n,), None) for n in range(1000)), width=3)
    assert empty == planted(trees, [])
    assert edit(trees, empty.id, edits(((row[0],), row) for row in table(1000)), width=3) == root


def test_a_merge_takes_whole_leaves_among_row_edits():
    trees, random = forest(SMALL), Random(9)
    base_rows = dict(enumerate(table(3000)))
    taken_whole = 0
    for _ in range(30):
        mine, other = dict(base_rows), dict(base_rows)
        for side, mark in ((mine, "mine"), (other, "other")):
            for _ in range(random.choice([1, 5, 60])):
                key = random.randrange(-5, 3050)
                if random.random() < 0.4:
                    side.pop(key, None)
                else:
                    side[key] = (key, mark, 0.5)
        base, ours, theirs = (planted(trees, rows.values()) for rows in (base_rows, mine, other))
        steps = list(merge(trees, base.id, ours.id, theirs.id, width=3))
        result = edit(trees, ours.id, [step for step in steps if not isinstance(step, Conflict)], width=3)
        assert list(check(trees, result.id)) == []
        expected = dict(mine)
        for key in base_rows.keys() | other.keys():
            if mine.get(key) == base_rows.get(key):
                expected.pop(key, None)
                if key in other:
                    expected[key] = other[key]
        assert result == planted(trees, expected.values())
        taken_whole += sum(isinstance(step, Replacement) for step in steps)
    assert taken_whole > 30


def test_long_work_holds_little():
    many = 40_000
    trees = forest(Rules())

    def rows():
        for n in range(many):
            yield (n, f"{n:040}", n * 0.5)

    def peak(work) -> int:
        tracemalloc.start()
        try:
            work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    class Sink:
        """A store that keeps nothing."""

        def put(self, content, *, base=None):
            return chunk_id(content)

    whole = peak(lambda: list(rows()))
    assert peak(lambda: build(trees, rows(), writer=Sink())) < whole / 2
    old = build(trees, rows())
    new = build(trees, ((n, name, amount + 1) for n, name, amount in rows()))
    assert peak(lambda: sum(1 for _ in scan(trees, old.id, cells=range(3)))) < whole / 4
    assert peak(lambda: sum(1 for _ in diff(trees, old.id, new.id, width=3))) < whole / 2
