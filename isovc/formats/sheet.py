"""Rows of any query as CSV (RFC 4180), so that NULL, an empty text and every number can be told apart again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from isovc.model import Row, Value

_QUOTED = frozenset(',"\r\n')


def lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """The sheet, each line with its end."""
    yield ",".join(map(_text, columns)) + "\r\n"
    for row in rows:
        yield ",".join(map(cell, row)) + "\r\n"


def cell(value: Value) -> str:
    """NULL is nothing, an empty text is two quotes, a blob is written as in SQL.

    >>> cell(None), cell(""), cell("a,b"), cell(b"\\x00\\xff"), cell(1e300), cell(2.0)
    ('', '""', '"a,b"', "x'00ff'", '1e+300', '2.0')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return repr(value)


def _text(text: str) -> str:
    if not text or not _QUOTED.isdisjoint(text) or text[0] == " " or text[-1] == " ":
        return '"' + text.replace('"', '""') + '"'
    return text
