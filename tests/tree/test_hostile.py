"""Damage, crafted chunks and keys made to break the balance: our errors only, no hang, and the rest stays readable."""

from __future__ import annotations

import json
from itertools import count as numbers
from pathlib import Path
from random import Random

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.digest import ChunkId, chunk_id
from isovc.encoding.orderkey import encode_key
from isovc.encoding.values import packer
from isovc.errors import ChunkMissing, Damage, IsovcError, NotSorted, RowsUnreadable
from isovc.store import MemoryChunks
from isovc.tree.build import build
from isovc.tree.check import check
from isovc.tree.diff import diff, summary
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest
from isovc.tree.merge import merge
from isovc.tree.node import decode_node, encode_node
from isovc.tree.read import count, get, page, rank, scan
from isovc.tree.rules import Rules
from isovc.tree.walk import walk
from tests.tree.planting import edits, forest, leaf_ids, planted

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden" / "trees-1.json"
SMALL = Rules(bits=3)


def table(many: int) -> list[tuple]:
    return [(n, f"name {n}", n * 0.5) for n in range(many)]


def test_the_golden_roots():
    """A changed root is a new format: nobody's chunks would be shared any more."""
    golden = json.loads(GOLDEN.read_text())
    for one in golden:
        rows = [
            (
                n,
                f"name {n * 7919 % 12345}",
                None if n % 11 == 0 else n / 8,
                n % 5,
                "x" * (n % 300 if one["wide"] else 0),
            )
            for n in range(one["rows"])
        ]
        trees = forest(Rules())
        root = build(trees, [(f"{n:06}", *row) for n, row in enumerate(rows)] if one["text"] else rows)
        assert (root.id.hex(), root.rows, root.bytes) == (one["root"], one["rows"], one["bytes"]), one


@pytest.mark.parametrize("rows", [[(1,), (1,)], [(2,), (1,)], [(n,) for n in range(3000)] + [(5,)]])
def test_rows_out_of_order_or_twice_are_refused(rows):
    with pytest.raises(NotSorted, match="comes twice or too late"):
        build(forest(), rows)


@pytest.mark.parametrize("keys", [[1, 1], [2, 1], [*range(300), 5]])
def test_edits_out_of_order_or_twice_are_refused(keys):
    trees = forest()
    root = planted(trees, table(100))
    with pytest.raises(NotSorted, match="edits are not in order"):
        edit(trees, root.id, [Edit(encode_key((key,)), (key, "", 0.0)) for key in keys], width=3)


def test_a_loss_is_named_with_its_rows_and_the_rest_is_read():
    trees = forest(SMALL)
    root = planted(trees, table(1000))
    victim = leaf_ids(trees, root)[40]
    (gone,) = trees.leaves([entry for entry in _entries(trees, root) if entry.id == victim])
    lost_keys = set(gone.column(0))
    trees.store.delete([victim])
    with pytest.raises(RowsUnreadable) as raised:
        list(scan(trees, root.id, cells=[0]))
    assert raised.value.chunk == victim
    assert f"the {len(lost_keys)} row" in raised.value.message
    assert f"end with key {max(lost_keys)}" in raised.value.message
    told: list[RowsUnreadable] = []
    kept = [row[0] for row in scan(trees, root.id, cells=[0], on_loss=told.append)]
    assert kept == [n for n in range(1000) if n not in lost_keys]
    assert [loss.chunk for loss in told] == [victim]
    assert [problem.chunks for problem in check(trees, root.id)] == [(victim,)]
    assert get(trees, root.id, encode_key((max(lost_keys) + 1,)), width=1) == (max(lost_keys) + 1,)


def test_a_lost_node_costs_only_what_is_below_it():
    trees = forest(SMALL)
    root = planted(trees, table(3000))
    level, entries = trees.top(root.id)
    assert level >= 2
    victim = entries[1]
    trees.store.delete([victim.id])
    told: list[RowsUnreadable] = []
    kept = list(scan(trees, root.id, cells=[0], on_loss=told.append))
    assert len(kept) == 3000 - victim.rows
    assert [loss.rows for loss in told] == [victim.rows]
    assert any(victim.id in problem.chunks for problem in check(trees, root.id))


