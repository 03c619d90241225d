"""In which order the entries of a schema are to stand. Knows nothing of connections.

A shape says the order within a kind. Across kinds only the file tells it, and `.dump` shows it, so entries stay where
they were and new ones come where a program would have put them: behind the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from isovc.model import SchemaObject, Shape
from isovc.sources.sqlite.shape import kind_of

Place = tuple[str, str]  # type and name of an entry


def wanted_places(before: Sequence[Place], target: Shape) -> list[Place]:
    """The order for the entries of `target` in a file where they stood as in `before`."""
    wanted = {_place(each): each for each in target.objects}
    order = [place for place in before if place in wanted]
    stood = set(order)
    kinds = {place: kind_of(each) for place, each in wanted.items()}
    last: dict[str, Place] = {}  # of each kind, the one that the next has to follow
    more = Counter(kinds[place] for place in order)  # of each kind, those old ones that are still to follow
    for place, each in wanted.items():
        kind = kinds[place]
        if place in stood:
            more[kind] -= 1
        elif kind == "virtual" and (first := _first_stored(order, each, target, stood)) is not None:
            order.insert(first, place)
        elif more[kind]:
            order.insert(order.index(last[kind]) + 1 if kind in last else 0, place)
        else:
            order.append(place)
        last[kind] = place
    # where old ones change places, each kind keeps those it has
    of_kind = {kind: iter([place for place in wanted if kinds[place] == kind]) for kind in set(kinds.values())}
    return _behind_their_tables([next(of_kind[kinds[place]]) for place in order], wanted)


def _behind_their_tables(order: list[Place], wanted: Mapping[Place, SchemaObject]) -> list[Place]:
    """SQLite reads the entries from the first on, and an index or trigger whose table has not come yet is damage to
    it: where a table was renamed, it is new and its index is not."""
    early: dict[str, list[Place]] = {}
    sound: list[Place] = []
    there = {place[1] for place in order if place[0] in ("table", "view")}
    met: set[str] = set()
    for place in order:
        table = wanted[place].table
        if place[0] in ("index", "trigger") and table in there and table not in met:
            early.setdefault(table, []).append(place)
            continue
        sound.append(place)
        if place[0] in ("table", "view"):
            met.add(place[1])
            sound += early.pop(place[1], [])
    return sound


def _place(each: SchemaObject) -> Place:
    return each.type, each.name


def _first_stored(order: list[Place], each: SchemaObject, target: Shape, stood: set[Place]) -> int | None:
    """Where the first stored table of a new virtual table stands, if it is new too: SQLite enters it right before."""
    stored = {("table", table.name) for table in target.tables.values() if table.shadow_of == each.name}
    return next((at for at, place in enumerate(order) if place in stored and place not in stood), None)
