"""What a version touched of the one before it: which tables as a whole, which went by another name, and which trees
differ. Looks into no tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from isovc.encoding.digest import ChunkId
from isovc.snapshot.delta import aligned
from isovc.snapshot.renames import Pair
from isovc.snapshot.version import Version
from isovc.tree.forest import Forest
from isovc.tree.touched import is_changed
from isovc.workspace.rows.homes import home_of, pairs_between


class Trees(NamedTuple):
    """One table in two versions, where rows can be compared by looking at what differs."""

    table: str
    old: ChunkId
    new: ChunkId
    width: int


@dataclass(frozen=True, slots=True)
class Touch:
    """`whole`: tables of which any row may differ. `turns`: names of tables, before and after, where what a row is
    called differs."""

    whole: frozenset[str]
    turns: tuple[tuple[str, str], ...]
    trees: tuple[Trees, ...]

    def may_change(self, forest: Forest, table: str, key: bytes) -> bool:
        """Whether the row may differ."""
        return table in self.whole or any(
            is_changed(forest, each.old, each.new, key, width=each.width) for each in self.trees if each.table == table
        )


def touch(forest: Forest, old: Version, new: Version) -> Touch:
    """What the newer one touched."""
    whole: set[str] = set()
    turns: list[tuple[str, str]] = []
    trees: list[Trees] = []
    for pair in pairs_between(forest, old, new):
        one, other = pair.before, pair.after
        if one is None or other is None:
            whole.update(table.name for table in (one, other) if table is not None)
            continue
        if _is_turned(pair):
            turns.append((one.name, other.name))
        before, after = old.roots[one.name].id, new.roots[other.name].id
        if one.name != other.name or pair.columns or not aligned(one, other, {}):
            whole |= {one.name, other.name}
        elif before != after:
            trees.append(Trees(other.name, before, after, max(len(one.cells), len(other.cells))))
    return Touch(frozenset(whole), tuple(turns), tuple(trees))


def _is_turned(pair: Pair) -> bool:
    one, other = pair.before, pair.after
    assert one is not None
    assert other is not None
    return one.name != other.name or any(cell in pair.columns for cell in home_of(one).key)
