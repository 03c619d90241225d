"""Rows that name files, held against the files there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from isovc.errors import NoSuchColumn, NoSuchTable
from isovc.model import Key, Table, Value
from isovc.snapshot.files import files_in
from isovc.snapshot.version import Version
from isovc.sql import folded
from isovc.tree.forest import Forest
from isovc.tree.read import scan


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that names a file which is not there."""

    table: str
    key: Key
    column: str
    value: Value


@dataclass(frozen=True, slots=True)
class Links:
    """What does not go together. `links`: rows that were looked at and name something."""

    links: int
    missing: tuple[Missing, ...]
    unmentioned: tuple[str, ...]  # files that no row names


def links(forest: Forest, version: Version, columns: Collection[tuple[str, str]], *, folder: str = "") -> Links:
    """Look at these columns. A value names a file by its path, by its name alone, or by the id of its content.
    `folder`: what stands before a path as seen from the database."""
    folder = f"{folder.removeprefix('./').rstrip('/')}/"
    files = list(files_in(forest, version))
    by_name: dict[str, list[str]] = {}
    for each in files:
        for name in {each.path, each.path.rpartition("/")[2], each.content.id.hex()}:
            by_name.setdefault(name, []).append(each.path)
    left = {each.path for each in files}
    missing: list[Missing] = []
    many = 0
    for table, column in sorted(columns):
        found = _table(version, table)
        for key, value in _values(forest, version, found, column):
            if value is None or value == "":
                continue
            many += 1
            name = _as_name(value)
            paths = by_name.get(name) or by_name.get(name.removeprefix(folder))
            if paths is None:
                missing.append(Missing(found.name, key, column, value))
            else:
                left.difference_update(paths)
    return Links(many, tuple(missing), tuple(sorted(left)))


def _table(version: Version, name: str) -> Table:
    for each in version.shape.tables.values():
        if folded(each.name) == folded(name):
            return each
    raise NoSuchTable(table=name, known=sorted(version.shape.tables))


def _values(forest: Forest, version: Version, table: Table, column: str) -> Iterator[tuple[Key, Value]]:
    names = [folded(each) for each in table.cells]
    if folded(column) not in names:
        raise NoSuchColumn(column=column, known=list(table.cells))
    width = len(table.key)
    at = names.index(folded(column))
    for row in scan(forest, version.roots[table.name].id, cells=[*range(width), at]):
        yield row[:width], row[width]


def _as_name(value: Value) -> str:
    """The id of a content may stand in a BLOB. A path is written with slashes, and may begin as seen from here."""
    if isinstance(value, bytes):
        return value.hex()
    return str(value).removeprefix("./")
