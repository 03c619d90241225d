"""A tree with some rows changed: only the paths to them are written anew, each new chunk as a difference to its old
self.

Changes climb level by level as replacements, "these entries stand in place of those", so that one pass in key order
serves one edit as well as a million, and each level holds no more than the run it is rewriting.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from itertools import chain, islice
from typing import Any, NamedTuple, TypeAlias

from isovc.encoding.digest import ChunkId
from isovc.encoding.orderkey import in_words
from isovc.errors import NotSorted
from isovc.store.protocol import ChunkWriter
from isovc.tree.build import plant
from isovc.tree.diff import Change, differing_cells
from isovc.tree.forest import Forest, Root, Top
from isovc.tree.grow import Planter, Stack
from isovc.tree.leaf import Leaf, Row
from isovc.tree.node import Children, Entry, decode_node, last_key
from isovc.tree.runs import Runs, leaves_at

_WARM = 128  # edits of which the leaves are fetched at once: half the cost of one by one, at most 8 MB
_AT_ONCE = 1024  # edits of one run that are held together; a run that gets more is streamed


class Edit(NamedTuple):
    """The row with this key is now so; None: there is none."""

    key: bytes
    row: Row | None


class Patch(NamedTuple):
    """A leaf in which cells of some rows are now others, and no row came or went."""

    key: bytes  # of the first of these rows
    leaf: Leaf
    cells: Mapping[int, Mapping[int, Any]]  # by column, by number of the row

    def rows(self) -> list[int]:
        """The numbers of the rows that change."""
        return sorted({at for values in self.cells.values() for at in values})

    def last_key(self) -> bytes:
        """The key of the last of them."""
        return self.leaf.key(max(map(max, self.cells.values())))

    def changes(self, width: int) -> Iterator[Change]:
        """The same row by row."""
        for at in self.rows():
            before = self.leaf.row(at, width)
            new = {cell: values[at] for cell, values in self.cells.items() if at in values}
            after = tuple(new.get(cell, value) for cell, value in enumerate(before))
            yield Change(self.leaf.key(at), before, after, tuple(sorted(new)))


class Replacement(NamedTuple):
    """Entries of one level that stand in place of others: whole runs, near the key `at`."""

    at: bytes
    old: list[Entry]
    new: list[Entry]


Step: TypeAlias = Edit | Patch | Replacement


def edit(
    forest: Forest,
    root: ChunkId,
    edits: Iterable[Step],
    *,
    width: int,
    key_width: int = 1,
    writer: ChunkWriter | None = None,
) -> Root:
    """The tree after these edits, which come in key order; rows have `width` cells. Among them may stand leaves of this
    tree with what is new in them, and leaves of another tree of the forest, as replacements of whole runs. With a
    `writer` it is kept when that one is done."""
    top = forest.top(root)
    entries = list(top.entries)
    with nullcontext(writer) if writer else forest.store.writing() as writer:
        planter = Planter(writer, forest.rules, key_width)
        queue = _Edits(forest, top, edits)
        climbing = _rewrite_leaves(forest, Runs(forest, top), planter, queue, width, key_width)
        for level in range(1, top.level + 1):
            climbing = _rewrite_nodes(forest, Runs(forest, top), planter, level, climbing)
        changed = False
        for replacement in climbing:
            _replace(entries, replacement)
            changed = True
        if not changed:
            return Root(root, sum(entry.rows for entry in entries), sum(entry.bytes for entry in entries))
        stack = Stack(planter, forest.rules, level=top.level, bases=[Entry(b"", root, 0, 0)])
        stack.push(entries)
        return _lowest(forest, planter, top.level, stack.root())


class _Edits:
    """The edits in order, checked, the next one in view. The leaves of those to come are fetched many at a time."""

    def __init__(self, forest: Forest, top: Top, edits: Iterable[Step]) -> None:
        self._forest = forest
        self._top = top
        self._source = iter(edits)
        self._window: Iterator[Step] = iter(())
        self._last: bytes | None = None
        self.view: Step | None = None
        self.step()

    def step(self) -> None:
        """On to the next one."""
        self.view = next(self._window, None) or next(self._next_window(), None)
        if self.view is not None:
            if self._last is not None and self.view[0] <= self._last:
                raise NotSorted(what="edits", key=in_words(self.view[0]))
            self._last = self.view.last_key() if isinstance(self.view, Patch) else self.view[0]

    def upto(self, key: bytes | None) -> Iterator[Edit | Patch]:
        """The edits up to `key`; None: all that are left."""
        while (
            self.view is not None and not isinstance(self.view, Replacement) and (key is None or self.view.key <= key)
        ):
            one = self.view
            self.step()
            yield one

    def _next_window(self) -> Iterator[Step]:
        window = list(islice(self._source, _WARM))
        keys = [one.key for one in window if isinstance(one, Edit)]
        if len(keys) > 1:
            found = leaves_at(self._forest, self._top, keys, _near)
            # a thousand edits of one leaf ask for it once
            self._forest.store.get_many(list(dict.fromkeys(leaf.id for leaves in found for leaf in leaves)))
        self._window = iter(window)
        return self._window


def _near(children: Children, key: bytes) -> list[Entry]:
    """The child that holds the key or would take it in."""
    at = min(bisect_left(children.keys, key), len(children) - 1)
    return children[at : at + 1] if children else []


def _rewrite_leaves(
    forest: Forest, runs: Runs, planter: Planter, edits: _Edits, width: int, key_width: int
) -> Iterator[Replacement]:
    while (first := edits.view) is not None:
        if isinstance(first, Replacement):
            yield first
            edits.step()
            continue
        run = runs.holding(0, first.key)
        few = list(islice(edits.upto(_bound(forest, run)), _AT_ONCE))
        new = _with_same_keys(forest, planter, run, few, width) if len(few) < _AT_ONCE and len(run) == 1 else None
        if new is None:
            rows = _merged(forest, runs, run, few, edits, width)
            new = list(chain.from_iterable(plant(planter, forest.rules, rows, key_width, bases=run)))
        if new != run:
            yield Replacement(first.key, run, new)


def _bound(forest: Forest, run: list[Entry]) -> bytes | None:
    """The last key that belongs to a run; None: it is the last one, and everything behind it belongs to it."""
    return run[-1].key if run and forest.rules.ends_run(run[-1].key, 0) else None


def _with_same_keys(
    forest: Forest, planter: Planter, run: list[Entry], edits: list[Edit | Patch], width: int
) -> list[Entry] | None:
    """The leaf that is a whole run and in which rows change but none comes or goes; None where it is not so simple.
    Columns that nobody touches are not even decoded."""
    if len(edits) == 1 and isinstance(edits[0], Patch):
        return planter.patched(edits[0].leaf, edits[0].cells, run[0])
    leaf = forest.leaves(run)[0]
    cells: dict[int, dict[int, Any]] = {}
    for one in row_by_row(edits, width):
        at = leaf.find(one.key)
        if one.row is None or at is None:
            return None
        for cell in differing_cells(leaf.row(at, width), one.row):
            cells.setdefault(cell, {})[at] = one.row[cell]
    return planter.patched(leaf, cells, run[0]) if cells else run


def row_by_row(steps: Iterable[Edit | Patch], width: int) -> Iterator[Edit]:
    """Patches as the edits that they stand for."""
    for one in steps:
        if isinstance(one, Patch):
            yield from (Edit(change.key, change.after) for change in one.changes(width))
        else:
            yield one


def _merged(
    forest: Forest, runs: Runs, run: list[Entry], few: list[Edit | Patch], edits: _Edits, width: int
) -> Iterator[Row]:
    """The rows of a run after its edits. Where the key that ended the run is gone, the next run joins in (and `run`
    grows)."""
    bound = _bound(forest, run)
    leaves = forest.leaves(run)
    mine = row_by_row(chain(few, edits.upto(bound)), width)
    last = b""
    while True:
        for key, row in _merge_rows(leaves, mine, width):
            last = key
            yield row
        if bound is None or not last or forest.rules.ends_run(last, 0):
            return
        following = runs.following(0, run[-1].key)
        leaves = forest.leaves(following)
        run.extend(following)
        bound = _bound(forest, following)
        mine = row_by_row(edits.upto(bound), width)


def _merge_rows(leaves: list[Leaf], edits: Iterator[Edit], width: int) -> Iterator[tuple[bytes, Row]]:
    one = next(edits, None)
    for leaf in leaves:
        for key, row in zip(leaf.keys(), leaf.all_rows(width), strict=True):
            while one is not None and one.key < key:
                if one.row is not None:
                    yield one.key, one.row
                one = next(edits, None)
            if one is None or one.key > key:
                yield key, row
            else:
                if one.row is not None:
                    yield key, one.row
                one = next(edits, None)
    while one is not None:
        if one.row is not None:
            yield one.key, one.row
        one = next(edits, None)


def _rewrite_nodes(
    forest: Forest, runs: Runs, planter: Planter, level: int, below: Iterator[Replacement]
) -> Iterator[Replacement]:
    ends_run = forest.rules.ends_run
    waiting = next(below, None)
    while waiting is not None:
        at = waiting.at
        run = list(runs.holding(level, at))
        children = list(chain.from_iterable(forest.children(level, run)))
        is_last = not run or not ends_run(run[-1].key, level)
        while True:
            while waiting is not None and (is_last or waiting.at <= run[-1].key):
                while waiting.old and children[-1].key < waiting.old[-1].key:
                    is_last = not _extend(forest, runs, level, run, children)
                _replace(children, waiting)
                waiting = next(below, None)
            if is_last or not children or ends_run(children[-1].key, level):
                break
            is_last = not _extend(forest, runs, level, run, children)
        new = planter.nodes_of_runs(level, children, bases=run)
        if new != run:
            yield Replacement(at, run, new)


def _extend(forest: Forest, runs: Runs, level: int, run: list[Entry], children: list[Entry]) -> bool:
    """Let the next run join in; whether there can be one behind it."""
    following = runs.following(level, run[-1].key)
    run.extend(following)
    children.extend(chain.from_iterable(forest.children(level, following)))
    return bool(following) and forest.rules.ends_run(following[-1].key, level)


def _replace(entries: list[Entry], replacement: Replacement) -> None:
    first = replacement.old[0].key if replacement.old else replacement.at
    place = bisect_left(entries, first, key=last_key)
    entries[place : place + len(replacement.old)] = replacement.new


def _lowest(forest: Forest, planter: Planter, level: int, root: Root) -> Root:
    """A root with a single child is none: the tree begins at the first level that has one entry only."""
    while level:
        if root.id in planter.only_children:  # the store may not have it yet
            child = planter.only_children[root.id]
        else:
            _, entries = decode_node(forest.store.get(root.id))
            child = entries[0] if len(entries) == 1 else None
        if child is None:
            return root
        root = Root(*child[1:])
        level -= 1
    return root
