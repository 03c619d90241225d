"""Definitions of three versions into one: tables part by part, all others as sets, and only what SQLite takes together.
Knows nothing of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from isovc.model import SchemaObject, Table
from isovc.snapshot.conflict import Conflict
from isovc.snapshot.how import How, Place, Side
from isovc.snapshot.lineage import SIDES, Lineage, lineages
from isovc.snapshot.standing import Constraint, Standing, standing
from isovc.snapshot.version import Version
from isovc.sources.sqlite.rehearsal import Rehearsal, Renaming, rehearse, renamed_objects
from isovc.sql import folded, mentioned, module_of, references, taken_apart, words
from isovc.tree.forest import Forest

_T = TypeVar("_T")
_ORDER = {"table": 0, "virtual": 1, "index": 2, "view": 3, "trigger": 4}
Versions = tuple[Version, Version, Version]
Objects = dict[Place, SchemaObject]


@dataclass(frozen=True, slots=True)
class Definitions:
    """What stands. `tables`: those that have rows, each with whose they are (None: those of all, merged)."""

    objects: tuple[SchemaObject, ...]
    tables: tuple[tuple[Lineage, Table, Side | None], ...]
    conflicts: tuple[Conflict, ...]


def choose(base: _T, ours: _T, theirs: _T) -> tuple[_T, bool]:
    """What stands when a whole thing is merged, and whether both sides changed it, and not alike."""
    if theirs in (base, ours):
        return ours, False
    return (theirs, False) if ours == base else (ours, True)


def merge_definitions(forest: Forest, versions: Versions, how: How) -> Definitions:
    """What stands of all definitions."""
    found = lineages(forest, versions, how)
    texts = _in_merged_names(versions, found)
    if texts is None:  # SQLite does not rename what the rows say was renamed
        found = lineages(forest, versions, how, by_name=True)
        texts = _in_merged_names(versions, found) or [_by_place(version.shape.objects) for version in versions]
    return _Merging(versions, found, texts, how).done()


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


@dataclass
class _Merging:
    """Definitions on their way to stand together: what is found not to is asked of them, and all is merged again."""

    versions: Versions
    lineages: Sequence[Lineage]
    sides: Sequence[Objects]
    how: How
    asked: dict[str, Constraint] = field(default_factory=dict)
    replaced: dict[Place, SchemaObject | None] = field(default_factory=dict)
    told: dict[Place, Conflict] = field(default_factory=dict)
    settled: set[Place] = field(default_factory=set)
    standing: dict[str, Standing] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    _alone: dict[int, Rehearsal] = field(default_factory=dict)

    def done(self) -> Definitions:
        """What stands in the end."""
        objects = self._merged()
        while not self._is_one_sided():
            rehearsal = rehearse(tuple(objects.values()), self.versions[1].shape.encoding)
            if not self._asks_more(objects, rehearsal):
                break
            objects = self._merged()
        tables = []
        for each in self.lineages:
            place = ("table", each.name)
            if place in objects and not module_of(objects[place].sql):  # it may be a virtual table on the other side
                table = self._known(objects[place], each)
                if table is None:
                    rehearsal = rehearse(tuple(objects.values()), self.versions[1].shape.encoding)
                    table = rehearsal.tables[each.name]
                tables.append((each, table, self.standing[each.name].rows))
        conflicts = (*self.conflicts, *self.told.values())
        return Definitions(_in_order(objects), tuple(tables), conflicts)

    def _is_one_sided(self) -> bool:
        """Only one side changed any definition: they stood together there. Where things were renamed, what SQLite does
        not rewrite may not."""
        was, mine, other = (set(side.values()) for side in self.sides)
        if any(each.renames(at) for each in self.lineages for at in range(3)):
            return False
        return not self.how.definitions and (was in (mine, other) or mine == other) and not self.conflicts

    def _known(self, made: SchemaObject, each: Lineage) -> Table | None:
        """The table as a version has it already."""
        for at in (1, 2, 0):
            if self.sides[at].get((made.type, made.name)) == made and not each.renames(at):
                return self.versions[at].shape.tables[made.name]
        return None

    # -- one attempt ---------------------------------------------------------------------------------------------------

    def _merged(self) -> Objects:
        self.conflicts = []
        objects: Objects = {}
        stored = {("table", each.name) for each in self.lineages}
        for each in self.lineages:
            place = ("table", each.name)
            texts = [side[place].sql if place in side else None for side in self.sides]
            stands = standing(each, self.versions, texts, self.asked.get(each.name, Constraint()))
            self.standing[each.name] = stands
            for kind in dict.fromkeys(kind for kind, _ in stands.contested):
                why = "; ".join(why for one, why in stands.contested if one == kind)
                self.conflicts.append(Conflict(each.place[1], kind, place=each.place, why=why))
            if stands.sql is not None:
                objects[place] = SchemaObject("table", each.name, each.name, stands.sql)
        out = {each.name for each in self.lineages if each.is_out}
        for place in dict.fromkeys(place for at in (1, 2, 0) for place in self.sides[at]):
            if place not in stored:
                chosen = self._chosen(place)
                if chosen is not None and chosen.table not in out:
                    objects[place] = chosen
        for place in list(_of_one_name(objects, self.sides[1], self.sides[2])):
            self._give_way(place, objects)
        order = {
            place: at for at, place in enumerate(dict.fromkeys(place for at in (1, 2, 0) for place in self.sides[at]))
        }
        return dict(sorted(objects.items(), key=lambda item: order[item[0]]))

    def _chosen(self, place: Place) -> SchemaObject | None:
        """What stands of an index, view, trigger or virtual table."""
        if place in self.replaced:
            return self.replaced[place]
        was, mine, other = (side.get(place) for side in self.sides)
        if decided := self.how.definition(place):
            return (was, mine, other)[SIDES.index(decided)]
        any_one = mine or other or was
        assert any_one is not None
        if mine is None or other is None:
            kept = self.standing.get(any_one.table)
            if was is not None and kept is not None and kept.is_kept and place[0] in ("index", "trigger"):
                return mine or other  # it went only because its table did
        chosen, contested = _choose_said(was, mine, other)
        if contested:
            side = self._side(any_one)
            if side is not None:
                return (was, mine, other)[SIDES.index(side)]
            what = "changed" if mine and other else "changed or dropped"
            self.conflicts.append(Conflict(any_one.table, "schema", place=place, why=f"both sides {what} it"))
        return chosen

    def _side(self, each: SchemaObject) -> Side | None:
        place = (each.type, each.name)
        return self.how.definition(place) or self.how.side(each.table)

    def _give_way(self, place: Place, objects: Objects) -> None:
        """Two definitions of one name: that of the side that counts stands."""
        each = objects[place]
        rival = next(one for one in objects if one != place and _name_of(objects[one]) == _name_of(each))
        side = self.how.definition(place) or self.how.definition(rival) or self._side(each)
        if side == "theirs":
            objects.pop(rival)
            return
        objects.pop(place)
        if side is None:
            why = f"there is a {rival[0]} {rival[1]} already"
            self.conflicts.append(Conflict(each.table, "schema", place=place, why=why))

    # -- what does not go together -------------------------------------------------------------------------------------

    def _asks_more(self, objects: Objects, rehearsal: Rehearsal) -> bool:
        """Whether something was found that is to be merged otherwise."""
        before = len(self.told), dict(self.asked), dict(self.replaced)
        for place, why in {**rehearsal.absent, **rehearsal.broken}.items():
            if place in self.settled:
                continue
            each = objects[place]
            if each.type == "table" and not module_of(each.sql):
                self._refuse(each, why)
            elif not self._fails_alone(each, is_absent=place in rehearsal.absent):
                self._make_room(each, why, objects, is_absent=place in rehearsal.absent)
        for place, each in objects.items():
            if place[0] == "table" and place not in self.settled:
                self._check_references(each, objects)
        return before != (len(self.told), self.asked, self.replaced)

    def _refuse(self, each: SchemaObject, why: str) -> None:
        asked = self.asked.get(each.name, Constraint())
        if each not in self.sides[1].values() and each not in self.sides[2].values() and not asked.refused:
            self.asked[each.name] = replace(asked, refused=why)

    def _fails_alone(self, each: SchemaObject, *, is_absent: bool) -> bool:
        """Whether it does no better on a side that has it: then that side has lived with it."""
        place = (each.type, each.name)
        for at in (1, 2):
            if self.sides[at].get(place) != each:
                continue
            if at not in self._alone:
                shape = self.versions[at].shape
                self._alone[at] = rehearse(shape.objects, shape.encoding)
            if place in self._alone[at].absent or (not is_absent and place in self._alone[at].broken):
                return True
        return False

    def _make_room(self, each: SchemaObject, why: str, objects: Objects, *, is_absent: bool) -> None:
        """It needs something that the other side took away. What the side that counts has made stands."""
        place = (each.type, each.name)
        side = self._side(each)
        is_ours = self.sides[1].get(place) == each
        winner = 2 if side == "theirs" else 1
        if is_ours != (winner == 1) and self.sides[winner].get(place) != each and place not in self.replaced:
            self.replaced[place] = self.sides[winner].get(place)
        elif not self._hold(each, objects, against=1 if winner == 2 else 2):
            self.settled.add(place)
            if is_absent:
                self.replaced[place] = None
            dropped = self._table_is_decided(each)
            if dropped and is_absent:
                return  # who takes a table away takes away what hangs on it
            side = None
        if side is None:
            told = f"{each.type} {each.name} does not go with what the other side changed: {why}"
            self.told[place] = Conflict(each.table, "schema", place=place, why=f"the {told}")

    def _table_is_decided(self, each: SchemaObject) -> bool:
        return any(one.decided for one in self.lineages if folded(one.name) == folded(each.table))

    def _hold(self, each: SchemaObject, objects: Objects, *, against: int) -> bool:
        """Let stay what one side took away and a definition speaks of; False: there is nothing."""
        said = {folded(word) for word in (*mentioned(each.sql), each.table)}
        held = False
        for one in self.lineages:
            if folded(one.name) not in said or one.decided is not None:
                continue
            asked = self.asked.get(one.name, Constraint())
            if ("table", one.name) not in objects and one.own[0] and one.own[3 - against] and not one.own[against]:
                self.asked[one.name] = replace(asked, held=True)
                held = held or not asked.held
            elif gone := self._gone_columns(one, against, objects) & said - asked.columns:
                self.asked[one.name] = replace(asked, columns=asked.columns | gone)
                held = True
        for place, view in self.sides[3 - against].items():
            is_gone = place not in objects and place not in self.sides[against]
            if place[0] == "view" and is_gone and folded(view.name) in said and not self.how.definition(place):
                self.replaced[place] = view
                held = True
        return held

    def _gone_columns(self, each: Lineage, against: int, objects: Objects) -> frozenset[str]:
        parts = taken_apart(objects["table", each.name].sql) if ("table", each.name) in objects else None
        there = {folded(part.column) for part in parts.columns} if parts else set()
        had = set(map(folded, each.columns[0].values())) & set(map(folded, each.columns[3 - against].values()))
        return frozenset(had - there)

    def _check_references(self, each: SchemaObject, objects: Objects) -> None:
        """A foreign key to a table that the other side dropped: ours stands, with the table it needs."""
        there = {folded(place[1]) for place in objects}
        lost = _referred(each.sql) - there
        for at in (1, 2):
            known = {folded(place[1]) for place in self.sides[at] if place[0] == "table"}
            own = self.sides[at].get(("table", each.name))
            if not own or not (gone := lost & known & _referred(own.sql)):
                continue
            place = ("table", each.name)
            self.settled.add(place)
            lineage = next((one for one in self.lineages if one.name == each.name), None)
            side = lineage.side if lineage else None
            needy = SchemaObject("table", each.name, next(iter(gone)), " ".join(f'"{name}"' for name in gone))
            if at == (2 if side == "theirs" else 1):
                self._hold(needy, objects, against=3 - at)
            if side is None:
                why = f"it refers to {', '.join(sorted(gone))}, which the other side dropped"
                self.told[place] = Conflict(each.name, "schema", place=place, why=why)


def _choose_said(
    was: SchemaObject | None, mine: SchemaObject | None, other: SchemaObject | None
) -> tuple[SchemaObject | None, bool]:
    """As `choose`, whatever blanks a definition has and however names in it are quoted."""
    chosen, contested = choose(was, mine, other)
    if contested:
        said = [each and (each.table, words(each.sql)) for each in (was, mine, other)]
        _, contested = choose(said[0], said[1], said[2])
        chosen = mine if said[1] != said[0] else other
    return chosen, contested


def _referred(sql: str) -> set[str]:
    """The tables that foreign keys of a table point to."""
    return {folded(each.table) for each in references(sql)}


def _name_of(each: SchemaObject) -> tuple[bool, str]:
    """What SQLite takes for one name: triggers have names of their own, and the case of letters does not count."""
    return each.type == "trigger", folded(each.name)


def _of_one_name(objects: Objects, ours: Objects, theirs: Mapping[Place, SchemaObject]) -> Iterator[Place]:
    """Definitions of theirs whose names are taken."""
    taken = {_name_of(each) for place, each in objects.items() if place in ours}
    for place, each in objects.items():
        if place not in ours and place in theirs and _name_of(each) in taken:
            yield place


def _in_order(objects: Objects) -> tuple[SchemaObject, ...]:
    """In an order in which they can be executed, that of SQLite's VACUUM."""

    def kind(each: SchemaObject) -> int:
        return _ORDER["virtual" if each.type == "table" and module_of(each.sql) else each.type]

    return tuple(sorted(objects.values(), key=kind))
