"""The live database as a version: only what changed since the last one is read and written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from isovc.encoding.orderkey import encode_key
from isovc.encoding.values import External
from isovc.model import Key, KeyRange, Table, Value
from isovc.progress import SILENT, Progress
from isovc.snapshot.compare import Counts, Tally
from isovc.snapshot.values import is_large, named, row_without_large, streamed, without_large
from isovc.snapshot.version import Version
from isovc.snapshot.whole import read_whole
from isovc.sources.sqlite import (
    Changed,
    Everything,
    PageMap,
    Reading,
    Unchanged,
    find_changes,
)
from isovc.store.protocol import ChunkWriter
from isovc.tree.diff import Change, differing_cells
from isovc.tree.edit import Edit, Patch, edit, row_by_row
from isovc.tree.forest import Forest, Root
from isovc.tree.read import get
from isovc.tree.stretches import Stretch, changes_in


@dataclass(frozen=True, slots=True)
class Known:
    """A version, and what the pages of the live file looked like when it was taken."""

    version: Version
    pages: PageMap


def capture(
    forest: Forest,
    live: Reading,
    known: Known | None = None,
    *,
    tally: Tally | None = None,
    progress: Progress = SILENT,
) -> Known:
    """The version that `live` shows. Its chunks are kept; nothing refers to them yet. How many rows differ from what
    was known is noted in `tally` where it shows on the way."""
    shape = live.shape()
    pages = live.pages(shape)
    roots: dict[str, Root] = {}
    with (
        progress.task("Reading the database", unit="rows") as task,
        forest.store.writing() as writer,
    ):
        for name, table in shape.tables.items():
            # a table of another shape is read whole: its pages may be the same and mean something else
            old = known.version.roots[name] if known and known.version.shape.tables.get(name) == table else None
            found = find_changes(known.pages, pages, table) if known and old else Everything()
            if old is not None and isinstance(found, Unchanged):
                roots[name] = old
            elif old is not None and isinstance(found, Changed):
                roots[name] = _edited(forest, live, table, old, found, writer, tally)
            else:
                roots[name] = read_whole(forest, live, table, pages, writer, task)
    return Known(Version(shape, roots), pages.map)


def _edited(
    forest: Forest,
    live: Reading,
    table: Table,
    old: Root,
    found: Changed,
    writer: ChunkWriter,
    tally: Tally | None,
) -> Root:
    width, key_width = len(table.cells), len(table.key)
    stretches = (_stretch(live, table, within, writer) for within in found.ranges)
    differing = changes_in(forest, old.id, stretches, width=width, key_width=key_width)
    ops: Counter[str] = Counter()
    edits: Iterator[Edit | Patch] = _real_edits(differing, writer, key_width, ops)
    if found.rowids:
        # rows found by their rowid come in another order than their keys; there are as many of them as changed
        by_key = dict(row_by_row(edits, width))
        by_key.update(_moved(forest, live, table, old, found.rowids, writer))
        edits = (Edit(key, by_key[key]) for key in sorted(by_key))
    new = edit(forest, old.id, edits, width=width, key_width=key_width, writer=writer)
    if tally is not None and not found.rowids:
        tally[old.id, new.id] = Counts(**ops)
    return new


def _stretch(live: Reading, table: Table, within: KeyRange, writer: ChunkWriter) -> Stretch:
    rows = list(chain.from_iterable(live.rows(table, within, apart=streamed(writer))))
    return Stretch(_behind(within.after), _behind(within.upto), rows)


def _real_edits(
    found: Iterator[Patch | Change], writer: ChunkWriter, key_width: int, ops: Counter[str]
) -> Iterator[Edit | Patch]:
    """Rows with large values look changed until these are named, so only now, for the few that do, they are."""
    for one in found:
        if isinstance(one, Patch):
            patch = _really_new(one, writer)
            ops["modified"] += len(patch.rows())
            if patch.cells:
                yield patch
            continue
        row = one.after and row_without_large(one.after, writer, key_width)
        if row is None or one.before is None or differing_cells(one.before, row):
            ops["added" if one.before is None else "removed" if row is None else "modified"] += 1
            yield Edit(one.key, row)


def _really_new(patch: Patch, writer: ChunkWriter) -> Patch:
    """The patch with its large values named, and without those that the leaf has."""
    if not any(map(is_large, chain.from_iterable(values.values() for values in patch.cells.values()))):
        return patch
    cells: dict[int, dict[int, Value | External]] = {}
    for cell, values in patch.cells.items():
        old = patch.leaf.column(cell)
        for at, value in values.items():
            new = named(value, writer) if is_large(value) else value
            if differing_cells([old[at]], [new]):
                cells.setdefault(cell, {})[at] = new
    return patch._replace(cells=cells)


def _moved(
    forest: Forest, live: Reading, table: Table, old: Root, rowids: tuple[KeyRange, ...], writer: ChunkWriter
) -> Iterator[Edit]:
    key_width = len(table.key)
    for row in without_large(live.rows_by_rowid(table, rowids, apart=streamed(writer)), writer, key_width=key_width):
        key = encode_key(row[:key_width])
        before = get(forest, old.id, key, width=len(row))
        if before is None or differing_cells(before, row):
            yield Edit(key, row)


def _behind(bound: Key | None) -> bytes | None:
    """A bound that lies behind every key that begins with these cells, whatever class its numbers have."""
    return None if bound is None else encode_key(bound) + b"\xff"
