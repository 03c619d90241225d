"""Definitions of both sides go together, or a person is told which do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from isovc.model import Shape
from isovc.snapshot.definitions import merge_definitions
from isovc.sources.sqlite import Database
from tests.sources.files import content, make

BASE = """CREATE TABLE t (a, b); CREATE TABLE u (c); CREATE VIEW v AS SELECT a FROM t; CREATE INDEX i ON t (a);
    CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END"""

TRIGGER = "CREATE TRIGGER {} AFTER INSERT ON t BEGIN SELECT 1; END"


def shape_of(path: Path, sql: str) -> Shape:
    return content(make(path, sql))[0]


def sides(folder: Path, ours: str, theirs: str) -> tuple[Shape, Shape, Shape]:
    return (
        shape_of(folder / "base.db", BASE),
        shape_of(folder / "ours.db", f"{BASE}; {ours}"),
        shape_of(folder / "theirs.db", f"{BASE}; {theirs}"),
    )


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("one", "other", "contested"),
    [
        ("CREATE TABLE x (a)", "CREATE VIEW x AS SELECT 1", {"x"}),
        ("CREATE TABLE x (a)", "CREATE INDEX X ON u (c)", {"x", "X"}),
        ("CREATE TABLE Thing (a)", "CREATE TABLE thing (a)", {"Thing", "thing"}),
        (TRIGGER.format("s"), TRIGGER.format("S"), {"s", "S"}),
        ("DROP TABLE u", "CREATE INDEX k ON u (c)", {"k"}),
        ("DROP TABLE u", "CREATE TRIGGER s AFTER INSERT ON U BEGIN SELECT 1; END", {"s"}),
        ("DROP TABLE u", 'CREATE TRIGGER s AFTER INSERT ON t BEGIN DELETE FROM "U"; END', {"s"}),
        ("DROP TABLE u", "CREATE VIEW w AS SELECT c FROM [u]", {"w"}),
        ("DROP VIEW v", "CREATE VIEW w AS SELECT * FROM v", {"w"}),
        ("ALTER TABLE u RENAME TO uu", "CREATE INDEX k ON u (c)", {"k"}),
        ("ALTER TABLE t DROP COLUMN b", "CREATE INDEX k ON t (B)", {"k"}),
        ("ALTER TABLE t DROP COLUMN b", "CREATE VIEW w AS SELECT t.b FROM t", {"w"}),
        ("ALTER TABLE t RENAME COLUMN b TO d", "CREATE INDEX k ON t (a) WHERE b > 1", {"k"}),
    ],
)  # fmt: skip
def test_definitions_that_do_not_go_together_are_contested(
    tmp_path: Path, one: str, other: str, contested: set[str], turned: bool
) -> None:
    if turned:
        one, other = other, one
    merged, found = merge_definitions(*sides(tmp_path, one, other))
    assert {each.name for each in found} == contested
    assert contested <= {each.name for each in merged}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CREATE TABLE x (a)", "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END"),
        ("CREATE TABLE x (a)", "CREATE VIEW y AS SELECT 1"),
        ("CREATE TABLE Ä (a)", "CREATE TABLE ä (a)"),
        ("DROP TABLE u", "CREATE INDEX k ON t (b)"),
        ("DROP TABLE u; CREATE VIEW w AS SELECT c FROM u", "CREATE INDEX k ON t (b)"),
        ("DROP VIEW v; DROP TRIGGER r; DROP INDEX i", "CREATE INDEX k ON u (c)"),
        ("ALTER TABLE t DROP COLUMN b", "CREATE INDEX k ON u (c); CREATE VIEW w AS SELECT 1 AS b FROM u"),
        ("ALTER TABLE t DROP COLUMN b", "CREATE VIEW w AS SELECT a FROM t"),
        ("CREATE INDEX k ON u (c)", "CREATE INDEX k ON u (c)"),
    ],
)
def test_definitions_that_go_together_are_left_alone(tmp_path: Path, one: str, other: str, turned: bool) -> None:
    if turned:
        one, other = other, one
    base, ours, theirs = sides(tmp_path, one, other)
    merged, contested = merge_definitions(base, ours, theirs)
    assert contested == []
    # and SQLite takes them together
    tables = {**theirs.tables, **ours.tables}
    for side in (ours, theirs):
        tables |= {name: table for name, table in side.tables.items() if base.tables.get(name) != table}
    names = {each.name for each in merged}
    shape = Shape(base.encoding, base.pragmas, merged, {n: table for n, table in tables.items() if n in names})
    with Database.create(tmp_path / "merged.db", shape).writing() as writing:
        writing.apply(shape, {})
