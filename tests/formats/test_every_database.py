"""Whatever SQLite can hold: a patch from one database to another makes the one the other, and back."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from isovc.snapshot.version import Version
from tests.formats.pairs import Pair, held
from tests.sources.files import make
from tests.sources.test_everything_comes_back import CASES

# what somebody does to such a database; a statement that a case has nothing for is left out
EDITS = [
    "DELETE FROM t WHERE rowid = (SELECT min(rowid) FROM t)",
    "DELETE FROM t WHERE a = (SELECT max(a) FROM t)",
    "UPDATE t SET b = b || 'x' WHERE typeof(b) = 'text'",
    "UPDATE t SET b = -b WHERE typeof(b) = 'integer'",
    "UPDATE t SET c = 7",
    "INSERT INTO t (a) VALUES (12345)",
    "INSERT INTO t (a, b) VALUES (-3.25, 'new''\n\"line')",
    "INSERT INTO t (a) VALUES (NULL)",
    "ALTER TABLE t ADD COLUMN added",
    "CREATE INDEX made ON t (a)",
    "PRAGMA user_version = 41",
]
ENCODINGS = ["UTF-8", "UTF-16le"]


def _edit(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for edit in EDITS:
            with suppress(sqlite3.Error):
                connection.execute(edit)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("case", CASES)
def test_from_nothing_and_back_to_nothing(tmp_path: Path, case: str, encoding: str) -> None:
    pair = Pair(tmp_path)
    make(tmp_path / "empty.db", "PRAGMA user_version=1; PRAGMA user_version=0", encoding)
    make(tmp_path / "a.db", CASES[case], encoding)
    nothing, full = pair.version(tmp_path / "empty.db"), pair.version(tmp_path / "a.db")
    _check(pair, tmp_path / "empty.db", nothing, full)
    _check(pair, tmp_path / "a.db", full, nothing)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("case", CASES)
def test_from_before_an_edit_to_after_it(tmp_path: Path, case: str, encoding: str) -> None:
    pair = Pair(tmp_path)
    for name in ("a.db", "b.db"):
        make(tmp_path / name, CASES[case], encoding)
    _edit(tmp_path / "b.db")
    before, after = pair.version(tmp_path / "a.db"), pair.version(tmp_path / "b.db")
    _check(pair, tmp_path / "a.db", before, after)
    _check(pair, tmp_path / "b.db", after, before)


def _check(pair: Pair, path: Path, old: Version, new: Version) -> None:
    for told in (Pair.jsonl, Pair.sql):
        patch = told(pair, old, new)
        assert held(pair.patched(old, patch)) == held(new), told
        assert held(pair.patched(new, patch.reversed())) == held(old), told
    assert held(pair.by_shell(path, old, new)) == held(new)
