"""A file that goes to another shape and back shows the same `.dump`: entries keep their places across all kinds."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from isovc.model import SchemaObject, Shape
from isovc.sources.sqlite.order import wanted_places
from tests.sources.files import check, content, make

BASE = """CREATE TABLE a (x UNIQUE, y); CREATE VIEW v AS SELECT 1; CREATE TABLE b (x PRIMARY KEY);
    CREATE INDEX i ON b (x); CREATE TRIGGER r AFTER INSERT ON a BEGIN SELECT 1; END;
    CREATE VIRTUAL TABLE f USING fts5 (w); CREATE TABLE c (x); CREATE INDEX j ON a (y); INSERT INTO f VALUES ('one')"""


def entries(path: Path) -> list[tuple[str, str]]:
    connection = apsw.Connection(str(path))
    try:
        return list(connection.execute("SELECT type, name FROM sqlite_schema ORDER BY rowid"))
    finally:
        connection.close()


@pytest.mark.parametrize(
    "change",
    [
        """CREATE TABLE d (x PRIMARY KEY); CREATE INDEX k ON d (x); CREATE VIEW w AS SELECT 2;
            CREATE TRIGGER s AFTER INSERT ON d BEGIN SELECT 1; END""",
        "CREATE VIRTUAL TABLE g USING fts5 (w); CREATE VIEW w AS SELECT 2",
        "DROP VIEW v; CREATE VIEW v AS SELECT 3",
        "DROP INDEX j; DROP TRIGGER r",
        "DROP TABLE b; CREATE TABLE b (y, x UNIQUE); CREATE INDEX i ON b (y)",
    ],
)
def test_going_there_and_back_leaves_the_order(tmp_path: Path, change: str) -> None:
    new = make(tmp_path / "new.db", f"{BASE}; {change}")
    there, rows = content(new)
    # nothing but its end is changed: what the file held last is where it was
    database = make(tmp_path / "a.db", BASE)
    here, old_rows = content(database)
    wanted, back = entries(new.path), entries(database.path)
    contents = {name: [found] for name, found in rows.items() if here.tables.get(name) != there.tables[name]}
    with database.writing() as writing:
        writing.apply(there, {}, contents=contents)
    if "DROP" not in change:
        assert entries(database.path) == wanted
    contents = {name: [found] for name, found in old_rows.items() if here.tables[name] != there.tables.get(name)}
    with database.writing() as writing:
        writing.apply(here, {}, contents=contents)
    assert sorted(entries(database.path)) == sorted(back)
    if change != "DROP INDEX j; DROP TRIGGER r":  # where these stood among other kinds, no version tells
        assert entries(database.path) == back
    assert content(database) == (here, old_rows)
    assert check(database.path) == "ok"


def test_a_table_made_anew_stays_in_its_place(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", BASE)
    target, _ = content(make(tmp_path / "b.db", BASE.replace("x UNIQUE, y", "x UNIQUE, y TEXT")))
    before = entries(database.path)
    with database.writing() as writing:
        writing.apply(target, {})
    assert entries(database.path) == before


def test_another_order_within_a_kind_wins() -> None:
    names = ["b", "a", "c"]
    objects = tuple(SchemaObject("table", each, each, f"CREATE TABLE {each} (x)") for each in names)
    view = SchemaObject("view", "v", "v", "CREATE VIEW v AS SELECT 1")
    assert wanted_places([("table", "a"), ("view", "v"), ("table", "b")], Shape(objects=(*objects, view))) == [
        ("table", "b"),
        ("view", "v"),
        ("table", "a"),
        ("table", "c"),
    ]
    assert wanted_places([("table", "b"), ("view", "v"), ("table", "c")], Shape(objects=(*objects, view))) == [
        ("table", "b"),
        ("table", "a"),
        ("view", "v"),
        ("table", "c"),
    ]
