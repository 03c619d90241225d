"""How versions descend from each other, drawn in letters beside a log. Knows ids and parents only."""

from __future__ import annotations

from collections.abc import Sequence


class Graph:
    """Lanes from left to right, each waiting for one version; newest first."""

    def __init__(self) -> None:
        self._lanes: list[str] = []

    def step(self, commit: str, parents: Sequence[str]) -> tuple[str, str]:
        """What stands beside the line of this version, and beside the lines below it."""
        if commit not in self._lanes:
            self._lanes.append(commit)
        own = self._lanes.index(commit)
        beside = " ".join("*" if at == own else "|" for at in range(len(self._lanes)))
        ended = [at for at, lane in enumerate(self._lanes) if lane == commit and at != own]
        self._lanes[own : own + 1] = list(parents[:1])
        for at in reversed(ended):
            del self._lanes[at if parents or at < own else at - 1]
        for parent in parents[1:]:
            if parent not in self._lanes:
                self._lanes.insert(min(own + 1, len(self._lanes)), parent)
        below = " ".join("|" for _ in self._lanes)
        return beside + " ", below + " " if below else ""
