"""What columns of another type make of values, as SQLite does it. Knows nothing of trees or versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from isovc.errors import RowRefused
from isovc.model import Column, KeyKind, Row, Table
from isovc.sources.sqlite import Twin, twin
from isovc.sql import affinity, name

_NAME = "isovc_values"


class Settling:
    """Columns of a table by themselves: only their types decide here, no rule about rows."""

    def __init__(self, like: Twin, cells: Sequence[int]) -> None:
        self._like = like
        self.cells = cells

    def settled(self, rows: Sequence[Row]) -> list[tuple[Row, frozenset[int]]]:
        """Whole rows with the chosen cells as the columns keep them, and the cells that their types refuse."""
        picked = [tuple(row[cell] for cell in self.cells) for row in rows]
        try:
            found = [(values, frozenset[int]()) for values in self._through(picked)]
        except RowRefused:
            found = [self._one(values) for values in picked]
        result = []
        for row, (values, refused) in zip(rows, found, strict=True):
            cells = list(row)
            for cell, value in zip(self.cells, values, strict=True):
                cells[cell] = value
            result.append((tuple(cells), refused))
        return result

    def _one(self, values: Row) -> tuple[Row, frozenset[int]]:
        """One row value by value: what is refused is told, and stands as it is."""
        kept: list[object] = []
        refused = set()
        for at, value in enumerate(values):
            alone = tuple(value if place == at else None for place in range(len(values)))
            try:
                kept.append(self._through([alone])[0][at])
            except RowRefused:
                kept.append(value)
                refused.add(self.cells[at])
        return tuple(kept), frozenset(refused)  # type: ignore[arg-type]

    def _through(self, values: Sequence[Row]) -> list[Row]:
        return [row[1:] for row in self._like.settled((at, *each) for at, each in enumerate(values))]


@contextmanager
def settling(table: Table, cells: Sequence[int], encoding: str) -> Iterator[Settling]:
    """The cells of a table, taken for what their columns make of values."""
    declared = {column.name: column for column in table.columns}
    types = [_type(declared[table.cells[cell]], table) for cell in cells]
    columns = tuple(Column(f"c{at}", said) for at, said in enumerate(types))
    like = Table(_NAME, columns, KeyKind.ROWID, strict=table.strict)
    said = ", ".join(f"{name(column.name)} {column.type}" for column in columns)
    sql = f"CREATE TABLE {_NAME} ({said}){' STRICT' if table.strict else ''}"
    with twin(like, sql, encoding, Path(":memory:")) as made:
        yield Settling(made, cells)


def _type(column: Column, table: Table) -> str:
    return column.type.upper() if table.strict else affinity(column.type)
