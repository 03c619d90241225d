"""What differs between two databases, as plain values: definitions, and rows by table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from isovc.model import Key, RowChange, Shape, Table, Value

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
    contents: Callable[[str], Iterator[list[tuple[Value, ...]]]]


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
            table=names.get(each.table or "", each.table),
            before=each.after,
            after=each.before,
            was=each.name if each.was else "",
            columns={new: old for old, new in each.columns.items()},
        )
        for each in definitions
    ]


def by_column(table: Table, row: tuple[Value, ...]) -> dict[str, Value]:
    """A row's declared cells. A rowid that is no column is in the key alone: a column may have its name."""
    width = len(table.key)
    cells = table.cells
    declared = {column.name for column in table.columns if column.primary_key}
    named = {cell: row[at] for at, cell in enumerate(cells[:width]) if cell in declared}
    named.update(zip(cells[width:], row[width:], strict=True))
    return named


def row_patch(delta: TableDelta, change: RowChange) -> RowPatch:
    """A change with its cells by column."""
    before = by_column(delta.before, change.before) if delta.before and change.before is not None else None
    after = by_column(delta.after, change.after) if delta.after and change.after is not None else None
    if delta.only:
        before = before and {name: cell for name, cell in before.items() if delta.columns.get(name, name) in delta.only}
        after = after and {name: cell for name, cell in after.items() if name in delta.only}
    return RowPatch(delta.name, change.key, before, after)


def cell_changes(change: RowPatch, columns: Mapping[str, str] = _NO_COLUMNS) -> Iterator[tuple[str, Value, Value]]:
    """(column, before, after) for each cell that differs; for a row that is on one side only, each that is not NULL.
    Columns that were renamed go by the new name."""
    before = {columns.get(name, name): value for name, value in (change.before or {}).items()}
    after = change.after or {}
    for name in dict.fromkeys([*after, *before]):
        old, new = before.get(name), after.get(name)
        if not same(old, new):
            yield name, old, new


def same(one: Value, other: Value) -> bool:
    """Equal and of one storage class; -0.0 is not 0.0."""
    if type(one) is not type(other) or one != other:
        return False
    return type(one) is not float or repr(one) == repr(other)
