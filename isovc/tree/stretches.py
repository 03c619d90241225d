"""Stretches of a tree held against rows from elsewhere: what would have to change for the tree to hold just those."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from isovc.encoding.digest import ChunkId
from isovc.encoding.orderkey import encode_keys
from isovc.tree.diff import Change, compare, differing_cells
from isovc.tree.forest import Forest
from isovc.tree.leaf import Column, Leaf, Row
from isovc.tree.node import Entry

_AT_ONCE = 128  # stretches of which the leaves are fetched together: half the cost of one by one, at most 16 MB


class Stretch(NamedTuple):
    """These rows, in key order, are the only ones with `after` < key <= `upto`; None: no bound."""

    after: bytes | None
    upto: bytes | None
    rows: Sequence[Row]


def changes_in(
    forest: Forest, root: ChunkId, stretches: Iterable[Stretch], *, width: int, key_width: int
) -> Iterator[Change]:
    """The changes that make the tree hold the rows of some stretches, which come in key order and do not overlap."""
    source = iter(stretches)
    while some := list(islice(source, _AT_ONCE)):
        found = _leaf_entries(forest, root, some)
        wanted = list(dict.fromkeys(entry for entries in found for entry in entries))
        leaves = {entry.id: leaf for entry, leaf in zip(wanted, forest.leaves(wanted), strict=True)}
        for stretch, entries in zip(some, found, strict=True):
            parts = [_part(leaves[entry.id], stretch, width) for entry in entries]
            keys = [key for part_keys, _ in parts for key in part_keys]
            columns: list[Column] = [[value for _, part in parts for value in part[at]] for at in range(width)]
            yield from _changes(keys, columns, stretch.rows, key_width)


def _changes(keys: list[bytes], columns: list[Column], rows: Sequence[Row], key_width: int) -> Iterator[Change]:
    new_columns: list[Column] = list(zip(*rows, strict=True))
    new_keys = encode_keys(new_columns[:key_width]) if rows else []
    if keys != new_keys:
        yield from compare(
            dict(zip(keys, zip(*columns, strict=True), strict=True)), dict(zip(new_keys, rows, strict=True))
        )
        return
    touched: dict[int, list[int]] = {}
    for cell, (old, new) in enumerate(zip(columns, new_columns, strict=True)):
        for at in differing_cells(old, new):
            touched.setdefault(at, []).append(cell)
    for at in sorted(touched):
        yield Change(keys[at], tuple(column[at] for column in columns), rows[at], tuple(touched[at]))


def _part(leaf: Leaf, stretch: Stretch, width: int) -> tuple[list[bytes], list[Column]]:
    keys = leaf.keys()
    first = bisect_right(keys, stretch.after) if stretch.after is not None else 0
    last = bisect_right(keys, stretch.upto) if stretch.upto is not None else len(keys)
    return keys[first:last], [leaf.column(at)[first:last] for at in range(width)]


def _leaf_entries(forest: Forest, root: ChunkId, stretches: list[Stretch]) -> list[list[Entry]]:
    """The leaves each stretch touches, level by level for all of them together."""
    level, entries = forest.top(root)
    found = [_touched(entries, stretch) for stretch in stretches]
    while level:
        nodes = list(dict.fromkeys(entry for entries in found for entry in entries))
        children = {node.id: below for node, below in zip(nodes, forest.children(level, nodes), strict=True)}
        found = [
            [child for node in entries for child in _touched(children[node.id], stretch)]
            for stretch, entries in zip(stretches, found, strict=True)
        ]
        level -= 1
    return found


def _touched(entries: list[Entry], stretch: Stretch) -> list[Entry]:
    first = bisect_right(entries, stretch.after, key=_last_key) if stretch.after is not None else 0
    last = bisect_left(entries, stretch.upto, key=_last_key) + 1 if stretch.upto is not None else len(entries)
    return entries[first:last]


def _last_key(entry: Entry) -> bytes:
    return entry.key
