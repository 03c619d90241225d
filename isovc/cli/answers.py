"""Answers to queries in the forms that people and programs read: an aligned table, JSON, JSON lines, CSV. Knows no
query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from unicodedata import category, east_asian_width

from isovc.cli.screen import Line, Styled
from isovc.formats.json_values import encode_value
from isovc.formats.words import shown
from isovc.model import Row, Value

_MEASURED = 1000  # rows that decide how wide a column is; what comes behind may stand out
_LONG = 60  # characters of a value on a terminal, as in a diff
_ESCAPES = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t"})


def distinct(columns: Sequence[str]) -> list[str]:
    """The names of the columns, each of which stands there once.

    >>> distinct(["id", "name", "id", "id_2"])
    ['id', 'name', 'id_3', 'id_2']
    """
    found: list[str] = []
    for label in columns:
        fresh, number = label, 2
        while fresh in found or (fresh != label and fresh in columns):
            fresh, number = f"{label}_{number}", number + 1
        found.append(fresh)
    return found


def json_pieces(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """One list of objects, a line a row."""
    begin = "["
    for line in json_lines(columns, rows):
        yield begin + line.rstrip("\n")
        begin = ",\n "
    yield "]\n" if begin != "[" else "[]\n"


def json_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """An object a line."""
    labels = distinct(columns)
    for row in rows:
        cells = dict(zip(labels, map(encode_value, row), strict=True))
        yield json.dumps(cells, ensure_ascii=False, allow_nan=False) + "\n"


def table(columns: Sequence[str], rows: Iterable[Row], *, shortened: bool) -> Iterator[Line]:
    """Columns under each other, numbers to the right. `shortened`: long values are cut."""
    if not columns:
        return
    left = iter(rows)
    first = list(islice(left, _MEASURED))
    head = [label.translate(_ESCAPES) for label in columns]
    cells = [[_cell(value, shortened=shortened) for value in row] for row in first]
    widths = [max(map(_width, column)) for column in zip(head, *cells, strict=True)]
    yield _line([Styled(_padded(label, width), "bold") for label, width in zip(head, widths, strict=True)])
    yield "  ".join("-" * width for width in widths)
    for row in chain(first, left):
        pieces: list[str | Styled] = []
        for value, width in zip(row, widths, strict=True):
            padded = _padded(_cell(value, shortened=shortened), width, right=isinstance(value, (int, float)))
            pieces.append(Styled(padded, "dim") if value is None else padded)
        yield _line(pieces)


def plain(line: Line) -> str:
    """A line without its styles."""
    pieces = line if isinstance(line, tuple) and not isinstance(line, Styled) else (line,)
    return "".join(piece.text if isinstance(piece, Styled) else piece for piece in pieces)


def _line(pieces: Sequence[str | Styled]) -> Line:
    spaced: list[str | Styled] = []
    for piece in pieces:
        spaced += ["  ", piece]
    last = spaced[-1]
    spaced[-1] = last._replace(text=last.text.rstrip()) if isinstance(last, Styled) else last.rstrip()
    return tuple(spaced[1:])


def _cell(value: Value, *, shortened: bool) -> str:
    if isinstance(value, str):
        text = value.translate(_ESCAPES)
        return text[: _LONG - 3] + "..." if shortened and len(text) > _LONG else text
    if isinstance(value, bytes) and not shortened:
        return f"x'{value.hex()}'"
    return shown(value)


def _padded(text: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    """Cells of a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if category(c) in ("Mn", "Me", "Cf") else 1 + (east_asian_width(c) in "WF") for c in text)
