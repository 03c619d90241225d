"""Which cells point to which others, as foreign keys say, and when SQLite takes them for the same. Looks at no row of
its own accord."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from isovc.model import Column, Shape, Table
from isovc.sql import Reference, affinity, folded, references
from isovc.tree.leaf import Row

_NUMBER = re.compile(
    r"[ \t\n\v\f\r]*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t\n\v\f\r]*", re.ASCII
)
_WHOLE = re.compile("-?[0-9]+", re.ASCII)
_LIMIT = 1 << 63


@dataclass(frozen=True, slots=True)
class Link:
    """Cells of one table that point to cells of another one, or of itself."""

    child: str
    cells: tuple[int, ...]
    parent: str
    others: tuple[int, ...]
    columns: tuple[Column, ...]  # the others'

    def pointed_at(self, row: Row) -> tuple[object, ...] | None:
        """What a row of the child points to; None: to nothing."""
        return self._alike([row[cell] for cell in self.cells])

    def name_of(self, row: Row) -> tuple[object, ...] | None:
        """What rows point to that point to this row of the parent."""
        return self._alike([row[cell] for cell in self.others])

    def followed(self, row: Row, parent: Row) -> Iterator[tuple[int, object]]:
        """The cells of a row of the child that have to change so that it points to this one of the parent."""
        for cell, other, column in zip(self.cells, self.others, self.columns, strict=True):
            wanted = alike(parent[other], column)
            if alike(row[cell], column) != wanted:
                yield cell, of_class(wanted, row[cell], parent[other])

    def _alike(self, values: Sequence[object]) -> tuple[object, ...] | None:
        if None in values:
            return None
        return tuple(alike(value, column) for value, column in zip(values, self.columns, strict=True))


def links(base: Shape, ours: Shape, theirs: Shape) -> list[Link]:
    """The foreign keys that hold for the rows of `theirs`, in its cells: those it declares, and those that ours has
    declared since. One over a generated column follows by itself, or not at all."""
    found: list[Link] = []
    for name, table in theirs.tables.items():
        declared = [_declared(shape, name) for shape in (base, ours, theirs)]
        new = [each for each in declared[1] if each not in declared[0] and each not in declared[2]]
        for reference in (*declared[2], *new):
            link = _link(theirs, table, reference)
            if link is not None and link not in found:
                found.append(link)
    return found


def _declared(shape: Shape, table: str) -> list[Reference]:
    text = next((each.sql for each in shape.objects if each.type == "table" and each.name == table), "")
    return references(text)


def _link(shape: Shape, table: Table, reference: Reference) -> Link | None:
    name = next((each for each in shape.tables if folded(each) == folded(reference.table)), None)
    if name is None:
        return None
    parent = shape.tables[name]
    keys = sorted((column for column in parent.columns if column.primary_key), key=lambda each: each.primary_key)
    others = reference.others or tuple(column.name for column in keys)
    cells, at = _cells(table, reference.columns), _cells(parent, others)
    if len(cells) != len(at) or None in (*cells, *at) or not cells:
        return None
    columns = {folded(column.name): column for column in parent.columns}
    return Link(
        table.name,
        tuple(cell for cell in cells if cell is not None),
        name,
        tuple(cell for cell in at if cell is not None),
        tuple(columns[folded(other)] for other in others),
    )


def _cells(table: Table, names: Sequence[str]) -> list[int | None]:
    at = {folded(cell): place for place, cell in enumerate(table.cells)}
    return [at.get(folded(name)) for name in names]


def alike(value: object, column: Column) -> object:
    """The value as the column would compare it: SQLite looks for it there by the rules of that column."""
    kind = affinity(column.type)
    if isinstance(value, str) and kind not in ("TEXT", "BLOB"):
        number = _NUMBER.fullmatch(value)
        value = value if number is None else _whole(_read(number[1]))
    elif isinstance(value, int) and kind == "TEXT":
        value = str(value)
    if isinstance(value, str):
        collation = column.collation.upper()
        return folded(value) if collation == "NOCASE" else value.rstrip(" ") if collation == "RTRIM" else value
    return _whole(value)


def _read(number: str) -> float:
    try:
        return int(number)
    except ValueError:
        return float(number)


def _whole(value: object) -> object:
    if isinstance(value, float) and -_LIMIT <= value < _LIMIT and value == int(value):
        return int(value)
    return value


def of_class(wanted: object, old: object, new: object) -> object:
    """A number that stands where another one stood, and of its storage class, as its column would have it."""
    if not _WHOLE.fullmatch(str(wanted)) or not isinstance(old, (int, float, str)):
        return new
    whole = int(str(wanted))
    return float(whole) if isinstance(old, float) else str(whole) if isinstance(old, str) else whole
