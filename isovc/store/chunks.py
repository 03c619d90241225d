"""The chunk store in store.db: what ChunkStore asks for, put together from `reading` and `writing`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from sqlite3 import Connection

from isovc.encoding.digest import ChunkId, Digest, chunk_id
from isovc.store.database import StoreFile
from isovc.store.packing import Packer, Packing, Stored, pack
from isovc.store.parts import Room, apart, forget
from isovc.store.protocol import ChunkWriter
from isovc.store.reading import Reader
from isovc.store.writing import Writer

_DELETE_BATCH = 500  # chunks a transaction: some milliseconds of the write lock, and each such transaction is synced


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
            writer.finish()
        except BaseException:
            writer.abandon()
            raise

    def packer(self) -> Packer:
        """Makes chunks ready for this store, in any process."""
        return Packer(self.reader.digest, self.packing.level)

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
        """Forget these. Whatever was kept as a difference to one of them is packed anew first."""
        doomed = set(chunks)
        with self.file.reading() as db:
            seqs = self.reader.deepest_first(db, list(doomed))
        deleted = 0
        for start in range(0, len(seqs), _DELETE_BATCH):
            deleted += self._delete(seqs[start : start + _DELETE_BATCH])
        self.reader.recent.forget(doomed)
        return deleted

    def _delete(self, seqs: Sequence[int]) -> int:
        with self.file.transaction() as db:
            return self.delete_rows(db, seqs)

    def delete_rows(self, db: Connection, seqs: Sequence[int]) -> int:
        """The same by row number, a difference before what it is a difference to, in the caller's transaction."""
        going = set(seqs)
        for seq in seqs:
            self._pack_dependants_anew(db, seq, going)
        forget(db, seqs)
        return db.executemany("DELETE FROM chunk WHERE seq = ?", [(seq,) for seq in seqs]).rowcount

    def _pack_dependants_anew(self, db: Connection, seq: int, going: set[int]) -> None:
        """The newest one stands alone, and the others become differences to it: it is the likeliest to be read."""
        heir: Stored | None = None
        newest_first = "SELECT seq FROM chunk WHERE base = ? ORDER BY seq DESC"
        for (dependant,) in db.execute(newest_first, (seq,)).fetchall():
            if dependant not in going:
                row = self.reader.row(db, dependant)
                content = self.reader.content(db, row)
                packed = pack(content, heir, self.packing)
                forget(db, [dependant])
                db.execute(
                    "UPDATE chunk SET base = ?, depth = ?, body = ? WHERE seq = ?",
                    (packed.base, packed.depth, apart(db, dependant, packed.body, Room()), dependant),
                )
                heir = heir or Stored(dependant, 0, content)
