"""How versions descend from each other, drawn with letters. Knows ids only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Drawn(NamedTuple):
    """What stands before the words of one version: on lines above it, on its own, on the one below it where it is a
    merge, and on all others."""

    above: tuple[str, ...]
    beside: str
    merged: str
    below: str


class Graph:
    """Lanes from left to right, each waiting for one version; newest first."""

    def __init__(self) -> None:
        self._lanes: list[str] = []

    def step(self, commit: str, parents: Sequence[str]) -> Drawn:
        """The next version."""
        if commit not in self._lanes:
            self._lanes.append(commit)
        own = self._lanes.index(commit)
        above = []
        while (last := _last(self._lanes, commit)) > own:  # several versions came from this one
            above.append(_joining(len(self._lanes), own, last))
            del self._lanes[last]
        beside = "".join("* " if at == own else "| " for at in range(len(self._lanes)))
        self._lanes[own : own + 1] = parents[:1]
        merged = ""
        for parent in parents[1:]:
            self._lanes.insert(own + 1, parent)
            merged = merged or "| " * own + "|\\" + " \\" * (len(self._lanes) - own - 2) + " "
        return Drawn(tuple(above), beside, merged, "| " * len(self._lanes))


def _last(lanes: Sequence[str], commit: str) -> int:
    return len(lanes) - 1 - lanes[::-1].index(commit)


def _joining(lanes: int, own: int, last: int) -> str:
    """A line on which one lane goes over to another on its left, and those on its right close up.

    >>> _joining(2, 0, 1), _joining(4, 0, 2)
    ('|/ ', '|_|/ / ')
    """
    drawn = ["|" if at % 2 == 0 else " " for at in range(2 * last)]
    for at in range(2 * own + 1, 2 * last - 1, 2):
        drawn[at] = "_"
    drawn[2 * last - 1] = "/"
    return "".join(drawn) + " /" * (lanes - last - 1) + " "
