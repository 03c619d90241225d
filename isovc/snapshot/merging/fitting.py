"""How rows of one version go into the columns of the merged table. Reads no trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isovc.model import Column, KeyKind, Table
from isovc.snapshot.merging.lineage import Lineage
from isovc.snapshot.merging.standing import affinity_in
from isovc.sources.sqlite import constant_defaults
from isovc.tree.leaf import Row


@dataclass(frozen=True, slots=True)
class Fitting:
    """How rows of one version go into the merged table. `places`: by its own cell the cell there; None: it was dropped.
    `picks`: the same from the other end, as places in its own row with `fresh` behind it.
    `has`: cells of the merged table that it has; `fresh`: what the others get. `lost`: own cells of columns that were
    dropped, by name, with what a row has in them by itself. `came`: cells of columns that are new since the base, with
    the own cell and what a row has there by itself. `retyped`: cells of the merged table that make something else of
    values than its own."""

    places: tuple[int | None, ...]
    picks: tuple[int, ...]
    has: frozenset[int]
    fresh: Row
    lost: Mapping[str, tuple[int, object]]
    came: Mapping[int, tuple[int, object]]
    retyped: frozenset[int]
    same_key: bool

    @property
    def stands(self) -> bool:
        """Whether its rows are rows of the merged table as they are, with NULL in what comes behind."""
        behind = self.fresh[len(self.places) :]
        in_place = self.places == tuple(range(len(self.places)))
        return self.same_key and in_place and not self.retyped and all(value is None for value in behind)

    def row(self, own: Row) -> Row:
        """A row in the merged columns."""
        both = own + self.fresh
        return tuple([both[at] for at in self.picks])


def fitting(table: Table, each: Lineage, at: int, new: Table, known: Table | None) -> Fitting:
    """How rows of a version fit. `known`: the table as it was, in whose columns nothing must be lost."""
    names = each.columns[at]
    own = {column.name: column for column in table.columns}
    declared = {column.name: column for column in new.columns}
    cells = {cell: to for to, cell in enumerate(new.cells)}
    places = tuple(cells.get(names.get(cell, cell)) for cell in table.cells)
    has = frozenset(to for to in places if to is not None)
    added = [declared[cell] for to, cell in enumerate(new.cells) if to not in has and cell in declared]
    came = dict(zip((column.name for column in added), defaults(added, new), strict=True))
    base = set(each.columns[0].values()) if known else set()
    gone = [
        (place, own[cell])
        for place, cell in enumerate(table.cells)
        if places[place] is None and cell in own and names[cell] in base
    ]
    before = defaults([column for _, column in gone], table)
    new_since = [
        (place, to, own[cell])
        for place, (cell, to) in enumerate(zip(table.cells, places, strict=True))
        if known and to is not None and cell in own and names[cell] not in base
    ]
    by_itself = defaults([column for _, _, column in new_since], table)
    retyped = frozenset(
        to
        for cell, to in zip(table.cells, places, strict=True)
        if to is not None and cell in own and _makes_other(own[cell], table, declared[new.cells[to]], new)
    )
    keys = tuple(cells.get(names.get(cell, cell)) for cell in table.key)
    return Fitting(
        places,
        tuple(places.index(to) if to in has else len(places) + to for to in range(len(new.cells))),
        has,
        tuple(came.get(cell) for cell in new.cells),
        {names[column.name]: (place, value) for (place, column), value in zip(gone, before, strict=True)},
        {to: (place, value) for (place, to, _), value in zip(new_since, by_itself, strict=True)},
        retyped,
        table.key_kind is new.key_kind and keys == tuple(range(len(new.key))) and not retyped & set(range(len(keys))),
    )


def _makes_other(old: Column, table: Table, column: Column, new: Table) -> bool:
    """Whether a column makes something else of values than it did, or refuses some."""
    if affinity_in(table, old) != affinity_in(new, column):
        return True
    return new.strict and not table.strict and not (column.primary_key and new.key_kind is KeyKind.INTEGER)


def defaults(columns: Sequence[object], table: Table) -> Row:
    """What rows have in columns that nobody has put anything into; NULL where only the moment tells."""
    found = []
    for column in table.columns:
        if column in columns:
            value = constant_defaults([column], strict=table.strict) if column.default is not None else None
            found.append((columns.index(column), value[0] if value else None))
    return tuple(value for _, value in sorted(found, key=lambda one: one[0]))


def has_to_be_there(table: Table) -> frozenset[int]:
    """The cells behind the key that take no NULL."""
    names = {column.name for column in table.columns if column.not_null}
    if table.key_kind is KeyKind.COLUMNS_OR_ROWID:
        names -= set(table.key)
    return frozenset(at for at, cell in enumerate(table.cells) if at >= len(table.key) and cell in names)
