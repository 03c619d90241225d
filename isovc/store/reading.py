"""Chunks out of store.db: found, unpacked, verified. Never gives bytes that do not match their id."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from isovc.encoding.compress import decompress
from isovc.encoding.digest import ChunkId, Digest
from isovc.errors import ChunkDamaged, ChunkMissing, Damage, NotCanonical, StoreDamaged
from isovc.store.cache import RecentContents
from isovc.store.database import StoreFile
from isovc.store.packing import Stored, unpack_against
from isovc.store.parts import whole

_BATCH = 256  # ids a statement: half the cost of one by one; more gains nothing
_RECENT_BYTES = 32 << 20  # what an edit of some thousand leaves reads and then writes differences to


class Row(NamedTuple):
    """One chunk as it lies in the table."""

    seq: int
    id: ChunkId
    base: int | None
    body: bytes


def as_row(db: sqlite3.Connection, row: tuple[Any, ...]) -> Row:
    """A row of the table, with its body in one piece."""
    seq, chunk, base, body = row
    return Row(seq, chunk, base, body if type(body) is bytes else whole(db, seq, body))


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
            try:
                contents.update(self._found(missing))
            except StoreDamaged as damage:
                raise self._culprit(missing, damage) from None
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
                found.update(row[1] for row in _select(db, "seq, id", batch))
        return found

    def rows(self, db: sqlite3.Connection, chunks: Sequence[ChunkId]) -> list[Row]:
        """The rows of those that are there."""
        return [as_row(db, row) for row in _select(db, "seq, id, base, body", chunks)]

    def deepest_first(self, db: sqlite3.Connection, chunks: Sequence[ChunkId]) -> list[int]:
        """The row numbers of those that are there, a difference before what it is a difference to."""
        found = [(row[2] if type(row[2]) is int else 0, row[0]) for row in _select(db, "seq, id, depth", chunks)]
        return [seq for _, seq in sorted(found, key=itemgetter(0), reverse=True)]

    def row(self, db: sqlite3.Connection, seq: int) -> Row:
        """The row with this number."""
        found = db.execute("SELECT seq, id, base, body FROM chunk WHERE seq = ?", (seq,)).fetchone()
        if found is None:
            raise NotCanonical(what="a chunk", why=f"row {seq}, which it is a difference to, is gone")
        return as_row(db, found)

    def content(self, db: sqlite3.Connection, row: Row) -> bytes:
        """The content of a row, verified."""
        return self._contents(db, [row])[0]

    def resembling(self, db: sqlite3.Connection, chunk: ChunkId, *, longest_chain: int) -> Stored | None:
        """What the next version of `chunk` should be a difference to: itself, or if its chain is long the first of it.
        None where nothing sound is there: a new chunk must not depend on damage."""
        found = db.execute(f"SELECT seq, depth {_BY_ID}", (chunk[:8], chunk)).fetchone()
        if found is None or longest_chain < 1:
            return None
        seq, depth = found
        try:
            if depth >= longest_chain:
                *_, first = self._chain(db, self.rows(db, [chunk])[0])
                seq, depth, chunk = first.seq, 0, first.id
            return Stored(seq, depth, self.get_many([chunk])[0])
        except (Damage, TypeError):  # TypeError: damage turned a depth into another storage class
            return None

    def place(self, seq: int) -> str:
        """Where a chunk lies, for people."""
        return f"row {seq} of {self.file.path.name}"

    def _found(self, chunks: Sequence[ChunkId]) -> dict[ChunkId, bytes]:
        found: dict[ChunkId, bytes] = {}
        with self.file.reading() as db:
            for start in range(0, len(chunks), _BATCH):
                # what stands alone first: the others are often differences to it
                rows = sorted(self.rows(db, chunks[start : start + _BATCH]), key=_is_difference)
                contents = self._contents(db, rows)
                self.recent.keep_many((row.id, content, row.seq) for row, content in zip(rows, contents, strict=True))
                found.update((row.id, content) for row, content in zip(rows, contents, strict=True))
        return found

    def _contents(self, db: sqlite3.Connection, rows: Sequence[Row]) -> list[bytes]:
        """The contents of some rows, verified."""
        digest = self.digest
        links = {row.seq: row for row in rows}
        unpacked = self._beneath(db, rows, links)
        contents: list[bytes] = []
        for row in rows:
            seq, chunk, base, body = row
            if not isinstance(chunk, bytes):
                raise StoreDamaged(path=self.file.path, why=f"{self.place(seq)} has no id")
            try:
                content = decompress(body) if base is None else _climb(row, links, unpacked)
            except (NotCanonical, TypeError) as error:  # TypeError: damage turned a blob into another storage class
                why = error.why if isinstance(error, NotCanonical) else str(error)
                raise ChunkDamaged(chunk=chunk, place=self.place(seq), why=why) from None
            if digest(content) != chunk:
                raise ChunkDamaged(chunk=chunk, place=self.place(seq), why="its bytes do not give its id")
            contents.append(content)
            unpacked[seq] = content
        return contents

    def _beneath(self, db: sqlite3.Connection, rows: Sequence[Row], links: dict[int, Row]) -> dict[int, bytes]:
        """Adds to `links` what rows are differences to, and so on down to what stands alone; of what is remembered the
        contents are given instead. Step by step for all rows at once: that is a fifth of a look-up a link."""
        unpacked: dict[int, bytes] = {}
        step = rows
        while step:
            wanted: list[int] = []
            for base in {row.base for row in step if row.base is not None}:
                if base not in links and base not in unpacked:
                    content = self.recent.at(base)
                    if content is None:
                        wanted.append(base)
                    else:
                        unpacked[base] = content
            step = _by_seq(db, wanted)
            links.update((row.seq, row) for row in step)
        return unpacked

    def _culprit(self, chunks: Sequence[ChunkId], damage: StoreDamaged) -> Damage:
        """Which of several chunks cannot be read, when SQLite only says that its file is damaged. Raises what it
        meets before."""
        for chunk in chunks:
            try:
                dict(self._found([chunk]))
            except StoreDamaged as one:
                return ChunkDamaged(chunk=chunk, place=self.file.path.name, why=one.why)
        return damage

    def _chain(self, db: sqlite3.Connection, row: Row) -> Iterator[Row]:
        """The row, what it is a difference to, and so on to the one that stands alone."""
        yield row
        seen = {row.seq}
        while row.base is not None:
            row = self.row(db, row.base)
            if row.seq in seen:
                raise NotCanonical(what="it", why="its chain of differences has no end")
            seen.add(row.seq)
            yield row


_BY_ID = "FROM chunk WHERE substr(id, 1, 8) = ? AND id = ?"


def _is_difference(row: Row) -> bool:
    return row.base is not None


def _climb(row: Row, links: Mapping[int, Row], unpacked: Mapping[int, bytes]) -> bytes:
    """The content of a row that is a difference. Of the row itself what lies there counts, of those beneath also what
    is unpacked already."""
    bodies = [row.body]
    base = row.base
    while True:
        assert base is not None
        content = unpacked.get(base)
        if content is not None:
            break
        link = links.get(base)
        if link is None:
            raise NotCanonical(what="a chunk", why=f"row {base}, which it is a difference to, is gone")
        if link.base is None:
            content = decompress(link.body)
            break
        if len(bodies) > len(links):
            raise NotCanonical(what="it", why="its chain of differences has no end")
        bodies.append(link.body)
        base = link.base
    for body in reversed(bodies):
        content = unpack_against(body, content)
    return content


def is_kept(db: sqlite3.Connection, chunk: ChunkId) -> bool:
    """Is this chunk there?"""
    return db.execute(f"SELECT 1 {_BY_ID}", (chunk[:8], chunk)).fetchone() is not None


def _select(db: sqlite3.Connection, columns: str, chunks: Sequence[ChunkId]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(chunks), _BATCH):
        batch = chunks[start : start + _BATCH]
        wanted = set(batch)
        found = db.execute(f"SELECT {columns} FROM chunk WHERE {_among(batch)}", _prefixes(batch))
        yield from (row for row in found if row[1] in wanted)


def _by_seq(db: sqlite3.Connection, seqs: Sequence[int]) -> list[Row]:
    found: list[Row] = []
    for start in range(0, len(seqs), _BATCH):
        batch = seqs[start : start + _BATCH]
        places = ",".join("?" * len(batch))
        rows = db.execute(f"SELECT seq, id, base, body FROM chunk WHERE seq IN ({places})", batch)
        found += [as_row(db, row) for row in rows]
    return found


def _among(batch: Sequence[ChunkId]) -> str:
    return f"substr(id, 1, 8) IN ({','.join('?' * len(batch))})"


def _prefixes(batch: Sequence[ChunkId]) -> list[bytes]:
    return [chunk[:8] for chunk in batch]
