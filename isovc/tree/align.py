"""Several trees side by side: the stretches in which they are not all alike. Reads nodes only, and only where ids
differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import ne
from typing import TypeAlias

from isovc.encoding.digest import ChunkId
from isovc.tree.forest import Forest, Top
from isovc.tree.node import Children, Entry

# one range of keys: for each tree the entries that hold it
Stretch: TypeAlias = tuple[Sequence[Entry], ...]

# stretches of which the chunks are fetched at once: a batch costs half of what one by one does, and 128 pairs of
# leaves of the heaviest sort are 16 MB
_AT_ONCE = 128


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


def _lowered(forest: Forest, top: Top, level: int) -> Children:
    entries = top.entries
    for above in range(top.level, level, -1):
        entries = Children.joined(forest.children(above, entries))
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
                [Children.joined([next(found) for _ in side]) for side in stretch],
                by_runs=by_runs,
            )
        )
        yield from _descend(forest, level - 1, below, by_runs=by_runs)


def _parted(forest: Forest, level: int, sides: Sequence[Children], *, by_runs: bool) -> Iterator[Stretch]:
    """Cut lists of entries wherever all of them may end, and drop the parts that are alike."""
    first, *others = sides
    if all(side.keys == first.keys for side in others):  # no boundary moved: nearly always
        differ = sorted({at for side in others for at, moved in enumerate(map(ne, first.ids, side.ids)) if moved})
        if not by_runs or all(_ends_run(forest, level, first.keys, at) for at in differ):
            yield from (tuple([[side[at]] for side in sides]) for at in differ)
            return
    starts = [0] * len(sides)
    for key in _common(sides):
        if by_runs and not forest.rules.ends_run(key, level):
            continue
        ends = [side.keys.index(key, start) + 1 for side, start in zip(sides, starts, strict=True)]
        yield from _unlike(sides, starts, ends)
        starts = ends
    yield from _unlike(sides, starts, [len(side) for side in sides])


def _ends_run(forest: Forest, level: int, keys: list[bytes], at: int) -> bool:
    """Whether the entry is a run of its own: it ends one, and so does the one before it."""
    before = at == 0 or forest.rules.ends_run(keys[at - 1], level)
    return before and forest.rules.ends_run(keys[at], level)


def _common(sides: Sequence[Children]) -> list[bytes]:
    """The keys at which every side ends an entry."""
    first, *others = sides
    common = set(first.keys).intersection(*(side.keys for side in others))
    return [key for key in first.keys if key in common]


def _unlike(sides: Sequence[Children], starts: Sequence[int], ends: Sequence[int]) -> Iterator[Stretch]:
    places = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    first, *others = [side.ids[place] for side, place in zip(sides, places, strict=True)]
    if any(ids != first for ids in others):
        yield tuple(side[place] for side, place in zip(sides, places, strict=True))
