"""Is a tree just what its rows would be planted as? Changes nothing, and goes on behind every loss.

Every run is planted again and held against what is there, so anything is found: keys out of order, runs cut elsewhere,
counts that lie, columns written in another way. A tree that passes is the one tree of its rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from isovc.encoding.digest import ChunkId
from isovc.encoding.orderkey import in_words
from isovc.encoding.values import encode
from isovc.errors import IsovcError, NotStorable
from isovc.store.packing import ReadyChunk
from isovc.tree.forest import Forest
from isovc.tree.grow import Planter
from isovc.tree.node import Entry


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with some chunks that stand side by side."""

    chunks: tuple[ChunkId, ...]
    last_key: bytes  # of the stretch of rows concerned; empty: the whole tree
    why: str

    def __str__(self) -> str:
        where = f", the rows up to {in_words(self.last_key)}," if self.last_key else ""
        return f"chunk {self.chunks[-1].hex()[:12]}{where} is not sound: {self.why}"


class _Made:
    """A writer that keeps what was written in hand."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []

    def put(self, content: bytes, *, base: ChunkId | None = None) -> ChunkId:
        self.contents.append(content)
        return ChunkId(b"")

    def put_ready(self, ready: ReadyChunk) -> None:
        self.contents.append(ready.body)


def check(forest: Forest, root: ChunkId, seen: set[ChunkId] | None = None) -> Iterator[Problem]:
    """All that is wrong with a tree. What is in `seen` was checked with another version and is passed over with all
    that is below it; what is checked here is put there."""
    seen = set() if seen is None else seen
    if root in seen:
        return
    seen.add(root)
    try:
        level, entries = forest.top(root)
        if entries and entries[0].id == root:  # a single leaf is its own only entry
            yield from _leaves(forest, list(entries))
            return
    except IsovcError as loss:
        yield Problem((root,), b"", loss.message)
        return
    if len(entries) == 1:
        yield Problem((root,), entries[0].key, "a root has more than one child")
    if entries:
        whole = Entry(entries[-1].key, root, sum(entries.rows), sum(entries.sizes))
        yield from _nodes(forest, level + 1, [whole], list(entries))
        yield from _level(forest, level, list(entries), seen)


def _level(forest: Forest, level: int, entries: list[Entry], seen: set[ChunkId]) -> Iterator[Problem]:
    """Entries that stand side by side: run by run, then what is below them."""
    for run in _runs(forest, level, entries):
        if all(entry.id in seen for entry in run):
            continue
        seen.update(entry.id for entry in run)
        if level == 0:
            yield from _leaves(forest, run)
            continue
        children: list[Entry] = []
        lost = False
        for node in run:
            try:
                children.extend(forest.children(level, [node])[0])
            except IsovcError as loss:
                lost = True
                yield Problem((node.id,), node.key, loss.message)
        if not lost:
            yield from _nodes(forest, level, run, children)
        yield from _level(forest, level - 1, children, seen)


def _runs(forest: Forest, level: int, entries: list[Entry]) -> Iterator[list[Entry]]:
    run: list[Entry] = []
    for entry in entries:
        run.append(entry)
        if forest.rules.ends_run(entry.key, level):
            yield run
            run = []
    if run:
        yield run


def _nodes(forest: Forest, level: int, run: list[Entry], children: list[Entry]) -> Iterator[Problem]:
    if any(early.key >= late.key for early, late in pairwise(children)):
        yield _problem(run, "keys are not in order")
        return
    made = _Made()
    planted = Planter(made, forest.rules, 1).nodes_of_runs(level, children)
    yield from _compared(forest, run, planted, made.contents)


def _leaves(forest: Forest, run: list[Entry]) -> Iterator[Problem]:
    try:
        leaves = forest.leaves(run)
        keys = list(chain.from_iterable(leaf.keys() for leaf in leaves))
        width = max(len(leaf.packed) for leaf in leaves)
        columns = [list(chain.from_iterable(leaf.column(at) for leaf in leaves)) for at in range(width)]
    except IsovcError as loss:
        if len(run) == 1:
            yield _problem(run, loss.message)
        else:
            for entry in run:
                yield from _leaves(forest, [entry])
        return
    if any(early >= late for early, late in pairwise(keys)):
        yield _problem(run, "keys are not in order")
        return
    if any(map(_is_foreign, columns)):
        yield _problem(run, "it holds what SQLite could not hold")
        return
    made = _Made()
    planter = Planter(made, forest.rules, leaves[0].key_width)
    planted = []
    start = 0
    for end, key in enumerate(keys, 1):
        if end == len(keys) or forest.rules.ends_run(key, 0):
            planted += planter.leaves([column[start:end] for column in columns], keys[start:end])
            start = end
    yield from _compared(forest, run, planted, made.contents)


def _is_foreign(column: Sequence[object]) -> bool:
    try:
        encode(column)
    except NotStorable:
        return True
    return list in map(type, column)


def _compared(forest: Forest, run: list[Entry], planted: list[Entry], contents: list[bytes]) -> Iterator[Problem]:
    if [(e.key, e.rows, e.bytes) for e in planted] != [(e.key, e.rows, e.bytes) for e in run]:
        yield _problem(run, "it is cut elsewhere than its rows say, or counts them wrong")
    elif forest.store.get_many([entry.id for entry in run]) != contents:
        yield _problem(run, "its rows would be written in other bytes")


def _problem(run: list[Entry], why: str) -> Problem:
    return Problem(tuple(entry.id for entry in run), run[-1].key, why)
