"""Tables of a version as files on the shelf: one table or a part of its columns, or a whole database with the rows of
some tables."""

from __future__ import annotations

from collections.abc import Iterable, Set
from contextlib import suppress
from functools import partial
from pathlib import Path

from isovc.encoding.digest import fingerprint_bytes
from isovc.model import Row
from isovc.snapshot.move import all_rows
from isovc.snapshot.query.shelf import Shelf
from isovc.snapshot.version import Version, encode_version
from isovc.sources.sqlite import Database
from isovc.sources.sqlite.asking import Keyed, TooLarge, fill_file
from isovc.tree.forest import Forest

_LAYOUT = "1"  # of the files; another number, and none of before is found
_PARTS = 2  # files with a part of the columns, after which all of them are filled: the next query wants others
_ALL = "all"


def filled(shelf: Shelf, keyed: Keyed, columns: Set[str]) -> Path:
    """A file with the rows of a table and at least these columns (in lower case)."""
    prefix = name_of(f"{_LAYOUT} {keyed.called} {keyed.table!r}", keyed.content)
    known = shelf.find(f"{prefix}-{_ALL}")
    if known is not None:
        return known
    part = keyed.seen_with(columns)
    label = name_of("\0".join(column.name for column in part.table.columns))[:16]
    known = shelf.find(f"{prefix}-{label}")
    if known is not None:
        return known
    if shelf.count(prefix) >= _PARTS:
        with suppress(TooLarge):  # of columns that nobody asked for
            return shelf.make(f"{prefix}-{_ALL}", partial(_fill, keyed, keyed, shelf.capacity))
    return shelf.make(f"{prefix}-{_ALL if part is keyed else label}", partial(_fill, keyed, part, shelf.capacity))


def database(shelf: Shelf, forest: Forest, version: Version, tables: Set[str]) -> Path:
    """A database file with the definitions of a version, and the rows of these tables."""
    shown = encode_version(version)
    key = name_of(_LAYOUT, *shown.values(), *sorted(name.encode("utf-8", "surrogatepass") for name in tables))
    return shelf.find(f"{key}-whole") or shelf.make(f"{key}-whole", partial(_write, forest, version, tables))


def _fill(keyed: Keyed, part: Keyed, most: int, path: Path) -> None:
    fill_file(path, keyed, part, most=most)


def _write(forest: Forest, version: Version, tables: Set[str], path: Path) -> None:
    contents: dict[str, Iterable[list[Row]]] = {
        name: all_rows(forest, version, name) if name in tables else () for name in version.shape.tables
    }
    with Database.create(path, version.shape).writing() as writing:
        writing.apply(version.shape, {}, contents=contents)


def name_of(*parts: str | bytes) -> str:
    """A name made of what these are."""
    encoded = [part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in parts]
    return fingerprint_bytes(b"".join(map(fingerprint_bytes, encoded))).hex()
