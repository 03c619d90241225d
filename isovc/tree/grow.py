"""From rows to leaves to nodes to one root: cutting, encoding and handing to the store. Knows nothing of older
trees."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from isovc.encoding.digest import ChunkId
from isovc.encoding.values import packer
from isovc.store.protocol import ChunkWriter
from isovc.tree.forest import Root
from isovc.tree.leaf import Column, Leaf, LeafEncoder
from isovc.tree.node import Entry, encode_node, last_key
from isovc.tree.rules import Rules

_ENTRY_WEIGHT = 48  # bytes of a child in a node besides its key: id, counts and their msgpack heads


class Planter:
    """Writes the leaves and nodes of runs, cut by the rules. One a thread."""

    def __init__(self, writer: ChunkWriter, rules: Rules, key_width: int) -> None:
        self._writer = writer
        self._rules = rules
        self._encoder = LeafEncoder(key_width)
        self._pack = packer()
        # of each node made here: its child, if it has a single one
        self.only_children: dict[ChunkId, Entry | None] = {}

    def leaves(self, columns: Sequence[Column], keys: Sequence[bytes], *, bases: Sequence[Entry] = ()) -> list[Entry]:
        """The leaves of one run of rows, given column by column. `bases` are the leaves it replaces."""
        if not keys:
            return []
        content = self._encoder.from_columns(columns, len(keys))
        if len(content) <= self._rules.heaviest or len(keys) == 1:
            return [self.leaf(content, keys[-1], len(keys), _nearest(bases, keys[-1]))]
        # NULLs that no leaf keeps weigh nothing, or a new nullable column would move boundaries
        columns = self._encoder.kept(columns, len(keys))
        weights = [len(self._pack(row)) for row in zip(*columns, strict=True)]
        found: list[Entry] = []
        for start, end in pairwise([0, *self._rules.divide(keys, weights, 0)]):
            piece = self._encoder.from_columns([column[start:end] for column in columns], end - start)
            found.append(self.leaf(piece, keys[end - 1], end - start, _nearest(bases, keys[end - 1])))
        return found

    def leaf(self, content: bytes, last_key: bytes, rows: int, base: ChunkId | None) -> Entry:
        """One leaf as it is."""
        return Entry(last_key, self._writer.put(content, base=base), rows, len(content))

    def patched(self, leaf: Leaf, cells: Mapping[int, Mapping[int, Any]], old: Entry) -> list[Entry] | None:
        """A leaf that is a whole run, with some cells replaced; None where it becomes too heavy for one leaf."""
        content = self._encoder.patched(leaf, cells)
        if len(content) > self._rules.heaviest and leaf.rows > 1:
            return None
        return [self.leaf(content, old.key, leaf.rows, old.id)]

    def nodes(self, level: int, entries: Sequence[Entry], *, bases: Sequence[Entry] = ()) -> list[Entry]:
        """The nodes of `level` above one run of children."""
        if not entries:
            return []
        keys = [entry.key for entry in entries]
        weights = [len(key) + _ENTRY_WEIGHT for key in keys]
        ends = [len(keys)]
        if sum(weights) > self._rules.heaviest:
            ends = self._rules.divide(keys, weights, level)
        return [
            self._node(level, entries[start:end], _nearest(bases, keys[end - 1])) for start, end in pairwise([0, *ends])
        ]

    def nodes_of_runs(self, level: int, entries: Sequence[Entry], *, bases: Sequence[Entry] = ()) -> list[Entry]:
        """The nodes of `level` above children that may be several runs."""
        found: list[Entry] = []
        start = 0
        mask = self._rules.mask(level)
        for end, key_hash in enumerate(self._rules.hashes([entry.key for entry in entries]), 1):
            if end == len(entries) or (not key_hash & mask and self._rules.ends_run(entries[end - 1].key, level)):
                found.extend(self.nodes(level, entries[start:end], bases=bases))
                start = end
        return found

    def empty(self) -> Root:
        """The tree without rows."""
        chunk = self._writer.put(self._encoder.from_columns([()] * self._encoder.key_width, 0))
        self.only_children[chunk] = None
        return Root(chunk, 0, 0)

    def _node(self, level: int, entries: Sequence[Entry], base: ChunkId | None) -> Entry:
        chunk = self._writer.put(encode_node(level, entries), base=base)
        self.only_children[chunk] = entries[0] if len(entries) == 1 else None
        return Entry(
            entries[-1].key,
            chunk,
            sum(entry.rows for entry in entries),
            sum(entry.bytes for entry in entries),
        )


class Stack:
    """Entries in key order on their way up: each level closes its runs as they end, so only open runs are held."""

    def __init__(self, planter: Planter, rules: Rules, *, level: int = 0, bases: Sequence[Entry] = ()) -> None:
        self._planter = planter
        self._rules = rules
        self._lowest = level
        self._bases = bases  # what the nodes above the lowest entries replace
        self._open: list[list[Entry]] = []  # by level: entries that stand under no node yet
        self._first: list[Entry] = []  # by level: the first entry it ever had
        self._many: list[int] = []  # by level: how many it had

    def push(self, entries: Sequence[Entry], depth: int = 0) -> None:
        """The next entries, `depth` levels above the lowest."""
        if depth == len(self._open) and entries:
            self._open.append([])
            self._first.append(entries[0])
            self._many.append(0)
        for entry in entries:
            self._open[depth].append(entry)
            self._many[depth] += 1
            if self._rules.ends_run(entry.key, self._lowest + depth + 1):
                self._close(depth)

    def root(self) -> Root:
        """The root above all of them: the only entry of the first level that has but one."""
        depth = 0
        while depth < len(self._open):
            if self._many[depth] == 1:
                return Root(*self._first[depth][1:])
            self._close(depth)
            depth += 1
        return self._planter.empty()

    def _close(self, depth: int) -> None:
        run, self._open[depth] = self._open[depth], []
        bases = self._bases if depth == 0 else ()
        self.push(self._planter.nodes(self._lowest + depth + 1, run, bases=bases), depth + 1)


def _nearest(bases: Sequence[Entry], key: bytes) -> ChunkId | None:
    """The one that held the rows around `key`: what is most like their new version."""
    if not bases:
        return None
    at = bisect_left(bases, key, key=last_key)
    return bases[min(at, len(bases) - 1)].id
