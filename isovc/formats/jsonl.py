"""A patch as lines of JSON, one a change, and back. Docs: docs/formats/diff.md.

{"schema": {"op", "type", "name", "table", "before", "after"}}        a definition; also "was", "was_table", "columns"
{"table", "op", "key": [...], "before": {...} | null, "after": {...} | null}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from isovc.formats.delta import Definition, Delta, RowPatch, row_patches
from isovc.formats.json_values import decode_value, encode_value
from isovc.model import Value

_OPS = ("added", "modified", "removed")
_TYPES = ("table", "index", "view", "trigger", "pragma")
_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def lines(delta: Delta) -> Iterator[str]:
    """The patch, each line with its end."""
    for definition in delta.definitions:
        yield definition_line(definition) + "\n"
    for table in delta.tables:
        for row in row_patches(table):
            yield row_line(row) + "\n"


def definition_line(each: Definition) -> str:
    """A line for a definition."""
    said: dict[str, Any] = {"op": each.op, "type": each.type, "name": each.name, "table": each.table}
    if each.was:
        said["was"] = each.was
    if each.was_table:
        said["was_table"] = each.was_table
    if each.columns:
        said["columns"] = dict(each.columns)
    return _dump({"schema": {**said, "before": each.before, "after": each.after}})


def row_line(each: RowPatch) -> str:
    """A line for a row."""
    key = [encode_value(value) for value in each.key]
    return _dump(
        {"table": each.table, "op": each.op, "key": key, "before": _cells(each.before), "after": _cells(each.after)}
    )


def decode_line(line: str) -> Definition | RowPatch:
    """What a line says; ValueError where it is none of ours."""
    said = _load(line)
    if not isinstance(said, dict):
        raise ValueError("it is no object")
    if "schema" in said:
        return _definition(said["schema"])
    op, table, key = said.get("op"), said.get("table"), said.get("key")
    if op not in _OPS or not isinstance(table, str) or not isinstance(key, list):
        raise ValueError('it has no "table", "op" and "key" of a change')
    before, after = _decoded(said.get("before")), _decoded(said.get("after"))
    found = RowPatch(table, tuple(map(decode_value, key)), before, after)
    if (before is None and after is None) or found.op != op:
        raise ValueError(f'its "before" and "after" are not those of a row that was {op}')
    return found


def _cells(cells: Mapping[str, Value] | None) -> dict[str, Any] | None:
    return None if cells is None else {name: encode_value(value) for name, value in cells.items()}


def _decoded(said: Any) -> dict[str, Value] | None:
    if said is None:
        return None
    if not isinstance(said, dict):
        raise ValueError("the cells of a row are an object")
    return {name: decode_value(value) for name, value in said.items()}


def _definition(said: Any) -> Definition:
    if not isinstance(said, dict):
        raise ValueError("a definition is an object")
    found = Definition(
        op=said.get("op", ""),
        type=said.get("type", ""),
        name=said.get("name", ""),
        table=said.get("table"),
        before=said.get("before"),
        after=said.get("after"),
        was=said.get("was", ""),
        columns=said.get("columns", {}),
        was_table=said.get("was_table", ""),
    )
    sides: tuple[type, ...] = (int,) if found.type == "pragma" else (str,)
    wanted = {
        "added": (found.before is None, found.after is not None),
        "removed": (found.before is not None, found.after is None),
    }.get(found.op, (found.before is not None, found.after is not None))
    texts = (found.name, found.was, found.table or "", found.was_table, *_texts(found.columns))
    if (
        found.op not in (*_OPS, "renamed")
        or found.type not in _TYPES
        or not all(wanted)
        or not all(isinstance(side, (*sides, type(None))) for side in (found.before, found.after))
        or not all(isinstance(text, str) for text in texts)
        or (found.op == "renamed") != bool(found.was)
    ):
        raise ValueError("it is no definition that differs")
    return found


def _texts(columns: Any) -> list[Any]:
    return [*columns, *columns.values()] if isinstance(columns, dict) else [columns]


def _real(text: str) -> float:
    """A number with a point or an exponent, which JSON may write larger than any that there is."""
    value = float(text)
    return value if isfinite(value) else _no_value(text)


def _no_value(text: str) -> float:
    sign = "-" if text.startswith("-") else ""
    raise ValueError(f'{text[:40]} is no number that a cell can hold; an infinity is {{"$real":"{sign}inf"}}')


_load = json.JSONDecoder(parse_float=_real, parse_constant=_no_value).decode
