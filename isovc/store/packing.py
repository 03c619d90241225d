"""How a chunk lies at rest: alone, or as a difference to another. Never has a say in its id.

A leaf that changes one row a commit would make a chain of differences as long as the history, and reading the newest
would walk all of it. So a chain may be `longest_chain` long; the next version is a difference to the chain's first
chunk again, a star of short chains. That difference grows with every round, and once it is no longer small the version
stands alone and starts anew. docs/design/0002 has chains, stars and this measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from isovc.encoding.compress import LARGEST_CHUNK, compress, compress_against, decompress_against
from isovc.encoding.digest import ChunkId, Digest
from isovc.encoding.splice import is_splice, splice, unsplice
from isovc.errors import NotStorable

# zstd level: on rows of text and numbers, level 3 takes 75 % longer than level 1 and saves 1-4 % (docs/design/0002)
LEVEL = 1
_LONG = 32 << 10  # bytes of content
_MORE, _MOST = 2, 19  # levels
LONGEST_CHAIN = 8  # differences: reading the last costs 8 x 10 us more than the first (docs/design/0002)
_WORTH_A_TRY = 4  # a difference of more than 1/4 of the plain content is compared with standing alone
_WORTH_KEEPING = 2  # and kept only if it is less than 1/2 of that: a difference costs every later reader a look-up


@dataclass(frozen=True, slots=True)
class Packing:
    """What may be chosen a repository."""

    level: int = LEVEL
    longest_chain: int = LONGEST_CHAIN  # 0: no differences at all


@dataclass(frozen=True, slots=True)
class Stored:
    """A chunk in the store that another may be a difference to."""

    seq: int
    depth: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """A chunk as it is written."""

    base: int | None
    depth: int
    body: bytes


class ReadyChunk(NamedTuple):
    """A chunk that stands alone, named and packed."""

    id: ChunkId
    body: bytes


@dataclass(frozen=True, slots=True)
class Packer:
    """Names and packs chunks away from their store."""

    digest: Digest
    level: int

    def ready(self, content: bytes) -> ReadyChunk:
        """The chunk of this content."""
        refuse_oversized(content)
        return ReadyChunk(self.digest(content), _alone(content, self.level))


def refuse_oversized(content: bytes) -> None:
    """What could not be read back is not written."""
    if len(content) > LARGEST_CHUNK:
        raise NotStorable(what=f"a chunk of {len(content)} bytes", why=f"{LARGEST_CHUNK} is the most")


def unpack_against(body: bytes, base: bytes) -> bytes:
    """The content of a body that is a difference to `base`."""
    return unsplice(body, base) if is_splice(body) else decompress_against(body, base)


def _alone(content: bytes, level: int) -> bytes:
    """A body that needs no other. Long contents are files and large values, not rows: there a higher level saves a
    tenth, and what cannot be made smaller it notices sooner."""
    return compress(content, level=min(level + _MORE, _MOST) if len(content) >= _LONG else level)


def pack(content: bytes, against: Stored | None, packing: Packing) -> Packed:
    """The smaller way to keep `content`, given a chunk it may resemble."""
    if against is None:
        return Packed(None, 0, _alone(content, packing.level))
    spliced = splice(content, against.content)
    if spliced is not None and len(spliced) * _WORTH_A_TRY <= len(content):
        return Packed(against.seq, against.depth + 1, spliced)
    body = compress_against(content, against.content, level=packing.level)
    if len(body) * _WORTH_A_TRY > len(content):
        alone = _alone(content, packing.level)
        if len(body) * _WORTH_KEEPING > len(alone):
            return Packed(None, 0, alone)
    return Packed(against.seq, against.depth + 1, body)
