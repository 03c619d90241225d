"""The chunk store in store.db: what ChunkStore asks for, put together from `reading` and `writing`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from sqlite3 import Connection

from isovc.encoding.digest import ChunkId, Digest, chunk_id
from isovc.store.database import StoreFile
from isovc.store.packing import Packing, pack
from isovc.store.protocol import ChunkWriter
from isovc.store.reading import Reader, Row
from isovc.store.writing import Writer


class SqliteChunks:
    """Chunks in the table `chunk`."""

    def __init__(self, file: StoreFile, *, packing: Packing | None = None, digest: Digest = chunk_id) -> None:
        self.file = file
        self.packing = packing or Packing()
        self.reader = Reader(file, digest)

    @contextmanager
    def writing(self) -> Iterator[ChunkWriter]:
        """A writer; its chunks are on disk when the block ends."""
        writer = Writer(self.reader, self.packing)
        try:
            yield writer
        except BaseException:
            writer.abandon()
            raise
        writer.finish()

    def get(self, chunk: ChunkId) -> bytes:
        """The content of one chunk, verified."""
        return self.reader.get_many([chunk])[0]

    def get_many(self, chunks: Sequence[ChunkId]) -> list[bytes]:
        """The contents in the order asked for, each verified."""
        return self.reader.get_many(chunks)

    def has_many(self, chunks: Iterable[ChunkId]) -> set[ChunkId]:
        """Those that are there."""
        return self.reader.has_many(chunks)

    def ids(self) -> Iterator[ChunkId]:
        """All ids, in the order they were written. Holds no lock between steps."""
        after = 0
        while True:
            with self.file.reading() as db:
                rows = db.execute(
                    "SELECT seq, id FROM chunk WHERE seq > ? ORDER BY seq LIMIT 1000", (after,)
                ).fetchall()
            if not rows:
                return
            yield from (ChunkId(row[1]) for row in rows)
            after = rows[-1][0]

    def delete(self, chunks: Iterable[ChunkId]) -> int:
        """Forget these. Whatever was kept as a difference to one of them is kept in full first."""
        doomed = set(chunks)
        with self.file.transaction() as db:
            seqs = {row.seq for row in self.reader.rows(db, list(doomed))}
            children = db.execute("SELECT seq, base FROM chunk WHERE base IS NOT NULL").fetchall()
            for seq, base in children:
                if base in seqs and seq not in seqs:
                    self._stand_alone(db, seq)
            db.executemany("DELETE FROM chunk WHERE seq = ?", [(seq,) for seq in seqs])
        self.reader.recent.forget(doomed)
        return len(seqs)

    def _stand_alone(self, db: Connection, seq: int) -> None:
        row = Row._make(db.execute("SELECT seq, id, base, body FROM chunk WHERE seq = ?", (seq,)).fetchone())
        packed = pack(self.reader.content(db, row), None, self.packing)
        db.execute("UPDATE chunk SET base = NULL, depth = 0, body = ? WHERE seq = ?", (packed.body, seq))
