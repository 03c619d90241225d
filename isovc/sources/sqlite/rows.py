"""Reads the rows of one table by the batch, in tree order or by rowid. Knows nothing of shapes or pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from sys import getsizeof

import apsw

from isovc.model import Key, KeyKind, KeyRange, Row
from isovc.sources.sqlite.access import Access, in_range
from isovc.sources.sqlite.cells import as_bytes, from_exact
from isovc.sources.sqlite.long_cells import Apart, from_measured, in_pieces
from isovc.sql import name

BATCH_ROWS = 1024  # rows: enough to forget the cost of a batch
_BATCH_BYTES = 4 << 20  # bytes: what a batch aims at; ten batches under way stay far below the memory allowed
_STEP_ROWS = 16  # rows taken before one is weighed: a run of large values is noticed after so many, for 4 % of the time
_WHOLE = KeyRange(None, None)


def read_rows(
    connection: apsw.Connection, way: Access, within: KeyRange | None = None, apart: Apart | None = None
) -> Iterator[list[Row]]:
    """All rows, or those in the range, in tree order. `apart`: what becomes of long cells, which are not held then."""
    within, apart = within or _WHOLE, apart if in_pieces(way) else None
    if needs_exact(connection, way):
        where, bounds = in_range(way, within)
        return _batches(_taker(_fetch(connection, way, where, bounds, exactly=True, ordered=True, apart=apart)))
    return _batches(_Quick(connection, way, within, apart).take)


class _Quick:
    """Rows in tree order in the quick way, and from where that does not do on in another one."""

    def __init__(self, connection: apsw.Connection, way: Access, within: KeyRange, apart: Apart | None) -> None:
        self._connection = connection
        self._way = way
        self._within = within
        self._apart = apart
        self._last = within.after
        self._most = apart.above if apart else -1  # bytes a cell may have; -1: as many as SQLite lets it
        self._rows: Iterator[Row] | None = None

    def take(self, count: int) -> list[Row]:
        """The next rows, fewer where there are no more."""
        rows: list[Row] = []
        while True:
            try:
                self._add(rows, count)
            except UnicodeDecodeError:
                # the cursor has gone past the row that could not be told; what came before it is in the list
                rows.append(_next_row(self._connection, self._way, self._behind(rows)))
                continue
            except apsw.TooBigError:
                if self._most < 0:
                    raise
                self._most = -1
                self._rows = self._measuring(self._behind(rows))
                continue
            if rows:
                self._last = rows[-1][: len(self._way.key)]
            return rows

    def _add(self, rows: list[Row], count: int) -> None:
        usual = self._connection.limit(apsw.SQLITE_LIMIT_LENGTH, self._most)
        try:
            if self._rows is None:
                where, bounds = in_range(self._way, self._within)
                self._rows = iter(self._connection.execute(self._way.select(where, exactly=False), bounds))
            rows.extend(islice(self._rows, count - len(rows)))
        finally:
            # others read through this connection between two batches, and know of no limit
            self._connection.limit(apsw.SQLITE_LIMIT_LENGTH, usual)

    def _behind(self, rows: list[Row]) -> KeyRange:
        return KeyRange(rows[-1][: len(self._way.key)] if rows else self._last, self._within.upto)

    def _measuring(self, within: KeyRange) -> Iterator[Row]:
        where, bounds = in_range(self._way, within)
        return _fetch(self._connection, self._way, where, bounds, exactly=True, ordered=True, apart=self._apart)


def read_rowids(
    connection: apsw.Connection, way: Access, ranges: Iterable[KeyRange], apart: Apart | None = None
) -> Iterator[list[Row]]:
    """Rows by ranges of the rowid, in the order of the rowid, whatever their key is."""
    apart = apart if in_pieces(way) else None
    exactly = apart is not None or needs_exact(connection, way)
    for within in ranges:
        bounds = [(sign, cells[0]) for sign, cells in ((">", within.after), ("<=", within.upto)) if cells]
        where = " AND ".join(f"{way.rowid} {sign} ?{i + 1}" for i, (sign, _) in enumerate(bounds))
        order = f"{where or 'true'} ORDER BY {way.rowid}"
        bound = tuple(cell for _, cell in bounds)
        read = 0
        try:
            for batch in _batches(_taker(_fetch(connection, way, order, bound, exactly=exactly, apart=apart))):
                read += len(batch)
                yield batch
        except UnicodeDecodeError:
            yield from _batches(_taker(islice(_fetch(connection, way, order, bound, exactly=True), read, None)))


def read_keys(connection: apsw.Connection, way: Access, keys: Iterable[Key]) -> Iterator[list[Row]]:
    """The rows with these keys, as far as there are such, in the order asked for."""
    found = (row for key in keys for row in _with_key(connection, way, key))
    return _batches(_taker(found))


def _with_key(connection: apsw.Connection, way: Access, key: Key) -> list[Row]:
    where, bound = find_key(way, key)
    try:
        return list(_fetch(connection, way, where, bound, exactly=needs_exact(connection, way)))
    except UnicodeDecodeError:
        return list(_fetch(connection, way, where, bound, exactly=True))


def find_key(way: Access, key: Key) -> tuple[str, Row]:
    """The condition for one row, and what to bind."""
    if way.table.key_kind is KeyKind.COLUMNS_OR_ROWID:
        if key[-1] is not None:
            return f"{way.rowid} = ?1", key[-1:]
        key = key[:-1]
    places, bound = as_bytes(key, way.encoding)
    return way.is_key(places), bound


def needs_exact(connection: apsw.Connection, way: Access) -> bool:
    """The quick way would not do: SQLite changes text on its way, or a row does not fit into one result."""
    return way.encoding != "UTF-8" or len(way.cells) > connection.limit(apsw.SQLITE_LIMIT_COLUMN)


def _fetch(
    connection: apsw.Connection,
    way: Access,
    where: str,
    bound: Row,
    *,
    exactly: bool,
    ordered: bool = False,
    apart: Apart | None = None,
) -> Iterator[Row]:
    # A table may have as many columns as a result can, and then its rowid is one more: read in two halves side by side.
    width, most = len(way.cells), connection.limit(apsw.SQLITE_LIMIT_COLUMN)
    parts = [slice(first, first + most) for first in range(0, width, most)]
    above = apart.above if apart else None
    cursors = [
        connection.execute(way.select(where, exactly=exactly, ordered=ordered, part=part, above=above), bound)
        for part in parts
    ]
    rows = cursors[0] if len(cursors) == 1 else map(chain.from_iterable, zip(*cursors, strict=True))
    if apart is not None:
        rowid = partial(rowid_of, connection, way)
        return (from_measured(connection, way, tuple(row), rowid, apart) for row in rows)
    return (from_exact(tuple(row), way.encoding) for row in rows) if exactly else iter(cursors[0])


def rowid_of(connection: apsw.Connection, way: Access, key: Key) -> int:
    """The rowid of the row with this key."""
    if way.table.key_kind in (KeyKind.INTEGER, KeyKind.ROWID):
        return int(key[0])  # type: ignore[arg-type]  # of these tables it is one
    where, bound = find_key(way, key)
    return int(connection.execute(f"SELECT {way.rowid} FROM main.{name(way.table.name)} WHERE {where}", bound).get)


def _next_row(connection: apsw.Connection, way: Access, within: KeyRange) -> Row:
    where, bounds = in_range(way, within)
    return next(_fetch(connection, way, where, bounds, exactly=True, ordered=True))


def _taker(rows: Iterator[Row]) -> Callable[[int], list[Row]]:
    return lambda count: list(islice(rows, count))


def _batches(take: Callable[[int], list[Row]]) -> Iterator[list[Row]]:
    """Batches of about a thousand rows, of fewer where rows are heavy."""
    batch: list[Row] = []
    step, held = _STEP_ROWS, 0
    while len(rows := take(step)) == step:
        batch += rows
        weight = sum(map(getsizeof, rows[-1])) or 1
        held += weight * step
        if len(batch) >= BATCH_ROWS or held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
        step = max(1, min(_STEP_ROWS, _BATCH_BYTES // weight))
    batch += rows
    if batch:
        yield batch
