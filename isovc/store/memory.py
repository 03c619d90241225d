"""The chunk store that lives in memory: for tests, for previews, and as the plainest statement of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from isovc.encoding.compress import decompress
from isovc.encoding.digest import ChunkId, Digest, chunk_id
from isovc.errors import ChunkMissing
from isovc.store.packing import Packer, Packing, ReadyChunk, refuse_oversized
from isovc.store.protocol import ChunkWriter


class MemoryChunks:
    """A dict of chunks."""

    def __init__(self, digest: Digest = chunk_id) -> None:
        self._digest = digest
        self._contents: dict[ChunkId, bytes] = {}

    @contextmanager
    def writing(self) -> Iterator[ChunkWriter]:
        """A writer whose chunks appear when the block ends."""
        writer = _MemoryWriter(self._digest)
        yield writer
        self._contents.update(writer.contents)

    def packer(self) -> Packer:
        """Makes chunks ready for this store, in any process."""
        return Packer(self._digest, Packing().level)

    def get(self, chunk: ChunkId) -> bytes:
        """The content of one chunk."""
        try:
            return self._contents[chunk]
        except KeyError:
            raise ChunkMissing(chunk=chunk) from None

    def get_many(self, chunks: Sequence[ChunkId]) -> list[bytes]:
        """The contents in the order asked for."""
        return [self.get(chunk) for chunk in chunks]

    def has_many(self, chunks: Iterable[ChunkId]) -> set[ChunkId]:
        """Those that are there."""
        return {chunk for chunk in chunks if chunk in self._contents}

    def ids(self) -> Iterator[ChunkId]:
        """All ids."""
        return iter(list(self._contents))

    def delete(self, chunks: Iterable[ChunkId]) -> int:
        """Forget these."""
        return sum(self._contents.pop(chunk, None) is not None for chunk in set(chunks))


class _MemoryWriter:
    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self.contents: dict[ChunkId, bytes] = {}

    def put(self, content: bytes, *, base: ChunkId | None = None) -> ChunkId:
        refuse_oversized(content)
        chunk = self._digest(content)
        self.contents[chunk] = content
        return chunk

    def put_ready(self, ready: ReadyChunk) -> None:
        self.contents[ready.id] = decompress(ready.body)
