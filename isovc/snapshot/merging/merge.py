"""Three versions into one: definitions first, then rows, table by table. What one side left alone comes from the
other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from isovc.model import Shape, Table
from isovc.snapshot.choose import choose
from isovc.snapshot.files import with_files, without_files
from isovc.snapshot.merging.assembling import Versions
from isovc.snapshot.merging.conflict import Conflict
from isovc.snapshot.merging.deciding import Open
from isovc.snapshot.merging.definitions import Definitions, merge_definitions
from isovc.snapshot.merging.files import merge_files
from isovc.snapshot.merging.how import PLAIN, How, Side
from isovc.snapshot.merging.json_cells import JsonCells
from isovc.snapshot.merging.lineage import SIDES, Lineage
from isovc.snapshot.merging.rows import RowMerge, grown
from isovc.snapshot.merging.virtual import Plainly, merge_virtual
from isovc.snapshot.numbering.renumbering import renumbered
from isovc.snapshot.numbering.sequence import SEQUENCE, merge_sequence, renamed_sequence
from isovc.snapshot.version import Version
from isovc.snapshot.virtual.tables import things_of
from isovc.tree.build import build
from isovc.tree.edit import Edit, Replacement
from isovc.tree.forest import Forest, Root
from isovc.tree.leaf import Row as Cells
from isovc.tree.merge import Conflict as RowConflict
from isovc.tree.merge import merge as merge_trees

__all__ = ["DROPS", "Conflict", "Merged", "merge"]

DROPS = ("edit/drop", "drop/edit")
_LAYOUT = ("page_size", "auto_vacuum")  # of the file, not of what somebody has put into it


@dataclass(frozen=True, slots=True)
class Merged:
    """The version that holds both sides, with ours where they conflict. It can be written into a database whatever the
    conflicts are: of two definitions that cannot be beside each other theirs is left out, and what ours needs stays,
    even if they took it away. A row that the merged table cannot take, for want of a value that it asks for or of a
    key, is left out too, and told. What only rows together break, as UNIQUE or a foreign key, is not looked at."""

    version: Version
    conflicts: tuple[Conflict, ...]
    renumbered: Mapping[str, Mapping[int, int]] = field(default_factory=dict)  # rows of theirs: table, old number, new


def merge(forest: Forest, base: Version, ours: Version, theirs: Version, how: How = PLAIN) -> Merged:
    """`ours` with the changes from `base` to `theirs`."""
    found = _merge_databases(forest, without_files(base), without_files(ours), without_files(theirs), how)
    contested: list[Conflict] = []
    files = merge_files(forest, base, ours, theirs, how, contested)
    return replace(found, version=with_files(found.version, files), conflicts=(*found.conflicts, *contested))


def _merge_databases(forest: Forest, base: Version, ours: Version, theirs: Version, how: How) -> Merged:
    sides = base, ours, theirs
    theirs, numbers = renumbered(forest, base, ours, theirs, how.renumber)
    versions = base, ours, theirs
    found = merge_definitions(forest, versions, how)
    virtual = things_of(sides)
    stored = {table for name, tables in virtual.items() for table in tables if table != name}
    conflicts = [each for each in found.conflicts if each.table not in stored]
    tables = [each for each in found.tables if not any(name in stored or name in virtual for name in each[0].own)]
    roots: dict[str, Root] = {}
    for each, table, side in tables:
        if table.name == SEQUENCE and side is None:
            roots[SEQUENCE] = _sequence(forest, versions, found)
        else:
            roots[table.name] = _rows(forest, versions, each, table, side, how, conflicts)
    pragmas = _pragmas(versions, how, conflicts)
    shape = Shape(ours.shape.encoding, pragmas, found.objects, {table.name: table for _, table, _ in tables})
    version = Version(shape, roots)
    # an index knows the numbers of before
    version = merge_virtual(forest, virtual, sides, version, how, _plainly(forest, how, conflicts))
    return Merged(version, tuple(conflicts), numbers)


def _plainly(forest: Forest, how: How, conflicts: list[Conflict]) -> Plainly:
    """What virtual tables share with others."""

    def rows(name: str, base: Version, ours: Version, theirs: Version) -> tuple[Table, Root] | None:
        found = merge(forest, base, ours, theirs, how)
        if any(each.row is None for each in found.conflicts):
            return None
        conflicts.extend(found.conflicts)
        return found.version.shape.tables[name], found.version.roots[name]

    def settle(name: str, contested: RowConflict) -> Cells | None:
        side = how.side(name)
        if side is not None:
            return _decided(contested, side)
        conflicts.append(Conflict(name, "row", contested))
        return contested.merged

    def contest(name: str, stored: frozenset[str], why: str) -> None:
        place = "table", name
        conflicts[:] = [each for each in conflicts if each.table not in stored or each.place is not None]
        if all(each.place != place for each in conflicts):
            conflicts.append(Conflict(name, "rows against schema", place=place, why=why))

    return Plainly(rows, settle, contest)


def _pragmas(versions: Versions, how: How, conflicts: list[Conflict]) -> dict[str, int]:
    merged: dict[str, int] = {}
    for name in dict.fromkeys(name for version in (*versions[1:], versions[0]) for name in version.shape.pragmas):
        said = [version.shape.pragmas.get(name) for version in versions]
        chosen, contested = choose(said[0], said[1], said[2])
        decided = how.definition(("pragma", name))
        if decided or (contested and how.prefer):
            chosen = said[SIDES.index(decided or how.prefer or "ours")]
        elif contested and name not in _LAYOUT:
            why = f"it is {said[1]} here and {said[2]} there"
            conflicts.append(Conflict("", "schema", place=("pragma", name), why=why))
        if chosen is not None:
            merged[name] = chosen
    return merged


def _sequence(forest: Forest, versions: Versions, found: Definitions) -> Root:
    """Numbers given, by the names that tables have now."""
    roots = []
    for at, version in enumerate(versions):
        names = {str(each.own[at]): each.name for each, _, _ in found.tables if each.own[at] is not None}
        roots.append(renamed_sequence(forest, version, names))
    was, mine, other = roots
    if mine is None or other is None or mine in (was, other):
        return other or mine or build(forest, ())
    return mine if other == was else merge_sequence(forest, was and was.id, mine.id, other.id)


def _rows(
    forest: Forest,
    versions: Versions,
    each: Lineage,
    table: Table,
    side: Side | None,
    how: How,
    conflicts: list[Conflict],
) -> Root:
    """The rows of one table: those of a side, or those of both."""
    rows = RowMerge(forest, versions, each, table)
    width, key_width = len(table.cells), len(table.key)
    with ExitStack() as stack:
        steps: Iterable[Edit | Replacement | RowConflict | Open]
        if side is not None:
            found = rows.of_one(side, stack)
            start, steps = found.start, found.steps
        elif (only := rows.of_the_only_one()) is not None:
            return only
        elif rows.is_plain():
            was, mine, other = (
                source.root if source else build(forest, (), key_width=key_width) for source in rows.sources
            )
            if other.id in (was.id, mine.id):
                return mine
            start, steps = mine, merge_trees(forest, was.id, mine.id, other.id, width=width)
        else:
            found = rows.of_all(stack)
            start, steps = found.start, found.steps
        rows.writer = writer = stack.enter_context(forest.store.writing())
        json = JsonCells(forest.store, writer, table, how)
        edits = _without_conflicts(table.name, steps, each, conflicts, json)
        return grown(forest, start, edits, table, writer)


def _without_conflicts(
    table: str,
    steps: Iterable[Edit | Replacement | RowConflict | Open],
    each: Lineage,
    conflicts: list[Conflict],
    json: JsonCells,
) -> Iterator[Edit | Replacement]:
    """What to do, and of contested rows what can be decided."""
    for step in steps:
        if isinstance(step, (Edit, Replacement)):
            yield step
            continue
        told = step if isinstance(step, Open) else Open(step)
        found, why = json.decided(told.conflict)
        if isinstance(found, Edit) and told.why:
            found = told.conflict._replace(kind="edit/drop", cells=(), merged=found.row)
        if isinstance(found, Edit):
            yield found
        elif each.decided is not None and found.kind in DROPS and not told.is_stuck:
            yield Edit(found.key, found.merged)  # whoever chose a definition chose its columns
        elif each.prefer is not None and not told.is_stuck:
            yield Edit(found.key, _decided(found, each.prefer))
        else:
            conflicts.append(Conflict(table, "row", found, why="; ".join(filter(None, (told.why, why)))))
            if told is step or found.merged is not found.ours:  # trees that are merged as they are begin with our rows
                yield Edit(found.key, found.merged)


def _decided(contested: RowConflict, side: Side) -> tuple[object, ...] | None:
    """The row when one side's word counts where both have spoken; what only one has changed is taken all the same."""
    row = {"base": contested.base, "ours": contested.ours, "theirs": contested.theirs}[side]
    if contested.kind in DROPS:
        return contested.merged
    if contested.kind != "edit/edit" or row is None or contested.merged is None:
        return row
    merged = list(contested.merged)
    for cell in contested.cells:
        merged[cell] = row[cell]
    return tuple(merged)
