"""A stretch of keys holds every row that can meet a condition."""

from __future__ import annotations

from contextlib import closing

import apsw
import pytest

from isovc.encoding.orderkey import encode_key
from isovc.model import Value
from isovc.sources.sqlite.asking.bounds import Op, Term, stretch

VALUES: list[Value] = [None, 0, 5, -3, -(1 << 63), (1 << 63) - 1, 5.5, -0.0, 1e300, float("-inf"), b"", b"5", b"\xff"]
VALUES += ["", "a", "B", "5", "05", "5.0", " 5", "-3", "!", "a\0b", "1e1", "zz", ".", "+7", "0x5", "ä"]
OPS: list[Op] = ["=", "IS", ">", ">=", "<", "<="]
AFFINITIES = ["INTEGER", "REAL", "NUMERIC", "TEXT", "BLOB"]


def _holds(terms: list[Term], key: bytes) -> bool:
    found = stretch(terms)
    if found is None:
        return False
    after, upto = found
    return (after is None or after < key) and (upto is None or key <= upto)


@pytest.mark.parametrize("affinity", AFFINITIES)
def test_no_row_that_meets_a_term_lies_outside(affinity: str) -> None:
    """The value comes out of a column of any affinity, or stands there by itself; alone, or behind another key cell."""
    with closing(apsw.Connection(":memory:")) as connection:
        connection.execute(f"CREATE TABLE t(c {affinity})")
        connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in VALUES])
        for other in [*AFFINITIES, ""]:
            connection.execute(f"DROP TABLE IF EXISTS v; CREATE TABLE v(x {other})")
            connection.executemany("INSERT INTO v VALUES (?)", [(value,) for value in VALUES])
            for op in OPS:
                if other:
                    met = list(connection.execute(f"SELECT c, x FROM t JOIN v ON c {op} x"))
                else:
                    met = [
                        (c, x) for x in VALUES for (c,) in connection.execute(f"SELECT c FROM t WHERE c {op} ?", (x,))
                    ]
                for c, x in met:
                    first = Term(0, "TEXT", "=", "k")
                    bare = not other
                    assert _holds([Term(0, affinity, op, x, bare)], encode_key([c])), (c, op, x, other)
                    assert _holds([Term(0, affinity, op, x, bare)], encode_key([c, "behind"])), (c, op, x, other)
                    assert _holds([first, Term(1, affinity, op, x, bare)], encode_key(["k", c])), (c, op, x, other)


@pytest.mark.parametrize(
    ("terms", "inside", "outside"),
    [
        ([Term(0, "INTEGER", "=", 5)], [(5,)], [(4,), (6,)]),
        ([Term(0, "INTEGER", ">", 5), Term(0, "INTEGER", "<=", 9)], [(6,), (9,)], [(5,), (10,), (None,)]),
        ([Term(0, "INTEGER", "=", "7")], [(7,)], [(6,), ("7",)]),
        ([Term(0, "TEXT", "=", "b"), Term(1, "INTEGER", ">=", 3)], [("b", 3)], [("b", 2), ("a", 9), ("c", 1)]),
        ([Term(0, "TEXT", "IS", None)], [(None,)], [("",), (0,)]),
        ([Term(0, "TEXT", "<", "b", bare=True)], [("a",)], [("c",), (None,)]),
    ],
)
def test_a_stretch_is_narrow_where_the_meaning_is_known(
    terms: list[Term], inside: list[tuple[Value, ...]], outside: list[tuple[Value, ...]]
) -> None:
    assert all(_holds(terms, encode_key(key)) for key in inside)
    assert not any(_holds(terms, encode_key(key)) for key in outside)


def test_a_comparison_with_null_meets_nothing() -> None:
    assert stretch([Term(0, "TEXT", "=", None)]) is None
    assert stretch([Term(0, "TEXT", "<", None)]) is None
