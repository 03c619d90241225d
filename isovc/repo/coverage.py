"""What a timeline covers: from when to when, how finely, and where it has gaps. Opens only packs that may tell of
one."""

from __future__ import annotations

from dataclasses import dataclass

from isovc.repo.database import Database
from isovc.repo.entries import Kind
from isovc.repo.timeline import Line, Timelines


@dataclass(frozen=True, slots=True)
class Break:
    """A place where an entry does not simply follow the one before. `since`: when the state before it was last seen;
    `transactions`: how many happened there; None: nobody knows."""

    number: int
    kind: Kind
    since: int | None
    time: int
    transactions: int | None
    is_gap: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """Times are in microseconds since 1970. `transactions`: those that are known of; `merged`: entries that stand for
    several of them."""

    first: int
    last: int
    seen: int
    entries: int
    transactions: int
    merged: int
    breaks: tuple[Break, ...]

    @property
    def gaps(self) -> tuple[Break, ...]:
        """Where something may be missing."""
        return tuple(each for each in self.breaks if each.is_gap)


def coverage(db: Database, line: Line) -> Coverage:
    """What this timeline covers."""
    entries = transactions = merged = first = 0
    breaks: list[Break] = []
    for pack in Timelines(db).packs(line):
        first = first or pack.first_time
        entries += pack.entries
        transactions += pack.entries - pack.odd
        if not pack.odd:
            continue
        for entry in pack.read():
            if not entry.is_odd:
                continue
            is_known = entry.kind in (Kind.TRANSACTION, Kind.SEEN) and entry.transactions is not None
            transactions += entry.transactions or 0
            merged += is_known and (entry.transactions or 0) > 1
            if entry.is_break:
                breaks.append(
                    Break(entry.number, entry.kind, entry.since, entry.time, entry.transactions, entry.is_gap)
                )
    return Coverage(first, line.time, max(line.seen, line.time), entries, transactions, merged, tuple(breaks))
