"""What stands on a timeline, and many entries as one pack of bytes. Pure; never touches a store or a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import pairwise
from typing import Any, Protocol

from isovc.encoding.compress import compress, decompress
from isovc.encoding.orderkey import encode_key
from isovc.encoding.values import External, packer, unpack
from isovc.errors import NotCanonical

_VERSION = 1
_LEVEL = 3  # zstd: a pack is written again with every batch until it is full

Cells = tuple[Any, ...]  # a row as trees hold it, its key first


class Kind(IntEnum):
    """How a state came about."""

    TRANSACTION = 0  # one transaction of any program, or several that were thinned to one
    START = 1  # watching began; how the state came about is not known
    GAP = 2  # something may have happened that nobody saw
    REPLACED = 3  # another file was put in the place of the database
    ARRIVED = 4  # a command of isovc came to this branch
    SEEN = 5  # found changed when looked at: the database keeps no log of its transactions


@dataclass(frozen=True, slots=True)
class TableChanges:
    """What happened to rows of one table: keys that are gone, rows that are new or other. `width`: cells of a key."""

    width: int
    gone: tuple[Cells, ...] = ()
    rows: tuple[Cells, ...] = ()

    def __len__(self) -> int:
        return len(self.gone) + len(self.rows)


@dataclass(frozen=True, slots=True)
class Entry:
    """One state of a database. `time`: when it was seen, in microseconds since 1970, later than the one before it.
    `since`: when the state before it was last seen, where something may be missing between, or where this one was found
    late, so that it may have come at any time from then on. `transactions`: how many it stands for; None: nobody knows.
    `operation`: the number of isovc's own command that made it. `tables`: what differs from the state before it;
    `whole`: that is not told, and a whole version stands beside it."""

    number: int
    time: int
    kind: Kind = Kind.TRANSACTION
    since: int | None = None
    transactions: int | None = 1
    operation: int | None = None
    whole: bool = False
    tables: Mapping[str, TableChanges] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """How many rows are told."""
        return sum(map(len, self.tables.values()))

    @property
    def is_odd(self) -> bool:
        """Whether it is more, or less, than one transaction that was seen."""
        return (self.kind, self.since, self.transactions, self.operation, self.whole) != _PLAIN

    @property
    def is_break(self) -> bool:
        """Whether it does not simply follow the one before."""
        return self.kind is not Kind.TRANSACTION and not (self.kind is Kind.SEEN and self.transactions == 1)

    @property
    def is_late(self) -> bool:
        """Whether it is known what happened, and not when: it was found long after the last look."""
        return self.kind is Kind.TRANSACTION and self.since is not None

    @property
    def is_gap(self) -> bool:
        """Whether something may have happened before it, while the database was on this branch, that is not told."""
        return self.is_break and self.kind not in (Kind.START, Kind.ARRIVED)


_PLAIN = (Kind.TRANSACTION, None, 1, None, False)


def encode_entries(entries: Sequence[Entry]) -> bytes:
    """Entries in the order of their numbers as one pack."""
    names: dict[str, int] = {}
    counts: list[int] = []
    places: list[int] = []
    cells: list[Cells] = []
    for entry in entries:
        counts.append(len(entry.tables))
        for name, table in entry.tables.items():
            places += [names.setdefault(name, len(names)), table.width, len(table.gone), len(table.rows)]
            cells += table.gone
            cells += table.rows
    odd = [
        [at, int(each.kind), each.since, each.transactions, each.operation, int(each.whole)]
        for at, each in enumerate(entries)
        if each.is_odd
    ]
    numbers = [each.number for each in entries]
    if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        numbers = numbers[:1]
    times = [entries[0].time, *(b.time - a.time for a, b in pairwise(entries))]
    said = [_VERSION, numbers, times, odd, list(names), counts, places, cells]
    return compress(packer()(said), level=_LEVEL)


def decode_entries(body: bytes) -> list[Entry]:
    """The entries again."""
    try:
        version, numbers, times, odd, names, counts, places, cells = unpack(decompress(body))
        if version != _VERSION:
            raise ValueError(f"it is of version {version}")
        if len(numbers) == 1:
            numbers = range(numbers[0], numbers[0] + len(times))
        strange = {at: said for at, *said in odd}
        rows, stretches = map(tuple, cells), zip(*[iter(places)] * 4, strict=True)
        found: list[Entry] = []
        time = 0
        for at, (number, step, count) in enumerate(zip(numbers, times, counts, strict=True)):
            time += step
            tables: dict[str, TableChanges] = {}
            for _ in range(count):
                name, width, gone, new = next(stretches)
                tables[names[name]] = TableChanges(width, _take(rows, gone), _take(rows, new))
            if at in strange:
                kind, since, transactions, operation, whole = strange[at]
                found.append(Entry(number, time, Kind(kind), since, transactions, operation, bool(whole), tables))
            else:
                found.append(Entry(number, time, tables=tables))
        return found
    except (ValueError, TypeError, IndexError, StopIteration, RuntimeError) as error:
        raise NotCanonical(what="a stretch of a timeline", why=str(error) or type(error).__name__) from None


def _take(rows: Iterator[Cells], count: int) -> tuple[Cells, ...]:
    return tuple(next(rows) for _ in range(count))


def named_values(entries: Sequence[Entry]) -> Iterator[External]:
    """Large values of which only the name stands in these entries."""
    for entry in entries:
        for table in entry.tables.values():
            for row in table.rows:
                if External in map(type, row):
                    yield from (cell for cell in row if type(cell) is External)


class Told(Protocol):
    """What tells of rows."""

    @property
    def tables(self) -> Mapping[str, TableChanges]: ...


def last_of_each(entries: Iterable[Told]) -> dict[str, dict[bytes, Cells | None]]:
    """What entries one after another made of rows: by table and encoded key the row as it is in the end; None: gone."""
    found: dict[str, dict[bytes, Cells | None]] = {}
    for entry in entries:
        for name, table in entry.tables.items():
            rows = found.setdefault(name, {})
            rows.update((encode_key(key), None) for key in table.gone)
            rows.update((encode_key(row[: table.width]), row) for row in table.rows)
    return found


def merged(entries: Sequence[Entry]) -> Entry:
    """Entries in a row as one: the last of them, which tells what all of them told. It is whole if one of them is."""
    last = entries[-1]
    if len(entries) == 1:
        return last
    late = next((each.since for each in entries if each.since is not None), None)
    counts = [each.transactions for each in entries]
    breaks = sorted((each for each in entries if each.is_break), key=lambda each: not each.is_gap)
    first = breaks[0] if breaks else last  # a gap says more than that somebody came
    is_whole = any(each.whole for each in entries)
    return replace(
        last,
        kind=first.kind,
        since=first.since if breaks else late,
        transactions=None if None in counts else sum(count or 0 for count in counts),
        whole=is_whole,
        tables={} if is_whole else _together(entries),
    )


def _together(entries: Sequence[Entry]) -> dict[str, TableChanges]:
    widths = {name: table.width for entry in entries for name, table in entry.tables.items()}
    keys = {
        name: {encode_key(key): key for entry in entries if name in entry.tables for key in entry.tables[name].gone}
        for name in widths
    }
    return {
        name: TableChanges(
            widths[name],
            tuple(keys[name][key] for key, row in rows.items() if row is None),
            tuple(row for row in rows.values() if row is not None),
        )
        for name, rows in last_of_each(entries).items()
    }
