"""A tree from sorted rows, streaming: a few leaves and the open runs of nodes are all it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice, pairwise
from operator import ge

from isovc.encoding.orderkey import encode_keys
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
    mask = rules.mask(0)
    source = iter(rows)
    columns: list[Column] = []
    keys: list[bytes] = []
    done = 0  # rows of the block in hand that are planted
    while block := list(islice(source, _BLOCK)):
        # what is left of the block before begins the new one
        fresh: list[Column] = list(zip(*block, strict=True))
        columns = [(*old[done:], *new) for old, new in zip(columns, fresh, strict=True)] if done < len(keys) else fresh
        new_keys = encode_keys(fresh[:key_width])
        keys = keys[done:]
        _check_order(keys[-1:] + new_keys)
        seen, done = len(keys), 0
        keys += new_keys
        for at in [at for at, key_hash in enumerate(rules.hashes(new_keys), seen + 1) if not key_hash & mask]:
            yield planter.leaves([column[done:at] for column in columns], keys[done:at], bases=bases)
            done = at
    if done < len(keys):
        yield planter.leaves([column[done:] for column in columns], keys[done:], bases=bases)


def _check_order(keys: list[bytes]) -> None:
    if any(map(ge, keys, islice(keys, 1, None))):
        late = next(late for early, late in pairwise(keys) if early >= late)
        raise NotSorted(what="rows", key=late)
