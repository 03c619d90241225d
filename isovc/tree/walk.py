"""Every chunk of a tree, for reachability and transfer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from isovc.encoding.digest import ChunkId
from isovc.tree.forest import Forest
from isovc.tree.node import Entry

_AT_ONCE = 128


def walk(forest: Forest, root: ChunkId, seen: set[ChunkId] | None = None) -> Iterator[ChunkId]:
    """The ids of all chunks, parents first. What is in `seen` is passed over with all that is below it, and what is
    met is put there, so that the walk over the next version meets only what is new in it."""
    seen = set() if seen is None else seen
    if root in seen:
        return
    seen.add(root)
    yield root
    level, entries = forest.top(root)
    if entries and entries[0].id != root:  # a single leaf is its own only entry
        yield from _below(forest, level, entries, seen)


def _below(forest: Forest, level: int, entries: Sequence[Entry], seen: set[ChunkId]) -> Iterator[ChunkId]:
    fresh = iter([entry for entry in entries if entry.id not in seen])
    while some := list(islice(fresh, _AT_ONCE)):
        seen.update(entry.id for entry in some)
        yield from (entry.id for entry in some)
        if level:
            for children in forest.children(level, some):
                yield from _below(forest, level - 1, children, seen)
