"""What a live database needs so that it goes from one version to another: the difference where rows stay rows, whole
tables where they do not. Files have their own way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from isovc.encoding.orderkey import encode_key
from isovc.encoding.values import External
from isovc.model import Row, RowChange, Shape, Table
from isovc.snapshot.compare import Tally, extends, row_changes
from isovc.snapshot.files import without_files
from isovc.snapshot.values import with_large
from isovc.snapshot.version import Version
from isovc.sources.sqlite import constant_defaults
from isovc.tree.diff import differing_cells
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row as Cells
from isovc.tree.read import batches, scan

_HELD = 1 << 20  # bytes of a value: a longer one is read when it is written
_BATCH_BYTES = 8 << 20  # of large values


@dataclass(frozen=True, slots=True)
class Move:
    """Reads from the trees only while it is being applied."""

    target: Shape
    changes: Mapping[str, Iterable[RowChange]]
    contents: Mapping[str, Iterable[list[Row]]]


def plan_move(forest: Forest, live: Version, target: Version, tally: Tally | None = None) -> Move:
    """How to make `target` of a database that holds `live`. Rows are counted in `tally` as they are taken."""
    changes: dict[str, Iterable[RowChange]] = {}
    contents: dict[str, Iterable[list[Row]]] = {}
    live, target = without_files(live), without_files(target)
    for name, table in target.shape.tables.items():
        old = live.shape.tables.get(name)
        new = _new_defaults(old, table) if old is not None and extends(old, table) else None
        if old is None or new is None:
            contents[name] = all_rows(forest, target, name, upto=_HELD)
        elif any(value is not None for value in new):
            changes[name] = _beyond_defaults(forest, live, target, name, new)
        elif live.roots[name].id != target.roots[name].id or old != table:
            changes[name] = row_changes(forest, live, target, name, tally, upto=0)
    return Move(target.shape, changes, contents)


def _new_defaults(old: Table, new: Table) -> Row | None:
    """What the rows that are there get in the cells that come new; None: no telling."""
    known = {column.name: column for column in new.columns}
    columns = [known[cell] for cell in new.cells[len(old.cells) :]]
    if all(column.default is None for column in columns):
        return (None,) * len(columns)
    return constant_defaults(columns, strict=new.strict)


def _beyond_defaults(forest: Forest, live: Version, target: Version, name: str, defaults: Row) -> Iterator[RowChange]:
    """The rows that differ once those of `live` have the new columns. Every row is looked at: trees tell apart neither
    a NULL from a cell that was not there yet, nor a default from a value."""
    old, new = live.shape.tables[name], target.shape.tables[name]
    width, store = len(new.key), forest.store
    rows = ((*row, *defaults) for row in scan(forest, live.roots[name].id, cells=range(len(old.cells))))
    before = next(rows, None)
    for after in scan(forest, target.roots[name].id, cells=range(len(new.cells))):
        if before is not None and not differing_cells(before, after):
            before = next(rows, None)  # nearly always: so no key is encoded
            continue
        key = encode_key(after[:width])
        while before is not None and encode_key(before[:width]) < key:
            yield RowChange(before[:width], with_large(store, before, upto=0), None)
            before = next(rows, None)
        if before is None or encode_key(before[:width]) != key:
            yield RowChange(after[:width], None, with_large(store, after, upto=0))
            continue
        yield RowChange(after[:width], with_large(store, before, upto=0), with_large(store, after, upto=0))
        before = next(rows, None)
    while before is not None:
        yield RowChange(before[:width], with_large(store, before, upto=0), None)
        before = next(rows, None)


def all_rows(forest: Forest, version: Version, table: str, *, upto: int | None = None) -> Iterator[list[Row]]:
    """Every row of a table in key order, a leaf at a time or less, with every value of `upto` bytes whole."""
    cells = range(len(version.shape.tables[table].cells))
    for batch in batches(forest, version.roots[table].id, cells=cells):
        for some in _light(batch):
            yield [with_large(forest.store, row, upto=upto) for row in some]


def _light(batch: list[Cells]) -> Iterator[list[Cells]]:
    """The rows in lists of which the large values can be held together."""
    some: list[Cells] = []
    held = 0
    for row in batch:
        held += sum(cell.length for cell in row if type(cell) is External)
        some.append(row)
        if held >= _BATCH_BYTES:
            yield some
            some, held = [], 0
    if some:
        yield some
