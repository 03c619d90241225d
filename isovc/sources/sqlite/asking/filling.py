"""A file with one table in it, filled once and then only read. Knows nothing of where the rows come from or the file
is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeGuard

import apsw

from isovc.model import KeyKind, Row, Value
from isovc.model.shape import ROWID
from isovc.sources.sqlite.asking.keyed import INDEX, Keyed, add_collations, stored_declaration
from isovc.sources.sqlite.cells import as_bytes, placeholder
from isovc.sources.sqlite.failures import told
from isovc.sql import name, names

_PAGE = 16384  # bytes: a scan takes a tenth less time than with 4096, and no more is gained beyond
_VALUES = 160  # bound by one statement: several narrow rows at once take two thirds of the time
_ENCODING = "UTF-8"


class TooLarge(Exception):
    """The large values of a table weigh more than a file is to hold. It never leaves this library."""


def fill_file(path: Path, keyed: Keyed, part: Keyed, *, most: int) -> None:
    """Write the rows of a table, or of a part of its columns, into a new file. `most`: bytes of large values."""
    with told(path, seconds=0), closing(apsw.Connection(str(path.absolute()))) as connection:
        connection.execute(
            f"PRAGMA page_size={_PAGE}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE"
        )
        connection.execute("BEGIN")
        add_collations(
            connection, part.table, lambda _: None
        )  # the key is declared BINARY, so nothing compares by them
        declaration, behind = stored_declaration(keyed.table, part.table, part.called)
        connection.execute(declaration)
        columns, cells = _columns(keyed, part)
        into = f"INSERT INTO main.{name(part.called)} ({names(columns)}) VALUES"
        rows = chain.from_iterable(part.scan(cells, None, None, backwards=False))
        _insert(connection, into, len(columns), rows, _Fetched(part, most))
        connection.execute(behind)
        _tell_size(connection, keyed, part, behind)
        connection.execute("COMMIT")


def _columns(keyed: Keyed, part: Keyed) -> tuple[list[str], list[int]]:
    """What the statement names, and the cell that each takes."""
    places = dict(zip((column.name for column in keyed.table.columns), keyed.cell_of, strict=True))
    columns = [column.name for column in part.table.columns]
    cells = [places[column] for column in columns]
    if keyed.table.key_kind is KeyKind.ROWID:
        taken = {column.lower() for column in columns}
        columns.insert(0, next(word for word in ("rowid", "_rowid_", "oid") if word not in taken))
        cells.insert(0, 0)
    if not columns:  # nothing is asked of the rows but how many there are
        return ["isovc_nothing"], [0]
    return columns, cells


class _Fetched:
    """Rows with their large values, as long as there is room for them."""

    def __init__(self, part: Keyed, most: int) -> None:
        self._whole = part.whole
        self._left = most

    def __call__(self, row: Row) -> Row:
        found = tuple(map(self._whole, row))
        self._left -= sum(len(new) for new, old in zip(found, row, strict=True) if new is not old and _has_length(new))
        if self._left < 0:
            raise TooLarge
        return found


def _has_length(value: Value) -> TypeGuard[str | bytes]:
    return isinstance(value, (str, bytes))


def _insert(connection: apsw.Connection, into: str, width: int, rows: Iterator[Row], fetched: _Fetched) -> None:
    many = max(1, _VALUES // width)
    one = f"({', '.join('?' * width)})"
    statement = f"{into} {', '.join([one] * many)}"
    cursor = connection.cursor()
    some: list[Row] = []

    def feed() -> Iterator[tuple[Any, ...]]:
        nonlocal some
        while len(some := list(islice(rows, many))) == many:
            yield tuple(chain.from_iterable(some))

    while True:
        try:
            cursor.executemany(statement, feed())
        except (UnicodeEncodeError, TypeError):
            # one of them has text that is not valid, or a value that is still to be fetched: it could not be bound, so
            # none of them is in the table
            pass
        for row in some:
            places, bound = as_bytes(fetched(row), _ENCODING)
            connection.execute(f"{into} ({', '.join(placeholder(at, places) for at in range(width))})", bound)
        if len(some) < many:
            return


def _tell_size(connection: apsw.Connection, keyed: Keyed, part: Keyed, behind: str) -> None:
    """What ANALYZE would find out, as far as it is known without looking."""
    connection.execute("ANALYZE main.sqlite_schema")
    key = [cell for cell in keyed.table.key if cell != ROWID]
    by_key = bool(behind) or (
        keyed.table.key_kind is KeyKind.COLUMNS and set(key) <= {c.name for c in part.table.columns}
    )
    index = (INDEX if behind else part.called) if by_key else None
    same = [max(1, round(keyed.rows ** (1 - at / len(key)))) for at in range(1, len(key) + 1)] if by_key else []
    connection.execute(
        "INSERT INTO main.sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)",
        (part.called, index, " ".join(map(str, [keyed.rows, *same]))),
    )
