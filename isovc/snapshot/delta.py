"""Two versions side by side, ready to be told: definitions that differ, and rows by table, with renames known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from isovc.encoding.orderkey import encode_key
from isovc.formats.delta import Definition, Delta, TableDelta
from isovc.model import RowChange, SchemaObject, Table
from isovc.snapshot.compare import Counts, schema_changes
from isovc.snapshot.move import all_rows
from isovc.snapshot.renames import Pair, pairs
from isovc.snapshot.values import with_large
from isovc.snapshot.version import Version, pragmas_said
from isovc.tree.diff import Change, diff, differing_cells, summary
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row
from isovc.tree.read import scan


def delta(forest: Forest, old: Version, new: Version, *, upto: int | None = None) -> Delta:
    """What differs. Rows are read when they are asked for; tables without a difference are left out. `upto`: values of
    more bytes are not read with them."""
    found = pairs(forest, old, new)
    tables = [
        TableDelta(pair.before, pair.after, pair.columns, partial(_rows, forest, old, new, pair, upto))
        for pair in found
        if _may_differ(old, new, pair)
    ]
    return Delta(
        old.shape, new.shape, tuple(_definitions(old, new, found)), tuple(tables), partial(all_rows, forest, new)
    )


def count(forest: Forest, old: Version, new: Version, table: TableDelta) -> Counts:
    """How many rows of it differ; quick where only the nodes of two trees need be looked at."""
    before, after = table.before, table.after
    if before is None or after is None:
        return Counts(
            added=new.roots[after.name].rows if after else 0, removed=old.roots[before.name].rows if before else 0
        )
    if aligned(before, after, table.columns):
        one, other = old.roots[before.name].id, new.roots[after.name].id
        found = summary(forest, one, other, width=max(len(before.cells), len(after.cells)))
        return Counts(found.added, found.modified, found.removed)
    return tally(table)


def tally(table: TableDelta) -> Counts:
    """The same, row by row."""
    ops = {"added": 0, "modified": 0, "removed": 0}
    for change in table.rows():
        ops[change.op] += 1
    return Counts(**ops)


def aligned(before: Table, after: Table, columns: Mapping[str, str]) -> bool:
    """Whether the cells of both stand at the same places, as far as both have them, so that trees can be compared."""
    old = [columns.get(cell, cell) for cell in before.cells]
    shared = min(len(old), len(after.cells))
    return same_key(before, after, columns) and old[:shared] == list(after.cells[:shared])


def same_key(before: Table, after: Table, columns: Mapping[str, str]) -> bool:
    """Whether rows of both are named by the same cells."""
    key = tuple(columns.get(cell, cell) for cell in before.key)
    return (before.key_kind, key) == (after.key_kind, after.key)


def _may_differ(old: Version, new: Version, pair: Pair) -> bool:
    before, after = pair.before, pair.after
    if before is None or after is None:
        return True
    is_same_tree = old.roots[before.name].id == new.roots[after.name].id
    return not (is_same_tree and aligned(before, after, pair.columns))


def _rows(forest: Forest, old: Version, new: Version, pair: Pair, upto: int | None) -> Iterator[RowChange]:
    before, after = pair.before, pair.after
    if before is None or after is None or not same_key(before, after, pair.columns):
        # rows lie in the order of another key, if there is one: none of them is the same row any more
        if before is not None:
            width = len(before.key)
            for batch in all_rows(forest, old, before.name, upto=upto):
                yield from (RowChange(row[:width], row, None) for row in batch)
        if after is not None:
            width = len(after.key)
            for batch in all_rows(forest, new, after.name, upto=upto):
                yield from (RowChange(row[:width], None, row) for row in batch)
        return
    if aligned(before, after, pair.columns):
        one, other = old.roots[before.name].id, new.roots[after.name].id
        found = diff(forest, one, other, width=max(len(before.cells), len(after.cells)))
    else:
        found = _side_by_side(forest, old, new, before, after, pair.columns)
    widths, key, store = (len(before.cells), len(after.cells)), len(after.key), forest.store
    for change in found:
        was = None if change.before is None else with_large(store, change.before[: widths[0]], upto=upto)
        now = None if change.after is None else with_large(store, change.after[: widths[1]], upto=upto)
        row = now if now is not None else was
        assert row is not None
        yield RowChange(row[:key], was, now)


def _side_by_side(
    forest: Forest, old: Version, new: Version, before: Table, after: Table, columns: Mapping[str, str]
) -> Iterator[Change]:
    """Tables whose cells stand at other places. A column that only one side has is NULL on the other."""
    names = [columns.get(cell, cell) for cell in before.cells]
    everything = list(dict.fromkeys([*after.cells, *names]))
    was = [names.index(cell) if cell in names else None for cell in everything]
    now = [after.cells.index(cell) if cell in after.cells else None for cell in everything]
    there, here = _keyed(forest, old, before), _keyed(forest, new, after)
    one, other = next(there, None), next(here, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield Change(one[0], one[1], None, ())
            one = next(there, None)
        elif one is None or other[0] < one[0]:
            yield Change(other[0], None, other[1], ())
            other = next(here, None)
        else:
            left = tuple(None if at is None else one[1][at] for at in was)
            right = tuple(None if at is None else other[1][at] for at in now)
            if cells := differing_cells(left, right):
                yield Change(one[0], one[1], other[1], tuple(cells))
            one, other = next(there, None), next(here, None)


def _keyed(forest: Forest, version: Version, table: Table) -> Iterator[tuple[bytes, Row]]:
    width = len(table.key)
    for row in scan(forest, version.roots[table.name].id, cells=range(len(table.cells))):
        yield encode_key(row[:width]), row


# -- definitions -------------------------------------------------------------------------------------------------------


def _definitions(old: Version, new: Version, found: list[Pair]) -> Iterator[Definition]:
    """Tables first, in the order of the newer names; a table that was renamed once, under both names."""
    names = {pair.before.name: pair.after.name for pair in found if pair.before and pair.after}
    columns = {pair.after.name: pair.columns for pair in found if pair.after and pair.columns}
    gone: dict[str, SchemaObject] = {}
    for change in schema_changes(old, new):
        each = change.before
        if each and not change.after and each.type == "table" and names.get(each.name, each.name) != each.name:
            gone[names[each.name]] = each
    said = []
    for change in schema_changes(old, new):
        each = change.after or change.before
        assert each is not None
        if change.after is None and each in gone.values():
            continue
        before = change.before.sql if change.before else None
        after = change.after.sql if change.after else None
        one = Definition(change.op, each.type, each.name, each.table, before, after)
        stood_on = change.before.table if change.before else each.table
        if stood_on != each.table and not (each.table in gone and gone[each.table].name == stood_on):
            one = replace(one, was_table=stood_on)
        if each.type == "table" and change.after is not None:
            one = replace(one, columns=columns.get(each.name, {}))
            if was := gone.get(each.name):
                one = replace(one, op="renamed", before=was.sql, was=was.name)
        said.append(one)
    yield from sorted(said, key=lambda one: (one.type != "table", one.type, one.name))
    pragmas, others = pragmas_said(old.shape), pragmas_said(new.shape)
    for name in sorted({*pragmas, *others}):
        if pragmas.get(name, 0) != others.get(name, 0):
            yield Definition("modified", "pragma", name, None, pragmas.get(name, 0), others.get(name, 0))
