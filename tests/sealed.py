"""Rows of store.db sealed anew: for tests of what somebody changes who knows how, or a mistake of ours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from isovc.repo.graph import BONES
from isovc.repo.refs import LINE, REF
from isovc.repo.seals import sealer, together
from isovc.repo.worktrees import COLUMNS

SEALS = (
    ("commit_entry", BONES, "seal"),
    ("commit_entry", "id, author, message", "words_seal"),
    ("ref", REF, "seal"),
    ("ref_log", LINE, "seal"),
    ("worktree", COLUMNS, "seal"),
)
KEYS = {"commit_entry": ("number",), "ref": ("name",), "ref_log": ("name", "seq"), "worktree": ("id",)}


def reseal(store: Path) -> None:
    """Make all seals fit what the rows say now."""
    seal = sealer()
    with closing(sqlite3.connect(store, isolation_level=None)) as db:
        for table, columns, column in SEALS:
            keys = KEYS[table]
            where = " AND ".join(f"{key} = ?" for key in keys)
            for row in db.execute(f"SELECT {', '.join(keys)}, {columns} FROM {table}").fetchall():
                key, cells = row[: len(keys)], row[len(keys) :]
                db.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (seal(cells), *key))
        for table in ("ref", "ref_log", "worktree"):
            seals = together(row[0] for row in db.execute(f"SELECT seal FROM {table}"))
            db.execute("UPDATE total SET value = ? WHERE name = ?", (seals, table))
