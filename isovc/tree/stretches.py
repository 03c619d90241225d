"""Stretches of a tree held against rows from elsewhere: what would have to change for the tree to hold just those."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

from isovc.encoding.digest import ChunkId
from isovc.encoding.fixed import holds
from isovc.encoding.orderkey import encode_key, encode_keys, integer_bound
from isovc.encoding.values import packer
from isovc.tree.diff import Change, compare, differing_cells
from isovc.tree.edit import Patch
from isovc.tree.forest import Forest
from isovc.tree.leaf import Column, Leaf, LeafEncoder, Row
from isovc.tree.node import Children, Entry, between
from isovc.tree.runs import leaves_at

_AT_ONCE = 128  # stretches of which the leaves are fetched together: half the cost of one by one, at most 16 MB

_EMPTY = Leaf(LeafEncoder(1).from_columns([()], 0))  # stands where a tree has no leaf at all

_first_cell = itemgetter(0)


class Stretch(NamedTuple):
    """These rows, in key order, are the only ones with `after` < key <= `upto`; None: no bound."""

    after: bytes | None
    upto: bytes | None
    rows: Sequence[Row]


def changes_in(
    forest: Forest, root: ChunkId, stretches: Iterable[Stretch], *, width: int, key_width: int
) -> Iterator[Patch | Change]:
    """What makes the tree hold the rows of some stretches, which come in key order and do not overlap: a patch for
    every leaf in which only cells differ, and where rows came or went the changes."""
    pack = packer()
    found = _parts(forest, root, stretches, key_width)
    for _, group in groupby(found, key=_leaf_of):  # stretches that are no neighbours may meet in a leaf
        parts = list(group)
        cells: dict[int, dict[int, Any]] = {}
        if all(part.patch(cells, width, key_width, pack) for part in parts):
            if cells:
                leaf = parts[0].leaf
                yield Patch(leaf.key(min(map(min, cells.values()))), leaf, cells)
        else:
            for part in parts:
                yield from part.changes(width, key_width)


class _Part(NamedTuple):
    """Some neighbouring rows of a leaf, and those that stand in their place."""

    entry: Entry | None  # None: there is no leaf
    leaf: Leaf
    first: int
    last: int
    rows: Sequence[Row]

    def patch(self, cells: dict[int, dict[int, Any]], width: int, key_width: int, pack: Callable[[Any], bytes]) -> bool:
        """Add the cells that differ, if no row came or went."""
        if self.last - self.first != len(self.rows):
            return False
        if not self.rows:
            return True
        columns: list[Column] = list(zip(*self.rows, strict=True))
        if any(differing_cells(self._column(at), columns[at]) for at in range(key_width)):
            return False
        for cell in range(key_width, width):
            if not self._holds(cell, pack(columns[cell])):
                for at in differing_cells(self._column(cell), columns[cell]):
                    cells.setdefault(cell, {})[self.first + at] = columns[cell][at]
        return True

    def changes(self, width: int, key_width: int) -> Iterator[Change]:
        """What makes them these rows."""
        old: list[Column] = [self._column(at) for at in range(width)]
        new: list[Column] = list(zip(*self.rows, strict=True)) or [()] * width
        yield from compare(_keyed(old, key_width), _keyed(new, key_width))

    def _column(self, at: int) -> Column:
        return self.leaf.column(at)[self.first : self.last]

    def _holds(self, cell: int, values: bytes) -> bool:
        """Whether a column is certainly equal: seen on its bytes, which most columns of most leaves allow."""
        leaf = self.leaf
        if cell >= len(leaf.packed):
            return False
        width = leaf.step(cell)
        return width > 0 and holds(leaf.packed[cell], self.first, values, self.last - self.first, leaf.rows, width)


def _leaf_of(part: _Part) -> ChunkId | None:
    return part.entry and part.entry.id


def _parts(forest: Forest, root: ChunkId, stretches: Iterable[Stretch], key_width: int) -> Iterator[_Part]:
    """The stretches cut where leaves end."""
    source = iter(stretches)
    top = forest.top(root)
    while some := list(islice(source, _AT_ONCE)):
        found = leaves_at(forest, top, some, _within)
        wanted = list(dict.fromkeys(chain.from_iterable(found)))
        leaves = {entry.id: leaf for entry, leaf in zip(wanted, forest.leaves(wanted), strict=True)}
        for stretch, entries in zip(some, found, strict=True):
            for entry, rows in _by_leaf(stretch.rows, entries, key_width):
                leaf = leaves[entry.id] if entry else _EMPTY
                first, last = _upto(leaf, stretch.after, 0), _upto(leaf, stretch.upto, leaf.rows)
                yield _Part(entry, leaf, first, last, rows)


def _by_leaf(
    rows: Sequence[Row], entries: Sequence[Entry], key_width: int
) -> Iterator[tuple[Entry | None, Sequence[Row]]]:
    """The rows dealt out to the leaves they fall into; those behind the last key of all belong to the last leaf."""
    start = 0
    # numbers stand between numbers in every order of keys
    all_numbers = bool(rows) and type(rows[0][0]) is type(rows[-1][0]) is int
    for entry in entries[:-1]:
        number = integer_bound(entry.key) if key_width == 1 and all_numbers else None
        if number is not None:
            end = bisect_right(rows, number, lo=start, key=_first_cell)
        else:
            end = bisect_right(rows, entry.key, lo=start, key=lambda row: encode_key(row[:key_width]))
        yield entry, rows[start:end]
        start = end
    yield (entries[-1] if entries else None), rows[start:]


def _upto(leaf: Leaf, bound: bytes | None, otherwise: int) -> int:
    """How many rows of a leaf have no greater key than a bound."""
    if bound is None:
        return otherwise
    return leaf.count_upto(bound)


def _keyed(columns: list[Column], key_width: int) -> dict[bytes, Row]:
    keys = encode_keys(columns[:key_width]) if columns[0] else []
    return dict(zip(keys, zip(*columns, strict=True), strict=True))


def _within(children: Children, stretch: Stretch) -> list[Entry]:
    return between(children, stretch.after, stretch.upto)
