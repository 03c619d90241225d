"""A difference as a sheet: one line a cell that changed, safe to open in a spreadsheet. It cannot be applied."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from isovc.formats.delta import Delta, cell_changes, row_patches
from isovc.formats.words import key_shown
from isovc.model import Value

HEAD = ("kind", "table", "op", "key", "column", "before", "after")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute what begins so


def lines(delta: Delta) -> Iterator[str]:
    """The sheet, each line with its end."""
    yield _line(HEAD)
    for each in delta.definitions:
        cells: tuple[Value, ...] = (each.type, each.name, each.op, each.was, "", each.before, each.after)
        yield _line([_cell(cell) for cell in cells])
    for table in delta.tables:
        for found in row_patches(table):
            key = _cell(found.key[0] if len(found.key) == 1 else key_shown(found.key))
            head = ["row", _cell(found.table), found.op, key]
            written = False
            for column, before, after in cell_changes(found, table.columns):
                yield _line([*head, _cell(column), _cell(before), _cell(after)])
                written = True
            if not written:  # a row of NULLs alone
                yield _line([*head, "", "", ""])


def _cell(value: Value) -> str:
    """NULL is nothing; a text that a spreadsheet would compute gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        return "'" + text if text.startswith(_FORMULA) else text
    return repr(value)


def _line(cells: tuple[str, ...] | list[str]) -> str:
    sheet = StringIO()
    csv.writer(sheet, lineterminator="\r\n").writerow(cells)
    return sheet.getvalue()
