"""Which SQLite opens store.db."""

from __future__ import annotations

import sqlite3


def library() -> str:
    """In words."""
    return f"SQLite {sqlite3.sqlite_version}"
