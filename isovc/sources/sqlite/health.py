"""How a database file is doing, in one snapshot: what SQLite says of it, and what costs isovc time or makes differences
bad. Changes nothing; knows nothing of versions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import apsw

from isovc.model import KeyKind, Shape
from isovc.sources.sqlite.foreign_keys import violations
from isovc.sources.sqlite.pages import read_pages
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sql import name

_SAID = 20  # lines of the check: one damaged page can give thousands


@dataclass(frozen=True, slots=True)
class Vitals:
    """The file as a whole. `free`: pages that hold nothing."""

    journal: str
    encoding: str
    page_size: int
    pages: int
    free: int


@dataclass(frozen=True, slots=True)
class Keys:
    """Tables whose rows are not named well. `keyless`: by nothing but the rowid; `partly`: by a key that is NULL in
    some rows; `whole`: by a key that the walk over pages cannot follow, so that they are read whole each time."""

    keyless: tuple[str, ...]
    partly: tuple[str, ...]
    whole: tuple[str, ...]


def vitals(snapshot: Snapshot) -> Vitals:
    """What the header says."""

    def said(pragma: str) -> str:
        return str(snapshot.connection.pragma(pragma))

    numbers = (int(said(each)) for each in ("page_size", "page_count", "freelist_count"))
    return Vitals(said("journal_mode"), said("encoding"), *numbers)


def quick_check(snapshot: Snapshot) -> tuple[str, ...]:
    """What SQLite finds wrong without comparing indexes; nothing: all is well."""
    found = snapshot.connection.execute(f"PRAGMA main.quick_check({_SAID})")
    lines = tuple(str(row[0]).removeprefix("*** in database main ***").strip() for row in found)
    return () if lines == ("ok",) else lines


def pointing_nowhere(snapshot: Snapshot) -> Counter[tuple[str, str]]:
    """How many rows point to rows that are not there, by their table and the one they point to."""
    found: Counter[tuple[str, str]] = Counter()
    for each, many in violations(snapshot.connection).items():
        found[str(each[0]), str(each[2])] += many
    return found


def keys(snapshot: Snapshot, shape: Shape) -> Keys:
    """How rows are named. Tables that belong to a module are its own business."""
    tables = [each for each in shape.tables.values() if not each.shadow_of and not each.name.startswith("sqlite_")]
    known = read_pages(snapshot, shape, None).walks.keys()
    return Keys(
        keyless=tuple(each.name for each in tables if each.key_kind is KeyKind.ROWID),
        partly=tuple(
            each.name
            for each in tables
            if each.key_kind is KeyKind.COLUMNS_OR_ROWID and _has_null(snapshot.connection, each.name, each.key[:-1])
        ),
        whole=tuple(each.name for each in tables if each.name not in known),
    )


def _has_null(connection: apsw.Connection, table: str, columns: tuple[str, ...]) -> bool:
    missing = " OR ".join(f"{name(each)} IS NULL" for each in columns)
    return connection.execute(f"SELECT 1 FROM main.{name(table)} WHERE {missing} LIMIT 1").fetchone() is not None
