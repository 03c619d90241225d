"""A keyed table as a virtual table of SQLite: conditions on the key become a stretch, its order is taken as it is, and
only the cells that are looked at are read. Knows nothing of trees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from math import log2
from typing import Any, NamedTuple

import apsw

from isovc.model import Value
from isovc.sources.sqlite.asking.bounds import NUMERIC, Op, Stretch, Term, stretch
from isovc.sources.sqlite.asking.keyed import Keyed, virtual_declaration

_OPS: dict[int, Op] = {
    apsw.SQLITE_INDEX_CONSTRAINT_EQ: "=",
    apsw.SQLITE_INDEX_CONSTRAINT_IS: "IS",
    apsw.SQLITE_INDEX_CONSTRAINT_ISNULL: "IS",
    apsw.SQLITE_INDEX_CONSTRAINT_GT: ">",
    apsw.SQLITE_INDEX_CONSTRAINT_GE: ">=",
    apsw.SQLITE_INDEX_CONSTRAINT_LT: "<",
    apsw.SQLITE_INDEX_CONSTRAINT_LE: "<=",
}
_EQUAL = ("=", "IS")
_ROWID = -1
_BEYOND = 63  # the one mark that SQLite keeps for all columns from there on

_SEEK = 25  # rows that could be read in the time that finding the first one takes: 0.2 ms against 8 microseconds
_ROW_COST = 3.0  # of reading a row here, in what SQLite takes a step in a table of its own for
_PART = 4  # a range with one open end is taken for a quarter of the rows


class TooMuch(Exception):
    """More was read row by row than that is good for. It never leaves this library: the tables are filled instead."""


class Meter:
    """What was read of each table for one question, in rows. `limit`: raise when all of it is more. `casts`: the query
    holds a CAST, so that even a value that stands in it may have an affinity."""

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.casts = False
        self.spent: dict[str, int] = {}
        self._total = 0

    def spend(self, table: str, rows: int) -> None:
        """Count these."""
        self.spent[table] = self.spent.get(table, 0) + rows
        self._total += rows
        if self.limit is not None and self._total > self.limit:
            raise TooMuch

    def restart(self, limit: int | None, *, casts: bool) -> None:
        """Count from nothing, for another question."""
        self.limit, self.casts, self.spent, self._total = limit, casts, {}, 0


_Said = tuple[int, str, Op, bool]  # place in the key, affinity, operator, bare


class _Plan(NamedTuple):
    """What was agreed with SQLite for one way to use the table; it travels as the text of an index."""

    cells: tuple[int, ...]
    terms: tuple[_Said, ...]
    backwards: bool


class Module:
    """The module of one table: whoever names it without a table of that name being there gets this one."""

    def __init__(self, keyed: Keyed, meter: Meter) -> None:
        self._keyed = keyed
        self._meter = meter

    def Connect(self, *_: object) -> tuple[str, _Table]:
        return virtual_declaration(self._keyed), _Table(self._keyed, self._meter)


class _Table:
    def __init__(self, keyed: Keyed, meter: Meter) -> None:
        self._keyed = keyed
        self._meter = meter

    def BestIndexObject(self, ask: apsw.IndexInfo) -> bool:
        usable = self._usable(ask)
        chosen: list[tuple[int, int, Op]] = []  # number of the constraint, place in the key, operator
        place = 0
        while equal := [(at, place, op) for at, where, op in usable if where == place and op in _EQUAL]:
            chosen.append(equal[0])
            place += 1
        chosen += [(at, where, op) for at, where, op in usable if where == place and op not in _EQUAL]
        terms: list[_Said] = []
        for number, (at, where, op) in enumerate(chosen, 1):
            ask.set_aConstraintUsage_argvIndex(at, number)
            bare = not self._meter.casts and ask.get_aConstraint_rhs(at) is not None
            terms.append((where, self._affinity(where), op, bare))
        # to be equal to a number is to be one value of a column of numbers, and maybe several of one of text
        single = {where for where, affinity, op, bare in terms if op in _EQUAL and (bare or affinity in NUMERIC)}
        order = self._order(ask, single)
        ask.orderByConsumed = order is not None
        plan = _Plan(self._cells(ask), tuple(terms), order == "backwards")
        ask.idxStr = json.dumps(plan)
        ask.idxNum = len(terms)
        self._estimate(ask, terms, single)
        return True

    def Open(self) -> _Cursor:
        return _Cursor(self._keyed, self._meter)

    def Disconnect(self) -> None:
        """Nothing is held."""

    Destroy = Disconnect

    def _usable(self, ask: apsw.IndexInfo) -> list[tuple[int, int, Op]]:
        """The constraints on key cells in a collation that the key lies in."""
        keyed = self._keyed
        place_of = {column: place for place, column in enumerate(keyed.key_columns)}
        if keyed.named_by_rowid:
            place_of[_ROWID] = 0
        found = []
        for at in range(ask.nConstraint):
            op, place = _OPS.get(ask.get_aConstraint_op(at)), place_of.get(ask.get_aConstraint_iColumn(at))
            if op is None or place is None or not ask.get_aConstraint_usable(at):
                continue
            if keyed.named_by_rowid or ask.get_aConstraint_collation(at).upper() == "BINARY":
                found.append((at, place, op))
        return found

    def _affinity(self, place: int) -> str:
        return "INTEGER" if self._keyed.named_by_rowid else self._keyed.affinities[self._keyed.key_columns[place]]

    def _order(self, ask: apsw.IndexInfo, single: set[int]) -> str | None:
        """Whether rows come in the order asked for, forwards or backwards; None: they do not."""
        if not ask.nOrderBy:
            return None
        wanted = [ask.get_aOrderBy_iColumn(at) for at in range(ask.nOrderBy)]
        ways = {bool(ask.get_aOrderBy_desc(at)) for at in range(ask.nOrderBy)}
        if len(ways) > 1 or not self._lie_so(wanted, single):
            return None
        return "backwards" if ways == {True} else "forwards"

    def _lie_so(self, wanted: list[int], single: set[int]) -> bool:
        """Whether rows lie in the order of these columns, where some key cells have a single value."""
        keyed = self._keyed
        if keyed.named_by_rowid:  # nothing has the same key, so what is to decide after it decides nothing
            return wanted[0] in (_ROWID, *keyed.key_columns)
        place = 0
        for column in wanted:
            while place in single and place < len(keyed.key_columns) and keyed.key_columns[place] != column:
                place += 1
            if place >= len(keyed.key_columns) or keyed.key_columns[place] != column:
                return False
            if keyed.table.columns[column].collation.upper() != "BINARY":
                return False
            place += 1
        return True

    def _cells(self, ask: apsw.IndexInfo) -> tuple[int, ...]:
        """The cells of the columns that are looked at."""
        keyed, used = self._keyed, ask.colUsed
        beyond = _BEYOND in used
        found = {cell for at, cell in enumerate(keyed.cell_of) if at in used or (beyond and at >= _BEYOND)}
        if keyed.named_by_rowid or not found:
            found.add(0)
        return tuple(sorted(found))

    def _estimate(self, ask: apsw.IndexInfo, terms: list[_Said], single: set[int]) -> None:
        keyed = self._keyed
        width = len(keyed.table.key)
        equal = sum(op in _EQUAL for _, _, op, _ in terms)
        ranges = len({op[0] for _, _, op, _ in terms if op not in _EQUAL})
        rows = max(keyed.rows, 1) ** (1 - min(equal, width) / width) / _PART**ranges
        if len(single) == width:
            ask.idxFlags = apsw.SQLITE_INDEX_SCAN_UNIQUE
        ask.estimatedRows = max(1, round(rows))
        ask.estimatedCost = _SEEK + log2(keyed.rows + 2) + _ROW_COST * rows


class _Cursor:
    def __init__(self, keyed: Keyed, meter: Meter) -> None:
        self._keyed = keyed
        self._meter = meter
        self._batches: Iterator[list[tuple[Any, ...]]] = iter(())
        self._rows: list[tuple[Any, ...]] = []
        self._at = 0
        self._many = 0
        self._places: tuple[int | None, ...] = ()
        self._stretch: Stretch = (None, None)
        self._backwards = False
        self._number = 0  # of the first row in hand, counted from the one the scan began with
        self._first: int | None = None

    def Filter(self, _number: int, text: str | None, values: tuple[Value, ...] | None) -> None:
        plan, self._places = _agreed(str(text), self._keyed.cell_of)
        self._rows, self._at, self._many, self._number, self._first = [], 0, 0, 0, None
        self._batches = iter(())
        self._meter.spend(self._keyed.called, _SEEK)
        terms = [Term(*term[:3], value, term[3]) for term, value in zip(plan.terms, values or (), strict=True)]
        found = stretch(terms)
        if found is None:
            return
        self._stretch, self._backwards = found, plan.backwards
        self._batches = self._keyed.scan(plan.cells, *found, backwards=plan.backwards)
        self._fetch()

    def Eof(self) -> bool:
        return self._at >= self._many

    def Next(self) -> None:
        self._at += 1
        if self._at >= self._many:
            self._fetch()

    def Column(self, number: int) -> Value:
        if number < 0:
            return self.Rowid()
        place = self._places[number]
        return None if place is None else self._keyed.whole(self._rows[self._at][place])

    def Rowid(self) -> int:
        if self._keyed.named_by_rowid:
            found: int = self._rows[self._at][0]
            return found
        # the table has a key of another kind, so any number will do that always means the same row
        if self._first is None:
            after, upto = self._stretch
            if self._backwards:
                self._first = self._keyed.before(upto) if upto is not None else self._keyed.rows
            else:
                self._first = self._keyed.before(after) if after is not None else 0
        number = self._number + self._at
        return self._first - number if self._backwards else self._first + number + 1

    def Close(self) -> None:
        self._batches = iter(())

    def _fetch(self) -> None:
        self._number += self._many
        self._rows = next(self._batches, [])
        self._at, self._many = 0, len(self._rows)
        self._meter.spend(self._keyed.called, self._many)


@lru_cache(256)
def _agreed(text: str, cell_of: tuple[int, ...]) -> tuple[_Plan, tuple[int | None, ...]]:
    """The plan again, and for each column where its cell stands in the rows that are read, if it does."""
    cells, terms, backwards = json.loads(text)
    place = {cell: at for at, cell in enumerate(cells)}
    places = tuple(map(place.get, cell_of))
    return _Plan(
        tuple(cells), tuple((where, affinity, op, bare) for where, affinity, op, bare in terms), backwards
    ), places
