"""Rows of any query as a Parquet file. A column there has one type, so what would not come back as it is is refused.
Knows nothing of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from isovc.errors import ParquetNotInstalled, ValueHasNoPlace
from isovc.model import Row

_GROUP = 65_536  # rows that are written together: of a hundred bytes each, a few MB in memory
_EXACT = 1 << 53  # integers up to here are floats too


def check_installed() -> None:
    """Raise if the library is not there, before anything is asked."""
    _library()


def write(path: Path, columns: Sequence[str], rows: Callable[[], Iterator[Row]]) -> int:
    """Write a new file and say how many rows there are. `rows` gives them each time it is called: first their types are
    looked at."""
    arrow, parquet = _library()
    kinds: list[set[type]] = [set() for _ in columns]
    largest = [0] * len(columns)
    for row in rows():
        for at, value in enumerate(row):
            kinds[at].add(type(value))
            if type(value) is int:
                largest[at] = max(largest[at], abs(value))
            elif isinstance(value, str) and not _is_valid(value):
                raise ValueHasNoPlace(what=f"text of the column {columns[at]!r} that is not valid", form="Parquet")
    types = [_type(arrow, label, kinds[at], largest[at]) for at, label in enumerate(columns)]
    schema = arrow.schema(list(zip(columns, types, strict=True)))
    many = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for batch in _batches(rows()):
            cells = zip(*batch, strict=True)
            arrays = [arrow.array(column, type=kind) for column, kind in zip(cells, types, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            many += len(batch)
    return many


def _type(arrow: Any, label: str, kinds: set[type], largest: int) -> Any:
    kinds = kinds - {type(None)}
    if not kinds:
        return arrow.null()
    if kinds == {int}:
        return arrow.int64()
    if kinds == {float} or (kinds == {int, float} and largest <= _EXACT):
        return arrow.float64()
    if kinds == {str}:
        return arrow.string()
    if kinds == {bytes}:
        return arrow.binary()
    names = {int: "integers", float: "floats", str: "text", bytes: "blobs"}
    mixed = " and ".join(sorted(names[kind] for kind in kinds))
    raise ValueHasNoPlace(what=f"the column {label!r} with {mixed}", form="Parquet")


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _GROUP:
            yield batch
            batch = []
    if batch:
        yield batch


def _is_valid(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _library() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ParquetNotInstalled from None
    return pyarrow, pyarrow.parquet
