"""Stretches of a tree held against rows from elsewhere: what would have to change for the tree to hold just those."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from isovc.encoding.digest import ChunkId
from isovc.encoding.orderkey import encode_key, encode_keys
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
            # a leaf gives each column a part
            columns: list[Column] = [list(chain.from_iterable(column)) for column in zip(*parts, strict=True)]
            yield from _changes(columns or [()] * width, stretch.rows, key_width)


def _changes(columns: list[Column], rows: Sequence[Row], key_width: int) -> Iterator[Change]:
    new_columns: list[Column] = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    same_length = len(columns[0]) == len(rows)
    if not same_length or any(map(differing_cells, columns[:key_width], new_columns[:key_width])):
        yield from compare(_keyed(columns, key_width), _keyed(new_columns, key_width))
        return
    touched: dict[int, list[int]] = {}
    for cell in range(key_width, len(columns)):
        for at in differing_cells(columns[cell], new_columns[cell]):
            touched.setdefault(at, []).append(cell)
    for at in sorted(touched):
        before = tuple(column[at] for column in columns)
        yield Change(encode_key(before[:key_width]), before, rows[at], tuple(touched[at]))


def _keyed(columns: list[Column], key_width: int) -> dict[bytes, Row]:
    keys = encode_keys(columns[:key_width]) if columns[0] else []
    return dict(zip(keys, zip(*columns, strict=True), strict=True))


def _part(leaf: Leaf, stretch: Stretch, width: int) -> list[Column]:
    keys = leaf.keys()
    first = bisect_right(keys, stretch.after) if stretch.after is not None else 0
    last = bisect_right(keys, stretch.upto) if stretch.upto is not None else len(keys)
    return [leaf.column(at)[first:last] for at in range(width)]


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
