"""What differs between two databases, as plain values: definitions, and rows by table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from isovc.model import Key, KeyKind, Row, RowChange, Shape, Table, Value

_BACK = {"added": "removed", "removed": "added"}
_NO_COLUMNS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition, or one pragma, that differs."""

    op: str  # added, modified, removed, renamed
    type: str  # table, index, view, trigger, pragma
    name: str
    table: str | None  # what it belongs to
    before: str | int | None
    after: str | int | None
    was: str = ""  # the name before it was renamed
    columns: Mapping[str, str] = field(default_factory=dict)  # of a table, renamed: old name -> new name
    was_table: str = ""  # what it belonged to, where that is another table and not the same one renamed


@dataclass(frozen=True, slots=True)
class TableDelta:
    """One table whose rows may differ; None on a side: there is no such table. Rows before have the cells of `before`,
    rows after those of `after`. `rows` gives the changes in key order, each time it is asked."""

    before: Table | None
    after: Table | None
    columns: Mapping[str, str]
    rows: Callable[[], Iterator[RowChange]]
    only: frozenset[str] = frozenset()  # the columns that are asked for; none: all of them

    @property
    def shown(self) -> Table:
        """The newer table that there is."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def name(self) -> str:
        """What it is called."""
        return self.shown.name


@dataclass(frozen=True, slots=True)
class Delta:
    """Everything that differs. `contents`: all rows of a table of the new side."""

    old: Shape
    new: Shape
    definitions: tuple[Definition, ...]
    tables: tuple[TableDelta, ...]
    contents: Callable[[str], Iterator[list[Row]]]


@dataclass(frozen=True, slots=True)
class RowPatch:
    """One row as a patch has it: the cells before and after by column; None where there is no such row. Of a row that
    is on both sides there may be only the cells that differ."""

    table: str
    key: Key
    before: Mapping[str, Value] | None
    after: Mapping[str, Value] | None

    @property
    def op(self) -> str:
        """added, modified or removed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "modified"

    def reversed(self) -> RowPatch:
        """The way back."""
        return replace(self, before=self.after, after=self.before)


def reversed_definitions(definitions: Iterable[Definition]) -> list[Definition]:
    """The way back."""
    definitions = list(definitions)
    names = {each.name: each.was for each in definitions if each.op == "renamed"}
    return [
        replace(
            each,
            op=_BACK.get(each.op, each.op),
            name=each.was or each.name,
            table=each.was_table or names.get(each.table or "", each.table),
            before=each.after,
            after=each.before,
            was=each.name if each.was else "",
            columns={new: old for old, new in each.columns.items()},
            was_table=(each.table or "") if each.was_table else "",
        )
        for each in definitions
    ]


def key_columns(table: Table) -> tuple[str, ...]:
    """The columns that name a row; where they do not suffice, a rowid that is none of them stands behind them."""
    return table.key if table.key_kind in (KeyKind.INTEGER, KeyKind.COLUMNS) else table.key[:-1]


def namer(table: Table) -> Callable[[Row], dict[str, Value]]:
    """What gives a row's cells by column. A rowid that is no column is in the key alone: a column may have its name."""
    cells, first, rest = table.cells, len(key_columns(table)), len(table.key)
    names = (*cells[:first], *cells[rest:])

    def named(row: Row) -> dict[str, Value]:
        return dict(zip(names, row if first == rest else (*row[:first], *row[rest:]), strict=True))

    return named


def row_patches(delta: TableDelta) -> Iterator[RowPatch]:
    """The changes with their cells by column."""
    name, only = delta.name, delta.only
    was, now = namer(delta.before or delta.shown), namer(delta.after or delta.shown)
    for change in delta.rows():
        before = None if change.before is None else was(change.before)
        after = None if change.after is None else now(change.after)
        if only:
            before = before and {cell: value for cell, value in before.items() if delta.columns.get(cell, cell) in only}
            after = after and {cell: value for cell, value in after.items() if cell in only}
        yield RowPatch(name, change.key, before, after)


def cell_changes(change: RowPatch, columns: Mapping[str, str] = _NO_COLUMNS) -> Iterator[tuple[str, Value, Value]]:
    """(column, before, after) for each cell that differs; for a row that is on one side only, each that is not NULL.
    Columns that were renamed go by the new name."""
    before, after = change.before or {}, change.after or {}
    if columns:
        before = {columns.get(name, name): value for name, value in before.items()}
    for name in after if after.keys() == before.keys() else dict.fromkeys([*after, *before]):
        old, new = before.get(name), after.get(name)
        if not same(old, new):
            yield name, old, new


def same(one: Value, other: Value) -> bool:
    """Equal and of one storage class; -0.0 is not 0.0."""
    if one is other:
        return True
    if type(one) is not type(other) or one != other:
        return False
    return type(one) is not float or repr(one) == repr(other)
