"""Columns that one side took away and the other put something into. Knows nothing of definitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isovc.encoding.orderkey import encode_key
from isovc.model import Table
from isovc.snapshot.merging.assembling import Versions
from isovc.snapshot.merging.fitting import defaults
from isovc.snapshot.merging.lineage import Lineage
from isovc.snapshot.merging.standing import Filled, key_of
from isovc.sql import folded
from isovc.tree.diff import diff, differing_cells
from isovc.tree.forest import Forest, Root
from isovc.tree.leaf import Row
from isovc.tree.read import get, scan


@dataclass(frozen=True, slots=True)
class _Kept:
    """A column that is gone on the other side: where it was, where it is, what rows have in it by themselves."""

    label: str
    before: int
    after: int
    default: object


def filled(forest: Forest, versions: Versions, each: Lineage) -> Filled:
    """By their merged names the columns of theirs into which ours put something that theirs dropped, and the other way
    round."""
    return _filled(forest, versions, each, 1), _filled(forest, versions, each, 2)


def _filled(forest: Forest, versions: Versions, each: Lineage, at: int) -> frozenset[str]:
    was, there = (versions[side].shape.tables.get(each.own[side] or "") for side in (0, at))
    if was is None or there is None or each.own[3 - at] is None:
        return frozenset()
    left = _kept(was, there, each, at)
    if not left or key_of(was, each, 0) != key_of(there, each, at):
        return frozenset()
    roots = versions[0].roots[was.name], versions[at].roots[there.name]
    found: set[str] = set()
    shared = min(len(was.cells), len(there.cells))
    is_alike = _cells(was, each, 0)[:shared] == _cells(there, each, at)[:shared]
    for before, after in _changes(forest, was, there, roots, is_alike=is_alike):
        for one in left:
            value = after[one.after]
            stood = before[one.before] if before else None if value is None else one.default
            if differing_cells([stood], [value]):
                found.add(folded(one.label))
        left = [one for one in left if folded(one.label) not in found]
        if not left:
            break
    return frozenset(found)


def _kept(was: Table, there: Table, each: Lineage, at: int) -> list[_Kept]:
    gone = {own: label for own, label in each.columns[0].items() if label not in each.columns[3 - at].values()}
    now = {label: own for own, label in each.columns[at].items()}
    columns = [column for column in there.columns if column.name in {now.get(label) for label in gone.values()}]
    default = dict(zip((column.name for column in columns), defaults(columns, there), strict=True))
    return [
        _Kept(label, was.cells.index(own), there.cells.index(now[label]), default[now[label]])
        for own, label in gone.items()
        if own in was.cells and now.get(label) in there.cells
    ]


def _cells(table: Table, each: Lineage, at: int) -> list[str]:
    return [each.columns[at].get(cell, cell) for cell in table.cells]


def _changes(
    forest: Forest, was: Table, there: Table, roots: tuple[Root, Root], *, is_alike: bool
) -> Iterator[tuple[Row | None, Row]]:
    """Rows of a side that are not those of before, with these."""
    if is_alike:
        width = max(len(was.cells), len(there.cells))
        for change in diff(forest, roots[0].id, roots[1].id, width=width):
            if change.after is not None:
                yield change.before and change.before[: len(was.cells)], change.after[: len(there.cells)]
        return
    for row in scan(forest, roots[1].id, cells=range(len(there.cells))):
        yield get(forest, roots[0].id, encode_key(row[: len(there.key)]), width=len(was.cells)), row
