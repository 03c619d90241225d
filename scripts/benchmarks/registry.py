"""What a workload is, and the list of them. A new one is a function with `@workload` above it.

The function prepares what it needs and returns its contenders by name: "isovc" and whoever it is held against. Each is
called in turn, several times, and says what it took.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FULL = 1_000_000  # rows: limits are those of such a run, and in it what is called 10,000 or 1 GB is just that

# of processes we start: the project's own rooms, installed or not
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)  # as people run it: compiled once


class PeerMissing(Exception):
    """A peer that is not installed; the workload goes on without it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one go took."""

    seconds: float
    bytes: int | None = None  # at rest, where that is what matters
    memory: int | None = None  # peak, of a process of its own


Contender = Callable[[], Outcome]
Prepare = Callable[["Bench"], dict[str, Contender]]


@dataclass(frozen=True, slots=True)
class Workload:
    """One line of the table."""

    name: str
    prepare: Prepare
    against: str  # the contender that ratios refer to; empty: none
    ratio: float | None  # at most so many times its time
    seconds: float | None  # at most so long, whatever others take
    bytes: int | None
    memory: int | None
    rounds: int
    is_large: bool  # too long for a quick run


@dataclass(slots=True)
class Bench:
    """What a run is made with."""

    rows: int
    scratch: Path
    cache: Path
    made: dict[str, Any] = field(default_factory=dict)
    closing: list[Callable[[], None]] = field(default_factory=list)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Something several workloads share, made when the first one asks."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    @property
    def scattered(self) -> int:
        """How many rows "1,000 scattered" are: in a small table no more than one in a hundred."""
        return min(1000, self.rows // 100)


WORKLOADS: list[Workload] = []


def workload(
    name: str,
    *,
    against: str = "",
    ratio: float | None = None,
    seconds: float | None = None,
    bytes: int | None = None,  # noqa: A002 - it is what it is
    memory: int | None = None,
    rounds: int = 5,
    is_large: bool = False,
) -> Callable[[Prepare], Prepare]:
    """Enter a function as a workload; the limits are what "must hold" on the full size."""

    def enter(prepare: Prepare) -> Prepare:
        WORKLOADS.append(Workload(name, prepare, against, ratio, seconds, bytes, memory, rounds, is_large))
        return prepare

    return enter


def timed(work: Callable[[], Any]) -> Outcome:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return Outcome(time.perf_counter() - start)
