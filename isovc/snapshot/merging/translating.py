"""Base and theirs in the numbers that our rows have, where theirs changed something: what it did to a row that has
another number with us is done to that row, and what points to it follows. Rows of ours never change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from isovc.encoding.orderkey import encode_key
from isovc.errors import CannotRenumber
from isovc.model import Shape, Table
from isovc.snapshot.compare import changes
from isovc.snapshot.merging.how import PLAIN
from isovc.snapshot.merging.lineage import lineages
from isovc.snapshot.merging.row_names import Names, RowNames, rows_there
from isovc.snapshot.numbering.cells import NumberCell, NumberCells, number_in
from isovc.snapshot.numbering.links import links, of_class
from isovc.snapshot.numbering.numbers import SAME, Numbers
from isovc.snapshot.numbering.renumbering import NUMBERED
from isovc.snapshot.numbering.sequence import noted
from isovc.snapshot.version import Version
from isovc.sql import is_autoincrement
from isovc.tree.diff import differing_cells
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.leaf import Row
from isovc.tree.read import get, scan

_Which: TypeAlias = Literal[0, 1]
_BASE, _THEIRS = _SIDES = 0, 1


@dataclass(frozen=True, slots=True)
class Translated:
    """Both versions: what theirs did not change is the same in both, translated or not. `numbers`: what rows of theirs
    are called now, old number to new; `given`: those of them that had to get a number which nobody has used."""

    base: Version
    theirs: Version
    numbers: Numbers = field(default_factory=dict)
    given: Numbers = field(default_factory=dict)


def translated(forest: Forest, base: Version, ours: Version, theirs: Version, names: Names) -> Translated:
    """`base` and `theirs` in our numbers."""
    if names.are_plain:
        return Translated(base, theirs)
    return _Translating(forest, base, ours, theirs, names).done()


@dataclass(slots=True)
class _Pair:
    """One table in base and theirs. `met`: keys of rows that are to stand elsewhere or otherwise, or that another row
    might want; `rows`: what shall stand where."""

    names: tuple[str | None, str | None]
    tables: tuple[Table | None, Table | None]
    cells: tuple[Sequence[NumberCell], Sequence[NumberCell]]
    met: tuple[set[bytes], set[bytes]] = field(default_factory=lambda: (set(), set()))
    rows: tuple[dict[bytes, Row], dict[bytes, Row]] = field(default_factory=lambda: ({}, {}))

    @property
    def is_alike(self) -> bool:
        """Whether one key means one row."""
        one, other = self.tables
        return one is None or other is None or (one.key_kind, one.key) == (other.key_kind, other.key)


class _Translating:
    """Rows on their way."""

    def __init__(self, forest: Forest, base: Version, ours: Version, theirs: Version, names: Names) -> None:
        self._forest = forest
        self._versions = base, theirs
        found = lineages(forest, (base, ours, theirs), PLAIN)
        self._names = names
        self._numbers = RowNames(forest, (base, ours, theirs), found, names)
        called = [{str(each.own[at]): each.own[0] for each in found if each.own[0] and each.own[at]} for at in (0, 2)]
        self._cells = [
            NumberCells(links(base.shape, ours.shape, version.shape), some, self._numbers.spoken)
            for version, some in zip(self._versions, called, strict=True)
        ]
        # a table that ours has not holds nothing that could be meant
        named = [(each.own[0], each.own[2]) for each in found if each.own[1] or not each.own[0]]
        self._pairs = [self._pair(each) for each in named]
        self._waiting: list[tuple[_Pair, bytes]] = []

    def done(self) -> Translated:
        """All of it."""
        for pair in self._pairs:
            if any(pair.cells):
                for key, before, after in self._touched(pair):
                    self._look_at(pair, key, before, after)
        self._look_further()
        numbers, given = self._told()
        self._look_further()  # asking may have been what gave a number
        base, theirs = (self._version(which) for which in (0, 1))
        return Translated(base, theirs, numbers, given)

    # -- which rows ----------------------------------------------------------------------------------------------------

    def _touched(self, pair: _Pair) -> Iterator[tuple[bytes, Row | None, Row | None]]:
        """The rows that theirs changed, and those that may read as before and be others."""
        one, other = pair.tables
        if other is None:
            return  # the table is gone there, and with it every row
        if one is None or not pair.is_alike:
            yield from ((key, row, None) for key, row in self._all(one, 0))
            yield from ((key, None, row) for key, row in self._all(other, 1))
            return
        views = [
            Version(Shape(tables={other.name: table}), {other.name: version.roots[table.name]})
            for version, table in zip(self._versions, (one, other), strict=True)
        ]
        for change in changes(self._forest, views[0], views[1], other.name):
            before = change.before if one.cells == other.cells else self._row(pair, 0, change.key)
            yield change.key, before, change.after
        for key in self._suspected(one.name):
            yield key, self._row(pair, 0, key), self._row(pair, 1, key)

    def _suspected(self, name: str) -> Iterator[bytes]:
        if name in self._numbers.spoken:
            theirs = self._names.theirs.get(name, SAME).spoken_of()
            yield from (encode_key((number,)) for number in sorted(theirs))
        for old, new in self._names.touched:
            if name in old.roots and name in new.roots:
                yield from (change.key for change in changes(self._forest, old, new, name))

    def _look_further(self) -> None:
        """The same for rows that are met on the way: where others are to stand, or whose number had to be given."""
        by_base = {pair.names[0]: pair for pair in self._pairs}
        while self._waiting or self._numbers.asked:
            asked, self._numbers.asked = self._numbers.asked, []
            self._waiting += [(by_base[table], encode_key((number,))) for table, number in asked]
            pair, key = self._waiting.pop()
            self._look_at(pair, key, self._row(pair, 0, key), self._row(pair, 1, key))

    def _look_at(self, pair: _Pair, key: bytes, before: Row | None, after: Row | None) -> None:
        """Note what becomes of the rows that had this key, unless it is nothing."""
        sides: list[tuple[_Which, Row]] = []
        if before is not None:
            sides.append((0, before))
        if after is not None:
            sides.append((1, after))
        new = [self._in_our_numbers(pair, which, row) for which, row in sides]
        moves = any(differing_cells(row, other) for (_, row), other in zip(sides, new, strict=True))
        if not moves and not any(self._is_spoken_of(pair, which, row) for which, row in sides):
            return
        for (which, _), row in zip(sides, new, strict=True):
            if key not in pair.met[which]:
                pair.met[which].add(key)
                self._stand(pair, which, key, row)

    def _stand(self, pair: _Pair, which: _Which, key: bytes, row: Row) -> None:
        table = pair.tables[which]
        assert table is not None
        width = len(table.key)
        there = encode_key(row[:width])
        if there in pair.rows[which]:
            what = ", ".join(map(str, row[:width]))
            raise CannotRenumber(table=table.name, why=f"it has a row {what} already that points to nothing")
        pair.rows[which][there] = row
        if there != key:
            self._waiting.append((pair, there))

    def _is_spoken_of(self, pair: _Pair, which: _Which, row: Row) -> bool:
        """Whether a row may be meant by another key, or its key mean another row."""
        table = pair.tables[which]
        return any(
            number_in(row[cell.at]) in self._numbers.spoken.get(name, ())
            for cell in pair.cells[which]
            if table is not None and cell.at < len(table.key)
            for name in cell.whose()
        )

    # -- one row -------------------------------------------------------------------------------------------------------

    def _in_our_numbers(self, pair: _Pair, which: _Which, row: Row) -> Row:
        cells = list(row)
        for cell in pair.cells[which]:
            cells[cell.at] = self._value(cell, which, row[cell.at])
        return tuple(cells)

    def _value(self, cell: NumberCell, which: _Which, value: object) -> object:
        number = number_in(value)
        if number is None:
            return value
        is_known = cell.own is not None and self._numbers.is_known(cell.own, number, to_theirs=which == _THEIRS)
        for table in (cell.own,) if cell.own is not None and is_known else cell.tables:
            of = self._numbers.of_theirs if which == _THEIRS else self._numbers.of_base
            if (new := of(table, number)) != number:
                return of_class(new, value, new)
        return value

    def _row(self, pair: _Pair, which: _Which, key: bytes) -> Row | None:
        table = pair.tables[which]
        if table is None:
            return None
        return get(self._forest, self._versions[which].roots[table.name].id, key, width=len(table.cells))

    def _all(self, table: Table | None, which: _Which) -> Iterator[tuple[bytes, Row]]:
        if table is not None:
            root = self._versions[which].roots[table.name].id
            for row in scan(self._forest, root, cells=range(len(table.cells))):
                yield encode_key(row[: len(table.key)]), row

    def _pair(self, names: tuple[str | None, str | None]) -> _Pair:
        one, other = (version.shape.tables.get(name or "") for version, name in zip(self._versions, names, strict=True))
        return _Pair(names, (one, other), (self._cells[0].of(one), self._cells[1].of(other)))

    # -- the result ----------------------------------------------------------------------------------------------------

    def _version(self, which: _Which) -> Version:
        version = self._versions[which]
        roots = dict(version.roots)
        for pair in self._pairs:
            table = pair.tables[which]
            if table is not None:
                roots[table.name] = self._edited(pair, which, table)
        highest = {
            name: max(some.values())
            for pair in self._pairs
            if (name := pair.names[which]) and (some := self._numbers.given.get(pair.names[0] or ""))
        }
        texts = {each.name: each.sql for each in version.shape.objects if each.type == "table"}
        highest = {name: number for name, number in highest.items() if is_autoincrement(texts.get(name, ""))}
        made = replace(version, roots=roots)
        return noted(self._forest, made, highest) if which == _THEIRS else made

    def _edited(self, pair: _Pair, which: _Which, table: Table) -> Root:
        """Where a row of the other version is to stand there must not be another one here."""
        sides = _SIDES if pair.is_alike else (which,)
        keys = {key for side in sides for key in (*pair.met[side], *pair.rows[side])}
        root = self._versions[which].roots[table.name]
        if not keys:
            return root
        edits = (Edit(key, pair.rows[which].get(key)) for key in sorted(keys))
        return edit(self._forest, root.id, edits, width=len(table.cells), key_width=len(table.key))

    def _told(self) -> tuple[Numbers, Numbers]:
        """What rows of theirs are called now, and which of them had to be."""
        numbers: dict[str, dict[int, int]] = {}
        given: dict[str, dict[int, int]] = {}
        for pair in self._pairs:
            table = pair.tables[1]
            cell = next((each for each in pair.cells[1] if each.at == 0), None)
            if cell is None or table is None or table.key_kind not in NUMBERED:
                continue
            had_to_be = self._numbers.given.get(pair.names[0] or "", {})
            spoken = {each for name in cell.whose() for each in self._numbers.spoken.get(name, ())}
            for number in sorted(rows_there(self._forest, self._versions[1], table.name, spoken)):
                new = self._value(cell, 1, number)
                if isinstance(new, int) and new != number:
                    numbers.setdefault(table.name, {})[number] = new
                    if ("theirs", number) in had_to_be:
                        given.setdefault(table.name, {})[number] = new
        return numbers, given
