"""The runs of an older tree, found again by key: what an edit must rewrite together. Reads nodes only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeVar

from isovc.tree.forest import Forest, Top
from isovc.tree.node import Children, Entry

_T = TypeVar("_T")


def leaves_at(
    forest: Forest, top: Top, sought: Sequence[_T], within: Callable[[Children, _T], list[Entry]]
) -> list[list[Entry]]:
    """The leaves of each thing sought, when `within` says which of some children it is below. A level is read at once
    for all of them."""
    level, entries = top
    found = [within(entries, one) for one in sought]
    while level:
        nodes = list(dict.fromkeys(chain.from_iterable(found)))
        children = dict(zip(nodes, forest.children(level, nodes), strict=True))
        found = [
            [child for node in below for child in within(children[node], one)]
            for one, below in zip(sought, found, strict=True)
        ]
        level -= 1
    return found


class Runs:
    """Runs of entries, by key. Keys must be asked for in ascending order, level by level: what lies behind is
    forgotten."""

    def __init__(self, forest: Forest, top: Top) -> None:
        self._forest = forest
        self._top = top
        # by level: all entries that stand below one run of the level above
        self._families: dict[int, Children] = {top.level: top.entries}

    def holding(self, level: int, key: bytes) -> list[Entry]:
        """The run of `level` (0: leaves) that holds `key` or would take it in. Empty: behind all that is there."""
        family = self._family_of(level, key)
        ends = self._forest.rules.ends_run
        keys = family.keys
        at = bisect_left(keys, key)
        if at == len(keys) and (not keys or ends(keys[-1], level)):
            return []
        first = last = min(at, len(keys) - 1)
        while first and not ends(keys[first - 1], level):
            first -= 1
        while last < len(keys) - 1 and not ends(keys[last], level):
            last += 1
        return family[first : last + 1]

    def following(self, level: int, key: bytes) -> list[Entry]:
        """The run behind the one that ends with `key`."""
        behind = key + b"\0"  # the least of all greater keys
        run = self.holding(level, behind)
        return run if run and run[-1].key >= behind else []

    def _family_of(self, level: int, key: bytes) -> Children:
        family = self._families.get(level)
        if level == self._top.level:
            assert family is not None
            return family
        if family is None or not family.keys or family.keys[-1] < key:
            parents = self.holding(level + 1, key)
            if family is None or not parents or parents[-1].key != (family.keys or [b""])[-1]:
                children = self._forest.children(level + 1, parents)
                family = self._families[level] = Children.joined(children)
        return family
