"""All trees of one store under one set of rules: fetching their nodes and leaves, and saying which rows a loss
concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from isovc.encoding.digest import ChunkId
from isovc.errors import ChunkDamaged, ChunkMissing, NotCanonical, RowsUnreadable
from isovc.store.protocol import ChunkStore
from isovc.tree.leaf import Leaf
from isovc.tree.node import Entry, decode_node, is_leaf
from isovc.tree.rules import Rules


class Root(NamedTuple):
    """A whole tree: the id says everything, the counts save a look."""

    id: ChunkId
    rows: int
    bytes: int


class Top(NamedTuple):
    """Where reading begins: the entries of the highest level worth looking at. Level 0: leaves."""

    level: int
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Forest:
    """A store and the rules of its trees."""

    store: ChunkStore
    rules: Rules = field(default_factory=Rules)

    def top(self, root: ChunkId) -> Top:
        """The root's children, or, where the root is a leaf, the root itself."""
        content = self._contents([Entry(b"", root, 0, 0)])[0]
        if is_leaf(content):
            leaf = Leaf(content)
            return Top(0, [Entry(leaf.keys()[-1], root, leaf.rows, len(content))] if leaf.rows else [])
        level, entries = decode_node(content)
        return Top(level - 1, entries)

    def children(self, level: int, nodes: Sequence[Entry]) -> list[list[Entry]]:
        """The children of nodes of `level`, node by node."""
        found: list[list[Entry]] = []
        for node, content in zip(nodes, self._contents(nodes), strict=True):
            own, entries = decode_node(content)
            if own != level or entries[-1].key != node.key:
                raise NotCanonical(what=f"node {node.id.hex()[:12]}", why="it does not fit below its parent")
            found.append(entries)
        return found

    def leaves(self, entries: Sequence[Entry]) -> list[Leaf]:
        """The leaves of these entries."""
        return [Leaf(content) for content in self._contents(entries)]

    def _contents(self, entries: Sequence[Entry]) -> list[bytes]:
        try:
            return self.store.get_many([entry.id for entry in entries])
        except (ChunkMissing, ChunkDamaged) as loss:
            lost = next(entry for entry in entries if entry.id == loss.chunk)
            raise RowsUnreadable(chunk=lost.id, last_key=lost.key, rows=lost.rows, why=loss.message) from loss
