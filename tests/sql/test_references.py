"""Foreign keys are read off a text as SQLite reads them."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.sql import affinity, is_autoincrement, name, references

TEXTS = [
    "CREATE TABLE t (a)",
    "CREATE TABLE t (a REFERENCES p)",
    "CREATE TABLE t (a INTEGER PRIMARY KEY REFERENCES p (x) ON DELETE CASCADE, b references [q] ( 'y' ))",
    "CREATE TABLE t (a CONSTRAINT \"REFERENCES\" REFERENCES p(x) REFERENCES q, b)",
    "CREATE TABLE t (a, b, CONSTRAINT 'foreign' FOREIGN KEY (b, a) REFERENCES p, FOREIGN KEY (a) REFERENCES t (b))",
    "CREATE TABLE t (a, b, FOREIGN KEY (a) REFERENCES p FOREIGN KEY (b) REFERENCES q (z))",
    "CREATE TABLE t (\"references\", 'foreign' TEXT REFERENCES \"references\"(\"foreign\"), c DEFAULT 'REFERENCES p')",
    "CREATE TABLE t (a DECIMAL(10, 2) CHECK (a > 1) REFERENCES p, b DEFAULT (max(1, 2)), c DEFAULT 'REFERENCES p')",
    "CREATE TABLE t (a -- REFERENCES x\n, b /* , c REFERENCES y */ REFERENCES/**/p--\n(--,\nx))",
    "CREATE TABLE 'foreign (' (a INT NOT NULL, PRIMARY KEY (a), FOREIGN KEY(a)REFERENCES p(x)) WITHOUT ROWID, STRICT",
    "CREATE TABLE t (`a``b` REFERENCES `p``q`(`x``y`), [c d] REFERENCES \"p\"\"q\")",
    "CREATE TABLE t (größe INT REFERENCES straße (ÄÖ))",
]  # fmt: skip


def as_sqlite_says(sql: str) -> list[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    connection = apsw.Connection(":memory:")
    connection.execute(sql)
    table = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").get
    found: dict[int, list[tuple[str, str, str | None]]] = {}
    for number, _, parent, column, other, *_ in connection.execute(
        "SELECT * FROM pragma_foreign_key_list(?)", (table,)
    ):
        found.setdefault(number, []).append((column, parent, other))
    return [
        (tuple(each[0] for each in one), one[0][1], tuple(each[2] for each in one if each[2] is not None))
        for _, one in sorted(found.items(), reverse=True)  # SQLite has the last one first
    ]


@pytest.mark.parametrize("sql", TEXTS)
def test_foreign_keys(sql: str) -> None:
    assert [tuple(each) for each in references(sql)] == as_sqlite_says(sql)


NAMES = st.text(st.sampled_from("ab(),'\"`[]-/* ;"), min_size=1, max_size=5).filter(
    lambda each: not each.startswith("sqlite_")
)


@given(NAMES, NAMES, NAMES, st.booleans())
def test_any_names(table: str, parent: str, column: str, listed: bool) -> None:
    other = f"({name(column)})" if listed else ""
    pointing = f"{name(column)} INT REFERENCES {name(parent)} {other}"
    sql = f"CREATE TABLE {name(table)} ({pointing}, x, FOREIGN KEY ({name(column)}, x) REFERENCES p)"
    assert [tuple(each) for each in references(sql)] == as_sqlite_says(sql)


@given(st.text(st.sampled_from("(),REFERENCESFOREIGNKEY ab'\""), max_size=30))
def test_any_text_is_read_without_harm(text: str) -> None:
    assert isinstance(references(f"CREATE TABLE t ({text}"), list)


def test_autoincrement() -> None:
    assert is_autoincrement("CREATE TABLE t (a INTEGER PRIMARY KEY autoincrement)")
    assert not is_autoincrement("CREATE TABLE t (a INTEGER PRIMARY KEY, 'autoincrement' -- AUTOINCREMENT\n)")


@pytest.mark.parametrize(
    "declared",
    [
        "INT",
        "bigint",
        "POINT",
        "CHARINT",
        "VARCHAR(3)",
        "CLOB",
        "BLOB",
        "",
        "REAL",
        "DOUBLE",
        "FLOA",
        "DATE",
        "BOOLEAN",
        "STRING",
        "ınt",
    ],
)
def test_an_affinity_is_what_sqlite_makes_of_a_text(declared: str) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(
        f"CREATE TABLE t (a {name(declared) if declared else ''}); INSERT INTO t VALUES ('7'); INSERT INTO t VALUES (7)"
    )
    kinds = [row[0] for row in connection.execute("SELECT typeof(a) FROM t")]
    assert kinds == {
        "TEXT": ["text", "text"], "BLOB": ["text", "integer"], "REAL": ["real", "real"],
        "INTEGER": ["integer", "integer"], "NUMERIC": ["integer", "integer"],
    }[affinity(declared)]  # fmt: skip
