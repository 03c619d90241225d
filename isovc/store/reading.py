"""Chunks out of store.db: found, unpacked, verified. Never gives bytes that do not match their id."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from isovc.encoding.compress import decompress, decompress_against
from isovc.encoding.digest import ChunkId, Digest
from isovc.errors import ChunkDamaged, ChunkMissing, NotCanonical
from isovc.store.cache import RecentContents
from isovc.store.database import StoreFile
from isovc.store.packing import Stored

_BATCH = 256  # ids a statement: half the cost of one by one; more gains nothing
_RECENT_BYTES = 32 << 20  # what an edit of some thousand leaves reads and then writes differences to
_ABSURD_CHAIN = 1000  # no packing makes chains near this long: damage that points in a circle


class Row(NamedTuple):
    """One chunk as it lies in the table."""

    seq: int
    id: ChunkId
    base: int | None
    body: bytes


class Reader:
    """Reads chunks; threads share it."""

    def __init__(self, file: StoreFile, digest: Digest) -> None:
        self.file = file
        self.digest = digest
        self.recent = RecentContents(_RECENT_BYTES)

    def get_many(self, chunks: Sequence[ChunkId]) -> list[bytes]:
        """The contents in the order asked for, each verified."""
        contents = {chunk: content for chunk in chunks if (content := self.recent.get(chunk)) is not None}
        missing = [chunk for chunk in dict.fromkeys(chunks) if chunk not in contents]
        if missing:
            with self.file.reading() as db:
                for row in self.rows(db, missing):
                    content = contents[row.id] = self.content(db, row)
                    self.recent.keep(row.id, content)
        try:
            return [contents[chunk] for chunk in chunks]
        except KeyError as error:
            raise ChunkMissing(chunk=error.args[0]) from None

    def has_many(self, chunks: Iterable[ChunkId]) -> set[ChunkId]:
        """Those that are there."""
        found: set[ChunkId] = set()
        wanted = iter(chunks)
        while batch := list(islice(wanted, _BATCH)):
            with self.file.reading() as db:
                rows = db.execute(f"SELECT id FROM chunk WHERE {_among(batch)}", _prefixes(batch))
                found.update(set(batch) & {row[0] for row in rows})
        return found

    def rows(self, db: sqlite3.Connection, chunks: Sequence[ChunkId]) -> list[Row]:
        """The rows of those that are there."""
        rows: list[Row] = []
        for start in range(0, len(chunks), _BATCH):
            batch = chunks[start : start + _BATCH]
            wanted = set(batch)
            found = db.execute(f"SELECT seq, id, base, body FROM chunk WHERE {_among(batch)}", _prefixes(batch))
            rows.extend(Row._make(row) for row in found if row[1] in wanted)
        return rows

    def content(self, db: sqlite3.Connection, row: Row) -> bytes:
        """The content of a row, verified."""
        bodies, base = [row.body], row.base
        try:
            while base is not None:
                if len(bodies) > _ABSURD_CHAIN:
                    raise NotCanonical(what="it", why="its chain of differences has no end")
                found = db.execute("SELECT id, base, body FROM chunk WHERE seq = ?", (base,)).fetchone()
                if found is None:
                    raise NotCanonical(what="it", why=f"row {base}, which it is a difference to, is gone")
                content = self.recent.get(found[0])
                if content is not None:
                    break
                base = found[1]
                bodies.append(found[2])
            else:
                content = decompress(bodies.pop())
            for body in reversed(bodies):
                content = decompress_against(body, content)
        except (NotCanonical, TypeError) as error:  # TypeError: damage turned a blob into another storage class
            why = error.why if isinstance(error, NotCanonical) else str(error)
            raise ChunkDamaged(chunk=row.id, place=self.place(row.seq), why=why) from None
        if self.digest(content) != row.id:
            raise ChunkDamaged(chunk=row.id, place=self.place(row.seq), why="its bytes do not give its id")
        return content

    def resembling(self, db: sqlite3.Connection, chunk: ChunkId, *, longest_chain: int) -> Stored | None:
        """What the next version of `chunk` should be a difference to: itself, or the first of its chain if that is long."""
        found = db.execute(
            "SELECT seq, id, base, depth FROM chunk WHERE substr(id, 1, 8) = ? AND id = ?", (chunk[:8], chunk)
        ).fetchone()
        if found is None:
            return None
        if found[3] >= longest_chain:
            for _ in range(_ABSURD_CHAIN):
                if found is None or found[2] is None:
                    break
                found = db.execute("SELECT seq, id, base, 0 FROM chunk WHERE seq = ?", (found[2],)).fetchone()
            else:
                found = None
        if found is None:
            raise ChunkDamaged(chunk=chunk, place=self.place(0), why="its chain of differences has no end")
        seq, first, _, depth = found
        return Stored(seq, depth, self.get_many([ChunkId(first)])[0])

    def place(self, seq: int) -> str:
        """Where a chunk lies, for people."""
        return f"row {seq} of {self.file.path.name}"


def find(db: sqlite3.Connection, chunk: ChunkId) -> int | None:
    """The seq of one chunk."""
    found = db.execute("SELECT seq FROM chunk WHERE substr(id, 1, 8) = ? AND id = ?", (chunk[:8], chunk)).fetchone()
    return None if found is None else int(found[0])


def _among(batch: Sequence[ChunkId]) -> str:
    return f"substr(id, 1, 8) IN ({','.join('?' * len(batch))})"


def _prefixes(batch: Sequence[ChunkId]) -> list[bytes]:
    return [chunk[:8] for chunk in batch]
