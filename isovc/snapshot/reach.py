"""Every chunk that a version needs: the nodes and leaves of its tables, and the large values that its rows name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from isovc.blobs import mentioned, parts
from isovc.encoding.digest import ChunkId
from isovc.snapshot.version import Version
from isovc.tree.forest import Forest
from isovc.tree.walk import walk

_AT_ONCE = 128


def reach(forest: Forest, version: Version, seen: set[ChunkId]) -> Iterator[tuple[str, ChunkId]]:
    """The chunks of a version that are not in `seen`, each with the table that needs it; they are put there."""
    for table, root in version.roots.items():
        fresh = walk(forest, root.id, seen)
        while some := list(islice(fresh, _AT_ONCE)):
            for chunk, content in zip(some, forest.store.get_many(some), strict=True):
                yield table, chunk
                for external in mentioned(content):
                    for part in parts(forest.store, external):
                        if part not in seen:
                            seen.add(part)
                            yield table, part