def test_a_lost_root_is_one_problem():
    trees = forest()
    nowhere = ChunkId(bytes(32))
    with pytest.raises(RowsUnreadable, match="a tree cannot be read"):
        count(trees, nowhere)
    (problem,) = check(trees, nowhere)
    assert "missing" in str(problem)


def _entries(trees, root):
    level, entries = trees.top(root.id)
    while level:
        entries = [child for children in trees.children(level, entries) for child in children]
        level -= 1
    return entries


class Crafted:
    """A store that does not check ids."""

    def __init__(self, chunks: dict[bytes, bytes]) -> None:
        self.chunks = chunks

    def get(self, chunk):
        if chunk not in self.chunks:
            raise ChunkMissing(chunk=chunk)
        return self.chunks[chunk]

    def get_many(self, chunks):
        return [self.get(chunk) for chunk in chunks]


def packed(*parts) -> bytes:
    return msgpack.packb(parts)


A, B = bytes([1]) * 32, bytes([2]) * 32
K1, K2 = encode_key((1,)), encode_key((2,))
LEAF = b"\x01" + packed(2, 1, 0, packed(1, 2), packed("a", "b"))
GOOD_LEAF = b"\x01" + packed(2, 1, 1, packed(1, 1), packed("a", "b"))


SIZE = len(GOOD_LEAF)


def node(level, keys=(K2,), ids=A, rows=(2,), sizes=(SIZE,)) -> bytes:
    return b"\x02" + packed(level, list(keys), ids, list(rows), list(sizes))


ROOTS = {
    "points to itself": {B: node(1, [K1, K2], B + B, [1, 1], [9, 9])},
    "points to itself, one level up": {B: node(2, [K1, K2], B + B, [1, 1], [9, 9])},
    "level lies": {B: node(5, [K1, K2], A + A, [1, 1], [9, 9]), A: GOOD_LEAF},
    "absurd level": {B: node(65, [K1, K2], A + A, [1, 1], [9, 9]), A: GOOD_LEAF},
    "level zero": {B: node(0), A: GOOD_LEAF},
    "no level": {B: node("1"), A: GOOD_LEAF},
    "empty lists": {B: node(1, [], b"", [], [])},
    "lists of different lengths": {B: node(1, [K1, K2]), A: GOOD_LEAF},
    "short id": {B: node(1, ids=A[:31]), A: GOOD_LEAF},
    "keys out of order": {B: node(1, [K2, K1], A + A, [1, 1], [9, 9]), A: GOOD_LEAF},
    "rows of zero": {B: node(1, rows=[0]), A: GOOD_LEAF},
    "rows below zero": {B: node(1, rows=[-5]), A: GOOD_LEAF},
    "rows that are huge": {B: node(1, rows=[1 << 62]), A: GOOD_LEAF},
    "true is no number": {B: node(1, rows=[True]), A: GOOD_LEAF},
    "text keys": {B: node(1, keys=["k"]), A: GOOD_LEAF},
    "counts lie": {B: node(1, rows=[7]), A: GOOD_LEAF},
    "sizes lie": {B: node(1, sizes=[7]), A: GOOD_LEAF},
    "another last key": {B: node(1, keys=[encode_key((9,))]), A: GOOD_LEAF},
    "a blob for a node": {B: b"\x03abc"},
    "nothing": {B: b""},
    "a leaf of no sense": {B: b"\x01" + packed(2)},
    "rows without columns": {B: b"\x01" + packed(2, 1, 0)},
    "more rows than bytes": {B: b"\x01" + packed(1 << 40, 1, 1, packed(1, 1))},
    "fewer rows than values": {B: b"\x01" + packed(1, 1, 0, packed(1, 2), packed("a", "b"))},
    "a column that is text": {B: b"\x01" + packed(2, 1, 0, "ab")},
    "a column with a truth": {B: b"\x01" + packed(2, 1, 0, packed(1, 2), packed(True, False))},
    "keys with steps of text": {B: b"\x01" + packed(2, 1, 1, packed("a", "b"))},
    "keys with steps that overflow": {B: b"\x01" + packed(2, 1, 1, packed((1 << 63) - 1, (1 << 63) - 1))},
    "keys in a leaf out of order": {B: b"\x01" + packed(2, 1, 0, packed("b", "a"))},
    "integers kept plain": {B: LEAF},
    "a form nobody knows": {B: b"\x01" + packed(2, 1, 7, packed(1, 2))},
    "a column of NULLs at the end": {B: b"\x01" + packed(2, 1, 1, packed(1, 1), packed(None, None))},
    "key width of nothing": {B: b"\x01" + packed(2, 0, 0, packed(1, 2))},
    "lists in lists": {B: b"\x01" + b"\x91" * 600 + b"\xc0"},
    "a root with one child": {B: node(1), A: GOOD_LEAF},
}


