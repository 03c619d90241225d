"""Three versions into one: definitions first, then rows, table by table. What one side left alone comes from the
other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from isovc.model import Shape, Table
from isovc.snapshot.definitions import choose, merge_definitions
from isovc.snapshot.how import PLAIN, How, Place, Side
from isovc.snapshot.json_cells import JsonCells
from isovc.snapshot.merge_layouts import carried, fitting
from isovc.snapshot.renumbering import renumbered
from isovc.snapshot.sequence import SEQUENCE, merge_sequence
from isovc.snapshot.version import Version
from isovc.sql import affinity
from isovc.tree.edit import Edit, Replacement, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.merge import Conflict as RowConflict
from isovc.tree.merge import merge as merge_trees


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something both sides changed, and not alike. Of a row conflict `row` says which, in the columns of the merged
    table: of its cells those that can be decided are, and for the others our side stands meanwhile. Of a definition
    `place` says which. `why`: more about it, in words."""

    table: str
    kind: Literal["row", "schema", "rows against schema"]
    row: RowConflict | None = None
    place: Place | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Merged:
    """The version that holds both sides, with ours where they conflict. Definitions that do not go together both stand:
    what has such conflicts is to be looked at, not laid out."""

    version: Version
    conflicts: tuple[Conflict, ...]
    renumbered: Mapping[str, Mapping[int, int]] = field(default_factory=dict)  # rows of theirs: table, old number, new


def merge(forest: Forest, base: Version, ours: Version, theirs: Version, how: How = PLAIN) -> Merged:
    """`ours` with the changes from `base` to `theirs`."""
    conflicts: list[Conflict] = []
    theirs, numbers = renumbered(forest, base, ours, theirs, how.renumber)
    objects, contested = merge_definitions(base.shape, ours.shape, theirs.shape)
    conflicts.extend(Conflict(each.table, "schema", place=(each.type, each.name)) for each in contested)
    tables: dict[str, Table] = {}
    roots: dict[str, Root] = {}
    for name in dict.fromkeys([*ours.shape.tables, *theirs.shape.tables]):
        found = _merge_table(forest, name, base, ours, theirs, how, conflicts)
        if found is not None:
            tables[name], roots[name] = found
    pragmas = _merge_mappings(base.shape.pragmas, ours.shape.pragmas, theirs.shape.pragmas)
    shape = Shape(ours.shape.encoding, pragmas, objects, tables)
    attachments = choose(base.attachments, ours.attachments, theirs.attachments)[0]
    return Merged(Version(shape, roots, attachments), tuple(conflicts), numbers)


def _merge_mappings(base: Mapping[str, int], ours: Mapping[str, int], theirs: Mapping[str, int]) -> dict[str, int]:
    names = dict.fromkeys([*ours, *theirs])
    chosen = {name: choose(base.get(name), ours.get(name), theirs.get(name))[0] for name in names}
    return {name: value for name, value in chosen.items() if value is not None}


def _merge_table(
    forest: Forest, name: str, base: Version, ours: Version, theirs: Version, how: How, conflicts: list[Conflict]
) -> tuple[Table, Root] | None:
    was, mine, other = (_whole(version, name) for version in (base, ours, theirs))
    chosen, both_changed = choose(was, mine, other)
    if not both_changed:
        return chosen
    if name == SEQUENCE and mine is not None and other is not None:
        return mine[0], merge_sequence(forest, was and was[1].id, mine[1].id, other[1].id)
    if was is None or mine is None or other is None:
        conflicts.append(Conflict(name, "rows against schema"))  # dropped here, changed there: a person must say
        return mine
    layouts = [_layout(side[0]) for side in (was, mine, other)]
    if layouts[1] != layouts[2]:
        found = _merge_columns(forest, name, was, mine, other, how, conflicts)
        if found is None:
            # both gave it other columns, or what they do to values differs: SQLite would make 701 of '00701'
            conflicts.append(Conflict(name, "rows against schema"))
        return found or mine
    table, _ = choose(was[0], mine[0], other[0])
    if layouts[0] != layouts[1]:  # both gave it the same new columns
        conflicts.append(Conflict(name, "rows against schema"))
        return mine
    width, key_width = len(table.cells), len(table.key)
    steps = merge_trees(forest, was[1].id, mine[1].id, other[1].id, width=width)
    with forest.store.writing() as writer:
        edits = _without_conflicts(name, steps, how, conflicts, JsonCells(forest.store, writer, table, how))
        return table, edit(forest, mine[1].id, edits, width=width, key_width=key_width, writer=writer)


def _merge_columns(
    forest: Forest,
    name: str,
    was: tuple[Table, Root],
    mine: tuple[Table, Root],
    other: tuple[Table, Root],
    how: How,
    conflicts: list[Conflict],
) -> tuple[Table, Root] | None:
    """One side gave the table other columns, and the other side changed rows: the rows go into the new columns. None:
    they do not."""
    ours = _layout(was[0]) == _layout(mine[0])
    rows, columns = (mine, other) if ours else (other, mine)
    if _layout(rows[0]) != _layout(was[0]) or _common(rows[0], columns[0]) != _common(columns[0], rows[0]):
        return None
    fit = fitting(rows[0], columns[0])
    if fit is None:
        return None
    width, new = len(rows[0].cells), columns[0]
    steps = carried(forest, was[1].id, rows[1].id, columns[1].id, fit, width=width, ours=ours)
    edits = _without_conflicts(name, steps, how, conflicts)
    return new, edit(forest, columns[1].id, edits, width=len(new.cells), key_width=len(new.key))


def _common(table: Table, other: Table) -> list[tuple[str, str, str]]:
    """What the columns that both have do to their values."""
    return sorted(each for each in _columns(table) if each[0] in other.cells)


def _without_conflicts(
    table: str,
    steps: Iterator[Edit | Replacement | RowConflict],
    how: How,
    conflicts: list[Conflict],
    json: JsonCells | None = None,
) -> Iterator[Edit | Replacement]:
    """What to do, and of contested rows what can be decided."""
    side, why = how.side(table), ""
    for step in steps:
        if json is not None and isinstance(step, RowConflict):
            step, why = json.decided(step)
        if not isinstance(step, RowConflict):
            yield step
        elif side is not None:
            yield from _decided(step, side)
        else:
            conflicts.append(Conflict(table, "row", step, why=why))
            if step.cells and step.merged is not None:
                yield Edit(step.key, step.merged)


def _decided(contested: RowConflict, side: Side) -> Iterator[Edit]:
    """The row when one side's word counts where both have spoken; what only one has changed is taken all the same."""
    row = {"base": contested.base, "ours": contested.ours, "theirs": contested.theirs}[side]
    if contested.kind != "edit/edit" or row is None or contested.merged is None:
        yield Edit(contested.key, row)
        return
    merged = list(contested.merged)
    for cell in contested.cells:
        merged[cell] = row[cell]
    yield Edit(contested.key, tuple(merged))


def _whole(version: Version, name: str) -> tuple[Table, Root] | None:
    table = version.shape.tables.get(name)
    return None if table is None else (table, version.roots[name])


def _layout(table: Table) -> tuple[object, ...]:
    """What decides which cells a row has, what becomes of a value that is put into one, and what is equal to it."""
    return table.key_kind, table.key, table.cells, table.strict, tuple(_columns(table))


def _columns(table: Table) -> list[tuple[str, str, str]]:
    return [
        (column.name, affinity(column.type), column.collation.upper())
        for column in table.columns
        if not column.generated
    ]
