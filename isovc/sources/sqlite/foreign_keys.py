"""Rows that point to rows which are not there. Knows nothing of changes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import apsw

from isovc.errors import ForeignKeysBroken
from isovc.sources.sqlite.snapshot import Snapshot

Violation = tuple[Any, ...]  # child table, rowid (None in a table without), parent table, number of the constraint


def violations(connection: apsw.Connection) -> Counter[Violation]:
    """Every violation there is, and how often, because rows of tables without a rowid all look the same here."""
    return Counter(connection.execute("PRAGMA main.foreign_key_check"))


def check_new_violations(snapshot: Snapshot, before: Counter[Violation]) -> None:
    """Raise about the first pair of tables with a violation that was not there before."""
    new = violations(snapshot.connection) - before
    if new:
        child, _, parent, _ = next(iter(new))
        rows = sum(count for each, count in new.items() if (each[0], each[2]) == (child, parent))
        raise ForeignKeysBroken(path=snapshot.path, table=child, parent=parent, rows=rows)
