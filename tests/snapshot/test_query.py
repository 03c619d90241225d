"""A version asked in SQL answers as a database that holds it: read from the trees, filled, or as a file of its own."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isovc.errors import BadQuery
from isovc.snapshot.query.session import Way
from tests.snapshot.asked import Asked, told

WAYS = [Way.FOUND_OUT, Way.ROW_BY_ROW, Way.FILLED, Way.FILE]

# tables of every kind of key, affinity and collation; the same columns, so that every query fits every table
TABLES = [
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c)",
    "CREATE TABLE t(a, b TEXT, c)",
    "CREATE TABLE t(a TEXT PRIMARY KEY, b INTEGER, c)",
    "CREATE TABLE t(a TEXT COLLATE NOCASE PRIMARY KEY, b TEXT COLLATE RTRIM, c) WITHOUT ROWID",
    "CREATE TABLE t(a TEXT, b, c NUMERIC, PRIMARY KEY(a, b)) WITHOUT ROWID",
    "CREATE TABLE t(a, b, c REAL, PRIMARY KEY(a, b))",
    "CREATE TABLE t(a NUMERIC, b TEXT, c, PRIMARY KEY(b, a)) WITHOUT ROWID",
    "CREATE TABLE t(a REAL NOT NULL, b BLOB NOT NULL, c TEXT COLLATE NOCASE, PRIMARY KEY(a DESC, b))",
    "CREATE TABLE t(a INTEGER NOT NULL, b TEXT NOT NULL, c ANY, PRIMARY KEY(a, b)) STRICT",
    "CREATE TABLE t(a PRIMARY KEY, b VARCHAR(9), c AS (b || '!') STORED)",
]
U = "CREATE TABLE u(x TEXT, y INTEGER, z)"

TEXTS = [
    "",
    "a",
    "A",
    "a ",
    "b",
    "B",
    "5",
    "05",
    "5.0",
    " 5",
    "1e1",
    "10",
    "-3",
    "!",
    "a\0b",
    "ä",
    "🙂",
    "zz",
    "+7",
    ".",
]
VALUES = st.one_of(
    st.none(),
    st.integers(-12, 12),
    st.sampled_from([5, 10, 7, -3, 1 << 62, -(1 << 63), (1 << 63) - 1]),
    st.sampled_from([5.0, 0.5, -0.0, 1e300, -2.5, float("inf"), 9.3e18, 7.25]),
    st.sampled_from(TEXTS),
    st.sampled_from([b"", b"a", b"5", b"\xff\x00", b"zz"]),
)


def _literal(value: object) -> str:
    return str(apsw.format_sql_value(value)) if not (isinstance(value, float) and value == float("inf")) else "9e999"


SIDES = st.one_of(
    VALUES.map(_literal),
    st.sampled_from(TEXTS).map(lambda text: f"CAST({_literal(text)} AS {'INTEGER' if text == '5' else 'TEXT'})"),
    st.sampled_from(["t.a", "t.b", "t.c", "(SELECT 5)"]),
)


def one_of(*words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words)


COLUMN = one_of("t.a", "t.b", "t.c")


@st.composite
def conditions(draw: st.DrawFn, deep: int = 2) -> str:
    if deep and draw(st.integers(0, 3)) == 0:
        return f"({draw(conditions(deep - 1))} {draw(one_of('AND', 'OR'))} {draw(conditions(deep - 1))})"
    column, side, other = draw(COLUMN), draw(SIDES), draw(SIDES)
    match draw(st.integers(0, 7)):
        case 0:
            return f"{column} BETWEEN {side} AND {other}"
        case 1:
            return f"{column} IN ({side}, {other}, {draw(SIDES)})"
        case 2:
            return f"{column} {draw(one_of('LIKE', 'GLOB'))} {draw(one_of('a%', 'a*', '%', '5%', 'A_', '[a-b]*'))!r}"
        case 3:
            return f"{column} IS {draw(one_of('NULL', 'NOT NULL', '5', 't.b'))}"
        case 4:
            return f"{column} {draw(one_of('=', '<', '>='))} {side} COLLATE {draw(one_of('BINARY', 'NOCASE', 'RTRIM'))}"
        case 5:
            return f"(t.a, t.b) {draw(one_of('>', '<=', '='))} ({side}, {other})"
    return f"{column} {draw(one_of('=', '<', '<=', '>', '>=', '<>', 'IS'))} {side}"


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, bool]:
    """A query, and whether its order says everything."""
    where, x, column = draw(conditions()), draw(one_of("u.x", "u.y", "u.z")), draw(COLUMN)
    side, way = draw(SIDES), draw(one_of("", "DESC", "COLLATE NOCASE", "NULLS LAST"))
    first, second = draw(st.permutations(["t.a", "t.b"]))
    everything = "typeof(a), typeof(b), hex(a), hex(b), typeof(c), hex(c)"
    return draw(
        st.sampled_from(
            [
                (f"SELECT * FROM t WHERE {where}", False),
                (f"SELECT a, b, c FROM t WHERE {where} ORDER BY {first} {way}, {second} {way}, {everything}", True),
                (f"SELECT a, b FROM t WHERE {column} = {side} ORDER BY {first} {way}, {second}, {everything}", True),
                (f"SELECT a, typeof(a) FROM t WHERE {where} ORDER BY a {way}, typeof(a), hex(a) LIMIT 3", True),
                (f"SELECT a, count(*), min(b), max(b) FROM t WHERE {where} GROUP BY a", False),
                (f"SELECT count(*), count(b), total(c), min(a) FROM t WHERE {where}", False),
                (f"SELECT max(a), typeof(max(b)) FROM t UNION ALL SELECT min(a), min(b) FROM t WHERE {where}", False),
                (f"SELECT DISTINCT b, typeof(b) FROM t WHERE {where} ORDER BY b, typeof(b)", False),
                (f"SELECT t.*, u.* FROM t JOIN u ON t.a = {x} WHERE {where}", False),
                (f"SELECT u.*, t.c FROM u LEFT JOIN t ON t.b {draw(one_of('=', '<', '>='))} {x}", False),
                (f"SELECT * FROM u WHERE EXISTS (SELECT 1 FROM t WHERE t.a = {x} AND {where})", False),
                (f"SELECT * FROM u WHERE {x} IN (SELECT {column} FROM t WHERE {where})", False),
                (f"SELECT * FROM v WHERE a {draw(one_of('=', '>', '<='))} {side.replace('t.', '')}", False),
            ]
        )
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(table=st.sampled_from(TABLES), data=st.data())
def test_any_query_has_the_answer_of_a_database(table: str, data: st.DataObject) -> None:
    rows = {name: data.draw(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=12)) for name in ("t", "u")}
    with TemporaryDirectory() as folder, ExitStack() as stack:
        asked = Asked(Path(folder), f"{table}; {U}; CREATE VIEW v AS SELECT a, b FROM t WHERE b IS NOT NULL", rows)
        sessions = [(way, stack.enter_context(asked.session(way))) for way in WAYS]
        for number, (sql, ordered) in enumerate(data.draw(st.lists(queries(), min_size=4, max_size=8))):
            try:
                expected = told(asked.real(sql), ordered=ordered)
            except BadQuery:
                continue
            for way, session in sessions:
                if way is Way.FILE and number:
                    continue  # a file takes a while, and is the same for all queries
                try:
                    found = list(session.ask(sql).rows)
                except BadQuery as error:
                    assert way is Way.ROW_BY_ROW and "not valid" in error.why  # no module can give such text
                else:
                    assert told(found, ordered=ordered) == expected, (way, sql)
