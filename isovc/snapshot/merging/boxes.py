"""Boxes of an R-Tree to which both sides did something: one moved their lower bound, one their upper, and together
they are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from isovc.encoding.digest import ChunkId
from isovc.encoding.orderkey import encode_key
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row
from isovc.tree.merge import Conflict
from isovc.tree.read import get, scan


def contested_boxes(
    forest: Forest, sides: Sequence[ChunkId], merged: ChunkId, *, width: int, corners: int
) -> list[Conflict]:
    """The rows that have such a box, as conflicts over its bounds. The first `corners` cells are the number of the row
    and its bounds, in pairs."""
    found = []
    for row in scan(forest, merged, cells=range(width)):
        turned = tuple(chain.from_iterable(_turned(row, corners)))
        if turned:
            key = encode_key(row[:1])
            was, mine, other = (get(forest, side, key, width=width) for side in sides)
            assert mine is not None  # else the row would be theirs, and a box
            kept = list(row)
            for cell in turned:
                kept[cell] = mine[cell]
            found.append(Conflict(key, "edit/edit", was, mine, other, turned, tuple(kept)))
    return found


def _turned(row: Row, corners: int) -> Iterator[tuple[int, int]]:
    for lower in range(1, corners, 2):
        low: Any = row[lower]
        if low > row[lower + 1]:
            yield lower, lower + 1
