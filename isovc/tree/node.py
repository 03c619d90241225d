"""The children of one stretch of a tree as bytes. Pure; never touches a store.

    02 | msgpack [level, [last key of each child], ids joined, [rows below], [bytes of leaves below]]

Level 1 stands above leaves, level n above nodes of level n - 1: a chain of nodes always ends.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import chain, islice
from operator import ge
from typing import Any, NamedTuple

from isovc.encoding.digest import ID_BYTES, ChunkId, Kind
from isovc.encoding.values import packer, unpack
from isovc.errors import NotCanonical

_KIND = bytes([Kind.NODE])
_DEEPEST = 64  # levels: 8 ranked ones and the few above; more is damage


class Entry(NamedTuple):
    """One child: its last key, its id, and what lies below it."""

    key: bytes
    id: ChunkId
    rows: int
    bytes: int


# a node has a hundred entries, and a thousand nodes are read for a thousand edits: half the time of Entry._make
_entry: Callable[[Iterable[Any]], Entry] = partial(tuple.__new__, Entry)
_ids = struct.Struct(f"{ID_BYTES}s").iter_unpack

# an edit comes by each node three times. Crafted ones, which may be large, are not kept
_KEPT_NODES = 128
_KEPT_BYTES = 64 << 10


def encode_node(level: int, entries: Sequence[Entry]) -> bytes:
    """A node above these children."""
    keys, ids, rows, sizes = zip(*entries, strict=True)
    return _KIND + packer()([level, keys, b"".join(ids), rows, sizes])


def decode_node(content: bytes) -> tuple[int, list[Entry]]:
    """The level and the children of a node."""
    level, entries = _decoded_lately(content) if len(content) <= _KEPT_BYTES else _decoded(content)
    return level, list(entries)


def _decoded(content: bytes) -> tuple[int, tuple[Entry, ...]]:
    if content[:1] != _KIND:
        raise NotCanonical(what="a node", why=f"it begins with {content[:1].hex() or 'nothing'}")
    parts = unpack(content[1:])
    if [type(part) for part in parts] != [int, list, bytes, list, list]:
        raise NotCanonical(what="a node", why="its parts are of the wrong kinds")
    level, keys, ids, rows, sizes = parts
    if not 1 <= level <= _DEEPEST:
        raise NotCanonical(what="a node", why=f"no node has level {level}")
    if not len(keys) == len(rows) == len(sizes) == len(ids) / ID_BYTES or not keys:
        raise NotCanonical(what="a node", why="its lists differ in length")
    if {*map(type, keys)} != {bytes} or {*map(type, rows), *map(type, sizes)} != {int}:
        raise NotCanonical(what="a node", why="its lists hold the wrong kinds")
    if any(map(ge, keys, islice(keys, 1, None))):
        raise NotCanonical(what="a node", why="its keys are not in order")
    if min(rows) < 1 or min(sizes) < 1:
        raise NotCanonical(what="a node", why="it has a child without rows")
    return level, tuple(map(_entry, zip(keys, chain.from_iterable(_ids(ids)), rows, sizes, strict=True)))


_decoded_lately = lru_cache(_KEPT_NODES)(_decoded)


def is_leaf(content: bytes) -> bool:
    """Whether this chunk is a leaf rather than a node."""
    return content[:1] == bytes([Kind.LEAF])


def last_key(entry: Entry) -> bytes:
    """What entries are sorted by."""
    return entry.key


def between(entries: list[Entry], after: bytes | None, upto: bytes | None) -> list[Entry]:
    """The entries that can hold rows with `after` < key <= `upto`; None: no bound."""
    first = bisect_right(entries, after, key=last_key) if after is not None else 0
    last = bisect_left(entries, upto, key=last_key) + 1 if upto is not None else len(entries)
    return entries[first:last]
