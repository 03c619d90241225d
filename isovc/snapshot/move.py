"""What a live database needs so that it goes from one version to another: the difference where rows stay rows, whole
tables where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from isovc.model import Row, RowChange, Shape, Table
from isovc.snapshot.compare import Tally, extends, row_changes
from isovc.snapshot.values import with_large
from isovc.snapshot.version import Version
from isovc.tree.forest import Forest
from isovc.tree.read import batches


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
    for name, table in target.shape.tables.items():
        old = live.shape.tables.get(name)
        if old is None or not extends(old, table) or _has_new_defaults(old, table):
            contents[name] = all_rows(forest, target, name)
        elif live.roots[name].id != target.roots[name].id or old != table:
            changes[name] = row_changes(forest, live, target, name, tally)
    return Move(target.shape, changes, contents)


def _has_new_defaults(old: Table, new: Table) -> bool:
    """A column that comes with a default has it in every row, and NULLs at the end of a row are no difference."""
    known = {column.name for column in old.columns}
    return any(column.default is not None and column.name not in known for column in new.columns)


def all_rows(forest: Forest, version: Version, table: str) -> Iterator[list[Row]]:
    """Every row of a table in key order, a leaf at a time, with every value whole."""
    cells = range(len(version.shape.tables[table].cells))
    for batch in batches(forest, version.roots[table].id, cells=cells):
        yield [with_large(forest.store, row) for row in batch]
