"""Which cells of a version's rows hold the number of a row, and whose. Looks at no row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from isovc.model import Column, Table
from isovc.snapshot.numbering.links import Link, alike

_NUMBER = Column("", "INTEGER")  # what a number is compared by, however the cells between say it


@dataclass(frozen=True, slots=True)
class NumberCell:
    """A cell with a number in it. `tables`: whose number that is, as the base calls them; `own`: the table itself,
    where its own number is that of another row."""

    at: int
    tables: tuple[str, ...]
    own: str | None = None

    def whose(self) -> tuple[str, ...]:
        """All tables whose number it may be."""
        return self.tables if self.own is None else (*self.tables, self.own)


def number_in(value: object) -> int | None:
    """The number that a value stands for."""
    found = alike(value, _NUMBER)
    return found if type(found) is int else None


class NumberCells:
    """Finds them in one version. `links` hold there; `called`: what the base calls tables of this version; `meant`: the
    tables, as the base calls them, whose numbers are asked for."""

    def __init__(self, links: Sequence[Link], called: Mapping[str, str], meant: Collection[str]) -> None:
        self._links = links
        self._called = {name: base for name, base in called.items() if base in meant}

    def of(self, table: Table | None) -> tuple[NumberCell, ...]:
        """Those of one table."""
        if table is None:
            return ()
        found = []
        own = self._called.get(table.name)
        for at in range(len(table.cells)):
            tables = tuple(dict.fromkeys(self._roots(table.name, at, ())))
            is_linked = any(True for _ in self._followed(table.name, at))
            also = own if at == 0 and is_linked else None
            if tables or also:
                found.append(NumberCell(at, tables, also))
        return tuple(found)

    def _roots(self, table: str, at: int, before: tuple[tuple[str, int], ...]) -> Iterator[str]:
        """Through links, which may lead through keys that are links themselves, and around."""
        if (table, at) in before:
            return
        is_linked = False
        for parent, cell in self._followed(table, at):
            is_linked = True
            yield from self._roots(parent, cell, (*before, (table, at)))
        if not is_linked and at == 0 and table in self._called:
            yield self._called[table]

    def _followed(self, table: str, at: int) -> Iterator[tuple[str, int]]:
        for link in self._links:
            if link.child == table:
                for cell, other in zip(link.cells, link.others, strict=True):
                    if cell == at and (link.parent, other) != (table, at):
                        yield link.parent, other
