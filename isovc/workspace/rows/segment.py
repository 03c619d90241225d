"""A piece of the index of rows: for some commits, which rows each of them touched. Pure; never touches a file.

    "isovc rows 1\\n" | xxh3-64 of the rest | bytes of the head | head | entries

The head is msgpack: ids of the commits joined, [table, [commit, ...]] of tables touched as a whole, [commit, name
before, name after] of tables renamed. An entry is 64 bits, little-endian, in order: 40 bits of a hash of table and key,
and 24 bits that say which of the commits. That two rows share a hash costs a look and nothing else.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from isovc.encoding.digest import short_digest
from isovc.encoding.values import decode, encode
from isovc.errors import NotCanonical

_MAGIC = b"isovc rows 1\n"
_ID = 20  # bytes of a commit's id
_SUM = 8
_LENGTH = struct.Struct("<I")
_BITS = 24
_PLACE = (1 << _BITS) - 1
MOST_COMMITS = 1 << _BITS
MOST_ENTRIES = 8_000_000  # 64 MB; beyond it what weighs most is kept as "any row" only
EVERY_TABLE = ""  # in `whole`: no table has this name


class Noted(NamedTuple):
    """What one commit touched. `rows`: by table and key."""

    commit: bytes
    whole: Set[str]
    turns: Sequence[tuple[str, str]]
    rows: Iterable[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Segment:
    """Commits by number here stand in `commits`."""

    commits: Sequence[bytes]
    whole: Mapping[str, Sequence[int]]
    turns: Sequence[tuple[int, str, str]]
    entries: Sequence[int]

    @property
    def weight(self) -> int:
        """What it costs to write it anew, about."""
        return len(self.entries) + len(self.commits) * 4

    def touching(self, tables: Iterable[str], key: bytes) -> Iterator[bytes]:
        """The commits that may have touched a row of one of these tables."""
        yield from self.touching_whole([*tables, EVERY_TABLE])
        for table in tables:
            low = token(table, key)
            at = bisect_left(self.entries, low)
            while at < len(self.entries) and self.entries[at] & ~_PLACE == low:
                yield self.commits[self.entries[at] & _PLACE]
                at += 1

    def touching_whole(self, tables: Iterable[str]) -> Iterator[bytes]:
        """The commits that may have touched any row of one of these."""
        for table in tables:
            yield from (self.commits[place] for place in self.whole.get(table, ()))


def token(table: str, key: bytes) -> int:
    """Where the entries of a row stand."""
    name = table.encode("utf-8", "surrogatepass")
    return int.from_bytes(short_digest(name + b"\0" + key)[: _SUM - _BITS // 8]) << _BITS


def segment(noted: Sequence[Noted]) -> Segment:
    """One of these commits."""
    whole: dict[str, list[int]] = {}
    turns: list[tuple[int, str, str]] = []
    entries: set[int] = set()
    for place, each in enumerate(noted):
        for table in each.whole:
            whole.setdefault(table, []).append(place)
        turns.extend((place, *turn) for turn in each.turns)
        entries.update(token(table, key) | place for table, key in each.rows)
    return Segment([each.commit for each in noted], whole, turns, array("Q", sorted(entries)))


def joined(segments: Iterable[Segment], known: Set[bytes]) -> Segment:
    """Several in one, without commits that are not known any more."""
    commits: list[bytes] = []
    whole: dict[str, list[int]] = {}
    turns: list[tuple[int, str, str]] = []
    entries: list[int] = []
    done: set[bytes] = set()
    for each in segments:
        places: dict[int, int] = {}
        for place, commit in enumerate(each.commits):
            if commit in known and commit not in done:
                places[place] = len(commits)
                commits.append(commit)
        done.update(each.commits)
        for table, some in each.whole.items():
            whole.setdefault(table, []).extend(places[place] for place in some if place in places)
        turns.extend((places[place], old, new) for place, old, new in each.turns if place in places)
        if all(place == now for place, now in places.items()) and len(places) == len(each.commits):
            entries.extend(each.entries)
        else:
            moved = ((entry, places.get(entry & _PLACE)) for entry in each.entries)
            entries.extend(entry & ~_PLACE | place for entry, place in moved if place is not None)
    if len(entries) > MOST_ENTRIES:
        heavy = _heaviest(entries)
        whole.setdefault(EVERY_TABLE, []).extend(heavy)
        entries = [entry for entry in entries if entry & _PLACE not in heavy]
    entries.sort()
    return Segment(commits, whole, turns, array("Q", entries))


def _heaviest(entries: Sequence[int]) -> set[int]:
    """Commits with half of all entries."""
    found: set[int] = set()
    left = len(entries)
    for place, many in Counter(entry & _PLACE for entry in entries).most_common():
        if left <= MOST_ENTRIES // 2:
            break
        found.add(place)
        left -= many
    return found


def encode_segment(each: Segment) -> bytes:
    """The bytes of a file."""
    head = encode(
        [
            b"".join(each.commits),
            [[table, list(places)] for table, places in each.whole.items()],
            [list(turn) for turn in each.turns],
        ]
    )
    body = _LENGTH.pack(len(head)) + head + _little(array("Q", each.entries)).tobytes()
    return _MAGIC + short_digest(body) + body


def decode_segment(data: bytes) -> Segment:
    """The same again; NotCanonical where a bit is not as it was written."""
    body = memoryview(data)[len(_MAGIC) + _SUM :]
    if data[: len(_MAGIC)] != _MAGIC or short_digest(body) != data[len(_MAGIC) : len(_MAGIC) + _SUM]:
        raise NotCanonical(what="an index of rows", why="its sum is another")
    end = _LENGTH.size + _LENGTH.unpack(body[: _LENGTH.size])[0]
    ids, whole, turns = decode(bytes(body[_LENGTH.size : end]))
    entries = array("Q")
    entries.frombytes(body[end:])
    commits = [ids[at : at + _ID] for at in range(0, len(ids), _ID)]
    return Segment(commits, dict(map(tuple, whole)), [tuple(turn) for turn in turns], _little(entries))


def _little(entries: array[int]) -> array[int]:
    if sys.byteorder == "big":
        entries.byteswap()
    return entries
