"""What will not come back as it is, is said before anybody relies on it; all else is not warned of."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from isovc import errors
from isovc.sources.sqlite import Database
from isovc.sources.sqlite.doubts import Doubt
from tests.sources.files import content, make

MATCH = "SELECT rowid FROM f WHERE f MATCH 'two'"


def made(path: Path, sql: str) -> Database:
    """By a program with a collation and a function of its own."""
    user = apsw.Connection(str(path))
    user.create_collation("mine", lambda a, b: (a > b) - (a < b))
    user.create_scalar_function("myf", lambda x: x, deterministic=True)
    list(user.execute(sql))
    user.close()
    return Database(path)


def warned(database: Database) -> tuple[Doubt, ...]:
    with database.reading() as reading:
        return reading.warnings()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a COLLATE mine)",
        "CREATE TABLE t (a COLLATE mine UNIQUE)",
        "CREATE TABLE t (a); CREATE INDEX i ON t (a COLLATE mine)",
        "CREATE TABLE t (a COLLATE mine PRIMARY KEY)",
        "CREATE TABLE t (a); CREATE INDEX i ON t (myf(a))",
        "CREATE TABLE t (a); CREATE INDEX i ON t (a) WHERE myf(a)",
        "CREATE TABLE t (a CHECK (myf(a) > 0))",
        "CREATE TABLE t (a, b AS (myf(a)))",
        "CREATE TABLE t (a, b AS (myf(a)) STORED)",
    ],
)
def test_a_table_that_only_its_program_can_make_is_named(tmp_path: Path, sql: str) -> None:
    database = made(tmp_path / "a.db", f"{sql}; INSERT INTO t (a) VALUES (1)")
    before = database.mark()
    (warning,) = warned(database)
    assert isinstance(warning, errors.CannotComeBack)
    assert warning.table == "t"
    assert warning.what == ("collation mine" if "mine" in sql else "function myf")
    assert database.mark() == before
    shape, rows = content(database)
    copy = Database.create(tmp_path / "b.db", shape)
    with pytest.raises((errors.MissingCollation, errors.MissingFunction)), copy.writing() as writing:
        writing.apply(shape, {}, contents={"t": [rows["t"]]})


def test_what_comes_back_is_not_warned_of(tmp_path: Path) -> None:
    sql = """CREATE TABLE t (a COLLATE NOCASE UNIQUE CHECK (abs(a) > 0), b AS (abs(a)), c DEFAULT (myf(1)));
        CREATE INDEX i ON t (lower(a)); CREATE VIEW v AS SELECT myf(a), a COLLATE mine FROM t;
        CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT myf(1); END; INSERT INTO t (a) VALUES (5);
        CREATE TABLE n (a INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE w (a PRIMARY KEY) WITHOUT ROWID; ANALYZE;
        CREATE VIRTUAL TABLE f USING fts5 (a)"""
    database = made(tmp_path / "a.db", sql)
    assert warned(database) == ()
    shape, rows = content(database)
    copy = Database.create(tmp_path / "b.db", shape)
    with copy.writing() as writing:
        writing.apply(shape, {}, contents={name: [found] for name, found in rows.items()})
    assert content(copy) == (shape, rows)


@pytest.mark.parametrize(
    "module", ["fts4(b, content=t)", "fts5(b, content='t')", 'fts5(b, CONTENT="T", content_rowid=oid)']
)
@pytest.mark.parametrize("key", ["a TEXT PRIMARY KEY", "a TEXT PRIMARY KEY NOT NULL"])
def test_an_index_over_rowids_that_are_not_kept_is_named(tmp_path: Path, module: str, key: str) -> None:
    sql = f"CREATE TABLE t ({key}, b); CREATE VIRTUAL TABLE f USING {module}"
    fill = "INSERT INTO t VALUES ('z', 'one'), ('a', 'two'); INSERT INTO f (f) VALUES ('rebuild')"
    database = make(tmp_path / "a.db", f"{sql}; {fill}")
    (warning,) = warned(database)
    assert isinstance(warning, errors.RowidsNotKept)
    assert (warning.table, warning.content.lower()) == ("f", "t")
    # it is true, and the hint helps
    shape, rows = content(database)
    copy = Database.create(tmp_path / "b.db", shape)
    with copy.writing() as writing:
        writing.apply(shape, {}, contents={name: [found] for name, found in rows.items()})
    user = apsw.Connection(str(copy.path))
    there = "SELECT rowid FROM t WHERE b = 'two'"
    assert user.execute(MATCH).get != user.execute(there).get
    user.execute(warning.hint[warning.hint.index("INSERT") : warning.hint.index(" makes")])
    assert user.execute(MATCH).get == user.execute(there).get
    user.close()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE VIRTUAL TABLE f USING fts5 (b, content=t)",
        "CREATE TABLE t (b); CREATE VIRTUAL TABLE f USING fts5 (b, content=t)",
        "CREATE TABLE t (a TEXT PRIMARY KEY, b, n); CREATE VIRTUAL TABLE f USING fts5 (b, content=t, content_rowid=n)",
        "CREATE TABLE t (a TEXT PRIMARY KEY, b, rowid); CREATE VIRTUAL TABLE f USING fts5 (b, content=t)",
        "CREATE VIRTUAL TABLE f USING fts5 (b, content='')",
        "CREATE VIEW t AS SELECT 1 AS rowid, 2 AS b; CREATE VIRTUAL TABLE f USING fts5 (b, content=t)",
    ],
)
def test_an_index_over_keys_that_are_kept_is_not(tmp_path: Path, sql: str) -> None:
    assert warned(make(tmp_path / "a.db", sql)) == ()
