"""Rows in several trees at once: which differ, by their keys alone, and one that is looked for in all. Puts no rows
together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from isovc.encoding.digest import ChunkId
from isovc.tree.diff import compare, differing_cells, keyed, leaf_pairs, same_keys, touched
from isovc.tree.forest import Forest, Top
from isovc.tree.node import Children, Entry, decode_node, is_leaf


def changed_keys(forest: Forest, old: ChunkId, new: ChunkId, *, width: int) -> Iterator[bytes]:
    """The keys of the rows that differ, in order."""
    for before, after in leaf_pairs(forest, old, new):
        if len(before) == len(after) == 1 and same_keys(before[0], after[0]):
            yield from map(after[0].key, sorted(touched(before[0], after[0], width)))
        else:
            yield from (change.key for change in compare(keyed(before, width), keyed(after, width)))


def is_changed(forest: Forest, old: ChunkId, new: ChunkId, key: bytes, *, width: int) -> bool:
    """Whether the row with this key differs. Goes down both trees side by side, and no further than they differ."""
    if old == new:
        return False
    tops = [forest.top(old), forest.top(new)]
    level = min(top.level for top in tops)
    here = [_lowered(forest, top, level, key) for top in tops]
    while True:
        found = [_above(entries, key) for entries in here]
        if found[0] == found[1]:
            return False
        if level == 0:
            break
        here = [forest.children(level, [entry])[0] if entry else Children.of([]) for entry in found]
        level -= 1
    rows = []
    for entry in found:
        leaf = forest.leaves([entry])[0] if entry else None
        at = leaf.find(key) if leaf else None
        rows.append(None if leaf is None or at is None else leaf.row(at, width))
    one, other = rows
    if one is None or other is None:
        return one is not other
    return bool(differing_cells(one, other))


def go_down(forest: Forest, roots: Iterable[ChunkId], key: bytes) -> None:
    """Fetch all that looking for a key in each of these trees will need: level by level for all trees at once, which
    costs a third of one tree after the other. Whoever looks then finds it in the store's memory."""
    level = set(roots)
    while level:
        below: set[ChunkId] = set()
        for content in forest.store.get_many(list(level)):
            if not is_leaf(content):
                entry = _above(decode_node(content)[1], key)
                if entry is not None:
                    below.add(entry.id)
        level = below


def _lowered(forest: Forest, top: Top, level: int, key: bytes) -> Children:
    entries = top.entries
    for above in range(top.level, level, -1):
        entry = _above(entries, key)
        entries = forest.children(above, [entry])[0] if entry else Children.of([])
    return entries


def _above(entries: Children, key: bytes) -> Entry | None:
    """The entry below which a key lies; None: behind them all."""
    at = bisect_left(entries.keys, key)
    return entries[at] if at < len(entries) else None
