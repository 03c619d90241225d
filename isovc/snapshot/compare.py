"""What differs between two versions: tables that came, went or changed, and the rows that differ in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from isovc.encoding.digest import ChunkId
from isovc.encoding.orderkey import encode_key
from isovc.model import RowChange, SchemaObject, Table
from isovc.snapshot.values import with_large
from isovc.snapshot.version import Version
from isovc.tree.diff import Change, diff, differing_cells, summary
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row
from isovc.tree.read import scan


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows differ."""

    added: int = 0
    modified: int = 0
    removed: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.modified or self.removed)


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One definition that differs; None on a side: it is not there."""

    before: SchemaObject | None
    after: SchemaObject | None

    @property
    def op(self) -> str:
        """added, modified or removed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "modified"


# Counts by the ids of two roots. Who has just made the second out of the first knows them already, and counting them
# again costs as much as a fifth of a commit.
Tally: TypeAlias = dict[tuple[ChunkId, ChunkId], Counts]


def differing_tables(old: Version, new: Version) -> Iterator[str]:
    """Names of the tables whose rows differ, or that only one side has. Looks at roots only."""
    for name in sorted(old.roots.keys() | new.roots.keys()):
        before, after = old.roots.get(name), new.roots.get(name)
        if before is None or after is None or before.id != after.id:
            yield name


def count_changes(forest: Forest, old: Version, new: Version, tally: Tally | None = None) -> dict[str, Counts]:
    """How many rows differ, by table; a table that came or went stands there even if it has no rows."""
    return {name: _counts(forest, old, new, name, tally or {}) for name in differing_tables(old, new)}


def row_changes(
    forest: Forest, old: Version, new: Version, table: str, tally: Tally | None = None, *, upto: int | None = None
) -> Iterator[RowChange]:
    """The rows that differ in one table, in key order, with every value whole, or those of `upto` bytes. Cells stand as
    in the newer table that there is; a column that only the other one has is not shown. Who takes them all has them
    counted in `tally`."""
    shown = new.shape.tables.get(table) or old.shape.tables[table]
    width = len(shown.key)
    ops: Counter[str] = Counter()
    for change in changes(forest, old, new, table):
        before = with_large(forest.store, change.before, upto=upto) if change.before is not None else None
        after = with_large(forest.store, change.after, upto=upto) if change.after is not None else None
        row = after if after is not None else before
        assert row is not None
        found = RowChange(row[:width], before, after)
        ops[found.op] += 1
        yield found
    if tally is not None and table in old.roots and table in new.roots:
        tally[old.roots[table].id, new.roots[table].id] = Counts(**ops)


def schema_changes(old: Version, new: Version) -> list[SchemaChange]:
    """The definitions that differ."""
    before = {(each.type, each.name): each for each in old.shape.objects}
    after = {(each.type, each.name): each for each in new.shape.objects}
    pairs = ((before.get(place), after.get(place)) for place in sorted(before.keys() | after.keys()))
    return [SchemaChange(one, other) for one, other in pairs if one != other]


def changes(forest: Forest, old: Version, new: Version, table: str) -> Iterator[Change]:
    """The rows that differ, as trees hold them."""
    before, after = old.shape.tables.get(table), new.shape.tables.get(table)
    if before is not None and after is not None and (extends(before, after) or extends(after, before)):
        width = len(after.cells)
        for change in diff(forest, old.roots[table].id, new.roots[table].id, width=max(width, len(before.cells))):
            narrow = _narrowed(change, width)
            if narrow.cells or narrow.before is None or narrow.after is None:
                yield narrow
        return
    there = _rows(forest, old, table, after or before)
    here = _rows(forest, new, table, after or before)
    if before is not None and after is not None and (before.key_kind, before.key) != (after.key_kind, after.key):
        # rows lie in the order of another key: none of them is the same row any more
        yield from (Change(key, row, None, ()) for key, row in there)
        yield from (Change(key, None, row, ()) for key, row in here)
        return
    yield from _side_by_side(there, here)


def extends(old: Table, new: Table) -> bool:
    """Whether rows of `old` are rows of `new` too, with NULL in the columns that came at the end."""
    return new.key_kind is old.key_kind and new.key == old.key and new.cells[: len(old.cells)] == old.cells


def _counts(forest: Forest, old: Version, new: Version, name: str, tally: Tally) -> Counts:
    before, after = old.roots.get(name), new.roots.get(name)
    if before is None or after is None:
        return Counts(added=after.rows if after else 0, removed=before.rows if before else 0)
    if known := tally.get((before.id, after.id)):
        return known
    one, other = old.shape.tables[name], new.shape.tables[name]
    if extends(one, other):
        found = summary(forest, before.id, after.id, width=len(other.cells))
        return Counts(found.added, found.modified, found.removed)
    added = modified = removed = 0
    for change in changes(forest, old, new, name):
        added += change.before is None
        removed += change.after is None
        modified += bool(change.cells)
    return Counts(added, modified, removed)


def _rows(forest: Forest, version: Version, name: str, shown: Table | None) -> Iterator[tuple[bytes, Row]]:
    """All rows of a table by key, their cells as `shown` has them; one with another key is another row."""
    table = version.shape.tables.get(name)
    if table is None or shown is None:
        return
    own = {cell: at for at, cell in enumerate(table.cells)}
    places = [own.get(cell) for cell in shown.cells]
    width = len(shown.key)
    for row in scan(forest, version.roots[name].id, cells=range(len(table.cells))):
        cells = tuple(None if at is None else row[at] for at in places)
        yield encode_key(cells[:width]), cells


def _side_by_side(old: Iterator[tuple[bytes, Row]], new: Iterator[tuple[bytes, Row]]) -> Iterator[Change]:
    before, after = next(old, None), next(new, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before[0] < after[0]):
            assert before is not None
            yield Change(before[0], before[1], None, ())
            before = next(old, None)
        elif before is None or after[0] < before[0]:
            yield Change(after[0], None, after[1], ())
            after = next(new, None)
        else:
            if cells := differing_cells(before[1], after[1]):
                yield Change(before[0], before[1], after[1], tuple(cells))
            before, after = next(old, None), next(new, None)


def _narrowed(change: Change, width: int) -> Change:
    before = change.before[:width] if change.before is not None else None
    after = change.after[:width] if change.after is not None else None
    return Change(change.key, before, after, tuple(cell for cell in change.cells if cell < width))
