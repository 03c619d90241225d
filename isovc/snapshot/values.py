"""Rows as the database holds them, and rows as trees hold them: with large values kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import TypeGuard

from isovc.blobs import IS_LARGE, apart, whole
from isovc.encoding.values import External
from isovc.model import Row, Value
from isovc.store.protocol import ChunkStore, ChunkWriter
from isovc.tree.leaf import Row as Cells


def without_large(batches: Iterable[list[Row]], writer: ChunkWriter, *, key_width: int) -> Iterator[Cells]:
    """The rows with every large value kept apart and named in its place. Keys stay whole: they are compared."""
    for batch in batches:
        if any(_has_large(batch, at) for at in range(key_width, len(batch[0]))):
            yield from (row_without_large(row, writer, key_width) for row in batch)
        else:
            yield from batch


def with_large(store: ChunkStore, row: Cells) -> Row:
    """The row as the database holds it."""
    if External not in map(type, row):
        return row
    return tuple(whole(store, value) if type(value) is External else value for value in row)


def _has_large(batch: list[Row], at: int) -> bool:
    # nearly every column holds values of one class, and then C does the looking
    cell = itemgetter(at)
    try:
        return max(map(len, map(cell, batch))) >= IS_LARGE
    except TypeError:  # a value without a length: a number or NULL
        return any(is_large(value) for value in map(cell, batch))


def is_large(value: Value) -> TypeGuard[str | bytes]:
    """Whether a value is kept apart from its row."""
    return isinstance(value, (str, bytes)) and len(value) >= IS_LARGE


def row_without_large(row: Row, writer: ChunkWriter, key_width: int) -> Cells:
    """One row with its large values kept apart."""
    return tuple(apart(writer, value) if at >= key_width and is_large(value) else value for at, value in enumerate(row))
