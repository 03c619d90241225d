"""The children of one stretch of a tree as bytes. Pure; never touches a store.

    02 | msgpack [level, [last key of each child], ids joined, [rows below], [bytes of leaves below]]

Level 1 stands above leaves, level n above nodes of level n - 1: a chain of nodes always ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from isovc.encoding.digest import ID_BYTES, ChunkId, Kind
from isovc.encoding.values import decode, packer
from isovc.errors import NotCanonical

_KIND = bytes([Kind.NODE])
_DEEPEST = 64  # levels: 8 ranked ones and the few above; more is damage


class Entry(NamedTuple):
    """One child: its last key, its id, and what lies below it."""

    key: bytes
    id: ChunkId
    rows: int
    bytes: int


def encode_node(level: int, entries: Sequence[Entry]) -> bytes:
    """A node above these children."""
    keys, ids, rows, sizes = zip(*entries, strict=True)
    return _KIND + packer()([level, keys, b"".join(ids), rows, sizes])


def decode_node(content: bytes) -> tuple[int, list[Entry]]:
    """The level and the children of a node."""
    if content[:1] != _KIND:
        raise NotCanonical(what="a node", why=f"it begins with {content[:1].hex() or 'nothing'}")
    parts = decode(content[1:])
    if [type(part) for part in parts] != [int, list, bytes, list, list]:
        raise NotCanonical(what="a node", why="its parts are of the wrong kinds")
    level, keys, ids, rows, sizes = parts
    if not 1 <= level <= _DEEPEST:
        raise NotCanonical(what="a node", why=f"no node has level {level}")
    if not len(keys) == len(rows) == len(sizes) == len(ids) / ID_BYTES or not keys:
        raise NotCanonical(what="a node", why="its lists differ in length")
    if {*map(type, keys)} != {bytes} or {*map(type, rows), *map(type, sizes)} != {int}:
        raise NotCanonical(what="a node", why="its lists hold the wrong kinds")
    children = [ChunkId(ids[at : at + ID_BYTES]) for at in range(0, len(ids), ID_BYTES)]
    return level, list(map(Entry._make, zip(keys, children, rows, sizes, strict=True)))


def is_leaf(content: bytes) -> bool:
    """Whether this chunk is a leaf rather than a node."""
    return content[:1] == bytes([Kind.LEAF])
