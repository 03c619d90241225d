"""A table read from its first row to its last, by several processes where it is large. Knows nothing of older
versions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from os import cpu_count
from pathlib import Path

from isovc.model import KeyRange, Row, Table
from isovc.progress import Task
from isovc.snapshot.values import streamed, without_large
from isovc.sources.sqlite import Database, Pages, Reading, even_parts
from isovc.store.protocol import ChunkWriter
from isovc.tree.build import build
from isovc.tree.forest import Forest, Root
from isovc.tree.leaf import Row as Cells
from isovc.tree.parallel import build_parallel

# pages of a table from which reading it in several processes pays: these take a fifth of a second to start
_MANY_PAGES = 10_000
_MOST_PROCESSES = 4  # one process writes for all of them, and more than four it cannot serve


class MovedOn(Exception):
    """Another process sees a later state of the database. It never leaves this room."""


def read_whole(forest: Forest, live: Reading, table: Table, pages: Pages, writer: ChunkWriter, task: Task) -> Root:
    """The tree of all rows of a table."""
    key_width = len(table.key)
    parts = even_parts(pages, table, _processes(), least=_MANY_PAGES)
    if len(parts) > 1:
        try:
            several = [partial(read_part, live.path, live.mark.encode(), table, part) for part in parts]
            return build_parallel(forest, several, key_width=key_width, writer=writer)
        except MovedOn:
            pass  # somebody wrote between our look and theirs; this process still sees what it saw
    rows = without_large(_counted(live.rows(table, apart=streamed(writer)), task), writer, key_width=key_width)
    return build(forest, rows, key_width=key_width, writer=writer)


def read_part(path: Path, mark: bytes, table: Table, within: KeyRange, writer: ChunkWriter) -> Iterator[Cells]:
    """The rows of a part of a table, in a process of its own, if it sees the state of this mark."""
    with Database(path).reading() as live:
        if live.mark.encode() != mark:
            raise MovedOn
        yield from without_large(live.rows(table, within, apart=streamed(writer)), writer, key_width=len(table.key))


def _processes() -> int:
    return min(cpu_count() or 1, _MOST_PROCESSES)


def _counted(batches: Iterator[list[Row]], task: Task) -> Iterator[list[Row]]:
    for batch in batches:
        yield batch
        task.advance(len(batch))
