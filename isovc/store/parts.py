"""Bodies too long to lie well beside others on a page of store.db: they lie in parts that fill its pages to the end.

SQLite puts a long value partly on the page of its own row and the rest behind it, and much of that first page is lost:
files of 100 kB took 134 % of their bytes. What is cut here as long as there is room on a page takes 100.2 %. How much
room there is follows from what was put there before: rows that are added behind all others fill one page after the
other. Where that is not so, because somebody else has written, a page is filled less well, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from isovc.store.schema import PAGE_SIZE

LONG = 16 << 10  # bytes: shorter ones waste little, and are read with their row
# how many bytes a body has, in SQL: of a long one its row holds nothing but that
BODY_BYTES = "CASE typeof(body) WHEN 'integer' THEN body ELSE length(body) END"

_PLACES = 1 << 15  # a number for each part of a body
_MOST_SEQS = 1 << 47  # with a place behind them they are numbers that SQLite has
_PAGE = PAGE_SIZE - 8  # bytes of a page for its rows
_AROUND = 24  # bytes that SQLite puts around a part, at most
_LONGEST = PAGE_SIZE - 64  # of a part: a longer one would be split by SQLite
_SHORTEST = 512  # bytes of room that are worth a part


@dataclass(slots=True)
class Room:
    """How much of the page is left on which the next part will lie. At first nobody knows: then a new page is
    begun."""

    left: int = 0

    def cut(self, body: memoryview) -> Iterator[memoryview]:
        """The parts, each as long as there is room for it."""
        at = 0
        while at < len(body):
            if self.left < _SHORTEST + _AROUND:
                self.left = _PAGE
            part = body[at : at + min(self.left - _AROUND, _LONGEST)]
            self.left -= len(part) + _AROUND
            at += len(part)
            yield part


def apart(db: Connection, seq: int, body: bytes, room: Room) -> bytes | int:
    """What stands in the row of a chunk for its body, with the parts kept. It has none yet."""
    if len(body) < LONG:
        return body
    parts = enumerate(room.cut(memoryview(body)), seq * _PLACES)
    db.executemany("INSERT INTO part(id, bytes) VALUES(?, ?)", parts)
    return len(body)


def whole(db: Connection, seq: int, body: object) -> bytes:
    """The body that these stand for. Where parts are lost it is too short, which whoever unpacks it notices."""
    if type(body) is not int:
        return body  # type: ignore[return-value]  # damage: whoever unpacks it says so
    if not 0 <= seq < _MOST_SEQS:
        return b""
    found = db.execute("SELECT bytes FROM part WHERE id >= ? AND id < ? ORDER BY id", _within(seq))
    return b"".join([row[0] for row in found if type(row[0]) is bytes])


def forget(db: Connection, seqs: Sequence[int]) -> None:
    """The parts of these go with their rows."""
    db.executemany("DELETE FROM part WHERE id >= ? AND id < ?", [_within(seq) for seq in seqs if 0 <= seq < _MOST_SEQS])


def _within(seq: int) -> tuple[int, int]:
    return seq * _PLACES, (seq + 1) * _PLACES
