"""Virtual tables of three versions into one: each with its stored tables is one thing. What only one side changed is
taken as it is; what both changed is made anew of their rows, by its own module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from isovc.snapshot.choose import choose
from isovc.snapshot.merging.boxes import contested_boxes
from isovc.snapshot.merging.how import How
from isovc.snapshot.version import Version
from isovc.snapshot.virtual.content import as_version, content, is_in_step, kind_of
from isovc.snapshot.virtual.rebuild import of_rows, of_what_it_indexes
from isovc.snapshot.virtual.settings import MergeRows, merge_settings
from isovc.snapshot.virtual.tables import (
    BOXES,
    NotMade,
    Thing,
    indexed,
    keeps_rowids,
    thing,
    with_thing,
)
from isovc.tree.build import build
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row as Cells
from isovc.tree.merge import Conflict as RowConflict

Sides: TypeAlias = tuple[Version, Version, Version]
Things: TypeAlias = tuple[Thing | None, Thing | None, Thing | None]


@dataclass(frozen=True, slots=True)
class Plainly:
    """What merging does with tables that are not virtual. `rows`: one table of three versions into one; None: only as a
    whole. `settle`: what becomes of a contested row. `contest`: a virtual table and its stored tables are contested,
    and why."""

    rows: MergeRows
    settle: Callable[[str, RowConflict], Cells | None]
    contest: Callable[[str, frozenset[str], str], None]


def merge_virtual(
    forest: Forest, groups: Mapping[str, frozenset[str]], sides: Sides, merged: Version, how: How, plainly: Plainly
) -> Version:
    """The merged version, which holds all other tables, with the virtual tables. `groups`: their names, and those of
    the tables they keep."""
    things = {name: _things(sides, name, names) for name, names in groups.items()}
    # what an index is made of may itself be kept by a module
    for name in sorted(groups, key=lambda name: any(each and kind_of(each) == "index" for each in things[name])):
        names = groups[name]
        was, mine, other = things[name]
        found, both_changed = choose(was, mine, other)
        if both_changed or _overtaken(sides, things[name], merged):
            found = _decided(forest, name, names, sides, things[name], merged, how, plainly)
        merged = with_thing(merged, names, found)
    return merged


def _things(sides: Sides, name: str, names: frozenset[str]) -> Things:
    was, mine, other = (thing(side, name, names) for side in sides)
    return was, mine, other


def _overtaken(sides: Sides, things: Things, merged: Version) -> bool:
    """Whether one side changed a full-text index, and the table that it indexes is not as that side has it."""
    was, mine, other = things
    if mine == other or was not in (mine, other):
        return False
    changed, side = (mine, sides[1]) if was == other else (other, sides[2])
    if changed is None or changed.definition is None or kind_of(changed) != "index":
        return False
    then, now = (
        {(each, version.roots.get(each.name)) for each in indexed(version.shape, changed.definition) or ()}
        for version in (side, merged)
    )
    return then != now


def _decided(
    forest: Forest,
    name: str,
    names: frozenset[str],
    sides: Sides,
    things: Things,
    merged: Version,
    how: How,
    plainly: Plainly,
) -> Thing | None:
    """What stands of a thing that is not just taken from one side."""
    by_side = dict(zip(("base", "ours", "theirs"), things, strict=True))
    said = how.definition(("table", name))
    if said is not None:
        return by_side[said]
    try:
        return _made(forest, name, sides, things, merged, plainly)
    except NotMade as error:
        said = how.side(name)
        if said is None:
            plainly.contest(name, names, str(error))
        return by_side[said or "ours"]


def _made(forest: Forest, name: str, sides: Sides, things: Things, merged: Version, plainly: Plainly) -> Thing:
    was, mine, other = things
    if mine is None or other is None:
        present = mine or other
        if was is not None or present is None:
            raise NotMade("one side changed it, and the other side dropped it")
        like, is_contested = present, False
    else:
        definition, is_contested = choose(was.definition if was else None, mine.definition, other.definition)
        like = mine if mine.definition == definition else other
    if is_contested or like.definition is None:
        raise NotMade("both sides changed its definition")
    kinds = {kind_of(each) for each in things if each is not None}
    if kinds == {"rows"}:
        return _of_rows(forest, name, sides, things, like, merged, plainly)
    if kinds == {"index"}:
        return _of_what_it_indexes(forest, name, sides, things, like, merged, plainly)
    raise NotMade("it holds what cannot be read back from it")


def _of_what_it_indexes(
    forest: Forest, name: str, sides: Sides, things: Things, like: Thing, merged: Version, plainly: Plainly
) -> Thing:
    assert like.definition is not None
    sources = indexed(merged.shape, like.definition)
    if sources is None or not keeps_rowids(merged.shape, like.definition, sources):
        raise NotMade("what it indexes is not rows that keep their numbers")
    for side, each in zip(sides[1:], things[1:], strict=True):
        if each is not None and not is_in_step(forest, side, each):
            raise NotMade("on one side it was not in step with what it indexes")
    settings = merge_settings(forest, name, things, like, plainly.rows)
    return of_what_it_indexes(forest, merged, like, settings)


def _of_rows(
    forest: Forest, name: str, sides: Sides, things: Things, like: Thing, merged: Version, plainly: Plainly
) -> Thing:
    """A thing that holds rows of its own: they are merged as those of any table."""
    found = [None if each is None else content(forest, side, each) for side, each in zip(sides, things, strict=True)]
    known = next(each[0] for each, its in zip(found, things, strict=True) if each is not None and its is like)
    rows = [each or (known, build(forest, ())) for each in found]
    done = plainly.rows(name, *(as_version(table, root) for table, root in rows))
    if done is None or done[0].cells != known.cells:
        raise NotMade("its rows cannot be brought into other columns")
    table, root = done
    if like.module in BOXES:
        more = len(like.stored[f"{name}_rowid"][0].cells) - 2  # beside the number of the row and where its box is
        width, sides_of_it = len(table.cells), [each[1].id for each in rows]
        turned = contested_boxes(forest, sides_of_it, root.id, width=width, corners=width - more)
        edits = [Edit(each.key, plainly.settle(name, each)) for each in turned]
        root = edit(forest, root.id, edits, width=width)
    settings = merge_settings(forest, name, things, like, plainly.rows)
    return of_rows(forest, merged, like, table, root, settings)
