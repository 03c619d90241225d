"""Cells out of SQLite and into it without a bit lost. Knows nothing of tables.

The quick way asks for text as UTF-8. That fails for text that is not valid, and in a UTF-16 database SQLite
would silently make other text of lone surrogates. The exact way asks for the stored bytes: text comes as bytes, a
blob as its hex digits, so that the two stay apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import apsw

from isovc.model import Row, Unread, Value

CODECS = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}


def exact(expression: str) -> str:
    """SQL that brings a cell in the exact way."""
    return (
        f"CASE typeof({expression}) WHEN 'text' THEN CAST({expression} AS BLOB)"
        f" WHEN 'blob' THEN hex({expression}) ELSE {expression} END"
    )


# stand for a cell that is only measured: text that no hex digits of a blob look like
LONG_TEXT, LONG_BLOB = LONG = ("t", "b")


def measured(expression: str, above: int) -> str:
    """SQL that brings a cell in the exact way, or what stands for it if it is too long; its bytes are not looked at."""
    stands = f"CASE typeof({expression}) WHEN 'text' THEN '{LONG_TEXT}' ELSE '{LONG_BLOB}' END"
    return f"CASE WHEN octet_length({expression}) > {above} THEN {stands} ELSE {exact(expression)} END"


def from_exact(row: Sequence[Any], encoding: str) -> Row:
    """A row that came in the exact way."""
    return tuple(_value(cell, encoding) for cell in row)


def _value(cell: Any, encoding: str) -> Value:
    if type(cell) is str:
        return bytes.fromhex(cell)
    if type(cell) is not bytes:
        return cell  # type: ignore[no-any-return]  # NULL and numbers come as they are
    return text_of(cell, encoding)


def text_of(data: bytes, encoding: str) -> str:
    """The str for the stored bytes of a text; what is not valid becomes escaped UTF-8 bytes."""
    if encoding != "UTF-8":
        data = data.decode(CODECS[encoding], "surrogatepass").encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "surrogateescape")


def stored_bytes(text: str, encoding: str) -> bytes:
    """The other way: the bytes that a database of this encoding stores for a text."""
    data = text.encode("utf-8", "surrogateescape")
    return (
        data if encoding == "UTF-8" else data.decode("utf-8", "surrogatepass").encode(CODECS[encoding], "surrogatepass")
    )


Statement = Callable[[frozenset[int]], str]  # SQL for rows whose cells at these places are bound as bytes


def placeholder(place: int, as_bytes: frozenset[int]) -> str:
    """How the statement takes the cell bound at this place."""
    return f"CAST(?{place + 1} AS TEXT)" if place in as_bytes else f"?{place + 1}"


class Late(Protocol):
    """Sets down cells that have not been read yet."""

    def bound(self, row: Row) -> Row:
        """What to bind for such a row."""

    def fill(self, row: Row) -> None:
        """The row has been taken: whatever is still to be done."""


REFUSING = (apsw.ConstraintError, apsw.MismatchError, apsw.SQLError)  # what a row raises that a table does not take
Refused = Callable[[Row, apsw.Error], None]


def run(
    connection: apsw.Connection,
    statement: Statement,
    rows: Iterable[Row],
    encoding: str,
    refused: Refused | None = None,
    *,
    late: Late | None = None,
) -> None:
    """Run a statement once a row. Only rows with text that is not valid, or with cells not read yet, go by themselves.

    `refused` is told of each row that is not taken, and the others go on: then the statement is one that compiles.
    Without `late`, cells not read yet are read whole."""
    cursor, left = connection.cursor(), iter(rows)
    last: Row = ()

    def feed() -> Iterator[Row]:
        nonlocal last
        for last in left:  # noqa: UP028  # `last` is what a failing row is known by
            yield last

    while True:
        try:
            cursor.executemany(statement(frozenset()), feed())
        except (UnicodeEncodeError, TypeError):
            is_late = Unread in map(type, last)
            row = last if not is_late else late.bound(last) if late else read_whole(last)
            places, bound = as_bytes(row, encoding)
            if not (is_late or places):
                raise
            try:
                cursor.execute(statement(places), bound)
            except REFUSING as error:
                if refused is None:
                    raise
                refused(last, error)
            else:
                if is_late and late:
                    late.fill(last)
        except REFUSING as error:
            if refused is None:
                raise
            refused(last, error)
        else:
            return


def read_whole(row: tuple[Any, ...]) -> Row:
    """The row with all of its cells read."""
    return tuple(cell.value() if type(cell) is Unread else cell for cell in row)


def as_bytes(row: Row, encoding: str) -> tuple[frozenset[int], Row]:
    """Where a row has text that cannot be bound as text, and the row with its bytes in there."""
    places = frozenset([i for i, cell in enumerate(row) if type(cell) is str and not _valid(cell)])
    if not places:
        return places, row
    bound = (stored_bytes(str(cell), encoding) if i in places else cell for i, cell in enumerate(row))
    return places, tuple(bound)


def _valid(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
