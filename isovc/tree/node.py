"""The children of one stretch of a tree as bytes. Pure; never touches a store.

    02 | msgpack [level, [last key of each child], ids joined, [rows below], [bytes of leaves below]]

Level 1 stands above leaves, level n above nodes of level n - 1: a chain of nodes always ends.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain, islice
from operator import ge
from typing import Any, NamedTuple, overload

from isovc.encoding.digest import ID_BYTES, ChunkId, Kind
from isovc.encoding.values import packer, unpack
from isovc.errors import NotCanonical

_KIND = bytes([Kind.NODE])
_KEPT_CUTS = 512  # numbers of children: nodes have 64 on average
_DEEPEST = 64  # levels: 8 ranked ones and the few above; more is damage


class Entry(NamedTuple):
    """One child: its last key, its id, and what lies below it."""

    key: bytes
    id: ChunkId
    rows: int
    bytes: int


# half the time of Entry._make
_entry: Callable[[Iterable[Any]], Entry] = partial(tuple.__new__, Entry)


def _apart(ids: bytes) -> Sequence[ChunkId]:
    count = len(ids) // ID_BYTES
    if count > _KEPT_CUTS:  # a crafted node
        return [ChunkId(ids[at : at + ID_BYTES]) for at in range(0, len(ids), ID_BYTES)]
    return _cut(count)(ids)


@lru_cache(_KEPT_CUTS)
def _cut(count: int) -> Callable[[bytes], tuple[Any, ...]]:
    """Cuts so many ids apart, in a fifth of the time of taking one after the other."""
    return struct.Struct(f"{ID_BYTES}s" * count).unpack


class Children(Sequence[Entry]):
    """The children of neighbouring nodes. A node has a hundred, and most readers look at one or two: so they stay the
    lists they come as, and an entry is made when somebody takes it."""

    __slots__ = ("ids", "keys", "rows", "sizes")

    def __init__(self, keys: list[bytes], ids: Sequence[ChunkId], rows: list[int], sizes: list[int]) -> None:
        self.keys, self.ids, self.rows, self.sizes = keys, ids, rows, sizes

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Children:
        """Some entries as children."""
        columns = [list(column) for column in zip(*entries, strict=True)] or [[], [], [], []]
        return cls(*columns)

    @classmethod
    def joined(cls, nodes: Sequence[Children]) -> Children:
        """Those of several nodes, one behind the other."""
        if len(nodes) == 1:
            return nodes[0]
        return cls(
            list(chain.from_iterable(node.keys for node in nodes)),
            list(chain.from_iterable(node.ids for node in nodes)),
            list(chain.from_iterable(node.rows for node in nodes)),
            list(chain.from_iterable(node.sizes for node in nodes)),
        )

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Entry]:
        return map(_entry, zip(self.keys, self.ids, self.rows, self.sizes, strict=True))

    @overload
    def __getitem__(self, at: int) -> Entry: ...
    @overload
    def __getitem__(self, at: slice) -> list[Entry]: ...
    def __getitem__(self, at: int | slice) -> Entry | list[Entry]:
        if isinstance(at, slice):
            return list(map(_entry, zip(self.keys[at], self.ids[at], self.rows[at], self.sizes[at], strict=True)))
        return Entry(self.keys[at], self.ids[at], self.rows[at], self.sizes[at])


# an edit comes by each node three times. Crafted ones, which may be large, are not kept
_KEPT_NODES = 128
_KEPT_BYTES = 64 << 10


def encode_node(level: int, entries: Sequence[Entry]) -> bytes:
    """A node above these children."""
    keys, ids, rows, sizes = zip(*entries, strict=True)
    return _KIND + packer()([level, keys, b"".join(ids), rows, sizes])


def decode_node(content: bytes) -> tuple[int, Children]:
    """The level and the children of a node."""
    return _decoded_lately(content) if len(content) <= _KEPT_BYTES else _decoded(content)


def _decoded(content: bytes) -> tuple[int, Children]:
    if content[:1] != _KIND:
        raise NotCanonical(what="a node", why=f"it begins with {content[:1].hex() or 'nothing'}")
    parts = unpack(memoryview(content)[1:])
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
    return level, Children(keys, _apart(ids), rows, sizes)


_decoded_lately = lru_cache(_KEPT_NODES)(_decoded)


def is_leaf(content: bytes) -> bool:
    """Whether this chunk is a leaf rather than a node."""
    return content[:1] == bytes([Kind.LEAF])


def last_key(entry: Entry) -> bytes:
    """What entries are sorted by."""
    return entry.key


def between(entries: Children, after: bytes | None, upto: bytes | None) -> list[Entry]:
    """The entries that can hold rows with `after` < key <= `upto`; None: no bound."""
    first = bisect_right(entries.keys, after) if after is not None else 0
    last = bisect_left(entries.keys, upto) + 1 if upto is not None else len(entries)
    return entries[first:last]
