"""SQL text means exactly the names and values it was made from."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.errors import NotStorable
from isovc.sql import added_columns, literal, module_of, name, names, statement

values = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)


@given(values)
def test_a_literal_is_read_back_as_it_was(value: object) -> None:
    connection = apsw.Connection(":memory:")
    assert repr(connection.execute(f"SELECT {literal(value)}").get) == repr(value)  # type: ignore[arg-type]


def test_invalid_text_keeps_its_bytes() -> None:
    row = (
        apsw.Connection(":memory:")
        .execute("SELECT typeof(a), CAST(a AS BLOB) FROM (SELECT " + literal("a\udcff\0") + " AS a)")
        .get
    )
    assert row == ("text", b"a\xff\0")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_a_quoted_name_names_just_that(text: str) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(f"CREATE TABLE t ({name(text)})")
    assert connection.execute("PRAGMA table_info(t)").fetchall()[0][1] == text


def test_modules() -> None:
    assert module_of("CREATE VIRTUAL TABLE IF NOT EXISTS main.[a b] /* x */ USING 'fts5'(a)") == "fts5"
    assert module_of("CREATE TABLE virtual (using fts5)") == ""


def test_added_columns() -> None:
    assert added_columns("CREATE TABLE t(a)", "CREATE TABLE t(a, b DEC(1,2), c)") == ("b DEC(1,2)", "c")
    assert added_columns("CREATE TABLE t(a)", "CREATE TABLE t(b, a)") == ()
    assert added_columns("CREATE TABLE t(a)", "CREATE TABLE t(a) STRICT") == ()


def test_a_comment_does_not_swallow_the_end() -> None:
    assert statement("SELECT 1 -- x") == "SELECT 1 -- x\n;"


def test_a_name_cannot_hold_a_nul() -> None:
    with pytest.raises(NotStorable):
        name("a\0b")


def test_numbers_that_are_no_numbers_in_sql() -> None:
    connection = apsw.Connection(":memory:")
    values = [float("inf"), float("-inf"), float("nan"), -(2**63), -(2**63) + 1]
    found = connection.execute(f"SELECT {', '.join(map(literal, values))}").fetchall()[0]
    assert found == (float("inf"), float("-inf"), None, -(2**63), -(2**63) + 1)


def test_several_names() -> None:
    assert names(["a", 'b"c']) == '"a", "b""c"'


def test_what_is_no_list_of_columns_adds_none() -> None:
    assert added_columns("CREATE TABLE t(a)", "CREATE TABLE t(a, b) AS SELECT 1, (2)") == ()
    assert added_columns("CREATE TABLE t AS", "CREATE TABLE t(a, b)") == ()
    assert added_columns("CREATE TABLE t(a)", "CREATE TABLE t(a), (b)") == ()
    assert module_of("CREATE VIRTUAL TABLE v") == ""
