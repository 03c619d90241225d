"""A stretch of keys holds every row that can meet a condition."""

from __future__ import annotations

from contextlib import closing

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.model import Value
from isovc.sources.sqlite.asking.bounds import Op, Term, stretch

TEXTS = st.sampled_from(["", "a", "B", "5", "05", "5.0", " 5", "-3", "!", "a\0b", "1e1", "zz", ".", "+7", "ä"])
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.integers(-9, 9),
    st.sampled_from([-(1 << 63), (1 << 63) - 1]),
    st.floats(allow_nan=False),
    TEXTS,
    st.binary(max_size=2),
)
OPS: st.SearchStrategy[Op] = st.sampled_from(["=", "IS", ">", ">=", "<", "<="])
AFFINITIES = st.sampled_from(["INTEGER", "REAL", "NUMERIC", "TEXT", "BLOB"])


@given(
    st.lists(st.tuples(AFFINITIES, VALUES), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), OPS, VALUES), max_size=4),
    AFFINITIES,
)
def test_no_row_that_meets_the_terms_lies_outside(
    row: list[tuple[str, Value]], said: list[tuple[int, Op, Value]], other: str
) -> None:
    """The values compared with come out of a column of any affinity, or stand there by themselves."""
    columns = ", ".join(f"c{at} {affinity}" for at, (affinity, _) in enumerate(row))
    said = [term for term in said if term[0] < len(row)]
    with closing(apsw.Connection(":memory:")) as connection:
        connection.execute(f"CREATE TABLE t({columns}); CREATE TABLE v(x {other})")
        connection.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(row))})", [value for _, value in row])
        (kept,) = connection.execute("SELECT * FROM t")
        for bare in (True, False):
            terms, meets = [], True
            for place, op, value in said:
                connection.execute("DELETE FROM v")
                connection.execute("INSERT INTO v VALUES (?)", (value,))
                seen = value if bare else connection.execute("SELECT x FROM v").get
                terms.append(Term(place, row[place][0], op, seen, bare))
                if bare:
                    meets = meets and bool(connection.execute(f"SELECT c{place} {op} ? FROM t", (value,)).get)
                else:
                    meets = meets and bool(connection.execute(f"SELECT c{place} {op} v.x FROM t, v").get)
            found = stretch(terms)
            if meets:
                assert found is not None
                after, upto = found
                key = encode_key(kept)
                assert after is None or after < key
                assert upto is None or key <= upto


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
    found = stretch(terms)
    assert found is not None
    after, upto = found

    def holds(key: bytes) -> bool:
        return (after is None or after < key) and (upto is None or key <= upto)

    assert all(holds(encode_key(key)) for key in inside)
    assert not any(holds(encode_key(key)) for key in outside)


def test_a_comparison_with_null_meets_nothing() -> None:
    assert stretch([Term(0, "TEXT", "=", None)]) is None
    assert stretch([Term(0, "TEXT", "<", None)]) is None
