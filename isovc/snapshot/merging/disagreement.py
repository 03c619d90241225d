"""Definitions that SQLite does not take together: whose stands, what it needs, what a person is told. Knows nothing
of rows."""

from __future__ import annotations

from dataclasses import replace

from isovc.model import SchemaObject
from isovc.snapshot.merging.assembling import Assembly, Objects
from isovc.snapshot.merging.conflict import Conflict
from isovc.snapshot.merging.how import Place
from isovc.snapshot.merging.lineage import Lineage
from isovc.snapshot.merging.standing import Constraint
from isovc.sources.sqlite.rehearsal import Rehearsal, rehearse
from isovc.sql import folded, mentioned, module_of, references, taken_apart


class Disagreement:
    """What is found out, one round after the other. Each asks for something new, so that they end."""

    def __init__(self, merging: Assembly) -> None:
        self._merging = merging
        self.told: dict[Place, Conflict] = {}
        self._settled: set[Place] = set()
        self._alone: dict[int, Rehearsal] = {}

    def ask(self, objects: Objects, rehearsal: Rehearsal) -> bool:
        """Whether something was found that is to be merged otherwise."""
        before = len(self.told), dict(self._merging.asked), dict(self._merging.replaced)
        for place, why in {**rehearsal.absent, **rehearsal.broken}.items():
            if place in self._settled:
                continue
            each = objects[place]
            if each.type == "table" and not module_of(each.sql):
                self._refuse(each, why)
            elif not self._fails_alone(each, is_absent=place in rehearsal.absent):
                self._make_room(each, why, objects, is_absent=place in rehearsal.absent)
        for place, each in objects.items():
            if place[0] == "table" and place not in self._settled:
                self._check_references(each, objects)
        return before != (len(self.told), self._merging.asked, self._merging.replaced)

    def _refuse(self, each: SchemaObject, why: str) -> None:
        asked = self._merging.asked.get(each.name, Constraint())
        if (
            each not in self._merging.sides[1].values()
            and each not in self._merging.sides[2].values()
            and not asked.refused
        ):
            self._merging.asked[each.name] = replace(asked, refused=why)

    def _fails_alone(self, each: SchemaObject, *, is_absent: bool) -> bool:
        """Whether it does no better on a side that has it: then that side has lived with it."""
        place = (each.type, each.name)
        for at in (1, 2):
            if self._merging.sides[at].get(place) != each:
                continue
            if at not in self._alone:
                shape = self._merging.versions[at].shape
                self._alone[at] = rehearse(shape.objects, shape.encoding)
            if place in self._alone[at].absent or (not is_absent and place in self._alone[at].broken):
                return True
        return False

    def _make_room(self, each: SchemaObject, why: str, objects: Objects, *, is_absent: bool) -> None:
        """It needs something that the other side took away. What the side that counts has made stands."""
        place = (each.type, each.name)
        side = self._merging.side(each)
        is_ours = self._merging.sides[1].get(place) == each
        winner = 2 if side == "theirs" else 1
        if (
            is_ours != (winner == 1)
            and self._merging.sides[winner].get(place) != each
            and place not in self._merging.replaced
        ):
            self._merging.replaced[place] = self._merging.sides[winner].get(place)
        elif not self._hold(each, objects, against=1 if winner == 2 else 2):
            self._settled.add(place)
            if is_absent:
                self._merging.replaced[place] = None
            dropped = self._table_is_decided(each)
            if dropped and is_absent:
                return  # who takes a table away takes away what hangs on it
            side = None
        if side is None:
            told = f"{each.type} {each.name} does not go with what the other side changed: {why}"
            self.told[place] = Conflict(each.table, "schema", place=place, why=f"the {told}")

    def _table_is_decided(self, each: SchemaObject) -> bool:
        return any(one.decided for one in self._merging.lineages if folded(one.name) == folded(each.table))

    def _hold(self, each: SchemaObject, objects: Objects, *, against: int) -> bool:
        """Let stay what one side took away and a definition speaks of; False: there is nothing."""
        said = {folded(word) for word in (*mentioned(each.sql), each.table)}
        held = False
        for one in self._merging.lineages:
            if folded(one.name) not in said or one.decided is not None:
                continue
            asked = self._merging.asked.get(one.name, Constraint())
            if ("table", one.name) not in objects and one.own[0] and one.own[3 - against] and not one.own[against]:
                self._merging.asked[one.name] = replace(asked, held=True)
                held = held or not asked.held
            elif gone := self._gone_columns(one, against, objects) & said - asked.columns:
                self._merging.asked[one.name] = replace(asked, columns=asked.columns | gone)
                held = True
        for place, view in self._merging.sides[3 - against].items():
            if place[0] != "view" or folded(view.name) not in said or place in objects:
                continue
            is_open = place not in self._merging.replaced and not self._merging.how.definition(place)
            if is_open and place not in self._merging.sides[against]:
                self._merging.replaced[place] = view
                held = True
        return held

    def _gone_columns(self, each: Lineage, against: int, objects: Objects) -> frozenset[str]:
        parts = taken_apart(objects["table", each.name].sql) if ("table", each.name) in objects else None
        there = {folded(part.column) for part in parts.columns} if parts else set()
        had = set(map(folded, each.columns[0].values())) & set(map(folded, each.columns[3 - against].values()))
        return frozenset(had - there)

    def _check_references(self, each: SchemaObject, objects: Objects) -> None:
        """A foreign key to a table that the other side dropped: ours stands, with the table it needs."""
        place = ("table", each.name)
        there = {folded(one[1]) for one in objects}
        lost = _referred(each.sql) - there
        texts = [side[place].sql if place in side else "" for side in self._merging.sides]
        for at in (1, 2):
            known = {folded(one[1]) for one in self._merging.sides[at] if one[0] == "table"}
            # a side that refers to what it has dropped lives with it
            gone = lost & known & _referred(texts[at]) - _referred(texts[3 - at])
            if not gone:
                continue
            self._settled.add(place)
            lineage = next((one for one in self._merging.lineages if one.name == each.name), None)
            side = lineage.side if lineage else None
            needy = SchemaObject("table", each.name, next(iter(gone)), " ".join(f'"{name}"' for name in gone))
            if at == (2 if side == "theirs" else 1):
                self._hold(needy, objects, against=3 - at)
            if side is None:
                why = f"it refers to {', '.join(sorted(gone))}, which the other side dropped"
                self.told[place] = Conflict(each.name, "schema", place=place, why=why)


def _referred(sql: str) -> set[str]:
    """The tables that foreign keys of a table point to."""
    return {folded(each.table) for each in references(sql)}
