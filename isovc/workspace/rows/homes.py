"""Where rows live: a table as one version calls it, followed to the version before. Rows are read here as cells by
column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from isovc.formats.delta import same
from isovc.model import KeyKind, Table
from isovc.snapshot.renames import Pair, pairs
from isovc.snapshot.rows import rows_at
from isovc.snapshot.version import Version
from isovc.tree.forest import Forest

Cells: TypeAlias = Mapping[str, Any]  # as trees hold them, with large values named


@dataclass(frozen=True, slots=True)
class Home:
    """A table by its name, and what names its rows: where either is another, rows are other rows."""

    table: str
    key_kind: KeyKind
    key: tuple[str, ...]


def home_of(table: Table) -> Home:
    """The home that a table is."""
    return Home(table.name, table.key_kind, table.key)


def table_at(version: Version, home: Home) -> Table | None:
    """The table of that home in a version; None: there is none."""
    table = version.shape.tables.get(home.table)
    return table if table is not None and home_of(table) == home else None


def named_alike(version: Version, name: str) -> Table | None:
    """The table that somebody means; SQLite does not tell letters by their case."""
    exact = version.shape.tables.get(name)
    alike = (table for table in version.shape.tables.values() if table.name.lower() == name.lower())
    return exact or next(alike, None)


def pairs_between(forest: Forest, old: Version, new: Version) -> list[Pair]:
    """Every table with the one it became; quick where no table was made otherwise, which is nearly always."""
    if old.shape.tables == new.shape.tables:
        return [Pair(table, table) for table in new.shape.tables.values()]
    return pairs(forest, old, new)


def before(found: Sequence[Pair], home: Home) -> tuple[Home | None, Mapping[str, str]]:
    """What a home was in the older version, and its columns that were renamed, old name to new. A table that is not
    there keeps its name: one that was called so and dropped is the same. None: what was called so became another."""
    for pair in found:
        if pair.after is not None and pair.after.name == home.table:
            if pair.before is None:
                return home, {}
            key = tuple(name_before(pair.columns, cell) or cell for cell in home.key)
            return Home(pair.before.name, home.key_kind, key), pair.columns
    became = any(pair.before is not None and pair.before.name == home.table and pair.after for pair in found)
    return (None if became else home), {}


def name_before(columns: Mapping[str, str], name: str) -> str | None:
    """What a column was called; None: it was not there, and who had its name has another now."""
    for old, new in columns.items():
        if new == name:
            return old
    return None if name in columns else name


def rows_in(forest: Forest, version: Version, home: Home | None, keys: Iterable[bytes]) -> dict[bytes, Cells | None]:
    """The rows with these keys, by column; None: there is no such row."""
    keys = list(keys)
    table = table_at(version, home) if home else None
    if table is None:
        return dict.fromkeys(keys)
    found = rows_at(forest, version, table.name, keys)
    return {key: None if row is None else dict(zip(table.cells, row, strict=True)) for key, row in found.items()}


@dataclass(frozen=True, slots=True)
class Side:
    """A row in a version before. What it has no column for is NULL."""

    row: Cells | None
    columns: Mapping[str, str]

    def has(self, name: str, value: Any) -> bool:
        """Whether the cell that is called so later was this."""
        return self.had(name_before(self.columns, name), value)

    def had(self, name: str | None, value: Any) -> bool:
        """Whether the cell that was called so was this; None: there was none."""
        return self.row is not None and same(None if name is None else self.row.get(name), value)

    def names(self) -> list[str]:
        """The cells by their later names."""
        return [self.columns.get(name, name) for name in self.row or ()]


def is_own(row: Cells | None, sides: Sequence[Side]) -> bool:
    """Whether a version made a row what it is, rather than taking it, or each of its cells, from one before it."""
    there = [side for side in sides if side.row is not None]
    if row is None:
        return bool(sides) and len(there) == len(sides)
    names = dict.fromkeys([*row, *(name for side in there for name in side.names())])
    return not there or any(not any(side.has(name, row.get(name)) for side in there) for name in names)
