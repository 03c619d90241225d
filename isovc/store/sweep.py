"""Deleting the chunks that nothing leads to, while others go on writing. Knows nothing of what leads to what.

A writer that finds a chunk kept already does not write it again, and it may be one of those that are about to go. So
while a sweep is on, writers note what they met (table `met`), and it is spared. Chunks younger than the sweep are
never looked at."""

from __future__ import annotations

from collections.abc import Iterator
from sqlite3 import Connection

from isovc.encoding.digest import ChunkId
from isovc.store.chunks import SqliteChunks
from isovc.store.parts import BODY_BYTES

_BATCH = 500  # chunks a transaction: some ms, so that a commit never waits for more
_GIVE_BACK_PAGES = 256  # pages a transaction that go back to the file system: 16 MiB


class Sweep:
    """One sweep, from `begin` to `end`. One that was interrupted is simply begun again."""

    def __init__(self, store: SqliteChunks) -> None:
        self._store = store
        self._before = 0

    def begin(self) -> None:
        """From now on writers note what they meet. No writer may be under way that has begun without knowing it."""
        with self._store.file.transaction() as db:
            db.execute("DELETE FROM met")
            db.execute("INSERT OR REPLACE INTO fact VALUES('sweeping', 1)")
            self._before = db.execute("SELECT value FROM fact WHERE name = 'next_seq'").fetchone()[0]

    def lost(self, reached: set[ChunkId]) -> tuple[list[int], int]:
        """The row numbers of what is not reached, and the bytes it takes."""
        with self._store.file.reading() as db:
            found = [
                (depth, seq, size)
                for seq, chunk, depth, size in db.execute(
                    f"SELECT seq, id, depth, {BODY_BYTES} FROM chunk WHERE seq < ?", (self._before or 1 << 62,)
                )
                if chunk not in reached
            ]
        found.sort(reverse=True)  # a difference before what it is a difference to
        return [seq for _, seq, _ in found], sum(size for _, _, size in found)

    def delete(self, seqs: list[int]) -> Iterator[int]:
        """Delete them, a batch a transaction; how many it was."""
        for start in range(0, len(seqs), _BATCH):
            with self._store.file.transaction() as db:
                met = {row[0] for row in db.execute("SELECT id FROM met")}
                ids = {seq: self._id(db, seq) for seq in seqs[start : start + _BATCH]}
                going = [seq for seq, chunk in ids.items() if chunk not in met]
                self._store.delete_rows(db, going)
            self._store.reader.recent.forget({ChunkId(ids[seq] or b"") for seq in going})
            yield len(going)

    def end(self) -> int:
        """Give free pages back to the file system; how many bytes it was."""
        with self._store.file.transaction() as db:
            db.execute("DELETE FROM fact WHERE name = 'sweeping'")
            db.execute("DELETE FROM met")
        before = self._told("page_count")
        while self._told("freelist_count"):
            self._store.file.give_back(_GIVE_BACK_PAGES)
        return max(0, before - self._told("page_count")) * self._told("page_size")  # others may have written meanwhile

    def _told(self, name: str) -> int:
        with self._store.file.reading() as db:
            number: int = db.execute(f"PRAGMA {name}").fetchone()[0]
        return number

    def _id(self, db: Connection, seq: int) -> bytes | None:
        found = db.execute("SELECT id FROM chunk WHERE seq = ?", (seq,)).fetchone()
        return None if found is None else bytes(found[0])
