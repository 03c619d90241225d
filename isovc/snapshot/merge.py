"""Three versions into one: definitions first, then rows, table by table. What one side left alone comes from the
other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from isovc.model import Shape, Table
from isovc.snapshot.definitions import choose, merge_definitions
from isovc.snapshot.version import Version
from isovc.tree.edit import Edit, Replacement, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.merge import Conflict as RowConflict
from isovc.tree.merge import merge as merge_trees

_AFFINITIES = {
    "INTEGER": ("INT",),
    "TEXT": ("CHAR", "CLOB", "TEXT"),
    "BLOB": ("BLOB",),
    "REAL": ("REAL", "FLOA", "DOUB"),
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something both sides changed, and not alike. Of a row conflict `row` says which; our side stands meanwhile."""

    table: str
    kind: Literal["row", "schema", "rows against schema"]
    row: RowConflict | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """The version that holds both sides, with ours where they conflict. Definitions that do not go together both stand:
    what has such conflicts is to be looked at, not laid out."""

    version: Version
    conflicts: tuple[Conflict, ...]


def merge(forest: Forest, base: Version, ours: Version, theirs: Version) -> Merged:
    """`ours` with the changes from `base` to `theirs`."""
    conflicts: list[Conflict] = []
    objects, contested = merge_definitions(base.shape, ours.shape, theirs.shape)
    conflicts.extend(Conflict(each.table, "schema") for each in contested)
    tables: dict[str, Table] = {}
    roots: dict[str, Root] = {}
    for name in dict.fromkeys([*ours.shape.tables, *theirs.shape.tables]):
        found = _merge_table(forest, name, base, ours, theirs, conflicts)
        if found is not None:
            tables[name], roots[name] = found
    pragmas = _merge_mappings(base.shape.pragmas, ours.shape.pragmas, theirs.shape.pragmas)
    shape = Shape(ours.shape.encoding, pragmas, objects, tables)
    attachments = choose(base.attachments, ours.attachments, theirs.attachments)[0]
    return Merged(Version(shape, roots, attachments), tuple(conflicts))


def _merge_mappings(base: Mapping[str, int], ours: Mapping[str, int], theirs: Mapping[str, int]) -> dict[str, int]:
    names = dict.fromkeys([*ours, *theirs])
    chosen = {name: choose(base.get(name), ours.get(name), theirs.get(name))[0] for name in names}
    return {name: value for name, value in chosen.items() if value is not None}


def _merge_table(
    forest: Forest, name: str, base: Version, ours: Version, theirs: Version, conflicts: list[Conflict]
) -> tuple[Table, Root] | None:
    was, mine, other = (_whole(version, name) for version in (base, ours, theirs))
    chosen, both_changed = choose(was, mine, other)
    if not both_changed:
        return chosen
    if was is None or mine is None or other is None or len({_layout(side[0]) for side in (was, mine, other)}) > 1:
        # one side dropped it, or gave it other columns, and the other changed rows: a person must say which counts.
        # Columns of another affinity are others too: SQLite would make 701 of '00701', and nobody would be asked.
        conflicts.append(Conflict(name, "rows against schema"))
        return mine
    table, _ = choose(was[0], mine[0], other[0])
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
    """What decides which cells a row has, what becomes of a value that is put into one, and what is equal to it."""
    columns = [
        (column.name, _affinity(column.type), column.collation.upper())
        for column in table.columns
        if not column.generated
    ]
    return table.key_kind, table.key, table.cells, table.strict, tuple(columns)


def _affinity(declared: str) -> str:
    """As SQLite reads it off a declared type: the first that fits."""
    if not declared:
        return "BLOB"
    found = (affinity for affinity, parts in _AFFINITIES.items() if any(part in declared.upper() for part in parts))
    return next(found, "NUMERIC")
