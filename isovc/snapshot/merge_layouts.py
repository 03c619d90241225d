"""Rows that one side changed, brought into the columns that the other side gave the table. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from isovc.encoding.digest import ChunkId
from isovc.model import Row, Table
from isovc.sources.sqlite import constant_defaults
from isovc.tree.diff import Change, diff, differing_cells
from isovc.tree.edit import Edit
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row as Cells
from isovc.tree.merge import Conflict, ConflictKind
from isovc.tree.read import get


@dataclass(frozen=True, slots=True)
class Fitting:
    """How rows of one table go into the columns of another. `places`: by cell of the old one, its cell in the new one;
    what has none was dropped. `fresh`: a row of the new one with what its own columns get by themselves."""

    places: Mapping[int, int]
    fresh: Row
    not_null: frozenset[int]

    def row(self, row: Cells) -> Cells:
        """A row in the new columns."""
        cells = list(self.fresh)
        for old, new in self.places.items():
            cells[new] = row[old]
        return tuple(cells)

    def fits(self, row: Cells) -> bool:
        """Whether a row can stand there whole: nothing in it was dropped, and nothing is missing."""
        dropped = any(value is not None for cell, value in enumerate(row) if cell not in self.places)
        return not dropped and all(self.row(row)[cell] is not None for cell in self.not_null)


def fitting(old: Table, new: Table) -> Fitting | None:
    """How rows fit; None where the key has changed, so that no row is sure to be the same row any more, or where a new
    column gets what only the moment tells."""
    if (old.key_kind, old.key, old.strict) != (new.key_kind, new.key, new.strict):
        return None
    columns = {column.name: column for column in new.columns}
    added = [columns[cell] for cell in new.cells if cell not in old.cells and cell in columns]
    defaults = constant_defaults(added, strict=new.strict)
    if defaults is None:
        return None
    by_name = dict(zip((column.name for column in added), defaults, strict=True))
    at = {cell: place for place, cell in enumerate(new.cells)}
    return Fitting(
        {place: at[cell] for place, cell in enumerate(old.cells) if cell in at},
        tuple(by_name.get(cell) for cell in new.cells),
        frozenset(at[column.name] for column in new.columns if column.not_null and column.name in at),
    )


def carried(
    forest: Forest, was: ChunkId, rows: ChunkId, columns: ChunkId, fit: Fitting, *, width: int, ours: bool
) -> Iterator[Edit | Conflict]:
    """What to do to the tree that has the new columns so that it holds the changes from `was` to `rows` too. `ours`:
    whose rows they are, for what is told of a conflict."""
    for change in diff(forest, was, rows, width=width):
        there = get(forest, columns, change.key, width=len(fit.fresh))
        yield from _step(change, there, fit, ours=ours)


def _step(change: Change, there: Cells | None, fit: Fitting, *, ours: bool) -> Iterator[Edit | Conflict]:
    before, after = change.before, change.after
    if before is None:
        assert after is not None
        new = fit.row(after)
        if there is None and fit.fits(after):
            yield Edit(change.key, new)
        elif there is None or any(differing_cells([there[at]], [new[at]]) for at in fit.places.values()):
            yield _conflict("add/add", change, there, fit, ours=ours)
        return
    if there is None:
        if after is not None:
            yield _conflict("edit/delete", change, None, fit, ours=ours)
        return
    untouched = {new for old, new in fit.places.items() if not differing_cells([there[new]], [before[old]])}
    if after is None:
        if len(untouched) == len(fit.places):
            yield Edit(change.key, None)
        else:
            yield _conflict("delete/edit", change, there, fit, ours=ours)
        return
    merged, contested = list(there), False
    for cell in change.cells:
        place = fit.places.get(cell)
        if place is None:
            contested = True  # they changed what the others dropped
        elif place in untouched:
            merged[place] = after[cell]
        else:
            contested = contested or bool(differing_cells([there[place]], [after[cell]]))
    if contested:
        yield _conflict("edit/edit", change, there, fit, ours=ours)
    elif differing_cells(there, merged):
        yield Edit(change.key, tuple(merged))


_TURNED: dict[ConflictKind, ConflictKind] = {"edit/delete": "delete/edit", "delete/edit": "edit/delete"}


def _conflict(kind: ConflictKind, change: Change, there: Cells | None, fit: Fitting, *, ours: bool) -> Conflict:
    """Told in the new columns. `kind` is as if the rows were ours."""
    base, row = (None if each is None else fit.row(each) for each in (change.before, change.after))
    cells = tuple(fit.places[cell] for cell in change.cells if cell in fit.places)
    if ours:
        return Conflict(change.key, kind, base, row, there, cells, row)
    return Conflict(change.key, _TURNED.get(kind, kind), base, there, row, cells, there)
