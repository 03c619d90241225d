"""Several trees side by side: the stretches in which they are not all alike. Reads nodes only, and only where ids
differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter, ne
from typing import TypeAlias

from isovc.encoding.digest import ChunkId
from isovc.tree.forest import Forest, Top
from isovc.tree.node import Entry

# one range of keys: for each tree the entries that hold it
Stretch: TypeAlias = tuple[Sequence[Entry], ...]

# stretches of which the chunks are fetched at once: a batch costs half of what one by one does, and 128 pairs of
# leaves of the heaviest sort are 16 MB
_AT_ONCE = 128

_KEY, _ID = itemgetter(0), itemgetter(1)  # of an entry: a node has a hundred, and each is looked at


def differing(forest: Forest, roots: Sequence[ChunkId], *, by_runs: bool = False) -> Iterator[Stretch]:
    """Stretches of leaves in which not all trees are alike, in key order. `by_runs`: a stretch begins and ends where
    runs of rows end by rank, so that the leaves of one tree can stand in another's place."""
    tops = [forest.top(root) for root in roots]
    level = min(top.level for top in tops)
    sides = tuple(_lowered(forest, top, level) for top in tops)
    return _descend(forest, level, _parted(forest, level, sides, by_runs=by_runs), by_runs=by_runs)


def batched(stretches: Iterable[Stretch]) -> Iterator[list[Stretch]]:
    """As many as it pays to fetch at once."""
    source = iter(stretches)
    while some := list(islice(source, _AT_ONCE)):
        yield some


def _lowered(forest: Forest, top: Top, level: int) -> list[Entry]:
    entries = top.entries
    for above in range(top.level, level, -1):
        entries = list(chain.from_iterable(forest.children(above, entries)))
    return entries


def _descend(forest: Forest, level: int, stretches: Iterator[Stretch], *, by_runs: bool) -> Iterator[Stretch]:
    if level == 0:
        yield from stretches
        return
    for some in batched(stretches):
        found = iter(forest.children(level, [node for stretch in some for side in stretch for node in side]))
        below = (
            part
            for stretch in some
            for part in _parted(
                forest,
                level - 1,
                tuple([child for _ in side for child in next(found)] for side in stretch),
                by_runs=by_runs,
            )
        )
        yield from _descend(forest, level - 1, below, by_runs=by_runs)


def _parted(forest: Forest, level: int, sides: Stretch, *, by_runs: bool) -> Iterator[Stretch]:
    """Cut lists of entries wherever all of them may end, and drop the parts that are alike."""
    keys = [list(map(_KEY, side)) for side in sides]
    if keys.count(keys[0]) == len(keys):  # no boundary moved: nearly always
        first, *others = [list(map(_ID, side)) for side in sides]
        differ = sorted({at for ids in others for at, moved in enumerate(map(ne, first, ids)) if moved})
        if not by_runs or all(_ends_run(forest, level, keys[0], at) for at in differ):
            yield from (tuple(side[at : at + 1] for side in sides) for at in differ)
            return
    starts = [0] * len(sides)
    for key in _common(keys):
        if by_runs and not forest.rules.ends_run(key, level):
            continue
        ends = [side.index(key, start) + 1 for side, start in zip(keys, starts, strict=True)]
        yield from _unlike(sides, starts, ends)
        starts = ends
    yield from _unlike(sides, starts, [len(side) for side in sides])


def _ends_run(forest: Forest, level: int, keys: list[bytes], at: int) -> bool:
    """Whether the entry is a run of its own: it ends one, and so does the one before it."""
    before = at == 0 or forest.rules.ends_run(keys[at - 1], level)
    return before and forest.rules.ends_run(keys[at], level)


def _common(keys: list[list[bytes]]) -> list[bytes]:
    """The keys at which every side ends an entry."""
    common = set(keys[0])
    common.intersection_update(*keys[1:])
    return [key for key in keys[0] if key in common]


def _unlike(sides: Stretch, starts: Sequence[int], ends: Sequence[int]) -> Iterator[Stretch]:
    part = tuple(side[start:end] for side, start, end in zip(sides, starts, ends, strict=True))
    if len({tuple(map(_ID, entries)) for entries in part}) > 1:
        yield part
