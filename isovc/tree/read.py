"""Rows out of a tree: one, a range, a page, a sample, how many. Never decodes a column nobody asked for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from random import Random
from typing import TypeVar

from isovc.encoding.digest import ChunkId
from isovc.errors import RowsUnreadable
from isovc.tree.forest import Forest
from isovc.tree.leaf import Leaf, Row
from isovc.tree.node import Children, Entry, between

_AT_ONCE = 64  # leaves fetched together: half a MB, at most 4
_FIRST = 4  # leaves fetched at first: who wants a few rows is not made to wait for thousands
_NODES_AT_ONCE = 16
_KEYS_AT_ONCE = 256  # keys whose leaves are held together: 2 MB, at most 16

OnLoss = Callable[[RowsUnreadable], None]
_T = TypeVar("_T")


def get(forest: Forest, root: ChunkId, key: bytes, *, width: int) -> Row | None:
    """The row with this key, `width` cells of it."""
    level, entries = forest.top(root)
    while True:
        at = bisect_left(entries.keys, key)
        if at == len(entries):
            return None
        if level == 0:
            break
        entries = forest.children(level, [entries[at]])[0]
        level -= 1
    leaf = forest.leaves([entries[at]])[0]
    row = leaf.find(key)
    return None if row is None else leaf.row(row, width)


def get_many(forest: Forest, root: ChunkId, keys: Iterable[bytes], *, width: int) -> Iterator[tuple[bytes, Row | None]]:
    """The rows with these keys, which come in order: a node is fetched once for all that lie below it."""
    top = forest.top(root)
    source = iter(keys)
    while some := list(islice(source, _KEYS_AT_ONCE)):
        found = _parted(top.entries, some)
        for level in range(top.level, 0, -1):
            below = iter(forest.children(level, [entry for entry, _ in found if entry]))
            found = [
                deeper for entry, part in found for deeper in (_parted(next(below), part) if entry else [(entry, part)])
            ]
        leaves = iter(forest.leaves([entry for entry, _ in found if entry]))
        for entry, part in found:
            leaf = next(leaves) if entry else None
            for key in part:
                row = leaf.find(key) if leaf else None
                yield key, None if leaf is None or row is None else leaf.row(row, width)


def _parted(entries: Children, keys: Sequence[bytes]) -> list[tuple[Entry | None, Sequence[bytes]]]:
    """The keys by the entry below which they would lie; None: behind them all."""
    found: list[tuple[Entry | None, Sequence[bytes]]] = []
    done = 0
    while done < len(keys):
        at = bisect_left(entries.keys, keys[done])
        if at == len(entries):
            found.append((None, keys[done:]))
            break
        end = bisect_right(keys, entries.keys[at], done)
        found.append((entries[at], keys[done:end]))
        done = end
    return found


def count(forest: Forest, root: ChunkId) -> int:
    """How many rows there are; the root knows."""
    return sum(forest.top(root).entries.rows)


def rank(forest: Forest, root: ChunkId, key: bytes) -> int:
    """How many rows have a smaller key."""
    level, entries = forest.top(root)
    before = 0
    while True:
        at = bisect_left(entries.keys, key)
        before += sum(entries.rows[:at])
        if at == len(entries):
            return before
        if level == 0:
            return before + bisect_left(forest.leaves([entries[at]])[0].keys(), key)
        entries = forest.children(level, [entries[at]])[0]
        level -= 1


def scan(
    forest: Forest,
    root: ChunkId,
    *,
    cells: Sequence[int],
    after: bytes | None = None,
    upto: bytes | None = None,
    on_loss: OnLoss | None = None,
) -> Iterator[Row]:
    """Rows with `after` < key <= `upto` in key order, the chosen cells of each. A stretch that cannot be read is told
    to `on_loss` and passed over; without one it is an error."""
    return chain.from_iterable(batches(forest, root, cells=cells, after=after, upto=upto, on_loss=on_loss))


def batches(
    forest: Forest,
    root: ChunkId,
    *,
    cells: Sequence[int],
    after: bytes | None = None,
    upto: bytes | None = None,
    on_loss: OnLoss | None = None,
    backwards: bool = False,
) -> Iterator[list[Row]]:
    """The same rows, leaf by leaf; `backwards`: the last one first."""
    level, entries = forest.top(root)
    way = -1 if backwards else 1
    for leaf in _leaves(forest, _leaf_entries(forest, level, entries, after, upto, on_loss, way), on_loss):
        try:
            columns = [leaf.column(at) for at in cells]
            first = leaf.count_upto(after) if after is not None else 0
            last = leaf.count_upto(upto) if upto is not None else leaf.rows
        except RowsUnreadable as loss:
            if on_loss is None:
                raise
            on_loss(loss)
            continue
        if last - first < leaf.rows:
            columns = [column[first:last] for column in columns]
        rows = list(zip(*columns, strict=True))
        if rows:
            yield rows[::way]


def page(forest: Forest, root: ChunkId, *, offset: int, limit: int, width: int) -> list[Row]:
    """`limit` rows from number `offset` on, counted from 0, without reading what comes before."""
    found = _leaf_of(forest, root, offset)
    if found is None:
        return []
    entry, skip = found
    rows = forest.leaves([entry])[0].all_rows(width)[skip : skip + limit]
    if len(rows) < limit:
        rows.extend(islice(scan(forest, root, cells=range(width), after=entry.key), limit - len(rows)))
    return rows


def sample(forest: Forest, root: ChunkId, *, rows: int, seed: int, width: int) -> list[Row]:
    """So many rows drawn without preference, in key order; the same for the same seed."""
    total = count(forest, root)
    chosen: list[Row] = []
    leaf: Leaf | None = None
    beyond = -1  # the number of the first row behind the leaf in hand
    for number in sorted(Random(seed).sample(range(total), min(rows, total))):
        if leaf is None or number >= beyond:
            found = _leaf_of(forest, root, number)
            assert found is not None  # number < total
            leaf = forest.leaves([found[0]])[0]
            beyond = number - found[1] + leaf.rows
        chosen.append(leaf.row(number - beyond + leaf.rows, width))
    return chosen


def _leaf_of(forest: Forest, root: ChunkId, number: int) -> tuple[Entry, int] | None:
    """The leaf that holds row `number`, and which of its rows that is."""
    level, entries = forest.top(root)
    while True:
        for entry in entries:
            if number < entry.rows:
                break
            number -= entry.rows
        else:
            return None
        if level == 0:
            return entry, number
        entries = forest.children(level, [entry])[0]
        level -= 1


def _leaf_entries(
    forest: Forest,
    level: int,
    entries: Children,
    after: bytes | None,
    upto: bytes | None,
    on_loss: OnLoss | None,
    way: int,
) -> Iterator[Entry]:
    within = between(entries, after, upto)[::way]
    if level == 0:
        yield from within
        return
    for start in range(0, len(within), _NODES_AT_ONCE):
        nodes = within[start : start + _NODES_AT_ONCE]
        for children in _surviving(lambda some: forest.children(level, some), nodes, on_loss):
            yield from _leaf_entries(forest, level - 1, children, after, upto, on_loss, way)


def _leaves(forest: Forest, entries: Iterator[Entry], on_loss: OnLoss | None) -> Iterator[Leaf]:
    """Leaves, fetched some at a time. No thread reads ahead: it takes turns with the caller at the interpreter, which
    costs more than decompressing beside it saves."""
    many = _FIRST
    while some := list(islice(entries, many)):
        yield from _surviving(forest.leaves, some, on_loss)
        many = min(2 * many, _AT_ONCE)


def _surviving(fetch: Callable[[list[Entry]], list[_T]], entries: list[Entry], on_loss: OnLoss | None) -> list[_T]:
    try:
        return fetch(entries)
    except RowsUnreadable as loss:
        if on_loss is None:
            raise
        if len(entries) == 1:
            on_loss(loss)
            return []
    return [kept for entry in entries for kept in _surviving(fetch, [entry], on_loss)]
