"""Three versions into one: definitions first, then rows, table by table. What one side left alone comes from the
other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from isovc.model import SchemaObject, Shape, Table
from isovc.snapshot.version import Version
from isovc.tree.edit import Edit, Replacement, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.merge import Conflict as RowConflict
from isovc.tree.merge import merge as merge_trees

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something both sides changed, and not alike. Of a row conflict `row` says which; our side stands meanwhile."""

    table: str
    kind: Literal["row", "schema", "rows against schema"]
    row: RowConflict | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """The version that holds both sides, with ours where they conflict."""

    version: Version
    conflicts: tuple[Conflict, ...]


def merge(forest: Forest, base: Version, ours: Version, theirs: Version) -> Merged:
    """`ours` with the changes from `base` to `theirs`."""
    conflicts: list[Conflict] = []
    objects, contested = _merge_objects(base.shape, ours.shape, theirs.shape)
    conflicts.extend(Conflict(each.table, "schema") for each in contested)
    tables: dict[str, Table] = {}
    roots: dict[str, Root] = {}
    for name in dict.fromkeys([*ours.shape.tables, *theirs.shape.tables]):
        found = _merge_table(forest, name, base, ours, theirs, conflicts)
        if found is not None:
            tables[name], roots[name] = found
    pragmas = _merge_mappings(base.shape.pragmas, ours.shape.pragmas, theirs.shape.pragmas)
    shape = Shape(ours.shape.encoding, pragmas, objects, tables)
    attachments = _choose(base.attachments, ours.attachments, theirs.attachments)[0]
    return Merged(Version(shape, roots, attachments), tuple(conflicts))


def _choose(base: _T, ours: _T, theirs: _T) -> tuple[_T, bool]:
    """What stands when a whole thing is merged, and whether both sides changed it, and not alike."""
    if theirs in (base, ours):
        return ours, False
    return (theirs, False) if ours == base else (ours, True)


def _merge_mappings(base: Mapping[str, int], ours: Mapping[str, int], theirs: Mapping[str, int]) -> dict[str, int]:
    names = dict.fromkeys([*ours, *theirs])
    chosen = {name: _choose(base.get(name), ours.get(name), theirs.get(name))[0] for name in names}
    return {name: value for name, value in chosen.items() if value is not None}


def _merge_objects(base: Shape, ours: Shape, theirs: Shape) -> tuple[tuple[SchemaObject, ...], list[SchemaObject]]:
    """Definitions as sets: each comes, goes or changes by itself. Those only they have stand behind all of ours."""
    sides = [{(each.type, each.name): each for each in shape.objects} for shape in (base, ours, theirs)]
    merged: list[SchemaObject] = []
    contested: list[SchemaObject] = []
    for place in dict.fromkeys([*sides[1], *sides[2]]):
        was, mine, other = (side.get(place) for side in sides)
        chosen, is_contested = _choose(was, mine, other)
        if chosen is not None:
            merged.append(chosen)
        if is_contested:
            contested.extend(each for each in (mine or other,) if each is not None)
    return tuple(merged), contested


def _merge_table(
    forest: Forest, name: str, base: Version, ours: Version, theirs: Version, conflicts: list[Conflict]
) -> tuple[Table, Root] | None:
    was, mine, other = (_whole(version, name) for version in (base, ours, theirs))
    chosen, both_changed = _choose(was, mine, other)
    if not both_changed:
        return chosen
    if was is None or mine is None or other is None or len({_layout(side[0]) for side in (was, mine, other)}) > 1:
        # one side dropped it, or gave it other columns, and the other changed rows: a person must say which counts
        conflicts.append(Conflict(name, "rows against schema"))
        return mine
    table, _ = _choose(was[0], mine[0], other[0])
    width, key_width = len(table.cells), len(table.key)
    steps = merge_trees(forest, was[1].id, mine[1].id, other[1].id, width=width)
    edits = _without_conflicts(name, steps, conflicts)
    return table, edit(forest, mine[1].id, edits, width=width, key_width=key_width)


def _without_conflicts(
    table: str, steps: Iterator[Edit | Replacement | RowConflict], conflicts: list[Conflict]
) -> Iterator[Edit | Replacement]:
    for step in steps:
        if isinstance(step, RowConflict):
            conflicts.append(Conflict(table, "row", step))
        else:
            yield step


def _whole(version: Version, name: str) -> tuple[Table, Root] | None:
    table = version.shape.tables.get(name)
    return None if table is None else (table, version.roots[name])


def _layout(table: Table) -> tuple[object, ...]:
    return table.key_kind, table.key, table.cells
