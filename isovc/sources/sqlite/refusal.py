"""Rows that a database refused, as plain values, and what SQLite's exceptions say of them. Knows nothing of tables."""

from __future__ import annotations

from dataclasses import dataclass, field

import apsw

from isovc.model import Key

_KINDS = {
    apsw.SQLITE_CONSTRAINT_UNIQUE: "unique",
    apsw.SQLITE_CONSTRAINT_PRIMARYKEY: "unique",
    apsw.SQLITE_CONSTRAINT_ROWID: "unique",
    apsw.SQLITE_CONSTRAINT_NOTNULL: "not null",
    apsw.SQLITE_CONSTRAINT_DATATYPE: "type",
    apsw.SQLITE_MISMATCH: "type",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that stays as it was, because the database does not take what it was to become."""

    table: str
    key: Key
    kind: str  # unique, check, not null, type
    why: str  # in SQLite's words
    others: tuple[Key, ...] = ()  # unique: the rows that are in the way, in key order


@dataclass(slots=True)
class Refusals:
    """What is refused while a database is changed."""

    rows: list[Refusal] = field(default_factory=list)
    undone: int = 0  # writes, as `total_changes` counts them, that were taken back at once


def kind_of_refusal(error: apsw.Error) -> str:
    """Which rule the row breaks. An expression that fails for it, of whatever it is a part, counts as a CHECK."""
    return _KINDS.get(getattr(error, "extendedresult", 0), "check")