@pytest.mark.parametrize("name", ROOTS)
def test_crafted_chunks_end_in_our_errors_or_plain_rows(name):
    trees = forest()
    good = planted(trees, table(50))
    chunks = {**ROOTS[name], **{chunk: trees.store.get(chunk) for chunk in walk(trees, good.id)}}
    crafted = type(trees)(Crafted(chunks), trees.rules)
    root, ours = ChunkId(B), good.id
    writer = Discarded()
    works = [
        lambda: list(scan(crafted, root, cells=range(3))),
        lambda: list(scan(crafted, root, cells=[1], on_loss=lambda loss: None)),
        lambda: get(crafted, root, K2, width=3),
        lambda: rank(crafted, root, K2),
        lambda: page(crafted, root, offset=1, limit=5, width=3),
        lambda: list(diff(crafted, root, ours, width=3)),
        lambda: summary(crafted, ours, root, width=3),
        lambda: list(merge(crafted, ours, root, ours, width=3)),
        lambda: list(merge(crafted, root, ours, ours, width=3)),
        lambda: list(walk(crafted, root)),
        lambda: edit(crafted, root, edits([((2,), (2, "z", 1.0))]), width=3, writer=writer),
        lambda: edit(crafted, root, edits([((3,), (3, "z", 1.0))]), width=3, writer=writer),
    ]
    for work in works:
        try:
            work()
        except IsovcError as error:
            assert error.message
    assert [str(problem) for problem in check(crafted, root)]


class Discarded:
    def put(self, content, *, base=None):
        return chunk_id(content)


def test_sound_crafted_chunks_are_no_problem():
    trees = forest()
    assert list(check(type(trees)(Crafted({B: GOOD_LEAF}), trees.rules), ChunkId(B))) == []


@given(st.binary(max_size=200))
def test_any_bytes_for_a_node_give_a_node_or_our_error(data):
    for content in (b"\x02" + data, data):
        try:
            level, entries = decode_node(content)
            assert encode_node(level, entries)
        except IsovcError:
            pass


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_in_a_tree_is_our_error_or_readable(at, byte):
    trees = forest(SMALL)
    root = planted(trees, table(200))
    content = bytearray(trees.store.get(root.id))
    content[at % len(content)] = byte
    chunks = {chunk: trees.store.get(chunk) for chunk in walk(trees, root.id)}
    changed = bytes(content) != chunks[root.id]
    chunks[root.id] = bytes(content)
    crafted = type(trees)(Crafted(chunks), SMALL)
    try:
        list(scan(crafted, root.id, cells=range(3)))
    except IsovcError:
        pass
    assert bool(list(check(crafted, root.id))) is changed


def keys_of_rank(rules: Rules, low: int, high: int, many: int) -> list[int]:
    found = []
    for number in numbers():
        (value,) = rules.hashes([encode_key((number,))])
        if low <= ((value & -value).bit_length() - 1 if value else 64) < high:
            found.append(number)
            if len(found) == many:
                return found
    raise AssertionError


