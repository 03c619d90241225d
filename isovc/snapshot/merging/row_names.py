"""What number a row of base or theirs has with us. Looks rows up, and changes none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from isovc.encoding.orderkey import encode_key
from isovc.errors import CannotRenumber
from isovc.snapshot.merging.lineage import Lineage
from isovc.snapshot.numbering.numbers import SAME, Numberings
from isovc.snapshot.numbering.renumbering import HIGHEST, NUMBERED, first_free
from isovc.snapshot.version import Version
from isovc.tree.forest import Forest
from isovc.tree.read import get_many


@dataclass(frozen=True, slots=True)
class Names:
    """What rows of the base are called on both sides, by its tables. `apart`: numbers that theirs gave to new rows, and
    that mean others with us. `touched`: versions between which theirs may have brought what only reads as in the base:
    the same number, and another row."""

    ours: Numberings = field(default_factory=dict)
    theirs: Numberings = field(default_factory=dict)
    apart: Mapping[str, frozenset[int]] = field(default_factory=dict)
    touched: Sequence[tuple[Version, Version]] = ()

    def spoken_of(self, table: str) -> set[int]:
        """Every number that is not simply the same."""
        sides = self.ours.get(table, SAME), self.theirs.get(table, SAME)
        return sides[0].spoken_of() | sides[1].spoken_of() | self.apart.get(table, frozenset())

    @property
    def are_plain(self) -> bool:
        """Whether every row has one number everywhere."""
        return not any(map(self.spoken_of, {*self.ours, *self.theirs, *self.apart}))


class RowNames:
    """The same for single rows. Tables go by the names that the base has for them. `spoken`: by table, the numbers that
    have to be asked about; `given`: those that had to be given, by the side (`base`, `theirs`) and the number there;
    `asked`: the rows that got them, to be seen to."""

    def __init__(
        self, forest: Forest, versions: tuple[Version, Version, Version], found: Sequence[Lineage], names: Names
    ) -> None:
        self._forest = forest
        self._versions = versions
        self._own = {each.own[0]: each.own for each in found if each.own[0] is not None}
        self._names = names
        self._there: dict[tuple[str, int], bool] = {}
        self._next: dict[str, int] = {}
        self.spoken = {name: some for name in self._own if self._has_numbers(name) and (some := names.spoken_of(name))}
        for name, some in self.spoken.items():
            found_there = rows_there(forest, versions[0], name, some)
            self._there |= {(name, number): number in found_there for number in some}
        self.given: dict[str, dict[tuple[str, int], int]] = {}
        self.asked: list[tuple[str, int]] = []

    def of_base(self, table: str, number: int) -> int:
        """What a row of the base is called with us."""
        if number not in self.spoken.get(table, ()):
            return number
        if not self._was_there(table, number):
            return self._of_new(table, number)
        there = self._names.ours.get(table, SAME).there(number)
        return there if there is not None else self._give(table, "base", number)

    def of_theirs(self, table: str, number: int) -> int:
        """The same of a row of theirs."""
        if number not in self.spoken.get(table, ()):
            return number
        here = self._names.theirs.get(table, SAME).here(number)
        known = here is not None and self._was_there(table, here)
        return self.of_base(table, here) if known and here is not None else self._of_new(table, number)

    def is_known(self, table: str, number: int, *, to_theirs: bool) -> bool:
        """Whether the row was there in the base, and the number has to be asked about."""
        if number not in self.spoken.get(table, ()):
            return False
        here = self._names.theirs.get(table, SAME).here(number) if to_theirs else number
        return here is not None and self._was_there(table, here)

    def _of_new(self, table: str, number: int) -> int:
        """Of a row that the base has not: its own, unless one of the base has that with us. Whether anybody asks for
        other numbers does not count there: two rows cannot have one."""
        here = self._names.ours.get(table, SAME).here(number)
        is_taken = here is not None and self._was_there(table, here)
        if is_taken or number in self._names.apart.get(table, ()):
            return self._give(table, "theirs", number)
        return number

    def _give(self, table: str, side: str, number: int) -> int:
        """A number that nobody has used."""
        some = self.given.setdefault(table, {})
        if (side, number) not in some:
            used = [(version, str(name)) for version, name in zip(self._versions, self._own[table], strict=True)]
            fresh = self._next.get(table) or first_free(self._forest, used)
            if fresh > HIGHEST:
                raise CannotRenumber(table=table, why="there is no number left")
            self._next[table] = fresh + 1
            some[side, number] = fresh
            there = self._names.theirs.get(table, SAME).there(number)
            self.asked += [(table, each) for each in {number, number if there is None else there}]
        return some[side, number]

    def _was_there(self, table: str, number: int) -> bool:
        if (table, number) not in self._there:
            self._there[table, number] = bool(rows_there(self._forest, self._versions[0], table, (number,)))
        return self._there[table, number]

    def _has_numbers(self, name: str) -> bool:
        """Whether the table has numbers of its own in all three versions."""
        named = zip(self._versions, self._own[name], strict=True)
        tables = [version.shape.tables.get(own or "") for version, own in named]
        return all(table is not None and table.key_kind in NUMBERED for table in tables)


def rows_there(forest: Forest, version: Version, table: str, numbers: Iterable[int]) -> set[int]:
    """Those of some numbers that a table has rows for."""
    keys = {encode_key((number,)): number for number in numbers}
    found = get_many(forest, version.roots[table].id, sorted(keys), width=1)
    return {keys[key] for key, row in found if row is not None}
