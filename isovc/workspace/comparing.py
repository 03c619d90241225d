"""Two versions side by side, or what somebody wants to see of them: some tables, rows, columns, or only so many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from isovc.encoding.orderkey import encode_key
from isovc.errors import BadCondition, NoSuchColumn, NoSuchTable
from isovc.formats.delta import Definition, Delta, TableDelta, same
from isovc.model import Row, RowChange, Shape, Table, Value
from isovc.snapshot.compare import Counts
from isovc.snapshot.delta import count, delta, tally
from isovc.snapshot.version import Version
from isovc.sources.sqlite import Twin, twin
from isovc.workspace.desk import Desk

_AT_ONCE = 512  # rows held against the condition together

Rows = Callable[[], Iterator[RowChange]]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted; nothing said: everything. `where`: an SQL expression that the row meets before or after."""

    tables: tuple[str, ...] = ()
    where: str = ""
    columns: tuple[str, ...] = ()
    limit: int | None = None
    schema_only: bool = False

    @property
    def by_row(self) -> bool:
        """Whether rows must be looked at to know how many there are."""
        return bool(self.where or self.columns or self.limit is not None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs of what is wanted. `cut`: there is more than was asked for."""

    delta: Delta
    cut: bool
    counts: Callable[[TableDelta], Counts]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        found = self.delta
        return bool(found.definitions) or any(next(table.rows(), None) is not None for table in found.tables)


def compare(desk: Desk, old: Version, new: Version, selection: Selection) -> Comparison:
    """Compare them."""
    forest = desk.repository.forest
    found = delta(forest, old, new)
    if selection.tables:
        found = _of_tables(found, selection.tables)
    tables = () if selection.schema_only else found.tables
    if selection.columns:
        tables = tuple(_of_columns(tables, selection.columns))
    if selection.where:
        tables = tuple(_where(desk, found, tables, selection.where))
    cut = False
    if selection.limit is not None:
        tables, cut = _limited(tables, selection.limit)
    counts = tally if selection.by_row else partial(count, forest, old, new)
    return Comparison(replace(found, tables=tables), cut, counts)


# -- tables and columns ------------------------------------------------------------------------------------------------


def _of_tables(found: Delta, names: Iterable[str]) -> Delta:
    known = {
        name.lower(): name
        for shape in (found.old, found.new)
        for name in (*shape.tables, *(each.name for each in shape.objects))
    }
    for each in names:
        if each.lower() not in known:
            raise NoSuchTable(table=each, known=sorted({*found.old.tables, *found.new.tables}))
    wanted = {each.lower() for each in names}
    tables = [table for table in found.tables if _named(table) & wanted]
    definitions = [each for each in found.definitions if _about(each) & wanted]
    # the rows of SQLite's own tables are about all tables
    new = replace(found.new, tables={name: t for name, t in found.new.tables.items() if not name.startswith("sqlite_")})
    return replace(found, new=new, tables=tuple(tables), definitions=tuple(definitions))


def _named(table: TableDelta) -> set[str]:
    sides = [each for each in (table.before, table.after) if each is not None]
    return {name.lower() for each in sides for name in (each.name, each.shadow_of) if name}


def _about(each: Definition) -> set[str]:
    return {name.lower() for name in (each.name, each.table or "", each.was) if name}


def _of_columns(tables: Iterable[TableDelta], columns: tuple[str, ...]) -> Iterator[TableDelta]:
    tables = list(tables)
    known = {name for table in tables for name in _columns(table)}
    for each in columns:
        if tables and each.lower() not in {name.lower() for name in known}:
            raise NoSuchColumn(column=each, known=sorted(known))
    wanted = {each.lower() for each in columns}
    for table in tables:
        old = {name for name in _cells(table.before) if name.lower() in wanted}
        only = {name for name in _cells(table.after) if name.lower() in wanted}
        only |= {table.columns.get(name, name) for name in old}
        if only:
            yield replace(table, only=frozenset(only), rows=partial(_changing, table, frozenset(only)))


def _columns(table: TableDelta) -> set[str]:
    return {*_cells(table.before), *_cells(table.after)}


def _cells(table: Table | None) -> tuple[str, ...]:
    return table.cells if table else ()


def _changing(table: TableDelta, only: frozenset[str]) -> Iterator[RowChange]:
    """The changes that show in these columns."""
    names = [table.columns.get(cell, cell) for cell in _cells(table.before)]
    before = {name: at for at, name in enumerate(names) if name in only}
    after = {name: at for at, name in enumerate(_cells(table.after)) if name in only}

    def cells(row: Row, places: dict[str, int]) -> list[Value]:
        return [row[places[name]] if name in places else None for name in only]

    for change in table.rows():
        one, other = change.before, change.after
        if one is None or other is None or not all(map(same, cells(one, before), cells(other, after))):
            yield change


# -- conditions and limits ---------------------------------------------------------------------------------------------


def _where(desk: Desk, found: Delta, tables: Iterable[TableDelta], condition: str) -> Iterator[TableDelta]:
    """The tables that have what the condition speaks of; it is an error if none has."""
    why = ""
    fitting = []
    for table in tables:
        with ExitStack() as stack:
            sides = _twins(desk, found, table, stack)
            said = [side.check(condition) for side in sides if side is not None]
        if all(said):
            why = why or said[0]
        else:
            fitting.append(replace(table, rows=partial(_meeting, desk, found, table, condition)))
    if why and not fitting:
        raise BadCondition(condition=condition, why=why)
    yield from fitting


def _twins(desk: Desk, found: Delta, table: TableDelta, stack: ExitStack) -> list[Twin | None]:
    """A twin of the table as it was, and one of it as it is."""

    def one(side: Table | None, shape: Shape) -> Twin | None:
        if side is None:
            return None
        sql = next(each.sql for each in shape.objects if (each.type, each.name) == ("table", side.name))
        return stack.enter_context(twin(side, sql, shape.encoding, desk.database.path))

    return [one(table.before, found.old), one(table.after, found.new)]


def _meeting(desk: Desk, found: Delta, table: TableDelta, condition: str) -> Iterator[RowChange]:
    """The changes of rows that meet the condition before or after."""
    with ExitStack() as stack:
        before, after = _twins(desk, found, table, stack)
        before = before if before is not None and not before.check(condition) else None
        after = after if after is not None and not after.check(condition) else None
        changes = table.rows()
        while some := list(islice(changes, _AT_ONCE)):
            olds = [change.before for change in some if change.before is not None]
            news = [change.after for change in some if change.after is not None]
            was = before.matching(olds, condition) if before and olds else set()
            now = after.matching(news, condition) if after and news else set()
            for change in some:
                key = encode_key(change.key)
                if (change.before is not None and key in was) or (change.after is not None and key in now):
                    yield change


def _limited(tables: Iterable[TableDelta], limit: int) -> tuple[tuple[TableDelta, ...], bool]:
    kept: list[TableDelta] = []
    cut = False
    for table in tables:
        there = sum(1 for _ in islice(table.rows(), limit + 1))
        cut = cut or there > limit
        if limit and there:
            kept.append(replace(table, rows=partial(_first, table, min(limit, there))))
        limit -= min(limit, there)
    return tuple(kept), cut


def _first(table: TableDelta, many: int) -> Iterator[RowChange]:
    return islice(table.rows(), many)
