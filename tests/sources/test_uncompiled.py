# ruff: noqa: E501  # one case of SQL a line reads better than a broken one
"""Views and triggers that SQLite cannot compile are named, those that it can are not, and none is ever run."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.model import SchemaObject
from isovc.sources.sqlite import Database
from tests.sources.files import content, make

TABLES = """CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, g AS (b || 'x')); CREATE TABLE u (a PRIMARY KEY, n) WITHOUT ROWID;
    INSERT INTO t VALUES (1, 'one'); INSERT INTO u VALUES (1, 0); CREATE VIEW v (x, y) AS SELECT a, b FROM t;"""
BODY = "BEGIN INSERT INTO gone VALUES (new.a); END"


def look(database: Database) -> list[tuple[str, str, str]]:
    before = content(database)
    mark = database.mark()
    with database.reading() as reading:
        found = reading.uncompiled()
        assert reading._connection.pragma("query_only")
        with pytest.raises(apsw.ReadOnlyError):
            reading._connection.execute("CREATE TABLE written (a)")
    assert content(database) == before
    assert database.mark() == mark
    return found


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE VIEW w AS SELECT a FROM gone", [("view", "w", "no such table: main.gone")]),
        ("CREATE VIEW w AS SELECT gone FROM t", [("view", "w", "no such column: gone")]),
        ("CREATE VIEW w AS SELECT nofunc(a) FROM t", [("view", "w", "no such function: nofunc")]),
        (
            "CREATE VIEW w AS SELECT a FROM t ORDER BY b COLLATE nowhere",
            [("view", "w", "no such collation sequence: nowhere")],
        ),
        ("CREATE VIEW w (p, q) AS SELECT a FROM t", [("view", "w", "expected 2 columns for 'w' but got 1")]),
        (
            "CREATE VIEW w AS SELECT * FROM x; CREATE VIEW x AS SELECT * FROM w",
            [("view", "w", "view w is circularly defined"), ("view", "x", "view x is circularly defined")],
        ),
        ('CREATE VIEW w AS SELECT a AS "double ""quotes" FROM t WHERE b = "text"', []),
        (f"CREATE TRIGGER r AFTER INSERT ON t {BODY}", [("trigger", "r", "no such table: gone")]),
        (f"CREATE TRIGGER r BEFORE UPDATE ON t {BODY}", [("trigger", "r", "no such table: gone")]),
        (f"CREATE TRIGGER r AFTER UPDATE OF b ON t {BODY}", [("trigger", "r", "no such table: gone")]),
        (f"CREATE TRIGGER r AFTER UPDATE OF a ON u {BODY}", [("trigger", "r", "no such table: gone")]),
        (
            "CREATE TRIGGER r BEFORE UPDATE OF rowid ON t BEGIN SELECT gone; END",
            [("trigger", "r", "no such column: gone")],
        ),
        (
            "CREATE TRIGGER r AFTER DELETE ON t WHEN nofunc(old.a) BEGIN SELECT 1; END",
            [("trigger", "r", "no such function: nofunc")],
        ),
        (
            "CREATE TRIGGER r AFTER DELETE ON u BEGIN SELECT old.gone; END",
            [("trigger", "r", "no such column: old.gone")],
        ),
        (
            "CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.x, new.z); END",
            [("trigger", "r", "no such column: new.z")],
        ),
        (
            "CREATE TRIGGER r INSTEAD OF UPDATE OF y ON v BEGIN UPDATE t SET gone = 1; END",
            [("trigger", "r", "no such column: gone")],
        ),
        (
            "CREATE TRIGGER r INSTEAD OF DELETE ON v BEGIN DELETE FROM gone; END",
            [("trigger", "r", "no such table: gone")],
        ),
        (
            "CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO w VALUES (1); END; CREATE VIEW w AS SELECT 1",
            [("trigger", "r", "cannot modify w because it is a view")],
        ),
        (
            "CREATE VIEW w AS SELECT * FROM gone; CREATE TRIGGER r INSTEAD OF DELETE ON w BEGIN SELECT 1; END",
            [("view", "w", "no such table: main.gone"), ("trigger", "r", "no such table: main.gone")],
        ),
        (
            "CREATE TRIGGER r INSTEAD OF UPDATE ON v BEGIN DELETE FROM v; END",
            [("trigger", "r", "cannot modify v because it is a view")],
        ),
        (f'CREATE TRIGGER "update of" AFTER INSERT ON t {BODY}', [("trigger", "update of", "no such table: gone")]),
        # only the one at fault
        (
            f"CREATE TRIGGER q AFTER INSERT ON t BEGIN SELECT 1; END; CREATE TRIGGER r AFTER INSERT ON t {BODY}; CREATE TRIGGER s AFTER INSERT ON t BEGIN DELETE FROM u; END",
            [("trigger", "r", "no such table: gone")],
        ),
        (
            "CREATE TRIGGER q INSTEAD OF INSERT ON v BEGIN SELECT 1; END; CREATE TRIGGER r INSTEAD OF DELETE ON v BEGIN SELECT gone; END",
            [("trigger", "r", "no such column: gone")],
        ),
        # what another trigger sets off is at fault, or a view that takes it is no fault
        (
            f"CREATE TRIGGER q AFTER INSERT ON u BEGIN INSERT INTO t VALUES (1, 2); END; CREATE TRIGGER r AFTER INSERT ON t {BODY}",
            [("trigger", "r", "no such table: gone")],
        ),
        (
            f"CREATE TRIGGER q AFTER INSERT ON t BEGIN INSERT INTO v VALUES (1, 2); END; CREATE TRIGGER s AFTER INSERT ON t {BODY}; CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN SELECT 1; END",
            [("trigger", "s", "no such table: gone")],
        ),
        (
            "CREATE TRIGGER q INSTEAD OF DELETE ON v BEGIN SELECT 1; END; CREATE TRIGGER r INSTEAD OF UPDATE OF x ON v BEGIN DELETE FROM v; END; CREATE TRIGGER s INSTEAD OF UPDATE ON v BEGIN SELECT gone; END",
            [("trigger", "s", "no such column: gone")],
        ),
        # nothing wrong
        (
            "CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO u VALUES (new.a, new.g) ON CONFLICT (a) DO UPDATE SET n = n + 1; END",
            [],
        ),
        (
            "CREATE TRIGGER r AFTER INSERT ON t WHEN new.a < 3 BEGIN INSERT INTO t (b) VALUES (new.b || 'x'); SELECT raise(ABORT, 'no') WHERE 0; END",
            [],
        ),
        ("CREATE TRIGGER r AFTER UPDATE OF none ON t BEGIN SELECT gone; END", []),
        ("CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.x, new.y); END", []),
        ("CREATE TRIGGER r INSTEAD OF UPDATE OF none ON v BEGIN SELECT gone; END", []),
    ],
)
def test_what_does_not_compile(tmp_path: Path, sql: str, expected: list[tuple[str, str, str]]) -> None:
    assert look(make(tmp_path / "a.db", TABLES + sql)) == expected


def test_what_a_table_lacks_itself_is_no_fault_of_its_triggers(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    user = apsw.Connection(str(path))
    user.create_scalar_function("mine", lambda x: x, deterministic=True)
    user.execute(f"{TABLES} CREATE INDEX i ON t (mine(b)); CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END")
    user.close()
    assert look(Database(path)) == []


def test_many_columns(tmp_path: Path) -> None:
    columns = ", ".join(f"c{n}" for n in range(2000))
    sql = f"CREATE TABLE t ({columns}); CREATE TRIGGER r AFTER UPDATE OF c1999 ON t BEGIN SELECT gone; END"
    database = make(tmp_path / "a.db", sql)
    assert look(database) == [("trigger", "r", "no such column: gone")]


def test_while_a_change_is_not_yet_committed(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", TABLES + "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END")
    shape, rows = content(database)
    less = {name: table for name, table in shape.tables.items() if name != "u"}
    objects: tuple[SchemaObject, ...] = tuple(each for each in shape.objects if each.name != "u")
    with database.writing() as writing:
        assert writing.uncompiled() == []
        assert not writing.is_changed
        writing.apply(type(shape)(shape.encoding, shape.pragmas, objects, less), {}, refused=[])
        assert writing.uncompiled() == [("trigger", "r", "no such table: u")]
        assert list(writing.rows(shape.tables["t"])) == [rows["t"]]
        writing.apply(shape, {}, contents={"u": [rows["u"]]}, refused=[])
        assert writing.uncompiled() == []
    assert content(database) == (shape, rows)


_columns = st.sampled_from(["a", "b", "gone", "nofunc(a)", "old.a", "new.b", "old.x", "new.y"])
_deeds = st.builds(
    lambda deed, cell: deed.format(cell),
    st.sampled_from(
        [
            "SELECT {}",
            "UPDATE t SET b = {}",
            "DELETE FROM v WHERE {}",
            "INSERT INTO u VALUES ({}, 1)",
            "INSERT INTO gone VALUES ({})",
        ]
    ),
    _columns,
)
_events = st.sampled_from(
    [
        "AFTER INSERT ON t",
        "BEFORE DELETE ON t",
        "AFTER UPDATE OF b ON t",
        "AFTER DELETE ON u",
        "BEFORE UPDATE ON u",
        "INSTEAD OF DELETE ON v",
        "INSTEAD OF UPDATE OF x ON v",
    ]
)


@given(st.lists(st.tuples(_events, _deeds), max_size=4))
def test_whatever_another_sqlite_compiles_is_not_named(
    tmp_path_factory: pytest.TempPathFactory, triggers: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("compile") / "a.db"
    sql = TABLES + ";".join(
        f"CREATE TRIGGER r{n} {event} BEGIN {deed}; END" for n, (event, deed) in enumerate(triggers)
    )
    found = {name for _, name, _ in look(make(path, sql))}
    for n, (event, deed) in enumerate(triggers):
        of_view = [each for each in triggers if " v" in each[0] and each[0] != event]  # what is done to it needs them
        compiles = _compiles([(event, deed), *of_view])
        assert (f"r{n}" in found) == (not compiles)


def _compiles(triggers: list[tuple[str, str]]) -> bool:
    """Whether a stock SQLite compiles the first one, with the others beside it."""
    _, event, table = (
        triggers[0][0]
        .replace(" OF b", "")
        .replace(" OF x", "")
        .replace(" OF D", " D")
        .replace(" OF U", " U")
        .replace(" ON", "")
        .split()
    )
    cell = {"t": "b", "u": "n", "v": "x"}[table]
    statement = {
        "INSERT": f"INSERT INTO {table} DEFAULT VALUES",
        "DELETE": f"DELETE FROM {table}",
        "UPDATE": f"UPDATE {table} SET {cell} = 1",
    }[event]
    with closing(sqlite3.connect(":memory:")) as stock:
        made = (f"CREATE TRIGGER r{n} {when} BEGIN {deed}; END" for n, (when, deed) in enumerate(triggers))
        stock.executescript(";".join([TABLES, *made]))
        try:
            stock.execute(f"EXPLAIN {statement}")
        except sqlite3.OperationalError:
            return False
    return True
