"""A table of a version as a query needs it. Knows nothing of SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from isovc.encoding.digest import ChunkId
from isovc.encoding.values import External
from isovc.model import Table, Value
from isovc.snapshot.values import value_of, with_large
from isovc.snapshot.version import Version
from isovc.sources.sqlite import twin
from isovc.sources.sqlite.asking import Keyed, Scan
from isovc.store.protocol import ChunkStore
from isovc.tree.forest import Forest
from isovc.tree.read import batches, rank

Batches = Iterator[list[tuple[Any, ...]]]


def keyed(forest: Forest, version: Version, table: str, *, called: str) -> Keyed:
    """The table of that name, called so in the query."""
    root, found = version.roots[table], version.shape.tables[table]
    scan = partial(_scan, forest, root.id)
    if any(column.generated for column in found.columns):
        sql = next(each.sql for each in version.shape.objects if (each.type, each.name) == ("table", table))
        scan = partial(_computed, partial(_scan, forest, root.id), forest.store, found, sql)
    return Keyed(
        table=found,
        called=called,
        content=root.id,
        rows=root.rows,
        scan=scan,
        whole=partial(_whole, forest.store),
        before=partial(rank, forest, root.id),
    )


def _scan(
    forest: Forest,
    root: ChunkId,
    cells: Sequence[int],
    after: bytes | None,
    upto: bytes | None,
    *,
    backwards: bool,
) -> Batches:
    return batches(forest, root, cells=cells, after=after, upto=upto, backwards=backwards)


def _computed(
    scan: Scan,
    store: ChunkStore,
    table: Table,
    sql: str,
    cells: Sequence[int],
    after: bytes | None,
    upto: bytes | None,
    *,
    backwards: bool,
) -> Batches:
    """The same of a table with generated columns, which stand behind the cells that are kept: the database's own words
    make them, in a table in memory."""
    kept = len(table.cells)
    if max(cells) < kept:
        yield from scan(cells, after, upto, backwards=backwards)
        return
    generated = [column.name for column in table.columns if column.generated]
    with twin(table, sql, "UTF-8", Path("the version")) as copy:
        for batch in scan(range(kept), after, upto, backwards=backwards):
            way = -1 if backwards else 1
            made = copy.computed([with_large(store, row) for row in batch[::way]], generated)[::way]
            yield [tuple((*row, *more)[at] for at in cells) for row, more in zip(batch, made, strict=True)]


def _whole(store: ChunkStore, cell: Any) -> Value:
    if type(cell) is External:
        return value_of(store, cell)
    found: Value = cell
    return found
