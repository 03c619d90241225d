"""What a merge could not decide, or the database does not take, as things that wait. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from isovc.model import Key, Table
from isovc.repo.merges import Contested
from isovc.snapshot.merging.how import How, Place
from isovc.snapshot.merging.lineage import Lineage, lineages
from isovc.snapshot.merging.merge import Conflict
from isovc.snapshot.rows import row_at
from isovc.snapshot.version import Version
from isovc.snapshot.virtual.rows import table_of
from isovc.sources.sqlite import Broken, Refusal
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row as Cells

Three: TypeAlias = tuple[Cells | None, Cells | None, Cells | None]

REFUSED = frozenset({"unique", "check", "not null", "type"})  # kinds of rows that the database did not take
_UNNUMBERED = 0  # an id comes when all are known


class Sides:
    """The versions that were merged, and what came out."""

    def __init__(
        self, forest: Forest, base: Version, ours: Version, theirs: Version, merged: Version, how: How
    ) -> None:
        self._forest = forest
        self._base, self._ours, self._theirs, self._merged = base, ours, theirs, merged
        self._how = how
        self._tables: dict[str, Table] = {}
        self._lineages: dict[str, Lineage] | None = None

    def undecided(self, conflicts: Iterable[Conflict]) -> Iterator[Contested]:
        """What both sides changed, and not alike."""
        for each in conflicts:
            if each.row is None:
                yield self._definition(each.table, each.kind, each.place or ("table", each.table), each.why)
                continue
            row, table = each.row, self._table(each.table)
            whole = next(side for side in (row.ours, row.theirs, row.base) if side is not None)
            key = whole[: len(table.key)]
            columns: list[str | None] = [table.cells[at] for at in row.cells] if row.kind == "edit/edit" else [None]
            sides = (row.base, row.ours, row.theirs)
            for column in columns:
                yield Contested(_UNNUMBERED, each.table, key, column, row.kind, sides, why=each.why)

    def refused(self, refusals: Iterable[Refusal]) -> Iterator[Contested]:
        """Rows that the database does not take as they were merged; their side is what it does not take."""
        for each in refusals:
            others = "; ".join(map(_words, each.others))
            why = f"{each.why}: {others} {'have' if len(each.others) > 1 else 'has'} it" if others else each.why
            base, ours, _ = self._rows(each.table, each.key)
            sides = base, ours, row_at(self._forest, self._merged, each.table, each.key)
            yield Contested(_UNNUMBERED, each.table, each.key, None, each.kind, sides, why=why)

    def broken(self, violations: Iterable[Broken]) -> Iterator[Contested]:
        """Rows that point to others which are not there."""
        for each in violations:
            sides = self._rows(each.child, each.key)
            column, why = pointing(each)
            yield Contested(_UNNUMBERED, each.child, each.key, column, "foreign key", sides, why=why)

    def uncompiled(self, objects: Iterable[tuple[str, str, str]]) -> Iterator[Contested]:
        """Views and triggers that speak of something which is not there any more."""
        for kind, name, why in objects:
            yield self.unfit((kind, name), why)

    def unfit(self, place: Place, why: str) -> Contested:
        """A definition that does not go with what was merged."""
        objects = (*self._ours.shape.objects, *self._theirs.shape.objects)
        table = next((each.table for each in objects if (each.type, each.name) == place), place[1])
        return self._definition(table, "schema", place, why)

    def _definition(self, table: str, kind: str, place: Place, why: str) -> Contested:
        base, ours, theirs = (definition_at(version, place) for version in (self._base, self._ours, self._theirs))
        return Contested(_UNNUMBERED, table, None, None, kind, (base, ours, theirs), place, why)

    def _rows(self, name: str, key: Key) -> Three:
        """A row of each side in the columns of the merged table, whatever table and columns were called there."""
        if self._lineages is None:
            found = lineages(self._forest, (self._base, self._ours, self._theirs), self._how)
            self._lineages = {each.name: each for each in found}
        known = self._lineages.get(name)
        own = known.own if known else (name, name, name)
        columns = known.columns if known else ({}, {}, {})
        versions = (self._base, self._ours, self._theirs)
        base, ours, theirs = (
            None if called is None else self._row(version, called, names, self._table(name), key)
            for version, called, names in zip(versions, own, columns, strict=True)
        )
        return base, ours, theirs

    def _row(self, version: Version, called: str, names: Mapping[str, str], merged: Table, key: Key) -> Cells | None:
        table = table_of(version, called)
        if table is None:
            return None
        columns = tuple(replace(each, name=names.get(each.name, each.name)) for each in table.columns)
        table = replace(table, columns=columns)
        if (table.key_kind, table.key) != (merged.key_kind, merged.key):
            return None
        row = row_at(self._forest, version, called, key)
        cells = {} if row is None else dict(zip(table.cells, row, strict=True))
        return None if row is None else tuple(cells.get(cell) for cell in merged.cells)

    def _table(self, name: str) -> Table:
        if name not in self._tables:
            found = table_of(self._merged, name)
            assert found is not None  # it has rows that are contested
            self._tables[name] = found
        return self._tables[name]


def pointing(broken: Broken) -> tuple[str | None, str]:
    """The column of a row that points to nothing, if it is one, and what is wrong."""
    if len(broken.columns) == 1:
        return broken.columns[0], f"there is no such row in {broken.parent}"
    return None, f"there is no row in {broken.parent} for {', '.join(broken.columns)}"


def definition_at(version: Version, place: Place) -> Cells | None:
    """The text of a definition, or the value of a pragma, as the only cell of a row; None: there is none."""
    kind, name = place
    if kind == "pragma":
        value = version.shape.pragmas.get(name)
        return None if value is None else (value,)
    return next(((each.sql,) for each in version.shape.objects if (each.type, each.name) == place), None)


def once(contested: Iterable[Contested]) -> list[Contested]:
    """Of those about the same thing the first: what the merge asks, the database may ask too."""
    found: dict[tuple[object, ...], Contested] = {}
    for each in contested:
        found.setdefault(each.what, each)
    return list(found.values())


def numbered(contested: Iterable[Contested]) -> Iterator[Contested]:
    """The same, each with a number of its own."""
    return (replace(each, id=number) for number, each in enumerate(contested, 1))


def _words(key: Key) -> str:
    return ", ".join(map(str, key))
