"""Definitions of three versions side by side: tables part by part, all others as sets. Does not know what SQLite makes
of them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from isovc.model import SchemaObject
from isovc.snapshot.choose import choose
from isovc.snapshot.merging.conflict import Conflict
from isovc.snapshot.merging.how import How, Place, Side
from isovc.snapshot.merging.lineage import SIDES, Lineage
from isovc.snapshot.merging.standing import NOTHING_FILLED, Constraint, Filled, Standing, standing
from isovc.snapshot.version import Version
from isovc.sql import folded, words

Versions: TypeAlias = tuple[Version, Version, Version]
Objects: TypeAlias = dict[Place, SchemaObject]


@dataclass
class Assembly:
    """What is merged: `sides` are the definitions of base, ours and theirs in the names of the merged version;
    `filled`: columns that one side dropped and the other put something into. And what was found meanwhile: `asked` of
    tables by other definitions, `replaced` because it cannot be there."""

    versions: Versions
    lineages: Sequence[Lineage]
    sides: Sequence[Objects]
    how: How
    filled: Mapping[str, Filled] = field(default_factory=dict)
    asked: dict[str, Constraint] = field(default_factory=dict)
    replaced: dict[Place, SchemaObject | None] = field(default_factory=dict)
    standing: dict[str, Standing] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    def objects(self) -> Objects:
        """What stands now, as far as it is known what goes together."""
        self.conflicts = []
        objects: Objects = {}
        stored = {("table", each.name) for each in self.lineages}
        for each in self.lineages:
            place = ("table", each.name)
            texts = [side[place].sql if place in side else None for side in self.sides]
            stands = standing(
                each,
                self.versions,
                texts,
                self.asked.get(each.name, Constraint()),
                self.filled.get(each.name, NOTHING_FILLED),
            )
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
            side = self.side(any_one)
            if side is not None:
                return (was, mine, other)[SIDES.index(side)]
            what = "changed" if mine and other else "changed or dropped"
            self.conflicts.append(Conflict(any_one.table, "schema", place=place, why=f"both sides {what} it"))
        return chosen

    def side(self, each: SchemaObject) -> Side | None:
        """Who counts where both have said something of a definition."""
        place = (each.type, each.name)
        return self.how.definition(place) or self.how.side(each.table)

    def _give_way(self, place: Place, objects: Objects) -> None:
        """Two definitions of one name: that of the side that counts stands."""
        each = objects[place]
        rival = next(one for one in objects if one != place and _name_of(objects[one]) == _name_of(each))
        side = self.how.definition(place) or self.how.definition(rival) or self.side(each)
        if side == "theirs":
            objects.pop(rival)
            return
        objects.pop(place)
        if side is None:
            why = f"there is a {rival[0]} {rival[1]} already"
            self.conflicts.append(Conflict(each.table, "schema", place=place, why=why))


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


def _name_of(each: SchemaObject) -> tuple[bool, str]:
    """What SQLite takes for one name: triggers have names of their own, and the case of letters does not count."""
    return each.type == "trigger", folded(each.name)


def _of_one_name(objects: Objects, ours: Objects, theirs: Mapping[Place, SchemaObject]) -> Iterator[Place]:
    """Definitions of theirs whose names are taken."""
    taken = {_name_of(each) for place, each in objects.items() if place in ours}
    for place, each in objects.items():
        if place not in ours and place in theirs and _name_of(each) in taken:
            yield place
