"""Two versions side by side, or what somebody wants to see of them: some tables, rows, columns, or only so many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from isovc.blobs import stream
from isovc.encoding.values import External
from isovc.errors import NoSuchColumn, NoSuchTable
from isovc.formats.delta import Definition, Delta, TableDelta, same
from isovc.formats.files import FileDelta, Read, file_deltas
from isovc.formats.long_words import LONG
from isovc.model import ContentId, Row, RowChange, Table, Value
from isovc.snapshot.compare import Counts
from isovc.snapshot.delta import count, delta, tally
from isovc.snapshot.version import FILES, Version
from isovc.snapshot.virtual.differing import Folded, folded
from isovc.snapshot.virtual.rows import table_of
from isovc.snapshot.virtual.tables import NotMade
from isovc.tree.forest import Forest
from isovc.workspace.conditions import Condition
from isovc.workspace.desk import Desk

Rows = Callable[[], Iterator[RowChange]]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted; nothing said: everything. `where`: an SQL expression that the row meets before or after.
    `as_virtual`: virtual tables as rows under their own columns, not as the tables in which they store them; a table
    that is named is shown as it is. `files_apart`: files as files, not as rows. `for_people`: values that are long are
    not read with their rows, since little of them is shown; a condition needs all of them."""

    tables: tuple[str, ...] = ()
    where: str = ""
    columns: tuple[str, ...] = ()
    limit: int | None = None
    schema_only: bool = False
    as_virtual: bool = False
    files_apart: bool = False
    for_people: bool = False

    @property
    def by_row(self) -> bool:
        """Whether rows must be looked at to know how many there are."""
        return bool(self.where or self.columns or self.limit is not None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs of what is wanted. `cut`: there is more than was asked for. `stored`: virtual tables of which only
    what they store differs, with the tables in which it does. `left_out`: tables that the condition does not fit."""

    delta: Delta
    cut: bool
    counts: Callable[[TableDelta], Counts]
    stored: Mapping[str, tuple[TableDelta, ...]]
    left_out: tuple[str, ...]
    files: tuple[FileDelta, ...]
    read: Read  # what a file holds

    def __bool__(self) -> bool:
        """Whether anything differs."""
        found = self.delta
        return bool(found.definitions or self.stored or self.files) or any(
            next(table.rows(), None) is not None for table in found.tables
        )


def compare(desk: Desk, old: Version, new: Version, selection: Selection) -> Comparison:
    """Compare them."""
    forest = desk.repository.forest
    found = delta(forest, old, new, upto=LONG if selection.for_people and not selection.where else None)
    if selection.tables:
        found = _of_tables(found, selection.tables)
    tables = () if selection.schema_only else found.tables
    shown = Folded(tables, frozenset(), {})
    if selection.as_virtual:
        apart = {name.lower() for name in selection.tables}
        shown = folded(forest, old, new, tables, apart=apart)
        tables = shown.tables
    if selection.columns:
        tables = tuple(_of_columns(tables, selection.columns))
    left_out: tuple[str, ...] = ()
    if selection.where:
        met, left_out = _met(desk, (old, new), found, tables, selection)
        tables = tuple(met)
    cut = False
    if selection.limit is not None:
        tables, cut = _limited(tables, selection.limit)
    stored = {} if selection.where or selection.columns else shown.stored
    counts = partial(_count, forest, old, new, None if selection.by_row else shown.virtual)
    files: list[FileDelta] = []
    if selection.files_apart:
        files = [each for table in tables if table.name == FILES for each in file_deltas(table.rows())]
        tables = tuple(table for table in tables if table.name != FILES)
    read = partial(_content, forest)
    return Comparison(replace(found, tables=tables), cut, counts, stored, left_out, tuple(files), read)


def _content(forest: Forest, content: ContentId) -> bytes:
    named = External(bytes.fromhex(content), content.length, is_text=False, is_file=True)
    return b"".join(stream(forest.store, named))


def _count(forest: Forest, old: Version, new: Version, by_row: frozenset[str] | None, table: TableDelta) -> Counts:
    """`by_row`: the tables whose rows must be looked at; None: all of them."""
    is_quick = by_row is not None and table.name not in by_row
    return count(forest, old, new, table) if is_quick else tally(table)


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


def _met(
    desk: Desk, versions: tuple[Version, Version], found: Delta, tables: tuple[TableDelta, ...], wanted: Selection
) -> tuple[list[TableDelta], tuple[str, ...]]:
    condition = Condition(wanted.where, found, desk.database.path)

    def named(name: str) -> list[TableDelta]:
        """What a name stands for, whether it differs or not."""
        differing = [table for table in tables if name.lower() in _named(table)]
        return differing or [table for table in _every(versions, wanted) if name.lower() in _named(table)]

    if wanted.tables:
        return condition.of_named(tables, wanted.tables, named), ()
    # what a module stores is no row of anybody's: a part of it would be nothing at all
    asked = [table for table in tables if not table.shown.shadow_of]
    return condition.of_any(asked, (table for table in _every(versions, wanted) if not table.shown.shadow_of))


def _every(versions: tuple[Version, Version], wanted: Selection) -> Iterator[TableDelta]:
    """The tables of both versions, without their rows."""
    old, new = versions
    names = {name for version in versions for name in version.shape.tables}
    if wanted.as_virtual:
        names |= {each.name for version in versions for each in version.shape.objects if each.type == "table"}
    for name in sorted(names):
        sides = [_table_of(version, name) for version in (old, new)]
        if any(sides):
            yield TableDelta(sides[0], sides[1], {}, lambda: iter(()))


def _table_of(version: Version, name: str) -> Table | None:
    try:
        return table_of(version, name)
    except NotMade:
        return None


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
