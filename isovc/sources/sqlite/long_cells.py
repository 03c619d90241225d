"""Cells too long to be held, read and written piece by piece. Knows nothing of batches or transactions.

SQLite opens a cell by its rowid: of a table WITHOUT ROWID, of one whose columns take all names that the rowid has, and
of one with generated columns, every cell is held whole. So is text that is written, because what is made room for is
a blob.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import apsw

from isovc.model import Row, Unread
from isovc.sources.sqlite.access import Access
from isovc.sources.sqlite.cells import CODECS, LONG, LONG_TEXT, from_exact, read_whole
from isovc.sql import name

PIECES_FROM = 1 << 20  # bytes: a blob shorter than this is bound in less time than it takes to open it
_PIECE = 256 << 10  # bytes


@dataclass(frozen=True, slots=True)
class Apart:
    """What becomes of cells of more than `above` bytes that are no part of a key: `keep` takes the pieces of one, and
    whether it is text (which comes as UTF-8), and gives what stands in the row instead."""

    keep: Callable[[Iterable[bytes], bool], Any]
    above: int


def in_pieces(way: Access) -> bool:
    """Whether SQLite gives out the cells of this table piece by piece."""
    return bool(way.rowid) and not any(column.generated for column in way.table.columns)


def from_measured(
    connection: apsw.Connection, way: Access, row: Sequence[Any], rowid: Callable[[Row], int], apart: Apart
) -> Row:
    """A row that came in the measured way, with its long cells kept apart."""
    width = len(way.key)
    if not any(type(cell) is str and cell in LONG for cell in row[width:]):
        return from_exact(row, way.encoding)
    key = from_exact(row[:width], way.encoding)
    cells: list[Any] = list(key)
    for at, cell in enumerate(row[width:], width):
        if type(cell) is str and cell in LONG:
            with _opened(connection, way, way.table.cells[at], rowid(key)) as blob:
                pieces = _read(blob)
                is_text = cell == LONG_TEXT
                cells.append(apart.keep(_as_utf8(pieces, way.encoding) if is_text else pieces, is_text))
        else:
            cells += from_exact((cell,), way.encoding)
    return tuple(cells)


def _opened(connection: apsw.Connection, way: Access, column: str, rowid: int, *, writing: bool = False) -> apsw.Blob:
    return connection.blob_open("main", way.table.name, column, rowid, writing)


def _read(blob: apsw.Blob) -> Iterator[bytes]:
    while piece := blob.read(_PIECE):
        yield piece


def _as_utf8(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding == "UTF-8":
        yield from pieces
        return
    decoder = getincrementaldecoder(CODECS[encoding])("surrogatepass")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", True).encode("utf-8", "surrogatepass")


def is_long(cell: object) -> bool:
    """Whether it is a cell that may be written piece by piece."""
    return type(cell) is Unread and not cell.is_text and cell.length >= PIECES_FROM


class Laying:
    """Sets down the cells of rows that have not been read yet: room is made for a long one, and then it is filled.

    SQLite makes room without holding it where nothing but NULL, 0, 1 or empty text follows in the row.
    """

    def __init__(
        self, connection: apsw.Connection, way: Access, columns: Sequence[str], rowid: Callable[[Row], int]
    ) -> None:
        self._connection = connection
        self._way = way
        self._columns = columns  # what the first cells of a row are written to
        self._rowid = rowid

    def bound(self, row: Row) -> Row:
        """What to bind for a row."""
        cells: list[Any] = list(row)
        for at, cell in self._long(row).items():
            cells[at] = apsw.zeroblob(cell.length)
        return read_whole(tuple(cells))

    def fill(self, row: Row) -> None:
        """The row is there: write what room was made for."""
        for at, cell in self._long(row).items():
            with _opened(self._connection, self._way, self._columns[at], self._rowid(row), writing=True) as blob:
                for piece in cell.pieces():
                    blob.write(piece)

    def _long(self, row: tuple[Any, ...]) -> dict[int, Unread]:
        cells: dict[int, Unread] = {at: cell for at, cell in enumerate(row) if is_long(cell)}
        return {at: cell for at, cell in cells.items() if self._columns[at] in self._open}

    @cached_property
    def _open(self) -> frozenset[str]:
        """The columns that nothing is made of when a row is written: no index, no CHECK that is asked."""
        connection, table = self._connection, self._way.table
        if not in_pieces(self._way):
            return frozenset()
        if not connection.pragma("ignore_check_constraints"):
            sql = connection.execute(
                "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?", (table.name,)
            ).get
            if "CHECK" in sql.upper():
                return frozenset()
        taken: set[str] = set()
        for _, index, _, _, is_partial in connection.execute(f"PRAGMA main.index_list({name(table.name)})"):
            parts = connection.execute(f"PRAGMA main.index_xinfo({name(index)})").fetchall()
            if is_partial or any(column is None and cid == _EXPRESSION for _, cid, column, *_ in parts):
                return frozenset()  # which columns they are made of, only SQLite knows
            taken.update(str(column) for _, _, column, *_ in parts if column is not None)
        return frozenset(column.name for column in table.columns) - taken


_EXPRESSION = -2  # stands in an index for the number of a column
