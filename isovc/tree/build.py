"""A tree from sorted rows, streaming: a few leaves and the open runs of nodes are all it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice, pairwise
from operator import ge
from typing import Any, NamedTuple

from isovc.encoding.orderkey import encode_keys, in_words
from isovc.errors import NotSorted
from isovc.store.protocol import ChunkWriter
from isovc.tree.forest import Forest, Root
from isovc.tree.grow import Planter, Stack
from isovc.tree.leaf import Column, Row
from isovc.tree.node import Entry
from isovc.tree.rules import Rules

_BLOCK = 2048  # rows transposed and hashed at once: enough that the work a block costs nothing, little to hold


def build(forest: Forest, rows: Iterable[Row], *, key_width: int = 1, writer: ChunkWriter | None = None) -> Root:
    """The tree of these rows, whose first `key_width` cells are their key. They must come in key order. With a `writer`
    it is kept when that one is done, so that many trees share one transaction."""
    with nullcontext(writer) if writer else forest.store.writing() as writer:
        planter = Planter(writer, forest.rules, key_width)
        stack = Stack(planter, forest.rules)
        for leaves in plant(planter, forest.rules, rows, key_width):
            stack.push(leaves)
        return stack.root()


def plant(
    planter: Planter, rules: Rules, rows: Iterable[Row], key_width: int, *, bases: Sequence[Entry] = ()
) -> Iterator[list[Entry]]:
    """The leaves of sorted rows, run by run. `bases` are the leaves they replace; more may join while rows are
    drawn."""
    for run in cut(rules, rows, key_width):
        yield planter.leaves(run.columns, run.keys, bases=bases)


class Run(NamedTuple):
    """Rows that are cut into leaves together, column by column."""

    columns: Sequence[Column]
    keys: list[bytes]
    ended: bool  # by its last key; False: there are no more rows, but they could belong to it


def cut(rules: Rules, rows: Iterable[Row], key_width: int) -> Iterator[Run]:
    """The runs of sorted rows."""
    mask = rules.mask(0)
    source = iter(rows)
    open_columns: list[list[Any]] = []  # the run in hand: rows whose end has not come yet
    open_keys: list[bytes] = []
    last: list[bytes] = []
    while block := list(islice(source, _BLOCK)):
        columns: list[Column] = list(zip(*block, strict=True))
        keys = encode_keys(columns[:key_width])
        check_order(last + keys)
        last = keys[-1:]
        done = 0
        for end in [at for at, key_hash in enumerate(rules.hashes(keys), 1) if not key_hash & mask]:
            pieces: list[Column] = [column[done:end] for column in columns]
            if open_keys:
                pieces = [[*old, *new] for old, new in zip(open_columns, pieces, strict=True)]
            yield Run(pieces, open_keys + keys[done:end], ended=True)
            open_keys, done = [], end
        if not open_keys:
            open_columns = [[] for _ in columns]
        for column, rest in zip(open_columns, columns, strict=True):
            column.extend(rest[done:])
        open_keys += keys[done:]
    if open_keys:
        yield Run(open_columns, open_keys, ended=False)


def check_order(keys: list[bytes]) -> None:
    """Each key is greater than the one before it."""
    if any(map(ge, keys, islice(keys, 1, None))):
        late = next(late for early, late in pairwise(keys) if early >= late)
        raise NotSorted(what="rows", key=in_words(late))
