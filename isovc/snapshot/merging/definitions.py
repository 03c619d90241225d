"""Definitions of three versions into one that SQLite takes together. Knows nothing of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from isovc.model import SchemaObject, Table
from isovc.snapshot.merging.assembling import Assembly, Objects, Versions
from isovc.snapshot.merging.conflict import Conflict
from isovc.snapshot.merging.disagreement import Disagreement
from isovc.snapshot.merging.dropped import filled
from isovc.snapshot.merging.how import How, Side
from isovc.snapshot.merging.lineage import Lineage, lineages
from isovc.sources.sqlite.rehearsal import Renaming, rehearse, renamed_objects
from isovc.sql import module_of, taken_apart
from isovc.tree.forest import Forest

_ORDER = {"table": 0, "virtual": 1, "index": 2, "view": 3, "trigger": 4}


@dataclass(frozen=True, slots=True)
class Definitions:
    """What stands. `tables`: those that have rows, each with whose they are (None: those of all, merged)."""

    objects: tuple[SchemaObject, ...]
    tables: tuple[tuple[Lineage, Table, Side | None], ...]
    conflicts: tuple[Conflict, ...]


def merge_definitions(forest: Forest, versions: Versions, how: How) -> Definitions:
    """What stands of all definitions."""
    found = lineages(forest, versions, how)
    texts = _in_merged_names(versions, found)
    if texts is None:  # SQLite does not rename what the rows say was renamed
        found = lineages(forest, versions, how, by_name=True)
        texts = _in_merged_names(versions, found) or [_by_place(version.shape.objects) for version in versions]
    put = {each.name: filled(forest, versions, each) for each in found if each.decided is None}
    merging = Assembly(versions, found, texts, how, put)
    disagreement = Disagreement(merging)
    objects = merging.objects()
    while not _is_one_sided(merging):
        if not disagreement.ask(objects, rehearse(tuple(objects.values()), versions[1].shape.encoding)):
            break
        objects = merging.objects()
    conflicts = (*merging.conflicts, *disagreement.told.values())
    return Definitions(_in_order(objects), tuple(_tables(merging, objects)), conflicts)


def _is_one_sided(merging: Assembly) -> bool:
    """Only one side changed any definition: they stood together there. Where things were renamed, what SQLite does not
    rewrite may not."""
    was, mine, other = (set(side.values()) for side in merging.sides)
    if any(each.renames(at) for each in merging.lineages for at in range(3)):
        return False
    return not merging.how.definitions and (was in (mine, other) or mine == other) and not merging.conflicts


def _tables(merging: Assembly, objects: Objects) -> Iterator[tuple[Lineage, Table, Side | None]]:
    """The tables that have rows. Those that no version has as they stand now are what SQLite makes of them."""
    made: Mapping[str, Table] | None = None
    for each in merging.lineages:
        place = ("table", each.name)
        if place not in objects or module_of(objects[place].sql):  # it may be a virtual table on the other side
            continue
        table = _known(merging, objects[place], each)
        if table is None:
            if made is None:
                made = rehearse(tuple(objects.values()), merging.versions[1].shape.encoding).tables
            table = made[each.name]
        yield each, table, merging.standing[each.name].rows


def _known(merging: Assembly, made: SchemaObject, each: Lineage) -> Table | None:
    """The table as a version has it already."""
    for at in (1, 2, 0):
        if merging.sides[at].get((made.type, made.name)) == made and not each.renames(at):
            return merging.versions[at].shape.tables[made.name]
    return None


def _in_merged_names(versions: Versions, found: Sequence[Lineage]) -> list[Objects] | None:
    sides = []
    for at, version in enumerate(versions):
        objects = version.shape.objects
        renamings = [
            Renaming(name, each.name, {old: new for old, new in each.columns[at].items() if old != new})
            for each in found
            if (name := each.own[at]) is not None and each.renames(at)
        ]
        if renamings:
            objects = renamed_objects(objects, renamings, version.shape.encoding)
        sides.append(_by_place(objects))
        for each in found:
            if each.own[at] is not None and each.renames(at):
                there = sides[at].get(("table", each.name))
                parts = taken_apart(there.sql) if there else None
                if parts is None or {part.column for part in parts.columns} != set(each.columns[at].values()):
                    return None
    return sides


def _by_place(objects: Sequence[SchemaObject]) -> Objects:
    return {(each.type, each.name): each for each in objects}


def _in_order(objects: Objects) -> tuple[SchemaObject, ...]:
    """In an order in which they can be executed, that of SQLite's VACUUM."""

    def kind(each: SchemaObject) -> int:
        return _ORDER["virtual" if each.type == "table" and module_of(each.sql) else each.type]

    return tuple(sorted(objects.values(), key=kind))
