"""What a table declares never makes our writes lose a row: a row that does not fit is refused, and by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from isovc import errors
from isovc.model import Row, RowChange
from isovc.sources.sqlite import Database
from tests.sources.files import check, content, make

CLAUSES = ["REPLACE", "IGNORE", "FAIL", "ROLLBACK", "ABORT"]


def apply(database: Database, changes: list[RowChange], *, refuse_violations: bool = False) -> None:
    with database.writing() as writing:
        writing.apply(writing.shape(), {"t": changes}, refuse_violations=refuse_violations)


@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ("a INTEGER PRIMARY KEY, b UNIQUE ON CONFLICT {}, c", (2, "x", 9)),
        ("a INTEGER PRIMARY KEY, b NOT NULL ON CONFLICT {} DEFAULT 5, c", (2, None, 9)),
        ("a INTEGER PRIMARY KEY ON CONFLICT {}, b, c", (1, "y", 9)),
        ("a PRIMARY KEY ON CONFLICT {} NOT NULL, b, c", (1, "y", 9)),
        ("a PRIMARY KEY ON CONFLICT {}, b, c", (1, None, "y", 9)),
    ],
)
def test_a_row_that_does_not_fit_is_refused_whatever_the_table_says_of_it(
    tmp_path: Path, clause: str, columns: str, row: Row
) -> None:
    sql = f"CREATE TABLE t ({columns.format(clause)}); INSERT INTO t VALUES (1, 'x', 7)"
    database = make(tmp_path / "a.db", sql)
    before = content(database)
    key = row[: len(before[0].tables["t"].key)]
    with pytest.raises(errors.RowRefused, match="the table t of"):
        apply(database, [RowChange(key, None, row)])
    assert content(database) == before
    with pytest.raises(errors.RowRefused, match="the table t of"), database.writing() as writing:
        writing.apply(before[0], {}, contents={"t": [[*before[1]["t"], row]]})
    assert content(database) == before


@pytest.mark.parametrize("clause", CLAUSES)
def test_unique_values_go_round(tmp_path: Path, clause: str) -> None:
    sql = f"CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE ON CONFLICT {clause}, c)"
    database = make(tmp_path / "a.db", f"{sql}; INSERT INTO t VALUES (1, 'x', 0), (2, 'y', 0), (3, 'z', 0)")
    turned = [(1, "y", 0), (2, "z", 0), (3, "x", 0)]
    changes = [RowChange(old[:1], old, new) for old, new in zip(content(database)[1]["t"], turned, strict=True)]
    apply(database, changes)
    assert content(database)[1]["t"] == turned
    assert check(database.path) == "ok"


@pytest.mark.parametrize("clause", ["", "ON CONFLICT IGNORE", "ON CONFLICT REPLACE"])
def test_rows_that_a_check_refuses_are_refused_when_asked(tmp_path: Path, clause: str) -> None:
    column = "b INT NOT NULL" if not clause else f"b INT NOT NULL {clause} DEFAULT 1"
    database = make(
        tmp_path / "a.db",
        f"CREATE TABLE t (a INTEGER PRIMARY KEY, {column} CHECK (b > 0)); INSERT INTO t VALUES (1, 1)",
    )
    for change in (RowChange((2,), None, (2, -1)), RowChange((1,), (1, 1), (1, -1))):
        before = content(database)
        with pytest.raises(errors.RowRefused, match=r"the table t of .*CHECK"):
            apply(database, [change], refuse_violations=True)
        assert content(database) == before
    apply(database, [RowChange((2,), None, (2, -1))])  # a version comes back as it was
    assert content(database)[1]["t"] == [(1, 1), (2, -1)]


def test_a_check_that_comes_with_the_definition_is_asked_too(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, -1)")
    target, _ = content(make(tmp_path / "b.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b CHECK (b > 0))"))
    with pytest.raises(errors.RowRefused, match="the table t of"), database.writing() as writing:
        writing.apply(target, {}, refuse_violations=True)
    with database.writing() as writing:
        writing.apply(target, {})
    assert content(database)[0] == target


def test_a_check_beside_a_new_column_is_asked_too(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, -1)")
    target, _ = content(make(tmp_path / "b.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c CHECK (b > 0))"))
    with pytest.raises(errors.RowRefused, match="the table t of"), database.writing() as writing:
        writing.apply(target, {}, refuse_violations=True)
    assert check(database.path) == "ok"


def test_the_table_of_a_unique_index_is_named(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 1), (2, 1)")
    target, _ = content(make(tmp_path / "b.db", "CREATE TABLE t (a, b); CREATE UNIQUE INDEX i ON t (b)"))
    with pytest.raises(errors.RowRefused, match="the table t of") as caught, database.writing() as writing:
        writing.apply(target, {})
    assert "rule" in caught.value.hint


def test_rows_that_break_not_null_already_are_refused_by_name(tmp_path: Path) -> None:
    sql = """CREATE TABLE other (a); CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, NULL);
        PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'b)', 'b NOT NULL)') WHERE name = 't'"""
    shape, rows = content(make(tmp_path / "a.db", sql))
    assert shape.tables["t"].columns[1].not_null
    copy = Database.create(tmp_path / "b.db", shape)
    with pytest.raises(errors.RowRefused, match=r"the table t of .*NOT NULL") as caught, copy.writing() as writing:
        writing.apply(shape, {}, contents={name: [found] for name, found in rows.items()})
    assert "rule of the table" in caught.value.hint
    assert content(copy)[0].objects == ()
