"""Contents lately read, bounded in bytes. Holds verified contents only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from isovc.encoding.digest import ChunkId


class RecentContents:
    """The newest contents up to a number of bytes; threads share it."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held = 0
        self._contents: OrderedDict[ChunkId, bytes] = OrderedDict()
        self._seqs: dict[ChunkId, int] = {}  # of contents kept with their row number
        self._by_seq: dict[int, bytes] = {}
        self._guard = threading.Lock()

    def get(self, chunk: ChunkId) -> bytes | None:
        """The content if it is still here."""
        return self._contents.get(chunk)

    def at(self, seq: int) -> bytes | None:
        """The content of the row with this number if it is still here. A number is never given twice."""
        return self._by_seq.get(seq)

    def keep(self, chunk: ChunkId, content: bytes, seq: int | None = None) -> None:
        """Remember it, and forget the oldest ones for it."""
        with self._guard:
            self._keep(chunk, content, seq)

    def keep_many(self, found: Iterable[tuple[ChunkId, bytes, int]]) -> None:
        """The same of some chunks, each with its row number."""
        with self._guard:
            for chunk, content, seq in found:
                self._keep(chunk, content, seq)

    def _keep(self, chunk: ChunkId, content: bytes, seq: int | None) -> None:
        if chunk in self._contents:
            return
        self._contents[chunk] = content
        if seq is not None:
            self._seqs[chunk] = seq
            self._by_seq[seq] = content
        self._held += len(content)
        while self._held > self._capacity:
            oldest, dropped = self._contents.popitem(last=False)
            self._dropped(oldest, dropped)

    def forget(self, chunks: set[ChunkId]) -> None:
        """Drop these."""
        with self._guard:
            for chunk in chunks:
                dropped = self._contents.pop(chunk, None)
                if dropped is not None:
                    self._dropped(chunk, dropped)

    def _dropped(self, chunk: ChunkId, content: bytes) -> None:
        self._held -= len(content)
        seq = self._seqs.pop(chunk, None)
        if seq is not None:
            del self._by_seq[seq]
