"""What waits, with the values of each side as the database would have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from isovc.errors import NoSuchTable
from isovc.model import Row, Table, Value
from isovc.repo.merges import OPEN, SETTLED, Contested, Merge, contested_in
from isovc.snapshot.values import with_large
from isovc.snapshot.virtual.rows import table_of
from isovc.workspace.desk import Desk
from isovc.workspace.merging.choosing import Which
from isovc.workspace.merging.waiting import side

# the value of one cell, or the text of a definition, as the only cell of a row; all cells by column; or nothing
Side: TypeAlias = Row | dict[str, Value] | None


def listed(desk: Desk, merge: Merge, which: Which, state: str = OPEN) -> Iterator[tuple[Contested, Sequence[Side]]]:
    """Everything that is meant, with what base, ours and theirs have there. `state`: what waits, or what is settled; of
    that no side is told where its table has got other columns since."""
    forest = desk.repository.forest
    merged = side(desk, merge, "merged")
    tables: dict[str, Table | None] = {}
    which = which.among_all(contested_in(forest, merge, state))
    for each in which.among(contested_in(forest, merge, state)):
        rows = [None if row is None else with_large(forest.store, row) for row in each.sides]
        if each.key is None:
            yield each, rows
            continue
        if each.table not in tables:
            tables[each.table] = table_of(merged, each.table)
        table = tables[each.table]
        if state == SETTLED and not _has_columns_of(table, each, rows):
            yield each, (None, None, None)
            continue
        assert table is not None  # it has rows that wait
        yield each, [None if row is None else _shown(each, table, row) for row in rows]


def check_table(desk: Desk, merge: Merge, which: Which) -> None:
    """Refuse a table that is none: where nothing waits in one that is, that is the answer."""
    shape = side(desk, merge, "merged").shape
    known = {name.lower() for name in (*shape.tables, *(each.name for each in shape.objects))}
    if which.table.lower() not in known:
        raise NoSuchTable(table=which.table, known=sorted(shape.tables))


def _has_columns_of(table: Table | None, each: Contested, rows: Sequence[Row | None]) -> bool:
    return (
        table is not None
        and (each.column is None or each.column in table.cells)
        and all(row is None or len(row) == len(table.cells) for row in rows)
    )


def _shown(each: Contested, table: Table, row: Row) -> Side:
    cells = dict(zip(table.cells, row, strict=True))
    if each.column is not None:
        return (cells[each.column],)
    columns = {column.name for column in table.columns}  # a rowid is said by the key
    return {name: value for name, value in cells.items() if name in columns}
