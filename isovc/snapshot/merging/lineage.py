"""Which table and column of three versions is which, and what it is called when they are one. Knows no texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from isovc.model import Table
from isovc.snapshot.merging.how import How, Side
from isovc.snapshot.renames import pairs
from isovc.snapshot.version import Version
from isovc.sql import folded
from isovc.tree.forest import Forest

SIDES: tuple[Side, Side, Side] = ("base", "ours", "theirs")
_ASIDE = "isovc_apart_"  # columns that cannot keep their name and are left out

Names: TypeAlias = tuple[str | None, str | None, str | None]  # in base, ours and theirs; None: it is not there


@dataclass(frozen=True, slots=True)
class Lineage:
    """One table in three versions. `columns`: for each version what its columns are called in the merged table.
    `decided`: whose definition stands, where somebody has said so; `prefer`: who counts where both changed something.
    `contested`: names that do not go together, in words; `apart`: columns that have no place beside the others;
    `is_out`: the table itself has none."""

    name: str
    own: Names
    columns: tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]]
    decided: Side | None = None
    prefer: Side | None = None
    contested: tuple[str, ...] = ()
    apart: frozenset[str] = frozenset()
    is_out: bool = False

    @property
    def side(self) -> Side | None:
        """Who counts where both changed the definition."""
        return self.decided or self.prefer

    @property
    def place(self) -> tuple[str, str]:
        """What a conflict about it is known by."""
        return "table", next(filter(None, reversed(self.own)), "") if self.is_out else self.name

    def renames(self, at: int) -> bool:
        """Whether anything is called otherwise in that version."""
        return self.own[at] not in (None, self.name) or any(old != new for old, new in self.columns[at].items())


def lineages(
    forest: Forest, versions: tuple[Version, Version, Version], how: How, *, by_name: bool = False
) -> list[Lineage]:
    """Every table there is. `by_name`: what has another name is another thing."""
    base, ours, theirs = versions
    mine, other = (kin(forest, base, side, by_name=by_name) for side in (ours, theirs))
    taken = {name for name, _ in mine.values()}, {name for name, _ in other.values()}
    triples: list[tuple[Names, Mapping[str, str], Mapping[str, str]]] = []
    for name in base.shape.tables:
        one, two = mine.get(name), other.get(name)
        triples.append(((name, one and one[0], two and two[0]), one[1] if one else {}, two[1] if two else {}))
    fresh = {folded(name): name for name in theirs.shape.tables if name not in taken[1]}
    own = [name for name in ours.shape.tables if name not in taken[0]]
    triples += [((None, name, fresh.pop(folded(name), None)), {}, {}) for name in own]
    triples += [((None, None, name), {}, {}) for name in fresh.values()]
    return _apart([_lineage(versions, how, *each) for each in triples], versions, how)


def kin(
    forest: Forest, base: Version, side: Version, *, by_name: bool = False
) -> dict[str, tuple[str, Mapping[str, str]]]:
    """For each table of the base what it is called on a side, and its columns that were renamed."""
    if by_name or base.shape.tables == side.shape.tables:
        return {name: (name, {}) for name in base.shape.tables if name in side.shape.tables}
    found: dict[str, tuple[str, Mapping[str, str]]] = {}
    for pair in pairs(forest, base, side):
        one, other = pair.before, pair.after
        if one is None or other is None:
            continue
        if one.name == other.name or not (_is_kept(one) or _is_kept(other)):
            found[one.name] = other.name, pair.columns
    return found


def _is_kept(table: Table) -> bool:
    """A table that SQLite or a virtual table keeps for itself goes by its name."""
    return bool(table.shadow_of) or table.name.lower().startswith("sqlite_")


def _lineage(
    versions: Sequence[Version], how: How, own: Names, mine: Mapping[str, str], other: Mapping[str, str]
) -> Lineage:
    known = [name for name in own if name is not None]
    decided = next((found for name in known if (found := how.definition(("table", name)))), None)
    said = {folded(name) for name in how.tables}
    prefer = next((how.side(name) for name in known if folded(name) in said), how.prefer)
    side = decided or prefer
    contested: list[str] = []
    name = _named(own, decided, side, "table", contested)
    tables = [version.shape.tables.get(label or "") for version, label in zip(versions, own, strict=True)]
    entries = _entries(tables, mine, other)
    labels = [_named(entry, decided, side, "column", contested) for entry in entries]
    winner = SIDES.index(decided or side or "ours")
    if len(set(map(folded, labels))) < len(labels):
        twice = next(label for label in labels if [folded(each) for each in labels].count(folded(label)) > 1)
        if side is None:
            contested.append(f"the column {twice}, which is one thing here and another there")
        labels = [entry[winner] or label for entry, label in zip(entries, labels, strict=True)]
    met = {folded(entry[winner] or "") for entry in entries}
    apart = set()
    for at, entry in enumerate(entries):
        if entry[winner] is None:
            if folded(labels[at]) in met:
                labels[at] = f"{_ASIDE}{at}"
                apart.add(labels[at])
            met.add(folded(labels[at]))
    columns = [
        {str(entry[at]): label for entry, label in zip(entries, labels, strict=True) if entry[at] is not None}
        for at in range(3)
    ]
    return Lineage(name, own, (columns[0], columns[1], columns[2]), decided, prefer, tuple(contested), frozenset(apart))


def _named(own: Names, decided: Side | None, side: Side | None, what: str, contested: list[str]) -> str:
    """What it is called; one that is gone on a side is called as on the other."""
    was, mine, other = own
    if decided is not None and (found := own[SIDES.index(decided)]) is not None:
        return found
    if mine is None or other is None or mine == other or was == other:
        return mine or other or was or ""
    if was == mine:
        return other
    if side is None:
        contested.append(f"the {what} {was or mine}, which is called {mine} here and {other} there")
    return (own[SIDES.index(side)] if side else mine) or mine


def _entries(tables: Sequence[Table | None], mine: Mapping[str, str], other: Mapping[str, str]) -> list[Names]:
    """The columns of all three."""
    names = [[column.name for column in table.columns] if table else [] for table in tables]
    left = [{folded(name): name for name in side} for side in names]
    renamed = [{}, mine, other]
    for at in (1, 2):
        for name in renamed[at].values():
            left[at].pop(folded(name), None)
    entries: list[Names] = []
    for name in names[0]:
        one, two = (renamed[at].get(name) or left[at].pop(folded(name), None) for at in (1, 2))
        entries.append((name, one, two))
    own = [name for name in names[1] if left[1].get(folded(name)) == name]
    entries += [(None, name, left[2].pop(folded(name), None)) for name in own]
    entries += [(None, None, name) for name in names[2] if left[2].get(folded(name)) == name]
    return entries


def _goes(versions: Sequence[Version], own: Names) -> bool:
    """Whether one side took the table away and the other left it alone: then its name is free."""
    base, was = versions[0], own[0]
    left = [(version, name) for version, name in zip(versions[1:], own[1:], strict=True) if name is not None]
    return (
        was is not None
        and len(left) < 2
        and all(
            version.roots[name].id == base.roots[was].id and version.shape.tables[name] == base.shape.tables[was]
            for version, name in left
        )
    )


def _apart(found: list[Lineage], versions: Sequence[Version], how: How) -> list[Lineage]:
    """Two tables that would go by one name: those of the side that counts have it."""
    by_name: dict[str, list[int]] = {}
    for at, each in enumerate(found):
        if not _goes(versions, each.own):
            by_name.setdefault(folded(each.name), []).append(at)
    for places in by_name.values():
        if len(places) == 1:
            continue
        name = found[places[0]].name
        side = how.definition(("table", name)) or how.side(name)
        winner = SIDES.index(side or "ours")
        for at in places:
            each = found[at]
            label = each.own[winner]
            why = (f"the table {each.name}, which is one thing here and another there",) if side is None else ()
            if label is not None:
                found[at] = replace(each, name=label, contested=each.contested + (why if label != each.name else ()))
            elif any(found[one].own[winner] and found[one].own[winner] == each.name for one in places):
                found[at] = replace(each, name=f"{_ASIDE}{at}", contested=each.contested + why, is_out=True)
    return found
