# ruff: noqa: E501  # one case of SQL a line reads better than a broken one
"""Whatever SQLite can hold is read, and set down in another file, exactly."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from isovc.encoding.orderkey import encode_key
from isovc.model import KeyKind, Shape
from isovc.sources.sqlite import Database
from tests.sources.files import check, content, make

CASES = {
    "storage classes anywhere": """
        CREATE TABLE t (a, b INTEGER, c TEXT, d REAL, e NUMERIC, f BLOB);
        INSERT INTO t VALUES (NULL, NULL, NULL, NULL, NULL, NULL), (-0.0, 'no number', x'00ff', 'x', 'y', 5),
            (9e999, 9223372036854775807, '', 9e999, -9e999, 1.5), (1, -9223372036854775808, 'a', 1, 1.0, 1.0),
            (1.0, 3, 'b', 2.5, 1e300, 'text'), (CAST(x'61ff62' AS TEXT), 1, CAST(x'ff' AS TEXT), 1, 2, 3),
            (CAST(x'610062' AS TEXT), 1, CAST(x'00' AS TEXT), 1, 2, x'')""",
    "integer key": "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (-5, 1), (7, 2), (9223372036854775807, 3)",
    "INT is no alias": "CREATE TABLE t (a INT PRIMARY KEY, b); INSERT INTO t VALUES (3, 1), (NULL, 2), (NULL, 3), (1, 4)",
    "INTEGER PRIMARY KEY DESC": "CREATE TABLE t (a INTEGER PRIMARY KEY DESC, b); INSERT INTO t VALUES (3, 1), (NULL, 2)",
    "text key": "CREATE TABLE t (b, a TEXT PRIMARY KEY NOT NULL); INSERT INTO t VALUES (1, 'é'), (2, 'z'), (3, CAST(x'ff41' AS TEXT)), (4, '')",
    "real key": "CREATE TABLE t (a REAL PRIMARY KEY NOT NULL) WITHOUT ROWID; INSERT INTO t VALUES (1), (1.5), (-2), (9e999)",
    "blob key": "CREATE TABLE t (a BLOB PRIMARY KEY NOT NULL, b); INSERT INTO t VALUES (x'', 1), (x'00', 2), ('t', 3), (5, 4)",
    "composite key": "CREATE TABLE t (a, b, c, PRIMARY KEY (c, a)) WITHOUT ROWID; INSERT INTO t VALUES (1, 2, 'x'), (1.5, 3, 1)",
    "key twice": "CREATE TABLE t (a, b, PRIMARY KEY (a, b, a)); INSERT INTO t VALUES (1, 2), (NULL, 2), (NULL, 2), (2, NULL)",
    "keys with NULL beside rowids": """
        CREATE TABLE t (a TEXT, b INT, c, PRIMARY KEY (a, b));
        INSERT INTO t VALUES ('k', 1, 'one'), (NULL, 1, 'two'), ('j', NULL, 'three'), ('a', 9, 'four'), (NULL, NULL, 'five');
        DELETE FROM t WHERE c = 'one'; INSERT INTO t VALUES ('b', 1, 'six')""",
    "no key": "CREATE TABLE t (a); INSERT INTO t (rowid, a) VALUES (7, 'x'), (-3, 'y'), (7000000000, 'z')",
    "rowid is a column": "CREATE TABLE t (rowid, _ROWID_); INSERT INTO t (oid, rowid) VALUES (9, 'x'), (4, 'y')",
    "nocase key": "CREATE TABLE t (a TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, b); INSERT INTO t VALUES ('b', 1), ('A', 2), ('C', 3)",
    "rtrim without rowid": "CREATE TABLE t (a TEXT COLLATE RTRIM PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES ('b '), ('a')",
    "index collation of its own": "CREATE TABLE t (a TEXT NOT NULL, PRIMARY KEY (a COLLATE NOCASE DESC)); INSERT INTO t VALUES ('b'), ('A')",
    "strict": "CREATE TABLE t (a INTEGER PRIMARY KEY, b ANY, c TEXT) STRICT; INSERT INTO t VALUES (1, '5', 'x'), (2, 5, NULL)",
    "autoincrement": "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (5), (90); DELETE FROM t WHERE a = 90",
    "generated": "CREATE TABLE t (a INTEGER PRIMARY KEY, b AS (a + 1) STORED, c, d AS (c || b), e); INSERT INTO t (a, c, e) VALUES (1, 2, 3)",
    "default and check": "CREATE TABLE t (a DEFAULT (1 + 1), b CHECK (b > 0)); PRAGMA ignore_check_constraints=ON; INSERT INTO t VALUES (1, -1)",
    "indexes": """
        CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c); CREATE INDEX i ON t (c) WHERE c > 1; CREATE UNIQUE INDEX j ON t (abs(c), b DESC);
        INSERT INTO t VALUES (1, 2, 3), (2, 3, -4)""",
    "views and triggers": """
        CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE TABLE log (x); CREATE VIEW v AS SELECT nofunc(a) FROM t JOIN nowhere;
        INSERT INTO t VALUES (1, 2);
        CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END;
        CREATE TRIGGER u INSTEAD OF DELETE ON v BEGIN SELECT 1; SELECT 2; END""",
    "foreign keys, broken ones too": """
        CREATE TABLE p (a INTEGER PRIMARY KEY); CREATE TABLE t (a REFERENCES p ON DELETE CASCADE);
        INSERT INTO t VALUES (1), (2); INSERT INTO p VALUES (1)""",
    "fts5": "CREATE VIRTUAL TABLE t USING fts5 (a, b); INSERT INTO t VALUES ('hello world', 'x'), ('good bye', 'y'); DELETE FROM t WHERE rowid = 1",
    "fts4": "CREATE VIRTUAL TABLE t USING fts4 (a); INSERT INTO t VALUES ('hello world')",
    "rtree": "CREATE VIRTUAL TABLE t USING rtree (id, x0, x1); INSERT INTO t VALUES (1, 0, 5), (7, 2, 3)",
    "statistics": "CREATE TABLE t (a UNIQUE, b); INSERT INTO t VALUES (1, 1), (2, 1); CREATE INDEX i ON t (b); ANALYZE",
    "nasty names": """
        CREATE TABLE "a""b'c [d] `e`" ("select" PRIMARY KEY, "x y" , "😀", [order], "" ); INSERT INTO "a""b'c [d] `e`" VALUES (1, 2, 3, 4, 5);
        CREATE TABLE "table" ("primary" INTEGER PRIMARY KEY, "a'b"); INSERT INTO "table" VALUES (1, 2); CREATE INDEX "in dex" ON "table" ("a'b");
        CREATE TABLE "pragma_table_xinfo" (a); CREATE TABLE "isovc_aside_0" (a)""",
    "names SQLite keeps for itself": "PRAGMA writable_schema=ON; CREATE TABLE sqlite_x (a, b, PRIMARY KEY (a, b)); PRAGMA writable_schema=RESET; INSERT INTO sqlite_x VALUES (1, 2), (1, 3)",
    "pragmas": "PRAGMA user_version=-7; PRAGMA application_id=1234567; CREATE TABLE t (a)",
    "a page size and auto_vacuum": "PRAGMA page_size=1024; PRAGMA auto_vacuum=INCREMENTAL; CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(5000))",
    "zero rows": "CREATE TABLE t (a PRIMARY KEY); CREATE TABLE u (a) ",
    "2,000 columns": "CREATE TABLE t ("
    + ", ".join(f"c{i}" for i in range(2000))
    + "); INSERT INTO t (c0, c1999) VALUES (1, CAST(x'ff' AS TEXT))",
    "column added later": "CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN b TEXT DEFAULT 5",
    "an unknown module": """
        CREATE TABLE t (a); PRAGMA writable_schema=ON;
        INSERT INTO sqlite_schema VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING nosuch (a)')""",
}
ENCODINGS = ["UTF-8", "UTF-16le", "UTF-16be"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("case", CASES)
def test_a_new_file_becomes_the_same_and_a_changed_one_comes_back(tmp_path: Path, case: str, encoding: str) -> None:
    database = make(tmp_path / "a.db", CASES[case], encoding)
    shape, rows = content(database)
    for name, table in shape.tables.items():
        keys = [encode_key(row[: len(table.key)]) for row in rows[name]]
        assert keys == sorted(set(keys)), name
        assert all(len(row) == len(table.cells) for row in rows[name])
    copy = Database.create(tmp_path / "b.db", shape)
    with copy.writing() as writing:
        writing.apply(shape, {}, contents={name: [found] for name, found in rows.items()})
    assert repr(content(copy)) == repr((shape, rows))
    if case != "default and check":  # it holds a row that its CHECK would refuse, as it did
        assert check(tmp_path / "b.db") == "ok"
    with copy.writing() as writing:
        writing.apply(Shape(shape.encoding, shape.pragmas), {})
    assert content(copy)[0].objects == ()
    assert check(tmp_path / "b.db") == "ok"
    with copy.writing() as writing:
        writing.apply(shape, {}, contents={name: [found] for name, found in rows.items()})
    assert repr(content(copy)) == repr((shape, rows))


def test_what_names_a_row(tmp_path: Path) -> None:
    kinds = {
        "a INTEGER PRIMARY KEY": KeyKind.INTEGER,
        "a INT PRIMARY KEY": KeyKind.COLUMNS_OR_ROWID,
        "a INTEGER PRIMARY KEY DESC": KeyKind.COLUMNS_OR_ROWID,
        "a TEXT UNIQUE NOT NULL PRIMARY KEY": KeyKind.COLUMNS,
        "a TEXT": KeyKind.ROWID,
    }
    sql = "; ".join(f"CREATE TABLE t{i} ({column})" for i, column in enumerate(kinds))
    shape, _ = content(make(tmp_path / "a.db", f"{sql}; CREATE TABLE w (a INTEGER PRIMARY KEY) WITHOUT ROWID"))
    assert [shape.tables[f"t{i}"].key_kind for i in range(len(kinds))] == list(kinds.values())
    assert shape.tables["w"].key_kind is KeyKind.COLUMNS


def test_text_that_is_not_valid_utf16_comes_back(tmp_path: Path) -> None:
    sql = "CREATE TABLE t (a TEXT PRIMARY KEY NOT NULL, b); INSERT INTO t VALUES (CAST(x'00d86100' AS TEXT), CAST(x'6100feff' AS TEXT))"
    database = make(tmp_path / "a.db", sql, "UTF-16le")
    shape, rows = content(database)
    copy = Database.create(tmp_path / "b.db", shape)
    with copy.writing() as writing:
        writing.apply(shape, {}, contents={"t": [rows["t"]]})
    connection = apsw.Connection(str(tmp_path / "b.db"))
    assert connection.execute("SELECT hex(CAST(a AS BLOB)), hex(CAST(b AS BLOB)) FROM t").get == (
        "00D86100",
        "6100FEFF",
    )
    connection.close()


def test_a_value_of_100_mb_comes_back(tmp_path: Path) -> None:
    shape, rows = content(
        make(tmp_path / "a.db", "CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(100000000)), (2)")
    )
    copy = Database.create(tmp_path / "b.db", shape)
    with copy.writing() as writing:
        writing.apply(shape, {}, contents={"t": [rows["t"]]})
    assert content(copy)[1] == rows


def test_an_unknown_module_is_named(tmp_path: Path) -> None:
    with make(tmp_path / "a.db", CASES["an unknown module"]).reading() as reading:
        (warning,) = reading.warnings()
    assert (warning.table, warning.module) == ("v", "nosuch")
