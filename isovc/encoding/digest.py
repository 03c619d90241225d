"""Names made from content, and quick fingerprints. Knows nothing of what the bytes mean."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import NewType

from blake3 import blake3
from xxhash import xxh3_64_digest, xxh3_64_intdigest, xxh3_128_digest, xxh3_128_intdigest

ChunkId = NewType("ChunkId", bytes)

ID_BYTES = 32  # BLAKE3-256


class Kind(IntEnum):
    """What a chunk holds. It is the chunk's first byte, so it takes part in the id, and it doubles as the version of
    that kind's layout: a new layout is a new kind, and readers list the kinds they accept."""

    LEAF = 1  # rows of a table, column by column
    NODE = 2  # children of a tree
    BLOB = 3  # bytes of one large value, or one piece of it
    PIECES = 4  # the list of pieces of one very large value


Digest = Callable[[bytes], ChunkId]


def chunk_id(content: bytes) -> ChunkId:
    """The id of a chunk: BLAKE3-256 over its content, whose first byte is its kind."""
    return ChunkId(blake3(content).digest())


def keyed_chunk_id(key: bytes) -> Digest:
    """The same under a secret key, so that an encrypted repository's ids tell nothing of its content."""
    return partial(_keyed, key)  # unlike a function made here, it can be sent to another process


def _keyed(key: bytes, content: bytes) -> ChunkId:
    return ChunkId(blake3(content, key=key).digest())


def record_id(content: bytes) -> bytes:
    """The id of a record or of a file of ours: plain BLAKE3-256, so that any tool can compute it too."""
    return blake3(content).digest()


def fingerprint(content: bytes | memoryview) -> int:
    """128 bits to notice change by. Not safe against an attacker, so never a name of anything stored."""
    return xxh3_128_intdigest(content)


# The same 128 bits as 16 bytes, the library's own function: it runs once for every page of a user's file.
fingerprint_bytes: Callable[[bytes | memoryview], bytes] = xxh3_128_digest


# 64 bits as 8 bytes: they stand beside what they were made of, so that a bit that flipped there is noticed.
short_digest: Callable[[bytes | memoryview], bytes] = xxh3_64_digest


# 64 well-mixed bits of (key, seed); trees end their runs by them. The library's own function, not one of ours around
# it: it runs once for every row of a build, and a Python call more would double its cost.
rank_hash: Callable[[bytes, int], int] = xxh3_64_intdigest
