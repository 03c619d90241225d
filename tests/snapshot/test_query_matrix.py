"""Every kind of key against every kind of value: conditions and orders on key columns, one after the other."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pytest

from isovc.errors import BadQuery
from isovc.model import Value
from isovc.snapshot.query.session import Way
from tests.snapshot.asked import Asked, told
from tests.snapshot.test_query import TABLES, U

KEYS: list[Value] = [
    None,
    5,
    7,
    -3,
    5.5,
    1e300,
    "",
    "5",
    "05",
    "5.0",
    " 5",
    "a",
    "A",
    "a ",
    "B",
    "!",
    "zz",
    b"5",
    b"\xff",
]
OTHERS: list[Value] = [1, "b", None, 2.5]
SIDES = [
    "5",
    "5.0",
    "-3",
    "5.5",
    "'5'",
    "'05'",
    "' 5'",
    "'a'",
    "'A'",
    "'!'",
    "''",
    "'a '",
    "x'35'",
    "NULL",
    "CAST('5' AS INTEGER)",
]
SIDES += ["CAST(5 AS TEXT)", "(SELECT 5)", "(SELECT y FROM u WHERE x = '!')", "(SELECT x FROM u WHERE z = 9)"]


def _queries(table: str) -> list[tuple[str, bool]]:
    rest = "typeof(a), hex(a), typeof(b), hex(b)"
    found = [(f"SELECT * FROM t WHERE a {op} {side}", False) for op, side in product(("=", "<", ">=", "IS"), SIDES)]
    found += [
        (f"SELECT * FROM t WHERE a = {side} AND b {op} {other}", False)
        for side, op, other in product(("5", "'a'", "'5'", "NULL"), ("=", ">", "<"), ("1", "'b'", "'1'"))
    ]
    found += [(f"SELECT * FROM t WHERE b {op} {side}", False) for op, side in product(("=", ">"), SIDES)]
    found += [
        (f"SELECT * FROM t WHERE a {words}", False)
        for words in (
            "IN (5, '5', 'a', NULL)",
            "BETWEEN 5 AND 'a'",
            "GLOB 'a*'",
            "LIKE 'a%'",
            "IS NULL",
            "NOT NULL",
            "= 'a' COLLATE NOCASE",
            "> 'a' COLLATE RTRIM",
            "= 5 OR b = 'b'",
            "= b",
        )
    ]
    orders = [
        "a",
        "a DESC",
        "a, b",
        "a DESC, b DESC",
        "a, b DESC",
        "a COLLATE NOCASE",
        "a COLLATE BINARY DESC",
        "b, a",
        "a NULLS LAST",
    ]
    found += [(f"SELECT a, b FROM t ORDER BY {order}, {rest}", True) for order in orders]
    # nothing but the order of the key, so that it is taken as it is: what compares equal is made one
    found += [
        (f"SELECT DISTINCT a FROM t WHERE typeof(a) = 'text' ORDER BY {order}", True) for order in ("a", "a DESC")
    ]
    found += [
        (f"SELECT lower(rtrim(a)) FROM t WHERE a IN ('a', 'A', 'a ', 'B', 'zz', '!') ORDER BY {order}", True)
        for order in ("a", "a DESC")
    ]
    found += [(f"SELECT a, b FROM t WHERE a = {side} ORDER BY b", True) for side in ("'a'", "-3", "(SELECT 7)")]
    found += [(f"SELECT b, a FROM t WHERE b = 'b' AND a > {side} ORDER BY a LIMIT 4", True) for side in ("7", "'A'")]
    found += [
        (f"SELECT u.x, u.y, t.a, t.b FROM u JOIN t ON t.{key} {op} u.{side}", False)
        for key, op, side in product("ab", ("=", "<", ">="), "xyz")
    ]
    found += [
        ("SELECT min(a), max(a), count(DISTINCT a) FROM t", True),
        ("SELECT a, count(*) FROM t GROUP BY a", False),
    ]
    found += [
        (f"SELECT a FROM t WHERE a = {side} ORDER BY c DESC, hex(a)", True)
        for side in ("(SELECT y FROM u WHERE x = '5')", "5")
    ]
    if "COLLATE" not in table:  # so that ties are the same row twice
        found += [
            (f"SELECT a, b FROM t ORDER BY a {one}, b {other}", True) for one, other in product(("", "DESC"), repeat=2)
        ]
    return found


@pytest.mark.parametrize("table", TABLES)
def test_keys_and_values(tmp_path: Path, table: str) -> None:
    rows = {
        "t": [(key, other, at) for at, (key, other) in enumerate(product(KEYS, OTHERS))],
        "u": [(value, value, at) for at, value in enumerate(KEYS)],
    }
    asked = Asked(tmp_path, f"{table}; {U}", rows)
    with ExitStack() as stack:
        sessions = [(way, stack.enter_context(asked.session(way))) for way in (Way.ROW_BY_ROW, Way.FILLED)]
        for sql, ordered in _queries(table):
            try:
                expected = told(asked.real(sql), ordered=ordered)
            except BadQuery:
                continue  # such a row has two values, or none
            for way, session in sessions:
                assert told(list(session.ask(sql).rows), ordered=ordered) == expected, (way, sql)
