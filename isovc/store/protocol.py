"""What every chunk store can do. One contract suite in tests/store runs on each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from isovc.encoding.digest import ChunkId
from isovc.store.packing import Packer, ReadyChunk


class ChunkWriter(Protocol):
    """Takes chunks in; they are kept for good when the block that opened it ends without an error."""

    def put(self, content: bytes, *, base: ChunkId | None = None) -> ChunkId:
        """Keep `content` and return its id at once. `base` names a kept chunk that it resembles: the store may then
        keep the difference only. A base that is not there is no error."""

    def put_ready(self, ready: ReadyChunk) -> None:
        """Keep a chunk that the store's own packer made. It is not looked at again before it is read."""


class ChunkStore(Protocol):
    """Immutable chunks by id."""

    def writing(self) -> AbstractContextManager[ChunkWriter]:
        """Opens a writer. One at a time a process; other processes' writers wait for theirs."""

    def packer(self) -> Packer:
        """Makes chunks ready for this store's writers. It can be pickled, so that other processes share the work."""

    def get(self, chunk: ChunkId) -> bytes:
        """The content, verified. Raises ChunkMissing or ChunkDamaged."""

    def get_many(self, chunks: Sequence[ChunkId]) -> list[bytes]:
        """The contents in the order asked for, each verified; faster than one by one."""

    def has_many(self, chunks: Iterable[ChunkId]) -> set[ChunkId]:
        """Those of the given ids that are there."""

    def ids(self) -> Iterator[ChunkId]:
        """All ids, in no order that means anything."""

    def delete(self, chunks: Iterable[ChunkId]) -> int:
        """Forget these and say how many were there. What was kept as a difference to one of them stays readable."""
