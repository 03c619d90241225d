"""Rows that get another key: put in its order, and what has no such key told. Knows nothing of definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from isovc.encoding.orderkey import encode_key
from isovc.model import KeyKind, Table
from isovc.model.shape import ROWID
from isovc.snapshot.merging.deciding import Open
from isovc.snapshot.merging.fitting import Fitting
from isovc.snapshot.merging.settling import Settling
from isovc.tree.build import build
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.leaf import Row
from isovc.tree.merge import Conflict
from isovc.tree.read import get, scan

_AT_ONCE = 4096  # rows that are sorted together: the tree in between takes them in batches, so memory stays small


def settles_key(new: Table, fit: Fitting) -> bool:
    """Whether the key of the merged table makes something else of values."""
    return bool(fit.retyped & set(range(len(new.key))))


def rekeyed(
    forest: Forest, new: Table, fit: Fitting, rows: Iterable[Row], settle: Settling | None, at: int
) -> tuple[Iterator[tuple[bytes, Row]], list[Open]]:
    """The rows of a version in the order of their new key; and those of a side that have none, or that of another row.
    What stands in between is kept as a tree, which nothing refers to."""
    width = len(new.key)
    left, size, told = iter(rows), width, []
    root = build(forest, (), key_width=width)
    while some := list(islice(left, _AT_ONCE)):
        fitted = [fit.row(row) for row in some]
        settled = settle.settled(fitted) if settle else [(row, frozenset[int]()) for row in fitted]
        found: dict[bytes, Row] = {}
        for own, (row, refused) in zip(some, settled, strict=True):
            key, size = encode_key(row[:width]), width + len(own)
            why = _wrong(new, row[:width], refused)
            if not why and (key in found or get(forest, root.id, key, width=size)):
                why = "another row has the key that it would have now"
            if not why:
                found[key] = (*row[:width], *own)
            elif at:
                mine, other = (row, None) if at == 1 else (None, row)
                conflict = Conflict(key, "add/add", None, mine, other, tuple(range(width)), None)
                told.append(Open(conflict, why, is_stuck=True))
        root = edit(forest, root.id, [Edit(key, found[key]) for key in sorted(found)], width=size, key_width=width)
    return _read(forest, root, width, size), told


def _read(forest: Forest, root: Root, width: int, size: int) -> Iterator[tuple[bytes, Row]]:
    for row in scan(forest, root.id, cells=range(size)):
        yield encode_key(row[:width]), row[width:]


def _wrong(new: Table, key: Row, refused: frozenset[int]) -> str:
    """What keeps a row from having such a key; empty: nothing."""
    named = [value for value, cell in zip(key, new.key, strict=True) if cell != ROWID]
    if not named or any(at < len(key) for at in refused):
        return "its key cannot be that of the table as it is now"
    if any(value is None for value in named):
        return "it has no value for the key that the table has now"
    return "" if new.key_kind is not KeyKind.INTEGER or type(key[0]) is int else "its key is no whole number"