@pytest.mark.parametrize(
    ("rules", "low", "high", "many"),
    [
        (Rules(), 0, 1, 5000),
        (Rules(), 0, 6, 5000),
        (Rules(), 6, 64, 700),
        (Rules(), 12, 64, 40),
        (Rules(bits=1), 8, 64, 300),
        (Rules(bits=1, heaviest=300), 8, 64, 300),
        (Rules(bits=2, heaviest=100), 0, 1, 400),
    ],
)
def test_keys_made_to_share_a_rank_change_no_law(rules, low, high, many):
    trees = forest(rules)
    keys = keys_of_rank(rules, low, high, many)
    rows = [(key, "x" * 30, 0.5) for key in keys]
    root = planted(trees, rows)
    assert list(scan(trees, root.id, cells=range(3))) == rows
    assert list(check(trees, root.id)) == []
    assert trees.top(root.id).level < 30
    victims = Random(1).sample(keys, 5)
    after = edit(trees, root.id, edits(((key,), None) for key in victims), width=3)
    left = [row for row in rows if row[0] not in victims]
    assert after == planted(trees, left)
    assert [change.key for change in diff(trees, root.id, after.id, width=3)] == sorted(
        encode_key((key,)) for key in victims
    )
    assert edit(trees, after.id, edits(((row[0],), row) for row in rows if row[0] in victims), width=3) == root


@pytest.mark.parametrize("length", [40_000, 100_000])
def test_keys_heavier_than_a_node_stack_no_levels_for_ever(length):
    trees = forest(Rules(bits=1))
    rows = [(f"{n:03}" + "k" * length,) for n in range(60)]
    root = build(trees, rows)
    assert list(scan(trees, root.id, cells=[0])) == rows
    assert list(check(trees, root.id)) == []
    assert trees.top(root.id).level < 20


def leaf_of(columns: list[list[object]], rows: int) -> bytes:
    """A leaf as an attacker would write it: whatever its columns hold, the id fits."""
    pack = packer()
    return b"\1" + pack([rows, 1, 0, *map(pack, columns)])


def test_a_column_that_cannot_be_read_is_a_loss_of_these_rows_and_of_no_others() -> None:
    trees = Forest(MemoryChunks(), Rules(bits=2, heaviest=600))
    root = build(trees, [(key, "x") for key in range(200)])
    top = trees.top(root.id)
    level, entries = top.level, top.entries
    while level:
        entries = trees.children(level, [entries[0]])[0]
        level -= 1
    victim = entries[0]
    broken = b"\1" + packer()([victim.rows, 1, 0, packer()(list(range(victim.rows))), b"\x01"])
    kept = trees.store.get_many

    class Lying:
        def get_many(self, chunks):
            return [
                broken if chunk == victim.id else content for chunk, content in zip(chunks, kept(chunks), strict=True)
            ]

    lying = Forest(Lying(), trees.rules)
    losses: list[RowsUnreadable] = []
    rows = list(scan(lying, root.id, cells=[0, 1], on_loss=losses.append))
    assert [loss.chunk for loss in losses] == [victim.id]
    assert [row[0] for row in rows] == list(range(victim.rows, 200))
    with pytest.raises(RowsUnreadable):
        list(scan(lying, root.id, cells=[0, 1]))


@pytest.mark.parametrize("cell", [[1], float("nan"), (1 << 64) - 1])
def test_a_cell_that_sqlite_could_not_hold_is_found_by_the_check(cell: object) -> None:
    trees = Forest(MemoryChunks())
    with trees.store.writing() as writer:
        root = writer.put(leaf_of([["k"], [cell]], 1))
    assert [problem.why for problem in check(trees, root)] == ["it holds what SQLite could not hold"]


def test_a_key_beyond_64_bits_is_damage() -> None:
    trees = Forest(MemoryChunks())
    with trees.store.writing() as writer:
        root = writer.put(b"\1" + packer()([2, 1, 1, packer()([(1 << 63) - 1, 5])]))
    with pytest.raises(Damage):
        list(scan(trees, root, cells=[0]))
