"""Tables and columns that go by another name in the newer version: known by their rows, not by a guess at names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from isovc.encoding.orderkey import encode_key
from isovc.model import KeyKind, Table
from isovc.snapshot.version import Version
from isovc.sql import renamed
from isovc.tree.diff import differing_cells
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row
from isovc.tree.read import get, sample

_T = TypeVar("_T")
_SAMPLE = 64  # rows that stand for a table: with half of them alike, chance has no part in it
_SEED = 1  # the same rows each time, so that the same versions give the same answer


@dataclass(frozen=True, slots=True)
class Pair:
    """A table in two versions; None: there is none. `columns`: those that were renamed, old name to new."""

    before: Table | None
    after: Table | None
    columns: Mapping[str, str] = field(default_factory=dict)


def pairs(forest: Forest, old: Version, new: Version) -> list[Pair]:
    """Every table of both versions with the one it became, by the newer names."""
    before, after = old.shape.tables, new.shape.tables
    found = [Pair(before[name], after[name]) for name in before.keys() & after.keys()]
    gone = [before[name] for name in sorted(before.keys() - after.keys())]
    came = [after[name] for name in sorted(after.keys() - before.keys())]
    # the same rows first: what is only alike is asked of the tables that are left
    for alike in (_same_rows, _mostly_same_rows, _mostly_same_rows_and_names):
        couples = _only_each_other(
            [(one, other) for one in gone for other in came if alike(forest, old, new, one, other)]
        )
        found.extend(Pair(one, other) for one, other in couples)
        gone = [table for table in gone if all(table is not one for one, _ in couples)]
        came = [table for table in came if all(table is not other for _, other in couples)]
    found.extend(Pair(table, None) for table in gone)
    found.extend(Pair(None, table) for table in came)
    whole = [replace(pair, columns=_columns(forest, old, new, pair)) for pair in found]
    return sorted(whole, key=lambda pair: (pair.after or pair.before or Table("", (), KeyKind.ROWID)).name)


def _only_each_other(couples: list[tuple[_T, _T]]) -> list[tuple[_T, _T]]:
    """Those of which neither could be one of another couple: seen from either side the answer is the same."""
    firsts, seconds = [one for one, _ in couples], [other for _, other in couples]
    return [(one, other) for one, other in couples if firsts.count(one) == seconds.count(other) == 1]


def _same_rows(forest: Forest, old: Version, new: Version, one: Table, other: Table) -> bool:  # noqa: ARG001
    root, there = old.roots[one.name], new.roots[other.name]
    if root.id != there.id or (one.key_kind, len(one.key), len(one.cells)) != (
        other.key_kind,
        len(other.key),
        len(other.cells),
    ):
        return False
    # tables without rows are all alike: there the definition must be the same but for the name
    return bool(root.rows) or renamed(_texts(old)[one.name], "x") == renamed(_texts(new)[other.name], "x")


def _mostly_same_rows(forest: Forest, old: Version, new: Version, one: Table, other: Table) -> bool:
    return one.cells == other.cells and _mostly_alike(forest, old, new, one, other)


def _mostly_same_rows_and_names(forest: Forest, old: Version, new: Version, one: Table, other: Table) -> bool:
    """Columns in it were renamed too: half of them may have been, at the places where they were."""
    if (len(one.key), len(one.cells)) != (len(other.key), len(other.cells)):
        return False
    still = sum(name == there for name, there in zip(one.cells, other.cells, strict=True))
    return still * 2 >= len(one.cells) and _mostly_alike(forest, old, new, one, other)


def _mostly_alike(forest: Forest, old: Version, new: Version, one: Table, other: Table) -> bool:
    if one.key_kind is not other.key_kind:
        return False
    few, many = sorted((old.roots[one.name].rows, new.roots[other.name].rows))
    if few * 2 < many or not few:
        return False
    both = _both_rows(forest, old, new, one, other)
    alike = [row for row in both if row[0] is not None and row[1] is not None and not differing_cells(row[0], row[1])]
    return len(alike) * 2 >= len(both)


def _columns(forest: Forest, old: Version, new: Version, pair: Pair) -> dict[str, str]:
    """The columns that go by another name: those at the same place first, then any that hold the same values."""
    before, after = pair.before, pair.after
    if before is None or after is None or before.key_kind is not after.key_kind or len(before.key) != len(after.key):
        return {}
    gone = [at for at, name in enumerate(before.cells) if name not in after.cells]
    came = [at for at, name in enumerate(after.cells) if name not in before.cells]
    if not gone or not came:
        return {}
    rows = [(row, there) for row, there in _both_rows(forest, old, new, before, after) if row and there]
    key = len(before.key)
    couples = [
        (at, to)
        for at in gone
        for to in came
        if (at == to or min(at, to) >= key)
        and (_hold_the_same(rows, at, to) or (at == to and _only_named_otherwise(before, after, at, rows)))
    ]
    found = [(at, to) for at, to in couples if at == to]
    left = [(at, to) for at, to in couples if all(at != one and to != other for one, other in found)]
    return {before.cells[at]: after.cells[to] for at, to in sorted(found + _only_each_other(left))}


def _hold_the_same(rows: Sequence[tuple[Row, Row]], at: int, to: int) -> bool:
    said = [(row[at], other[to]) for row, other in rows if row[at] is not None or other[to] is not None]
    alike = sum(not differing_cells(one[:1], one[1:]) for one in said)
    return bool(said) and alike * 2 >= len(said)


def _only_named_otherwise(before: Table, after: Table, at: int, rows: Sequence[tuple[Row, Row]]) -> bool:
    """Where no value tells anything: as many columns as before, and this one declared alike."""
    if len(before.cells) != len(after.cells) or any(
        row[at] is not None or other[at] is not None for row, other in rows
    ):
        return False
    old = next(each for each in before.columns if each.name == before.cells[at])
    new = next(each for each in after.columns if each.name == after.cells[at])
    return replace(old, name="") == replace(new, name="")


def _both_rows(
    forest: Forest, old: Version, new: Version, one: Table, other: Table
) -> list[tuple[Row | None, Row | None]]:
    """Some rows of either side, and those with the same key on the other."""
    here, there = old.roots[one.name].id, new.roots[other.name].id
    width, key = (len(one.cells), len(other.cells)), len(one.key)
    olds = sample(forest, here, rows=_SAMPLE, seed=_SEED, width=width[0])
    news = sample(forest, there, rows=_SAMPLE, seed=_SEED, width=width[1])
    return [
        *((row, get(forest, there, encode_key(row[:key]), width=width[1])) for row in olds),
        *((get(forest, here, encode_key(row[:key]), width=width[0]), row) for row in news),
    ]


def _texts(version: Version) -> dict[str, str]:
    return {each.name: each.sql for each in version.shape.objects if each.type == "table"}
