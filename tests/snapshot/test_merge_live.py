"""Uncommitted changes are merged into another branch as they are, or nothing at all is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from isovc.cli.main import main
from tests.versioned import Versioned


def begun(tmp_path: Path, capsys: pytest.CaptureFixture[str], base: str, there: str, here: str) -> Versioned:
    """On main, `here` uncommitted; `there` is committed on branch b."""
    app = Versioned(tmp_path / "app.db", capsys)
    app.sql(base)
    assert main(["init", str(app.path)]) == 0
    app.commit()
    app.ok("switch", "-c", "b")
    app.sql(there)
    app.commit()
    app.ok("switch", "main")
    app.sql(here)
    return app


REFUSED = {
    "unique on conflict replace": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, e UNIQUE ON CONFLICT REPLACE, n); INSERT INTO t VALUES (1, 'a', 'A')",
        "INSERT INTO t VALUES (10, 'x', 'from b')",
        "INSERT INTO t VALUES (20, 'x', 'precious')",
        "row-refused",
    ),
    "unique on conflict ignore": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, e UNIQUE ON CONFLICT IGNORE, n); INSERT INTO t VALUES (1, 'a', 'A')",
        "INSERT INTO t VALUES (10, 'x', 'from b')",
        "INSERT INTO t VALUES (20, 'x', 'precious')",
        "row-refused",
    ),
    "a table that became strict": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 1)",
        "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER) STRICT; INSERT INTO t VALUES (1, 1)",
        "INSERT INTO t VALUES (2, 'text')",
        "cannot-carry",
    ),
    "a CHECK over cells of both sides": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, low, high, CHECK (low <= high)); INSERT INTO t VALUES (1, 5, 10)",
        "UPDATE t SET low = 9",
        "UPDATE t SET high = 6",
        "row-refused",
    ),
    "a CHECK of the other side": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 1)",
        "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0)); INSERT INTO t VALUES (1, 1)",
        "INSERT INTO t VALUES (2, -1)",
        "row-refused",
    ),
    "a table and a view of one name": (
        "CREATE TABLE t (a)",
        "CREATE VIEW x AS SELECT 1",
        "CREATE TABLE x (a); INSERT INTO x VALUES (1)",
        "cannot-carry",
    ),
    "an index on a column that is gone": (
        "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2)",
        "ALTER TABLE t DROP COLUMN b",
        "CREATE INDEX i ON t (b)",
        "cannot-carry",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    base, there, here, expected = REFUSED[case]
    app = begun(tmp_path, capsys, base, there, here)
    before = app.dump()
    assert app.refused("switch", "b", "--carry") == expected
    assert app.dump() == before
    # without --carry they stay here, and come back
    app.ok("switch", "b")
    assert app.check() == "ok"
    app.ok("switch", "main")
    assert app.dump() == before
    assert app.check() == "ok"


@pytest.mark.parametrize(
    ("there", "rows"),
    [
        ("UPDATE t SET n = 'B'", [(1, "00100", "B"), (2, "00701", None)]),
        (
            """CREATE TABLE o AS SELECT * FROM t; DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, zip VARCHAR(5),
            n CLOB); INSERT INTO t SELECT * FROM o; DROP TABLE o""",
            [(1, "00100", "A"), (2, "00701", None)],
        ),
        (
            """DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, zip INTEGER, n TEXT COLLATE NOCASE);
            INSERT INTO t VALUES (1, 100, 'A')""",
            [(1, 100, "A"), (2, 701, None)],  # as SQLite does it
        ),
    ],
)
def test_what_fits_is_carried_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], there: str, rows: list[tuple[object, ...]]
) -> None:
    base = "CREATE TABLE t (id INTEGER PRIMARY KEY, zip TEXT, n TEXT); INSERT INTO t VALUES (1, '00100', 'A')"
    app = begun(tmp_path, capsys, base, there, "INSERT INTO t (id, zip) VALUES (2, '00701')")
    app.ok("switch", "b", "--carry")
    assert app.rows("SELECT * FROM t") == rows
    assert app.check() == "ok"


@pytest.mark.parametrize("clause", ["REPLACE", "IGNORE", "ROLLBACK", "FAIL"])
def test_unique_values_go_round_on_a_switch(tmp_path: Path, capsys: pytest.CaptureFixture[str], clause: str) -> None:
    base = f"CREATE TABLE t (id INTEGER PRIMARY KEY, e UNIQUE ON CONFLICT {clause})"
    turn = "UPDATE t SET e = e || 'x'; UPDATE t SET e = CASE id WHEN 1 THEN 'b' WHEN 2 THEN 'c' ELSE 'a' END"
    app = begun(tmp_path, capsys, f"{base}; INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')", turn, "")
    before = app.dump()
    app.ok("switch", "b")
    assert app.rows("SELECT * FROM t") == [(1, "b"), (2, "c"), (3, "a")]
    app.ok("switch", "main")
    assert app.dump() == before


def test_what_writes_nothing_waits_for_no_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = begun(tmp_path, capsys, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)")
    app.ok("config", "busy.seconds", "0.2")
    with app.held("BEGIN"):
        app.ok("switch", "-c", "new")
        app.ok("reset", "--soft", "b")
    assert app.rows("SELECT a FROM t") == [(2,)]
