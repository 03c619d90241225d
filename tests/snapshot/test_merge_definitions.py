"""Definitions of both sides go together, or a person is told which do not."""

from __future__ import annotations

import pytest

from isovc.snapshot.merging.how import How
from tests.snapshot.merging import Merging, places

BASE = """CREATE TABLE t (a, b); CREATE TABLE u (c); CREATE VIEW v AS SELECT a FROM t; CREATE INDEX i ON t (a);
    CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END"""

TRIGGER = "CREATE TRIGGER {} AFTER INSERT ON t BEGIN SELECT 1; END"


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
        ("ALTER TABLE t DROP COLUMN b", "CREATE INDEX k ON t (B)", {"k"}),
        ("ALTER TABLE t DROP COLUMN b", "CREATE VIEW w AS SELECT t.b FROM t", {"w"}),
    ],
)  # fmt: skip
def test_definitions_that_do_not_go_together_are_contested(
    one: str, other: str, contested: set[str], turned: bool
) -> None:
    merging = Merging(BASE, one, other)
    found = merging.merged(turned=turned)
    told = {place[1] for _, place in places(found) if place}
    assert told
    assert told <= contested
    # whatever one side says, it is so
    for side in ("ours", "theirs"):
        assert merging.merged(How(prefer=side), turned=turned).conflicts == ()


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
        ("ALTER TABLE t RENAME COLUMN b TO d", "CREATE INDEX k ON t (a) WHERE b > 1"),
        ("ALTER TABLE u RENAME TO uu", "CREATE INDEX k ON u (c)"),
    ],
)
def test_definitions_that_go_together_are_left_alone(one: str, other: str, turned: bool) -> None:
    merging = Merging(BASE, one, other)
    assert merging.merged(turned=turned).conflicts == ()
