"""A difference as a sheet: one line a change, safe to open in a spreadsheet. It cannot be applied. Docs:
docs/formats/diff.md."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from isovc.formats.delta import Definition, Delta, RowPatch, cell_changes, row_patches
from isovc.formats.json_values import encode_value
from isovc.model import Value

HEAD = ("kind", "table", "op", "key", "before", "after")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute what begins so
_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def lines(delta: Delta) -> Iterator[str]:
    """The sheet, each line with its end."""
    yield _line(HEAD)
    for each in delta.definitions:
        before, after = _defined(each, each.was or each.name, each.before), _defined(each, each.name, each.after)
        yield _line((each.type, _name(each.name), each.op, "", before, after))
    for table in delta.tables:
        for found in row_patches(table):
            key = _dump([encode_value(value) for value in found.key])
            yield _line(("row", _name(found.table), found.op, key, *_sides(found, table.columns)))


def _sides(found: RowPatch, columns: Mapping[str, str]) -> tuple[str, str]:
    """Of a row that is on both sides only the cells that differ: the key says which row it is."""
    if found.before is None or found.after is None:
        return _cells(found.before), _cells(found.after)
    differing = list(cell_changes(found, columns))
    return (
        _cells({column: before for column, before, _ in differing}),
        _cells({column: after for column, _, after in differing}),
    )


def _cells(cells: Mapping[str, Value] | None) -> str:
    """Nothing where there is no row; a NULL in a row is null."""
    return "" if cells is None else _dump({_text(name): encode_value(value) for name, value in cells.items()})


def _defined(each: Definition, name: str, said: str | int | None) -> str:
    if said is None:
        return ""
    found: dict[str, Any] = (
        {"value": said} if each.type == "pragma" else {"name": _text(name), "sql": encode_value(said)}
    )
    return _dump(found)


def _name(name: str) -> str:
    """One that a spreadsheet would compute gets an apostrophe."""
    text = _text(name)
    return "'" + text if text.startswith(_FORMULA) else text


def _text(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _line(cells: tuple[str, ...]) -> str:
    sheet = StringIO()
    csv.writer(sheet, lineterminator="\r\n").writerow(cells)
    return sheet.getvalue()
