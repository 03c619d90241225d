"""A definition that cannot be laid out is named by its place; without it the same transaction goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from isovc import errors
from isovc.model import RowChange, SchemaObject, Shape
from isovc.sources.sqlite import Refusal
from tests.sources.files import check, content, make

OLD = """CREATE TABLE t (a INTEGER PRIMARY KEY, b, c); CREATE TABLE u (a); CREATE INDEX k ON t (b);
    CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END; CREATE VIEW v AS SELECT * FROM t;
    INSERT INTO t VALUES (1, 'x', 1), (2, 'x', NULL); INSERT INTO u VALUES (5)"""
TABLE = "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c)"


def refusing(writing, target: Shape, **given) -> errors.ShapeNotReached:  # type: ignore[no-untyped-def]
    refused: list[Refusal] = []
    with pytest.raises(errors.ShapeNotReached) as caught, writing.attempt():
        writing.apply(target, given.pop("changes", {}), refused=refused, **given)
    assert refused == []
    assert f"the {caught.value.type} {caught.value.name} of" in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("CREATE INDEX k ON t (b)", "CREATE UNIQUE INDEX k ON t (b)", ("index", "k")),
        ("CREATE INDEX k", "CREATE UNIQUE INDEX l ON t (b COLLATE NOCASE); CREATE INDEX k", ("index", "l")),
        (TABLE, "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c NOT NULL)", ("table", "t")),
        (TABLE, "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c)", ("table", "t")),
        (TABLE, "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c, CHECK (b <> 'x'))", ("table", "t")),
        (TABLE, "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c, d CHECK (b <> 'x'))", ("table", "t")),
        (TABLE, "CREATE TABLE t (a INTEGER PRIMARY KEY, b INT, c INT) STRICT", ("table", "t")),
    ],
)
def test_rows_that_do_not_fit_a_definition(tmp_path: Path, old: str, new: str, place: tuple[str, str]) -> None:
    database = make(tmp_path / "a.db", OLD)
    before = content(database)
    schema = OLD.replace(old, new).partition("INSERT INTO t VALUES")[0]
    wanted, _ = content(make(tmp_path / "b.db", schema))
    changes = {"t": [RowChange((3,), None, (3, "y", 3))], "u": [RowChange((1,), (1, 5), (1, 6))]}
    mark = database.mark()
    with database.writing() as writing:
        error = refusing(writing, wanted, changes=changes)
        assert (error.type, error.name) == place
        assert not writing.is_changed
        assert writing.shape() == before[0]
        assert [row for table in before[0].tables.values() for rows in writing.rows(table) for row in rows] == [
            row for table in before[0].tables for row in before[1][table]
        ]
    assert database.mark() == mark
    with database.writing() as writing:
        refusing(writing, wanted, changes=changes)
        with writing.attempt():  # without it
            writing.apply(before[0], changes, refused=[])
        assert writing.is_changed
    after = {"t": [*before[1]["t"], (3, "y", 3)], "u": [(1, 6)]}
    assert content(database) == (before[0], after)
    assert check(database.path) == "ok"


@pytest.mark.parametrize(
    ("odd", "place"),
    [
        (SchemaObject("index", "i", "t", "CREATE INDEX i ON t (gone)"), ("index", "i")),
        (SchemaObject("index", "i", "t", "CREATE INDEX i ON t (nofunc(a))"), ("index", "i")),
        (SchemaObject("index", "i", "t", "CREATE INDEX i ON t (a COLLATE nowhere)"), ("index", "i")),
        (SchemaObject("view", "u", "u", "CREATE VIEW u AS SELECT 1"), ("view", "u")),
        (SchemaObject("view", "w", "w", "CREATE VIEW w AS SELECT 1; DROP TABLE t"), ("view", "w")),
        (
            SchemaObject("trigger", "q", "t", "CREATE TRIGGER q AFTER INSERT ON gone BEGIN SELECT 1; END"),
            ("trigger", "q"),
        ),
        (SchemaObject("table", "u", "u", "CREATE VIRTUAL TABLE u USING fts5(a)"), ("table", "u")),
        (SchemaObject("table", "n", "n", "CREATE TABLE n (a CHECK (nofunc(a)))"), ("table", "n")),
    ],
)
def test_definitions_that_cannot_be_made(tmp_path: Path, odd: SchemaObject, place: tuple[str, str]) -> None:
    database = make(tmp_path / "a.db", OLD)
    shape, _ = before = content(database)
    tables = {**shape.tables, "n": replace(shape.tables["u"], name="n")} if odd.name == "n" else shape.tables
    target = Shape(shape.encoding, shape.pragmas, (*shape.objects, odd), tables)
    with database.writing() as writing:
        error = refusing(writing, target)
        assert (error.type, error.name) == place
        writing.apply(shape, {}, refused=[])
        assert not writing.is_changed
    assert content(database) == before
    assert check(database.path) == "ok"


def test_a_table_whose_whole_rows_do_not_fit_another_key(tmp_path: Path) -> None:
    database = make(
        tmp_path / "a.db", f"{TABLE}; CREATE UNIQUE INDEX i ON t (c); INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)"
    )
    before = content(database)
    target, _ = content(
        make(tmp_path / "b.db", "CREATE TABLE t (a, b PRIMARY KEY NOT NULL, c); CREATE UNIQUE INDEX i ON t (c)")
    )
    with database.writing() as writing:
        for rows in ([("x", 1, 1), ("x", 2, 2)], [("x", 1, 1), ("y", 2, 1)]):
            error = refusing(writing, target, contents={"t": [rows]})
            assert (error.type, error.name) == ("table", "t")
        assert writing.shape() == before[0]
    assert content(database) == before


def test_a_row_that_fits_neither_as_it_was_nor_as_it_is_to_be(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", f"{TABLE}; INSERT INTO t VALUES (1, 'x', 1), (2, 'y', NULL)")
    target, _ = content(make(tmp_path / "b.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c NOT NULL)"))
    with database.writing() as writing:
        error = refusing(writing, target, changes={"t": [RowChange((2,), (2, "y", None), (2, "x", 3))]})
        assert (error.type, error.name, error.why) == ("table", "t", "UNIQUE constraint failed: t.b")
        with writing.attempt():
            writing.apply(target, {"t": [RowChange((2,), (2, "y", None), (2, "z", 3))]}, refused=[])
    assert content(database) == (target, {"t": [(1, "x", 1), (2, "z", 3)]})


def test_attempts_within_attempts(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", OLD)
    shape, rows = content(database)
    less = replace(
        shape, objects=shape.objects[:1], tables={"t": shape.tables["t"]}, pragmas={**shape.pragmas, "user_version": 9}
    )
    with database.writing() as writing:
        with pytest.raises(KeyError), writing.attempt():
            writing.apply(less, {"t": [RowChange((1,), (1, "x", 1), None)]}, refused=[])
            with pytest.raises(ZeroDivisionError), writing.attempt():
                writing.apply(shape, {}, contents={"u": [[(1, 7)]]}, refused=[])
                raise ZeroDivisionError
            assert writing.shape() == less
            assert writing.is_changed
            raise KeyError
        assert writing.shape() == shape
        assert not writing.is_changed
        assert list(writing.rows(shape.tables["t"])) == [rows["t"]]
        with writing.attempt():
            writing.apply(less, {}, refused=[])
    assert content(database) == (less, {"t": rows["t"]})
    assert check(database.path) == "ok"


def test_an_attempt_that_is_taken_back_leaves_nothing_for_the_next(tmp_path: Path) -> None:
    """The entries of a schema are put in order by hand, which SQLite does not know of."""
    database = make(tmp_path / "a.db", "CREATE TABLE a (x); CREATE TABLE c (x); CREATE VIRTUAL TABLE f USING fts5(y)")
    target, _ = content(make(tmp_path / "b.db", "CREATE TABLE a (x); CREATE TABLE b (x); CREATE TABLE c (x, y)"))
    shape, rows = content(database)
    with database.writing() as writing:
        for _ in range(3):
            with pytest.raises(KeyError), writing.attempt():
                writing.apply(target, {}, refused=[])
                assert writing.shape().objects == target.objects
                raise KeyError
            assert writing.shape() == shape
        writing.apply(shape, {"a": [RowChange((1,), None, (1, 5))]}, refused=[])
    assert content(database) == (shape, {**rows, "a": [(1, 5)]})
    assert check(database.path) == "ok"


def test_where_nothing_is_listed_a_row_is_an_error_as_before(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", OLD)
    target, _ = content(make(tmp_path / "b.db", OLD.replace("INDEX k", "UNIQUE INDEX k").replace("(2, 'x'", "(2, 'y'")))
    with pytest.raises(errors.RowRefused), database.writing() as writing:
        writing.apply(target, {})
