"""Three CREATE TABLE texts become one, part by part, in our wording."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.sql import merge_texts, taken_apart, words
from isovc.sql.parts import clauses, with_clauses

BASE = """CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, -- about a
  b TEXT NOT NULL DEFAULT 'x', CHECK (a > 0))"""

MOVED = "a INT, id INTEGER PRIMARY KEY"


def changed(*pairs: tuple[str, str]) -> str:
    text = BASE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        ([("a INT", "a TEXT")], [("a INT", "a INT DEFAULT 5")], [("a INT", "a TEXT DEFAULT 5")]),
        ([(", CHECK", ", c, CHECK")], [(", CHECK", ", d, CHECK")], [(", CHECK", ", c, d, CHECK")]),
        ([(", CHECK", ", c, CHECK")], [(", CHECK", ", c, CHECK")], [(", CHECK", ", c, CHECK")]),
        ([("a > 0))", "a > 0), UNIQUE (a))")], [(", CHECK (a > 0)", "")], [(", CHECK (a > 0)", ", UNIQUE (a)")]),
        ([("NOT NULL ", "")], [("DEFAULT 'x'", "DEFAULT 'y'")], [("NOT NULL DEFAULT 'x'", "DEFAULT 'y'")]),
        ([("a > 0))", "a > 0)) STRICT")], [(" a INT, -- about a\n ", "")], [(" a INT,", ""), ("0))", "0)) STRICT")]),
        ([("a INT", "a  INT")], [("a INT", "a INT /* x */")], [("a INT", "a  INT")]),
        ([("b TEXT", '"b"  TEXT')], [("b TEXT", "b TEXT REFERENCES u")], [("b TEXT", "b TEXT REFERENCES u")]),
        ([("id INTEGER PRIMARY KEY, a INT", MOVED)], [("b TEXT", "b CLOB")],
         [("id INTEGER PRIMARY KEY, a INT", MOVED), ("b TEXT", "b CLOB")]),
    ],
)  # fmt: skip
def test_parts_go_together(
    ours: list[tuple[str, str]], theirs: list[tuple[str, str]], merged: list[tuple[str, str]]
) -> None:
    assert merge_texts(BASE, changed(*ours), changed(*theirs)) == (changed(*merged), ())


@pytest.mark.parametrize(
    ("ours", "theirs", "what"),
    [
        (("a INT", "a TEXT"), ("a INT", "a REAL"), "the type of the column a"),
        (("'x'", "'y'"), ("'x'", "'z'"), "the default of the column b"),
        ((" a INT, -- about a\n ", ""), ("a INT", "a REAL"), "the column a"),
        ((", CHECK", ", c INT, CHECK"), (", CHECK", ", c TEXT, CHECK"), "the column c"),
        (("a > 0", "a > 5"), ("a > 0", "a > 9"), "CHECK (a > 5)"),
    ],
)
def test_one_part_changed_in_two_ways_is_contested_and_the_rest_goes_together(
    ours: tuple[str, str], theirs: tuple[str, str], what: str
) -> None:
    more = [("(id", "(z, id")]
    mine, other = changed(ours), changed(theirs, *more)
    found = merge_texts(BASE, mine, other)
    assert found is not None
    assert found[1] == (what,)
    assert "z" in words(found[0])
    for side, word in {"ours": mine, "theirs": other, "base": BASE}.items():
        decided = merge_texts(BASE, mine, other, side=side)  # type: ignore[arg-type]
        assert decided is not None
        assert decided[1] == ()
        of_side, stands = taken_apart(word), taken_apart(decided[0])
        assert of_side is not None
        assert stands is not None
        known = {words(part.body) for part in (*of_side.columns, *of_side.constraints)} | {("z",)}
        assert {words(part.body) for part in (*stands.columns, *stands.constraints)} == known


def test_held_columns_stay_and_banned_ones_are_left_out() -> None:
    without = changed((" a INT, -- about a\n ", ""), (", CHECK (a > 0)", ""))
    held = merge_texts(BASE, BASE, without, held=frozenset({"a"}))
    assert held is not None
    assert words("a INT") in {words(part.body) for part in taken_apart(held[0]).columns}  # type: ignore[union-attr]
    out = merge_texts(
        BASE, BASE, changed(("a > 0))", "a > 0), UNIQUE (Zed))"), ("(id", "(zed, id")), banned=frozenset({"zed"})
    )
    assert out == (BASE, ())


COLUMN = st.sampled_from(
    [
        "a",
        "[b c] VARCHAR(10)",
        '"d" DEC(1, 2) NOT NULL',
        "e INT CONSTRAINT x CHECK (e > 1) -- e\n",
        "f TEXT COLLATE NOCASE /* f */ DEFAULT (1 + (2))",
        "g REFERENCES u (x) ON DELETE SET NULL ON UPDATE SET DEFAULT NOT DEFERRABLE UNIQUE",
        "h AS (a || ',') STORED",
        "i INT GENERATED ALWAYS AS (')') VIRTUAL",
        "j DEFAULT -5 NOT NULL ON CONFLICT IGNORE",
        "k DEFAULT NULL NULL",
        "'l' TEXT DEFAULT 'it''s, (' REFERENCES u",
    ]
)
CONSTRAINT = st.sampled_from(
    ["UNIQUE (a)", "CONSTRAINT y CHECK (a <> ')')", "\n FOREIGN KEY (a) REFERENCES u(x) -- z\n"]
)
BLANK = st.sampled_from(["", " ", "\n  ", " /* , ) */ ", " -- (\n"])


@given(
    st.lists(st.tuples(BLANK, COLUMN), max_size=6, unique_by=lambda each: each[1]),
    st.lists(st.tuples(BLANK, CONSTRAINT), max_size=3),
    BLANK,
    st.sampled_from(["", " STRICT", "WITHOUT ROWID,STRICT"]),
)
def test_what_is_taken_apart_goes_together_again_and_is_what_sqlite_reads(
    columns: list[tuple[str, str]], constraints: list[tuple[str, str]], blank: str, options: str
) -> None:
    parts = [("", "a"), *[each for each in columns if each[1] != "a"], *constraints]
    text = "CREATE TABLE t (" + ",".join(lead + part for lead, part in parts) + blank + ")" + options
    found = taken_apart(text)
    assert found is not None
    assert found.text == text
    assert [with_clauses(each, clauses(each)) for each in found.columns] == list(found.columns)
    if not options:
        connection = apsw.Connection(":memory:")
        connection.execute(text)
        rows = connection.execute("PRAGMA table_xinfo(t)").fetchall()
        assert [row[1] for row in rows] == [each.column for each in found.columns]
        types = [next((one.text for one in clauses(each) if one.kind == "TYPE"), "") for each in found.columns]
        assert [words(str(row[2]).removesuffix(" GENERATED ALWAYS")) for row in rows] == list(map(words, types))


def test_what_has_no_parts_is_not_merged() -> None:
    assert merge_texts("CREATE TABLE t AS", "CREATE TABLE t(a)", "CREATE TABLE t(b)") is None
    assert taken_apart("CREATE VIEW v AS SELECT 1") is None
