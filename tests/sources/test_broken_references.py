# ruff: noqa: E501  # one case of SQL a line reads better than a broken one
"""Rows that point to rows which are not there are named by their keys, whatever tables they are in."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.model import Key, RowChange
from isovc.sources.sqlite import Broken, Database
from tests.sources.files import make


def broken(database: Database) -> list[Broken]:
    with database.reading() as reading:
        return reading.broken_references()


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16be"])
@pytest.mark.parametrize(
    ("columns", "rule", "options", "keys"),
    [
        ("a INTEGER PRIMARY KEY", "", "", [(2,), (4,)]),
        ("a INTEGER PRIMARY KEY", "", "WITHOUT ROWID", [(2,), (4,)]),
        ("a TEXT PRIMARY KEY", "", "", [("2", None), ("4", None)]),
        ("a TEXT PRIMARY KEY NOT NULL", "", "", [("2",), ("4",)]),
        ("a TEXT COLLATE NOCASE PRIMARY KEY", "", "WITHOUT ROWID", [("2",), ("4",)]),
        ("b DEFAULT 8, a", "PRIMARY KEY (b, a),", "", [(8, 2, None), (8, 4, None)]),
        ("a, rowid, oid, _rowid_", "PRIMARY KEY (a),", "WITHOUT ROWID", [(2,), (4,)]),
        ("a NOT NULL, rowid, oid, _rowid_", "PRIMARY KEY (a),", "", [(2,), (4,)]),
        ("a", "", "", [(2,), (4,)]),
    ],
)
def test_children_of_every_kind(
    tmp_path: Path, columns: str, rule: str, options: str, keys: list[Key], encoding: str
) -> None:
    database = make(
        tmp_path / "a.db",
        f"""CREATE TABLE p (x INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);
        CREATE TABLE t ({columns}, r, {rule} FOREIGN KEY (r) REFERENCES P) {options};
        INSERT INTO t (a, r) VALUES (1, 1), (2, 7), (3, NULL), (4, 'x'), (5, '1')""",
        encoding,
    )
    assert broken(database) == [Broken("t", each, "P", ("r",)) for each in keys]


@pytest.mark.parametrize("options", ["", "WITHOUT ROWID"])
def test_composite_and_own_references(tmp_path: Path, options: str) -> None:
    database = make(
        tmp_path / "a.db",
        f"""CREATE TABLE p (x, y TEXT COLLATE NOCASE, z, PRIMARY KEY (x, y)) {options};
        CREATE TABLE t (a INT, up INT REFERENCES t, b, c, PRIMARY KEY (a), FOREIGN KEY (c, b) REFERENCES p (y, x)) {options};
        INSERT INTO p VALUES (1, 'One', 0), (2, 'two', 0);
        INSERT INTO t VALUES (1, 1, 1, 'ONE'), (2, 1, 2, NULL), (3, 9, 2, 'one'), (4, 5, NULL, 'x'), (5, NULL, 2, 'two ')""",
    )
    width = 1 if options else 2
    found = [
        Broken("t", (3, None)[:width], "p", ("c", "b")),
        Broken("t", (3, None)[:width], "t", ("up",)),
        Broken("t", (5, None)[:width], "p", ("c", "b")),
    ]
    assert broken(database) == found


def test_rows_of_several_tables_in_one_order(tmp_path: Path) -> None:
    database = make(
        tmp_path / "a.db",
        """CREATE TABLE z (k PRIMARY KEY NOT NULL, r REFERENCES gone (q)); CREATE TABLE b (r REFERENCES z, s REFERENCES z);
        INSERT INTO z VALUES (10, 1), (9, 1), ('t', NULL), (x'01', 2); INSERT INTO b VALUES (1, 2), (10, 3), (9, 't')""",
    )
    assert broken(database) == [
        Broken("b", (1,), "z", ("r",)),
        Broken("b", (1,), "z", ("s",)),
        Broken("b", (2,), "z", ("s",)),
        *(Broken("z", (key,), "gone", ("r",)) for key in (9, 10, b"\x01")),
    ]


def test_where_sqlite_cannot_check(tmp_path: Path) -> None:
    """No index keeps the parent's column unique; or the parent has no such column, or is a view."""
    database = make(
        tmp_path / "a.db",
        """CREATE TABLE p (x TEXT, y); CREATE VIEW v AS SELECT nofunc(x) AS x FROM p; INSERT INTO p VALUES ('1', 5), ('1', 6);
        CREATE TABLE t (a INTEGER PRIMARY KEY, r REFERENCES p (X), s REFERENCES p (nope), u REFERENCES v (x), w REFERENCES p);
        INSERT INTO t VALUES (1, 1, 1, 1, 1), (2, '01', 1, 1, 1), (3, 2, 1, 1, 1)""",
    )
    assert broken(database) == [Broken("t", (key,), "p", ("r",)) for key in (2, 3)]


def test_what_a_change_breaks_is_seen_before_it_is_committed(tmp_path: Path) -> None:
    sql = "CREATE TABLE p (a INTEGER PRIMARY KEY); CREATE TABLE c (a REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)"
    database = make(tmp_path / "a.db", sql)
    with database.writing() as writing:
        assert writing.broken_references() == []
        writing.apply(writing.shape(), {"p": [RowChange((1,), (1,), None)]}, refused=[])
        assert writing.broken_references() == [Broken("c", (1,), "p", ("a",))]


_cells = st.none() | st.integers(0, 2) | st.sampled_from(["0", "1", "a", "A", "01", "1.0", 1.0, b"1", b"a"])
_types = st.sampled_from(["", "INT", "TEXT", "TEXT COLLATE NOCASE", "REAL", "BLOB", "NUMERIC"])


@given(_types, _types, st.lists(_cells, max_size=6), st.lists(_cells, max_size=6))
def test_tables_without_a_rowid_as_sqlite_checks_others(
    tmp_path_factory: pytest.TempPathFactory, here: str, there: str, children: list[object], parents: list[object]
) -> None:
    path = tmp_path_factory.mktemp("fk") / "a.db"
    database = make(
        path,
        f"""CREATE TABLE p (x {there} UNIQUE);
        CREATE TABLE t (a INTEGER PRIMARY KEY, r {here} REFERENCES p (x));
        CREATE TABLE w (a INTEGER PRIMARY KEY, r {here} REFERENCES p (x)) WITHOUT ROWID""",
    )
    user = apsw.Connection(str(path))
    user.executemany("INSERT OR IGNORE INTO p VALUES (?)", [(cell,) for cell in parents])
    for table in "tw":
        user.executemany(f"INSERT INTO {table} VALUES (?, ?)", list(enumerate(children)))
    told = sorted(row[1] for row in user.execute("PRAGMA foreign_key_check(t)"))
    user.close()
    found = broken(database)
    assert [each.key[0] for each in found if each.child == "t"] == told
    assert [each.key[0] for each in found if each.child == "w"] == told
