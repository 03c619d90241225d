"""A database takes another shape: rows that are not named stay, text and order of the schema are as wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from isovc import errors
from isovc.model import RowChange, SchemaObject, Shape
from isovc.sources.sqlite import Database
from tests.sources.files import check, content, make

OLD = """CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE); CREATE INDEX i ON t (b);
    CREATE VIEW v AS SELECT nofunc(a) FROM t; CREATE TRIGGER r AFTER UPDATE ON t BEGIN DELETE FROM t; END;
    CREATE TABLE k (a, b); INSERT INTO k (rowid, a, b) VALUES (40, 1, 2); INSERT INTO t (a, b) VALUES (1, 2), (7, 3)"""


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("b UNIQUE)", "b UNIQUE, c INT, d AS (a))", RowChange((1,), (1, 2), (1, 2, 5))),
        ("b UNIQUE)", "b UNIQUE, c INT DEFAULT 9)", RowChange((1,), (1, 2), (1, 2, 5))),
        ("b UNIQUE)", "b NOT NULL UNIQUE CHECK (b > 9))", RowChange((1,), (1, 2), (1, 5))),
        ("TABLE k (a, b)", "TABLE k (b, c, a)", RowChange((41,), None, (41, 1, 2, 3))),
    ],
)
def test_rows_move_into_a_changed_table(tmp_path: Path, old: str, new: str, change: RowChange) -> None:
    database = make(tmp_path / "a.db", OLD)
    sql = "PRAGMA ignore_check_constraints=ON; " + OLD.replace(old, new)
    target, _ = content(make(tmp_path / "b.db", sql))
    table = "k" if " k " in old else "t"
    with database.writing() as writing:
        writing.apply(target, {table: [change]})
    shape, rows = content(database)
    assert shape == target
    assert change.after in rows[table]
    assert len(rows["t"]) == 2
    assert rows["sqlite_sequence"] == [(1, "t", 7)]
    assert rows["k"][0][0] == 40
    assert check(database.path) in ("ok", "CHECK constraint failed in t") or "CHECK" in new


def test_another_key_without_rows_is_refused(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a, b)")
    target, _ = content(make(tmp_path / "b.db", "CREATE TABLE t (a PRIMARY KEY, b)"))
    with pytest.raises(errors.ShapeNotReached), database.writing() as writing:
        writing.apply(target, {})
    assert content(database)[0].tables["t"].key == ("_rowid_",)


def test_a_definition_that_hides_a_second_statement_is_refused(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a)")
    shape, _ = content(database)
    first = shape.objects[0]
    evil = type(first)("view", "v", "v", "CREATE VIEW v AS SELECT 1; DROP TABLE t")
    target = type(shape)(shape.encoding, shape.pragmas, (first, evil), shape.tables)
    with pytest.raises(errors.ShapeNotReached), database.writing() as writing:
        writing.apply(target, {})
    assert content(Database(database.path))[0] == shape


def test_a_dropped_table_comes_back_in_its_place(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE a (x); CREATE TABLE b (x PRIMARY KEY); CREATE TABLE c (x)")
    target, rows = content(database)
    without = type(target)(target.encoding, target.pragmas, tuple(each for each in target.objects if each.name != "b"))
    with database.writing() as writing:
        writing.apply(without, {})
    with database.writing() as writing:
        writing.apply(target, {}, contents={"b": [rows["b"]] if rows["b"] else []})
    assert content(database)[0] == target
    assert check(database.path) == "ok"


def test_rows_of_tables_that_sqlite_keeps_are_changed_too(tmp_path: Path) -> None:
    sql = "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE u (a INTEGER PRIMARY KEY AUTOINCREMENT)"
    database = make(tmp_path / "a.db", f"{sql}; INSERT INTO t VALUES (5); INSERT INTO u VALUES (6)")
    shape, rows = content(database)
    assert rows["sqlite_sequence"] == [(1, "t", 5), (2, "u", 6)]
    changes = [RowChange((1,), (1, "t", 5), None), RowChange((2,), (2, "u", 6), (2, "u", 99))]
    with database.writing() as writing:
        writing.apply(shape, {"sqlite_sequence": changes})
    assert content(database)[1]["sqlite_sequence"] == [(2, "u", 99)]


def test_equal_rows_that_are_named_as_changes_cost_nothing(tmp_path: Path) -> None:
    database = make(
        tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 0.0), (2, 3)"
    )
    shape, _ = content(database)
    with database.writing() as writing:
        writing.apply(shape, {"t": [RowChange((1,), (1, 0.0), (1, -0.0)), RowChange((2,), (2, 3), (2, 3))]})
    assert repr(content(database)[1]["t"]) == "[(1, -0.0), (2, 3)]"


def test_a_column_that_sqlite_will_not_add_makes_the_table_anew(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 2)")
    target, _ = content(make(tmp_path / "b.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c UNIQUE)"))
    with database.writing() as writing:
        writing.apply(target, {})
    assert content(database) == (target, {"t": [(1, 2, None)]})


def test_a_text_that_is_no_definition_is_refused(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a)")
    shape, _ = content(database)
    evil = SchemaObject("view", "v", "v", "DROP TABLE t")
    with pytest.raises(errors.ShapeNotReached, match="no definition"), database.writing() as writing:
        writing.apply(Shape(shape.encoding, shape.pragmas, (*shape.objects, evil), shape.tables), {})
    assert content(database)[0] == shape


def test_a_definition_that_comes_out_different_is_refused(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a)")
    shape, _ = content(database)
    odd = SchemaObject(
        "view", "v", "v", "create  view v AS SELECT 1"
    )  # SQLite keeps its own CREATE VIEW before the name
    with pytest.raises(errors.ShapeNotReached, match="different"), database.writing() as writing:
        writing.apply(Shape(shape.encoding, shape.pragmas, (*shape.objects, odd), shape.tables), {})
    assert content(database)[0] == shape


def test_a_moved_table_whose_helper_name_is_taken(tmp_path: Path) -> None:
    database = make(
        tmp_path / "a.db", 'CREATE TABLE "isovc_aside_0" (a); CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2)'
    )
    target, _ = content(make(tmp_path / "b.db", 'CREATE TABLE "isovc_aside_0" (a); CREATE TABLE t (b, a)'))
    with database.writing() as writing:
        writing.apply(target, {})
    assert content(database) == (target, {"isovc_aside_0": [], "t": [(1, 2, 1)]})


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX i ON t (gone)",
        "CREATE INDEX T ON t (a)",
        "CREATE TRIGGER r AFTER INSERT ON gone BEGIN SELECT 1; END",
        "CREATE TABLE T (b)",
    ],
)
def test_definitions_that_do_not_go_together_are_refused_by_name(tmp_path: Path, sql: str) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a); CREATE VIEW x AS SELECT 1")
    shape, _ = content(database)
    kind, label = sql.split()[1:3]
    odd = SchemaObject(kind.lower(), label, label if kind == "TABLE" else "t", sql)
    tables = {**shape.tables, "T": shape.tables["t"]}
    target = Shape(shape.encoding, shape.pragmas, (*shape.objects, odd), tables)
    said = f"the {odd.type} {label} of"
    with pytest.raises(errors.ShapeNotReached, match=said) as caught, database.writing() as writing:
        writing.apply(target, {})
    assert caught.value.hint
    assert content(database)[0] == shape


@pytest.mark.parametrize("key", ["a INTEGER PRIMARY KEY", "a PRIMARY KEY NOT NULL", "a PRIMARY KEY"])
@pytest.mark.parametrize("rule", ["b INT NOT NULL", "b INT UNIQUE", "b INT CHECK (b < 5)", "b INT, c CHECK (b < 5)"])
def test_rows_that_the_new_table_does_not_take_change_on_the_way(tmp_path: Path, key: str, rule: str) -> None:
    database = make(
        tmp_path / "a.db", f"CREATE TABLE t ({key}, b); INSERT INTO t VALUES (1, NULL), (2, 7), (3, 7), (4, 4)"
    )
    target, wanted = content(
        make(tmp_path / "b.db", f"CREATE TABLE t ({key}, {rule}); INSERT INTO t (a, b) VALUES (1, 1), (3, 3), (4, 4)")
    )
    old = {row[0]: row for row in content(database)[1]["t"]}
    new = {row[0]: row for row in wanted["t"]}
    width = len(target.tables["t"].key)
    changes = [RowChange(old[a][:width], old[a], new.get(a)) for a in (1, 2, 3)]
    with database.writing() as writing:
        writing.apply(target, {"t": changes}, refuse_violations=True)
    assert content(database) == (target, wanted)
    assert check(database.path) == "ok"
