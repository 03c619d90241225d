"""Contents lately read, bounded in bytes. Holds verified contents only."""

from __future__ import annotations

import threading
from collections import OrderedDict

from isovc.encoding.digest import ChunkId


class RecentContents:
    """The newest contents up to a number of bytes; threads share it."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held = 0
        self._contents: OrderedDict[ChunkId, bytes] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, chunk: ChunkId) -> bytes | None:
        """The content if it is still here."""
        return self._contents.get(chunk)

    def keep(self, chunk: ChunkId, content: bytes) -> None:
        """Remember it, and forget the oldest ones for it."""
        with self._guard:
            if chunk in self._contents:
                return
            self._contents[chunk] = content
            self._held += len(content)
            while self._held > self._capacity:
                _, dropped = self._contents.popitem(last=False)
                self._held -= len(dropped)

    def forget(self, chunks: set[ChunkId]) -> None:
        """Drop these."""
        with self._guard:
            for chunk in chunks:
                dropped = self._contents.pop(chunk, None)
                self._held -= len(dropped) if dropped is not None else 0
