"""Three trees into one: what only one side touched is taken as it is, whole leaves where possible; then row by row,
cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from isovc.encoding.digest import ChunkId
from isovc.tree.align import Stretch, batched, differing
from isovc.tree.diff import both_rows, differing_cells, keyed, same_keys, touched
from isovc.tree.edit import Edit, Replacement
from isovc.tree.forest import Forest
from isovc.tree.leaf import Leaf, Row

# edit/drop: one side changed a cell of a column, or made a row with one, that the other side took away
ConflictKind: TypeAlias = Literal["edit/edit", "edit/delete", "delete/edit", "add/add", "edit/drop", "drop/edit"]


class Conflict(NamedTuple):
    """One row that both sides changed, and not alike. `cells` cannot be decided; `merged` is our row with all that
    can, and our row itself where nothing can."""

    key: bytes
    kind: ConflictKind
    base: Row | None
    ours: Row | None
    theirs: Row | None
    cells: tuple[int, ...]
    merged: Row | None


def merge(
    forest: Forest, base: ChunkId, ours: ChunkId, theirs: ChunkId, *, width: int
) -> Iterator[Edit | Replacement | Conflict]:
    """What to do to `ours` so that it holds the changes from `base` to `theirs` too, in key order. `edit` takes all but
    the conflicts."""
    if theirs in (base, ours):
        return
    for some in batched(differing(forest, (base, ours, theirs), by_runs=True)):
        found = [(stretch, _taken_whole(stretch)) for stretch in some]
        open_ones = [stretch for stretch, whole in found if whole is None]
        leaves = iter(forest.leaves([entry for stretch in open_ones for side in stretch for entry in side]))
        for stretch, whole in found:
            if whole is None:
                sides = [[next(leaves) for _ in side] for side in stretch]
                yield from _by_rows(sides[0], sides[1], sides[2], width)
            else:
                yield from whole


def _taken_whole(stretch: Stretch) -> Sequence[Replacement] | None:
    """What to do where one side left the stretch alone, or both did the same; None where both changed it."""
    was, mine, other = ([entry.id for entry in side] for side in stretch)
    if other in (was, mine):
        return ()
    if mine != was:
        return None
    old, new = list(stretch[1]), list(stretch[2])
    return (Replacement((old or new)[0].key, old, new),)


def _by_rows(base: list[Leaf], ours: list[Leaf], theirs: list[Leaf], width: int) -> Iterator[Edit | Conflict]:
    if len(base) == len(ours) == len(theirs) == 1 and same_keys(base[0], ours[0]) and same_keys(base[0], theirs[0]):
        yield from _by_touched_rows(base[0], ours[0], theirs[0], width)
        return
    was, mine, other = keyed(base, width), keyed(ours, width), keyed(theirs, width)
    for key in sorted(was.keys() | other.keys()):
        yield from _row(key, was.get(key), mine.get(key), other.get(key))


def _by_touched_rows(base: Leaf, ours: Leaf, theirs: Leaf, width: int) -> Iterator[Edit | Conflict]:
    mine = touched(base, ours, width)
    for at in sorted(other := touched(base, theirs, width)):
        key = base.key(at)
        was, row = both_rows(base, theirs, at, width, other[at])
        if at not in mine:
            yield Edit(key, row)
        else:
            yield from _cells(key, was, ours.row(at, width), row, set(mine[at]), other[at])


def _row(key: bytes, was: Row | None, mine: Row | None, other: Row | None) -> Iterator[Edit | Conflict]:
    if was is None:
        if other is None:
            return
        if mine is None:
            yield Edit(key, other)
        elif cells := differing_cells(mine, other):
            yield Conflict(key, "add/add", None, mine, other, tuple(cells), mine)
        return
    if other is None:
        if mine is not None and differing_cells(was, mine):
            yield Conflict(key, "edit/delete", was, mine, None, (), mine)
        elif mine is not None:
            yield Edit(key, None)
        return
    changed = differing_cells(was, other)
    if not changed:
        return
    if mine is None:
        yield Conflict(key, "delete/edit", was, None, other, (), None)
        return
    yield from _cells(key, was, mine, other, set(differing_cells(was, mine)), changed)


def _cells(
    key: bytes, was: Row, mine: Row, other: Row, my_cells: set[int], other_cells: Sequence[int]
) -> Iterator[Edit | Conflict]:
    taken = {cell: other[cell] for cell in other_cells if cell not in my_cells}
    both = (cell for cell in other_cells if cell in my_cells)
    open_cells = tuple(cell for cell in both if differing_cells([mine[cell]], [other[cell]]))
    merged = tuple(taken.get(cell, value) for cell, value in enumerate(mine)) if taken else mine
    if open_cells:
        yield Conflict(key, "edit/edit", was, mine, other, open_cells, merged)
    elif taken:
        yield Edit(key, merged)
