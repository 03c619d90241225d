"""What of a tree cannot be had. A chunk is looked at once, whatever leads to it; what is lost below it is remembered.

Knows nothing of commits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from isovc.blobs import mentioned, parts
from isovc.encoding.digest import ChunkId
from isovc.errors import IsovcError
from isovc.tree.forest import Forest
from isovc.tree.node import Entry

_AT_ONCE = 128  # chunks fetched together

Lost = dict[ChunkId, str]  # chunks, and why each cannot be read


class Losses:
    """`suspicious`: the store has damage, so that to know that a chunk is there is not enough."""

    def __init__(self, forest: Forest, *, suspicious: bool) -> None:
        self._forest = forest
        self._suspicious = suspicious
        self._below: dict[ChunkId, Lost] = {}  # by chunk; the same empty one for all that are sound
        self._parts: dict[ChunkId, Lost] = {}
        self._none: Lost = {}

    def of(self, root: ChunkId) -> Lost:
        """All that is lost of one tree."""
        if root not in self._below:
            try:
                level, entries = self._forest.top(root)
                # a single leaf is its own only entry
                lost = self._leaf(entries[0]) if entries and entries[0].id == root else self._of_all(level, entries)
            except IsovcError as loss:
                lost = {root: loss.message}
            self._below[root] = lost or self._none
        return self._below[root]

    def _of_all(self, level: int, entries: Sequence[Entry]) -> Lost:
        """What is lost of children that stand side by side."""
        fresh = [entry for entry in entries if entry.id not in self._below]
        for start in range(0, len(fresh), _AT_ONCE):
            some = fresh[start : start + _AT_ONCE]
            with suppress(IsovcError):  # fetched together they are at hand one by one, and what is lost is told there
                self._forest.store.get_many([entry.id for entry in some])
            for entry in some:
                self._below[entry.id] = (self._node(level, entry) if level else self._leaf(entry)) or self._none
        lost: Lost = {}
        for entry in entries:
            lost.update(self._below[entry.id])
        return lost

    def _node(self, level: int, entry: Entry) -> Lost:
        try:
            children = self._forest.children(level, [entry])[0]
        except IsovcError as loss:
            return {entry.id: loss.message}
        return self._of_all(level - 1, children)

    def _leaf(self, entry: Entry) -> Lost:
        try:
            self._forest.leaves([entry])
            content = self._forest.store.get(entry.id)
            lost: Lost = {}
            for external in mentioned(content):
                lost.update(self._value(ChunkId(external.id), list(parts(self._forest.store, external))))
        except IsovcError as loss:
            return {entry.id: loss.message}
        return lost

    def _value(self, value: ChunkId, chunks: list[ChunkId]) -> Lost:
        """What is lost of a large value."""
        if value not in self._parts:
            self._parts[value] = dict(self._lost_parts(chunks)) or self._none
        return self._parts[value]

    def _lost_parts(self, chunks: list[ChunkId]) -> Iterator[tuple[ChunkId, str]]:
        kept = set() if self._suspicious else self._forest.store.has_many(chunks)
        for chunk in chunks:
            if chunk in kept:
                continue
            try:
                self._forest.store.get(chunk)
            except IsovcError as loss:
                yield chunk, loss.message
