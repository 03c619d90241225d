"""Definitions of three versions into one, and which of them do not go together. Knows nothing of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

from isovc.model import SchemaObject, Shape
from isovc.sql import folded, mentioned

_T = TypeVar("_T")


def choose(base: _T, ours: _T, theirs: _T) -> tuple[_T, bool]:
    """What stands when a whole thing is merged, and whether both sides changed it, and not alike."""
    if theirs in (base, ours):
        return ours, False
    return (theirs, False) if ours == base else (ours, True)


def merge_definitions(base: Shape, ours: Shape, theirs: Shape) -> tuple[tuple[SchemaObject, ...], list[SchemaObject]]:
    """Definitions as sets: each comes, goes or changes by itself. Those only they have stand behind all of ours. And
    those that are contested: both sides changed them, or they cannot be beside what the other side has made."""
    sides = [{(each.type, each.name): each for each in shape.objects} for shape in (base, ours, theirs)]
    merged: list[SchemaObject] = []
    contested: list[SchemaObject] = []
    for place in dict.fromkeys([*sides[1], *sides[2]]):
        was, mine, other = (side.get(place) for side in sides)
        chosen, is_contested = choose(was, mine, other)
        if chosen is not None:
            merged.append(chosen)
        if is_contested:
            contested.extend(each for each in (mine or other,) if each is not None)
    contested += _of_one_name(merged)
    contested += _left_hanging(base, ours, theirs, merged)
    contested += _left_hanging(base, theirs, ours, merged)
    return tuple(merged), contested


def _of_one_name(merged: list[SchemaObject]) -> list[SchemaObject]:
    """What SQLite takes for one name: triggers have names of their own, and the case of letters does not count."""
    names = [(each.type == "trigger", folded(each.name)) for each in merged]
    many = Counter(names)
    return [each for each, name in zip(merged, names, strict=True) if many[name] > 1]


def _left_hanging(base: Shape, side: Shape, other: Shape, merged: list[SchemaObject]) -> Iterator[SchemaObject]:
    """What one side made or changed and that speaks of a table or column which the other side took away. Read off the
    words, so a name that means something else may be taken for it: then a person is asked without need."""
    known = set(base.objects) | set(other.objects)
    fresh = [each for each in merged if each not in known and each.type in ("index", "view", "trigger")]
    if not fresh:
        return
    there = {folded(each.name) for each in merged}
    gone = {folded(each.name) for each in side.objects if each.type in ("table", "view")} - there
    lost = _lost_columns(base, side, other)
    for each in fresh:
        words = {folded(word) for word in mentioned(each.sql)}
        tables = words & lost.keys()
        if words & gone or any(words & lost[table] for table in tables):
            yield each


def _lost_columns(base: Shape, side: Shape, other: Shape) -> dict[str, set[str]]:
    """By table: the columns that one side has and that will not be there."""
    lost = {}
    for name, table in side.tables.items():
        chosen, _ = choose(base.tables.get(name), table, other.tables.get(name))
        if chosen is not None and chosen != table:
            lost[folded(name)] = {folded(c.name) for c in table.columns} - {folded(c.name) for c in chosen.columns}
    return lost
