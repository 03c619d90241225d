"""What differs between two trees: equal subtrees are skipped, equal columns are not decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import copysign
from operator import eq
from typing import Any, NamedTuple

from isovc.encoding.digest import ChunkId
from isovc.encoding.fixed import unlike
from isovc.tree.align import batched, differing
from isovc.tree.forest import Forest
from isovc.tree.leaf import Column, Leaf, Row


class Change(NamedTuple):
    """One row that differs. `cells` are the places where before and after do, if both are there."""

    key: bytes
    before: Row | None
    after: Row | None
    cells: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """How many rows differ, and how many cells of those that are on both sides."""

    added: int = 0
    removed: int = 0
    modified: int = 0
    cells: int = 0


def diff(forest: Forest, old: ChunkId, new: ChunkId, *, width: int) -> Iterator[Change]:
    """The rows that differ, in key order, `width` cells each."""
    for before, after in leaf_pairs(forest, old, new):
        yield from _changes(before, after, width)


def summary(forest: Forest, old: ChunkId, new: ChunkId, *, width: int) -> Summary:
    """Counts of what `diff` would give; rows are not put together for it."""
    added = removed = modified = cells = 0
    for before, after in leaf_pairs(forest, old, new):
        if len(before) == len(after) == 1 and same_keys(before[0], after[0]):
            rows = touched(before[0], after[0], width)
            modified += len(rows)
            cells += sum(map(len, rows.values()))
            continue
        for change in _changes(before, after, width):
            added += change.before is None
            removed += change.after is None
            modified += bool(change.cells)
            cells += len(change.cells)
    return Summary(added, removed, modified, cells)


def leaf_pairs(forest: Forest, old: ChunkId, new: ChunkId) -> Iterator[tuple[list[Leaf], list[Leaf]]]:
    """The leaves of both that may hold rows that differ, stretch by stretch."""
    for some in batched(differing(forest, (old, new))):
        # the old ones first: the new ones are kept as differences to them
        before = iter(forest.leaves(list(chain.from_iterable(stretch[0] for stretch in some))))
        after = iter(forest.leaves(list(chain.from_iterable(stretch[1] for stretch in some))))
        for stretch in some:
            yield [next(before) for _ in stretch[0]], [next(after) for _ in stretch[1]]


def _changes(before: list[Leaf], after: list[Leaf], width: int) -> Iterator[Change]:
    if len(before) == len(after) == 1 and same_keys(before[0], after[0]):
        old, new = before[0], after[0]
        rows = touched(old, new, width)
        for at in sorted(rows):
            yield Change(old.key(at), *both_rows(old, new, at, width, rows[at]), tuple(rows[at]))
        return
    yield from compare(keyed(before, width), keyed(after, width))


def compare(before: dict[bytes, Row], after: dict[bytes, Row]) -> Iterator[Change]:
    """The changes from some rows to others, in key order."""
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            yield Change(key, old, new, ())
        elif cells := tuple(differing_cells(old, new)):
            yield Change(key, old, new, cells)


def differing_cells(old: Column, new: Column) -> list[int]:
    """The places where two equally long lists of values differ. 1 is not 1.0 here, and 0.0 is not -0.0."""
    kinds = list(map(type, old))
    if kinds == list(map(type, new)) and (float not in kinds or 0.0 not in old):
        return [at for at, same in enumerate(map(eq, old, new)) if not same]
    return [at for at, (a, b) in enumerate(zip(old, new, strict=True)) if not _same(a, b)]


def _same(a: Any, b: Any) -> bool:
    if a != b or type(a) is not type(b):
        return False
    return type(a) is not float or copysign(1, a) == copysign(1, b)


def keyed(leaves: list[Leaf], width: int) -> dict[bytes, Row]:
    """All rows of some leaves by key."""
    return {key: row for leaf in leaves for key, row in zip(leaf.keys(), leaf.all_rows(width), strict=True)}


def same_keys(old: Leaf, new: Leaf) -> bool:
    """Whether no row came or went, seen without decoding a key."""
    keys = slice(old.key_width)
    return (old.rows, old.key_width, old.form) == (new.rows, new.key_width, new.form) and (
        old.packed[keys] == new.packed[keys]
    )


def touched(old: Leaf, new: Leaf, width: int) -> dict[int, list[int]]:
    """Row numbers and the cells that differ in them."""
    rows: dict[int, list[int]] = {}
    there, some = sorted((len(old.packed), len(new.packed)))  # a column that only one has is NULL in the other
    for cell in range(old.key_width, min(width, some)):
        if cell >= there or old.packed[cell] != new.packed[cell]:
            for at in _differing_rows(old, new, cell):
                rows.setdefault(at, []).append(cell)
    return rows


def _differing_rows(old: Leaf, new: Leaf, cell: int) -> list[int]:
    if cell < len(old.packed) and cell < len(new.packed) and len(old.packed[cell]) == len(new.packed[cell]):
        step = old.step(cell)
        if step and step == new.step(cell):
            return unlike(old.packed[cell], new.packed[cell], old.rows, step)
    return differing_cells(old.column(cell), new.column(cell))


def both_rows(old: Leaf, new: Leaf, at: int, width: int, cells: Sequence[int]) -> tuple[Row, Row]:
    """One row in two leaves, given the cells that differ; the others are read once."""
    before = old.row(at, width)
    after = list(before)
    for cell, value in zip(cells, new.cells(at, cells), strict=True):
        after[cell] = value
    return before, tuple(after)
