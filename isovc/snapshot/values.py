"""Rows as the database holds them, and rows as trees hold them: with large values kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from operator import itemgetter
from typing import TypeGuard, cast

from isovc.blobs import IS_LARGE, apart, keep_stream, stream, whole
from isovc.encoding.values import External
from isovc.model import ContentId, Row, Unread, Value
from isovc.sources.sqlite import Apart
from isovc.store.protocol import ChunkStore, ChunkWriter
from isovc.tree.leaf import Row as Cells

# bytes: as many cells as a batch takes before it is weighed are still few MiB. No fewer than four times IS_LARGE, so
# that text of so many bytes is large, whatever its characters are
_HELD = 4 * IS_LARGE


def without_large(batches: Iterable[list[Row]], writer: ChunkWriter, *, key_width: int) -> Iterator[Cells]:
    """The rows with every large value kept apart and named in its place. Keys stay whole: they are compared."""
    for batch in batches:
        if any(_has_large(batch, at) for at in range(key_width, len(batch[0]))):
            yield from (row_without_large(row, writer, key_width) for row in batch)
        else:
            yield from batch


def streamed(writer: ChunkWriter) -> Apart:
    """Where a database puts cells that are too long to be held."""
    return Apart(lambda pieces, is_text: keep_stream(writer, pieces, kind="text" if is_text else "bytes"), _HELD)


def with_large(store: ChunkStore, row: Cells, *, upto: int | None = None) -> Row:
    """The row as the database holds it. Of a file's content it tells the name only; values of more than `upto` bytes
    are read where they are used."""
    if External not in map(type, row):
        return row
    return tuple(value_of(store, value, upto=upto) if type(value) is External else value for value in row)


def value_of(store: ChunkStore, external: External, *, upto: int | None = None) -> Value:
    """The same of one cell."""
    if upto is not None and external.length > upto and not external.is_file:
        pieces = partial(stream, store, external)
        return cast(Value, Unread(external.id, external.length, external.is_text, pieces))
    return ContentId(external.id.hex(), external.length) if external.is_file else whole(store, external)


def named(value: str | bytes, writer: ChunkWriter) -> External:
    """What stands in a row for a value that `is_large`, which is kept apart. A file's content is there already."""
    if isinstance(value, ContentId):
        return External(id=bytes.fromhex(value), length=value.length, is_text=False, is_file=True)
    return apart(writer, value)


def _has_large(batch: list[Row], at: int) -> bool:
    # nearly every column holds values of one class, and then C does the looking
    cell = itemgetter(at)
    kinds = set(map(type, map(cell, batch)))
    if kinds <= _NEVER_LARGE:
        return False
    if kinds <= _WITH_LENGTH:
        return max(map(len, map(cell, batch))) >= IS_LARGE
    return any(is_large(value) for value in map(cell, batch))


_WITH_LENGTH = frozenset({str, bytes})
_NEVER_LARGE = frozenset({int, float, type(None)})


def is_large(value: Value) -> TypeGuard[str | bytes]:
    """Whether a value is kept apart from its row: a large one, and the content of a file."""
    return isinstance(value, (str, bytes)) and (len(value) >= IS_LARGE or isinstance(value, ContentId))


def row_without_large(row: Row, writer: ChunkWriter, key_width: int) -> Cells:
    """One row with its large values kept apart."""
    return tuple(named(value, writer) if at >= key_width and is_large(value) else value for at, value in enumerate(row))
