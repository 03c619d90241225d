"""All trees of one store under one set of rules: fetching their nodes and leaves, and saying which rows a loss
concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from isovc.encoding.digest import ChunkId
from isovc.encoding.orderkey import in_words
from isovc.errors import ChunkDamaged, ChunkMissing, Damage, NotCanonical, RowsUnreadable
from isovc.store.protocol import ChunkStore
from isovc.tree.leaf import Leaf
from isovc.tree.node import Children, Entry, decode_node, is_leaf
from isovc.tree.rules import Rules


class Root(NamedTuple):
    """A whole tree: the id says everything, the counts save a look."""

    id: ChunkId
    rows: int
    bytes: int


class Top(NamedTuple):
    """Where reading begins: the entries of the highest level worth looking at. Level 0: leaves."""

    level: int
    entries: Children


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
            only = Entry(leaf.keys()[-1], root, leaf.rows, len(content)) if leaf.rows else None
            return Top(0, Children.of([only] if only else []))
        level, entries = decode_node(content)
        return Top(level - 1, entries)

    def children(self, level: int, nodes: Sequence[Entry]) -> list[Children]:
        """The children of nodes of `level`, node by node."""
        found: list[Children] = []
        for node, content in zip(nodes, self._contents(nodes), strict=True):
            try:
                own, entries = decode_node(content)
            except NotCanonical as error:
                raise _unreadable(node, error) from None
            if own != level or entries.keys[-1] != node.key:
                raise _unreadable(node, _misfit(node))
            found.append(entries)
        return found

    def leaves(self, entries: Sequence[Entry]) -> list[Leaf]:
        """The leaves of these entries."""
        found: list[Leaf] = []
        for entry, content in zip(entries, self._contents(entries), strict=True):
            try:
                leaf = Leaf(content, partial(_unreadable, entry))
            except NotCanonical as error:
                raise _unreadable(entry, error) from None
            if leaf.rows != entry.rows:
                raise _unreadable(entry, _misfit(entry))
            found.append(leaf)
        return found

    def _contents(self, entries: Sequence[Entry]) -> list[bytes]:
        try:
            return self.store.get_many([entry.id for entry in entries])
        except (ChunkMissing, ChunkDamaged) as loss:
            lost = next(entry for entry in entries if entry.id == loss.chunk)
            raise _unreadable(lost, loss) from loss


def _misfit(entry: Entry) -> NotCanonical:
    return NotCanonical(what=f"chunk {entry.id.hex()[:12]}", why="it is not what its parent says")


def _unreadable(entry: Entry, loss: Damage) -> RowsUnreadable:
    return RowsUnreadable(
        chunk=entry.id, last_key=entry.key, upto=in_words(entry.key), rows=entry.rows, why=loss.message
    )
