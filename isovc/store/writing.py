"""Chunks on their way into store.db: named at once, packed and written by a thread of its own.

The caller goes on encoding while zstd, which needs no interpreter, works on what was handed over. The queue is short,
so that a caller faster than the disk waits instead of filling the memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import chain
from queue import Empty, Queue
from sqlite3 import Connection

from isovc.encoding.digest import ChunkId
from isovc.errors import StoreDamaged
from isovc.store.packing import Packed, Packing, ReadyChunk, pack, refuse_oversized
from isovc.store.parts import Room, apart
from isovc.store.reading import Reader, is_kept

_HAND_OVER_BYTES = 1 << 20  # content a batch: large enough that handing over costs nothing
# content of differences that waits for the end of the block: finding them is mostly Python's work, and two threads that
# take turns at that are slower than one
_WAITING_DIFFERENCES = 32 << 20
_WAITING_BATCHES = 4
# bodies a transaction: a fraction of a second of work, so that other processes' writers are let in between
_TRANSACTION_BYTES = 16 << 20
_PATIENCE = 0.2  # seconds without a new batch after which the write lock is given back: the caller may think for long

_MOST_SEQS = 1 << 46  # a count beyond it is damage: parts of bodies are numbered by it too

_Item = tuple[ChunkId, bytes, ChunkId | None, bool]  # the last: packed already


class _Abandoned(Exception):
    """Rolls the open transaction back when the caller failed."""


class Writer:
    """Takes chunks in. `finish` keeps them; `abandon` lets go of what no transaction has kept yet."""

    def __init__(self, reader: Reader, packing: Packing) -> None:
        self._reader = reader
        self._packing = packing
        self._batch: list[_Item] = []
        self._weight = 0.0  # of the batch, in hand-overs
        self._queue: Queue[list[_Item] | None] = Queue(_WAITING_BATCHES)
        self._thread: threading.Thread | None = None
        self._room = Room()
        self._ended = False  # the thread has seen the end of the queue
        self._failure: BaseException | None = None

    def put(self, content: bytes, *, base: ChunkId | None = None) -> ChunkId:
        """Keep `content` and return its id at once."""
        refuse_oversized(content)
        chunk = self._reader.digest(content)
        self._batch.append((chunk, content, base, False))
        is_difference = base is not None and self._thread is None
        self._weight += len(content) / (_WAITING_DIFFERENCES if is_difference else _HAND_OVER_BYTES)
        if self._weight >= 1:
            self._hand_over()
        return chunk

    def put_ready(self, ready: ReadyChunk) -> None:
        """Keep a chunk that a Packer of this store made, perhaps in another process."""
        self._batch.append((ready.id, ready.body, None, True))
        self._weight += len(ready.body) / _HAND_OVER_BYTES
        if self._weight >= 1:
            self._hand_over()

    def finish(self) -> None:
        """Write what is left and commit it."""
        if self._thread is None:  # a handful of chunks is not worth a thread
            self._write(iter(self._batch))
            return
        self._hand_over()
        self._join()
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Stop, after any error. What was committed stays: chunks nobody refers to harm nobody."""
        if self._thread is not None:
            self._failure = self._failure or _Abandoned()
            self._join()

    def _hand_over(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="isovc-chunks", daemon=True)
            self._thread.start()
        self._queue.put(self._batch)
        self._batch, self._weight = [], 0.0

    def _join(self) -> None:
        assert self._thread is not None
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        try:
            self._write(self._incoming())
        except BaseException as failure:
            self._failure = failure
            while not self._ended:  # only emptying the queue now, so that the caller never hangs
                self._ended = self._queue.get() is None
        finally:
            self._reader.file.release()

    def _incoming(self) -> Iterator[_Item | None]:
        """What the caller handed over; None where there is nothing at the moment."""
        while not self._ended:
            try:
                batch = self._queue.get(timeout=_PATIENCE)
            except Empty:
                yield None
                continue
            self._ended = batch is None
            if self._failure is not None:
                raise self._failure
            yield from batch or []

    def _write(self, items: Iterator[_Item | None]) -> None:
        for first in items:  # the lock is taken when there is something to write
            if first is not None:
                fresh: set[ChunkId] = set()
                try:
                    self._write_some(chain([first], items), fresh)
                except BaseException:
                    self._reader.recent.forget(fresh)  # rolled back: nobody may read them from there
                    raise

    def _write_some(self, items: Iterator[_Item | None], fresh: set[ChunkId]) -> None:
        """One transaction."""
        with self._reader.file.transaction() as db:
            seq = self._next_seq(db)
            written = 0
            met: list[tuple[ChunkId]] = []
            for item in items:
                if item is None:
                    break
                chunk, content, base, is_packed = item
                if not is_kept(db, chunk):
                    fresh.add(chunk)
                    written += self._insert(db, seq, chunk, content, base, is_packed=is_packed)
                    seq += 1
                else:
                    met.append((chunk,))
                    if base is not None:
                        self._reader.recent.keep(chunk, content)  # as of one that is new
                if written >= _TRANSACTION_BYTES:
                    break
            db.execute("UPDATE fact SET value = ? WHERE name = 'next_seq'", (seq,))
            if met and db.execute("SELECT 1 FROM fact WHERE name = 'sweeping'").fetchone():
                db.executemany("INSERT OR IGNORE INTO met VALUES(?)", met)

    def _next_seq(self, db: Connection) -> int:
        found = db.execute("SELECT value FROM fact WHERE name = 'next_seq'").fetchone()
        if found is None or type(found[0]) is not int or not 0 < found[0] < _MOST_SEQS:
            raise StoreDamaged(path=self._reader.file.path, why="it has lost count of its rows")
        seq: int = found[0]
        return seq

    def _insert(
        self, db: Connection, seq: int, chunk: ChunkId, content: bytes, base: ChunkId | None, *, is_packed: bool
    ) -> int:
        against = None
        if base is not None:
            against = self._reader.resembling(db, base, longest_chain=self._packing.longest_chain)
            self._reader.recent.keep(chunk, content, seq)  # the next edit is likely to be near
        packed = Packed(None, 0, content) if is_packed else pack(content, against, self._packing)
        db.execute(
            "INSERT INTO chunk(seq, id, base, depth, body) VALUES(?, ?, ?, ?, ?)",
            (seq, chunk, packed.base, packed.depth, apart(db, seq, packed.body, self._room)),
        )
        return len(packed.body)
