"""Tables that both sides gave other columns, another name or another key: the definition and the rows are merged."""

from __future__ import annotations

import pytest

from isovc.snapshot.merging.how import How, Side
from tests.snapshot.merging import Merging, places, texts

BASE = """CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, -- about a
    b TEXT DEFAULT 'x'); INSERT INTO t VALUES (1, 10, 'p'), (2, 20, 'q'), (3, 30, 'r');
    CREATE TABLE u (x); CREATE INDEX i ON t (a); CREATE VIEW v AS SELECT a FROM t"""


def rebuilt(definition: str, columns: str = "*") -> str:
    aside = "CREATE TABLE o AS SELECT * FROM t; DROP TABLE t"
    return f"{aside}; {definition}; INSERT INTO t SELECT {columns} FROM o; DROP TABLE o"


def test_columns_added_on_both_sides_both_come() -> None:
    merging = Merging(
        BASE,
        "ALTER TABLE t ADD COLUMN c; ALTER TABLE t ADD COLUMN same INT;UPDATE t SET c = id, same = 1 WHERE id < 3",
        "ALTER TABLE t ADD COLUMN same INT; ALTER TABLE t ADD COLUMN d INT DEFAULT 7;"
        "UPDATE t SET same = 1 WHERE id = 1;"
        "UPDATE t SET b = 'z', d = 8 WHERE id = 2; INSERT INTO t (id, a) VALUES (9, 90)",
    )
    found = merging.merged()
    assert found.conflicts == ()
    assert texts(found.version)["t"].endswith("b TEXT DEFAULT 'x', c, same INT, d INT DEFAULT 7)")
    rows = [tuple(row.values()) for row in merging.rows(found, "t")]
    assert rows == [
        (1, 10, "p", 1, 1, 7),
        (2, 20, "z", 2, 1, 8),
        (3, 30, "r", None, None, 7),
        (9, 90, "x", None, None, 7),
    ]


def test_nullable_columns_at_the_end_write_no_row_anew() -> None:
    merging = Merging(
        f"{BASE}; WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
        " INSERT INTO t SELECT i, i, i FROM n",
        "ALTER TABLE t ADD COLUMN c; UPDATE t SET a = -1 WHERE id = 100",
        "ALTER TABLE t ADD COLUMN d; UPDATE t SET a = -1, d = 5 WHERE id = 4000",
    )
    before = len(list(merging.forest.store.ids()))
    found = merging.merged()
    assert found.conflicts == ()
    assert texts(found.version)["t"].endswith("c, d)")
    assert [row["id"] for row in merging.rows(found, "t") if row["a"] == -1] == [100, 4000]
    # a leaf and the nodes above it; the rest was read again by the check, which writes what is there already
    assert len(list(merging.forest.store.ids())) - before <= 4


@pytest.mark.parametrize("turned", [False, True])
def test_a_renamed_column_is_the_same_column(turned: bool) -> None:
    merging = Merging(
        BASE,
        "ALTER TABLE t RENAME COLUMN b TO name; UPDATE t SET name = 'mine' WHERE id = 1",
        "UPDATE t SET b = 'theirs' WHERE id = 2; CREATE INDEX k ON t (b); ALTER TABLE t ADD COLUMN c CHECK (c > b)",
    )
    found = merging.merged(turned=turned)
    assert found.conflicts == ()
    assert {row["id"]: row["name"] for row in merging.rows(found, "t")} == {1: "mine", 2: "theirs", 3: "r"}
    assert texts(found.version)["k"] == "CREATE INDEX k ON t (name)"
    assert "c CHECK (c > name)" in texts(found.version)["t"]


@pytest.mark.parametrize("turned", [False, True])
def test_a_renamed_table_is_the_same_table(turned: bool) -> None:
    merging = Merging(
        f"{BASE}; CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END; CREATE TABLE w (t REFERENCES t(id))",
        "ALTER TABLE t RENAME TO tt; UPDATE tt SET b = 'mine' WHERE id = 1",
        "UPDATE t SET b = 'theirs' WHERE id = 2; CREATE INDEX k ON t(b); ALTER TABLE t ADD COLUMN e;"
        "ALTER TABLE w ADD COLUMN n; CREATE VIEW more AS SELECT e FROM t",
    )
    found = merging.merged(turned=turned)
    assert found.conflicts == ()
    assert [row["b"] for row in merging.rows(found, "tt")] == ["mine", "theirs", "r"]
    assert {each.name: each.table for each in found.version.shape.objects if each.type in ("index", "trigger")} == {
        "i": "tt",
        "k": "tt",
        "r": "tt",
    }
    assert texts(found.version)["w"] == 'CREATE TABLE w (t REFERENCES "tt"(id), n)'
    assert texts(found.version)["more"] == 'CREATE VIEW more AS SELECT e FROM "tt"'
    assert "t" not in found.version.shape.tables


def test_names_may_go_round() -> None:
    merging = Merging(
        "CREATE TABLE a (x); CREATE TABLE b (y); INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (3), (4)",
        "ALTER TABLE a RENAME TO c; ALTER TABLE b RENAME TO d",
        "INSERT INTO a VALUES (5); ALTER TABLE b ADD COLUMN z",
    )
    found = merging.merged()
    assert found.conflicts == ()
    assert [row["x"] for row in merging.rows(found, "c")] == [1, 2, 5]
    assert found.version.shape.tables["d"].cells == ("_rowid_", "y", "z")


FILLED = "UPDATE t SET b = 'new', a = 5 WHERE id = 2; INSERT INTO t VALUES (7, 7, 'lost'), (8, 8, 'x')"
WITH_B = [(1, 10, "p"), (2, 5, "new"), (3, 30, "r"), (7, 7, "lost"), (8, 8, "x")]
WITHOUT_B = [row[:2] for row in WITH_B]


def test_what_was_put_into_a_dropped_column_is_told_and_can_be_brought_back() -> None:
    merging = Merging(BASE, "ALTER TABLE t DROP COLUMN b", FILLED)
    found = merging.merged()
    assert places(found) == [("rows against schema", ("table", "t")), ("row", None), ("row", None)]
    told = {each.row.merged: (each.row.kind, each.row.cells) for each in found.conflicts if each.row}
    assert told == {(2, 5): ("drop/edit", ()), (7, 7): ("drop/edit", ())}
    assert [each.why.split(" was put into b there")[0] for each in found.conflicts[1:]] == ["'new'", "'lost'"]
    assert [tuple(row.values()) for row in merging.rows(found, "t")] == WITHOUT_B


def test_a_column_that_ours_put_something_into_stays_until_somebody_decides() -> None:
    merging = Merging(BASE, FILLED, "ALTER TABLE t DROP COLUMN b; UPDATE t SET a = 31 WHERE id = 3")
    found = merging.merged()
    assert places(found) == [("rows against schema", ("table", "t"))]
    assert [tuple(row.values()) for row in merging.rows(found, "t")] == [*WITH_B[:2], (3, 31, "r"), *WITH_B[3:]]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("decided", [False, True])
@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_whoever_counts_keeps_or_drops_a_column(side: Side, decided: bool, turned: bool) -> None:
    merging = Merging(BASE, "ALTER TABLE t DROP COLUMN b", FILLED)
    how = How(definitions={("table", "t"): side}) if decided else How(prefer=side)
    found = merging.merged(how, turned=turned)
    assert found.conflicts == ()
    wanted = WITH_B if (side == "theirs") != turned else WITHOUT_B
    assert [tuple(row.values()) for row in merging.rows(found, "t")] == wanted


@pytest.mark.parametrize("turned", [False, True])
def test_columns_in_another_order_and_of_another_type(turned: bool) -> None:
    merging = Merging(
        BASE,
        rebuilt("CREATE TABLE t (b TEXT DEFAULT 'x', id INTEGER PRIMARY KEY, a TEXT)", "b, id, a"),
        "UPDATE t SET a = 21 WHERE id = 2; ALTER TABLE t ADD COLUMN c; INSERT INTO t VALUES (4, 40, 's', 'c')",
    )
    found = merging.merged(turned=turned)
    assert {place[1] for _, place in places(found) if place} <= {"i"}  # the index went with the old table
    assert [(row["id"], row["a"], row["b"], row["c"]) for row in merging.rows(found, "t")] == [
        (1, "10", "p", None),
        (2, "21", "q", None),
        (3, "30", "r", None),
        (4, "40", "s", "c"),
    ]
    assert found.version.shape.tables["t"].columns[0].name == "b"


@pytest.mark.parametrize("turned", [False, True])
def test_what_a_strict_table_refuses_is_a_row_in_conflict(turned: bool) -> None:
    merging = Merging(
        BASE,
        rebuilt("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT DEFAULT 'x') STRICT"),
        "UPDATE t SET a = 'text', b = 'B' WHERE id = 2; INSERT INTO t VALUES (4, '40', 's')",
    )
    found = merging.merged(turned=turned)
    rows = [tuple(row.values()) for row in merging.rows(found, "t")]
    assert rows == [(1, 10, "p"), (2, 20, "B"), (3, 30, "r"), (4, 40, "s")]
    (conflict,) = (each for each in found.conflicts if each.row)
    assert conflict.row is not None
    assert conflict.row.cells == (1,)
    # nobody's word can put the text there
    assert merging.merged(How(prefer="ours"), turned=turned).conflicts == (conflict,)


def test_both_made_the_table() -> None:
    merging = Merging(
        "CREATE TABLE u (x)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'a'), (2, 'same')",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1, 'b', 5), (2, 'same', 6), (3, 'c', 7)",
    )
    found = merging.merged()
    rows = [tuple(row.values()) for row in merging.rows(found, "t")]
    assert rows == [(1, "a", 5), (2, "same", 6), (3, "c", 7)]
    assert [(each.row.kind, each.row.cells) for each in found.conflicts if each.row] == [("add/add", (1,))]
    preferred = merging.merged(How(tables={"T": "theirs"}))
    assert preferred.conflicts == ()
    assert [tuple(row.values()) for row in merging.rows(preferred, "t")] == [(1, "b", 5), (2, "same", 6), (3, "c", 7)]


@pytest.mark.parametrize(
    ("side", "rows"),
    [("ours", [1, 2, 3]), ("theirs", None), ("base", [1, 2, 3])],
)
def test_a_table_that_one_side_dropped_and_the_other_filled(side: Side, rows: list[int] | None) -> None:
    merging = Merging(BASE, "UPDATE t SET a = 1 WHERE id = 1", "DROP VIEW v; DROP TABLE t")
    found = merging.merged()
    assert places(found) == [("rows against schema", ("table", "t"))]
    assert "i" in texts(found.version)  # what hangs on the table stays with it
    assert [row["a"] for row in merging.rows(found, "t")] == [1, 20, 30]
    decided = merging.merged(How(definitions={("table", "T"): side}))
    assert decided.conflicts == ()
    stands = [row["id"] for row in merging.rows(decided, "t")] if "t" in decided.version.roots else None
    assert stands == rows
    turned = merging.merged(turned=True)
    assert places(turned) == [("rows against schema", ("table", "t"))]
    assert "t" not in turned.version.roots


KEYED = rebuilt("CREATE TABLE t (id INT, a INT PRIMARY KEY, b TEXT)") + "; UPDATE t SET b = 'th' WHERE id = 2"
EDITS = "UPDATE t SET b = 'o' WHERE id = 1; INSERT INTO t VALUES (4, 40, 's'), (5, 20, 'twice'), (6, NULL, 'n')"


def test_another_key_and_other_rows() -> None:
    merging = Merging(BASE, EDITS, KEYED)
    found = merging.merged()
    assert ("rows against schema", ("table", "t")) in places(found)
    assert [row["b"] for row in merging.rows(found, "t")] == ["o", "q", "r", "s", "twice", "n"]

    ours = merging.merged(How(definitions={("table", "t"): "ours"}))
    assert ours.conflicts == ()
    assert [row["b"] for row in merging.rows(ours, "t")] == ["o", "th", "r", "s", "twice", "n"]

    theirs = merging.merged(How(definitions={("table", "t"): "theirs"}))
    assert theirs.version.shape.tables["t"].key == ("a", "_rowid_")
    assert [row["b"] for row in merging.rows(theirs, "t")] == ["o", "th", "r", "s"]
    assert [each.row.ours for each in theirs.conflicts if each.row] == [(20, None, 5, "twice"), (None, None, 6, "n")]


def test_a_key_that_nobody_edits_around_is_taken() -> None:
    merging = Merging(BASE, KEYED, "CREATE TABLE other (a)")
    for turned in (False, True):
        found = merging.merged(turned=turned)
        assert found.conflicts == ()
        assert found.version.shape.tables["t"].key == ("a", "_rowid_")


@pytest.mark.parametrize("side", ["base", "ours", "theirs"])
def test_a_decided_definition_stands_and_rows_go_into_it(side: Side) -> None:
    merging = Merging(
        BASE,
        "ALTER TABLE t ADD COLUMN c; UPDATE t SET a = 11, c = 1 WHERE id = 1",
        "ALTER TABLE t ADD COLUMN d; UPDATE t SET b = 'z', d = 2 WHERE id = 2",
    )
    found = merging.merged(How(definitions={("table", "t"): side}))
    assert found.conflicts == ()
    version = {"base": merging.base, "ours": merging.ours, "theirs": merging.theirs}[side]
    assert texts(found.version)["t"] == texts(version)["t"]
    assert [(row["a"], row["b"]) for row in merging.rows(found, "t")] == [(11, "p"), (20, "z"), (30, "r")]


def test_things_that_want_one_name() -> None:
    merging = Merging(
        BASE,
        "ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME COLUMN x TO y",
        "CREATE TABLE x (other); INSERT INTO x VALUES (1); UPDATE t SET b = 'z' WHERE id = 1;"
        "ALTER TABLE u ADD COLUMN y; INSERT INTO u VALUES ('x', 'y')",
    )
    found = merging.merged()
    assert {place for _, place in places(found)} == {("table", "x"), ("table", "u")}
    assert [row["b"] for row in merging.rows(found, "x")] == ["z", "q", "r"]
    assert [row["y"] for row in merging.rows(found, "u")] == ["x"]
    theirs = merging.merged(How(prefer="theirs"))
    assert theirs.conflicts == ()
    assert [row["other"] for row in merging.rows(theirs, "x")] == [1]
    assert [row["b"] for row in merging.rows(theirs, "t")] == ["z", "q", "r"]


def test_foreign_keys_keep_the_table_they_need() -> None:
    merging = Merging(
        "CREATE TABLE p (a); CREATE TABLE c (b)", "ALTER TABLE c ADD COLUMN p REFERENCES p (a)", "DROP TABLE p"
    )
    found = merging.merged()
    assert places(found) == [("schema", ("table", "c"))]
    assert "p" in found.version.roots
    turned = merging.merged(turned=True)
    assert places(turned) == [("schema", ("table", "c"))]


def test_pragmas_that_both_set() -> None:
    merging = Merging(BASE, "PRAGMA user_version = 5", "PRAGMA user_version = 6; PRAGMA application_id = 7")
    found = merging.merged()
    assert places(found) == [("schema", ("pragma", "user_version"))]
    assert (found.version.shape.pragmas["user_version"], found.version.shape.pragmas["application_id"]) == (5, 7)
    decided = merging.merged(How(definitions={("pragma", "user_version"): "theirs"}))
    assert decided.conflicts == ()
    assert decided.version.shape.pragmas["user_version"] == 6


def test_what_sqlite_does_not_take_together_is_told_and_ours_stands() -> None:
    merging = Merging(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT); INSERT INTO t VALUES (1, 1)",
        rebuilt("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT) STRICT"),
        "ALTER TABLE t ADD COLUMN b VARCHAR(5); UPDATE t SET a = 2",
    )
    found = merging.merged()
    assert places(found) == [("schema", ("table", "t"))]
    assert "VARCHAR" in found.conflicts[0].why
    assert [tuple(row.values()) for row in merging.rows(found, "t")] == [(1, 2)]
    theirs = merging.merged(How(definitions={("table", "t"): "theirs"}))
    assert theirs.conflicts == ()
    assert [tuple(row.values()) for row in merging.rows(theirs, "t")] == [(1, 2, None)]


def test_values_kept_apart_stay_apart() -> None:
    large = "z" * 40_000
    merging = Merging(
        BASE,
        rebuilt("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT DEFAULT 'x')"),
        f"UPDATE t SET a = '{large}' WHERE id = 1; ALTER TABLE t ADD COLUMN c;"
        f"UPDATE t SET c = x'{'00' * 20_000}' WHERE id = 2",
    )
    found = merging.merged()
    rows = {row["id"]: row for row in merging.rows(found, "t")}
    assert rows[1]["a"] == large
    assert rows[2]["c"] == bytes(20_000)


def test_numbers_given_follow_a_renamed_table() -> None:
    merging = Merging(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a); INSERT INTO t VALUES (1, 1), (2, 2)",
        "ALTER TABLE t RENAME TO tt",
        "INSERT INTO t VALUES (40, 3); DELETE FROM t WHERE id = 40; INSERT INTO t VALUES (7, 7)",
    )
    for turned in (False, True):
        found = merging.merged(turned=turned)
        assert found.conflicts == ()
        assert [(row["name"], row["seq"]) for row in merging.rows(found, "sqlite_sequence")] == [("tt", 40)]
        assert [row["id"] for row in merging.rows(found, "tt")] == [1, 2, 7]


@pytest.mark.parametrize("turned", [False, True])
def test_no_null_stands_where_the_other_side_wants_something(turned: bool) -> None:
    merging = Merging(
        BASE,
        "INSERT INTO t VALUES (4, NULL, 's'), (5, 50, 't'); UPDATE t SET a = NULL, b = 'B' WHERE id = 2",
        rebuilt("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT NOT NULL, b TEXT DEFAULT 'x')"),
    )
    found = merging.merged(turned=turned)
    assert [tuple(row.values()) for row in merging.rows(found, "t")] == [
        (1, 10, "p"),
        (2, 20, "B"),
        (3, 30, "r"),
        (5, 50, "t"),
    ]
    told = [each.row for each in found.conflicts if each.row]
    assert [(each.kind, each.cells, each.merged) for each in told] == [
        ("edit/edit", (1,), (2, 20, "B")),
        ("add/add", (1,), None),
    ]


@pytest.mark.parametrize("side", ["ours", "theirs"])
@pytest.mark.parametrize("decided", [False, True])
@pytest.mark.parametrize(
    ("one", "other"), [("int default 0", "int default 5"), ("", "int default 5"), ("int default 1", "text default 'x'")]
)
def test_a_column_that_both_added_begins_with_the_default_that_stands(
    one: str, other: str, side: Side, decided: bool
) -> None:
    merging = Merging(
        BASE,
        f"ALTER TABLE t ADD COLUMN c {one}; UPDATE t SET c = 70 WHERE id = 2",
        f"ALTER TABLE t ADD COLUMN c {other}; UPDATE t SET c = 'th' WHERE id = 3",
    )
    how = How(definitions={("table", "t"): side}) if decided else How(prefer=side)
    found = merging.merged(how)
    assert found.conflicts == ()
    said = one if side == "ours" else other
    assert texts(found.version)["t"].endswith(f"c {said})" if said else "c)")
    default = {"": None, "int default 0": 0, "int default 5": 5, "int default 1": 1, "text default 'x'": "x"}[said]
    filled = "70" if "text" in said else 70
    assert [row["c"] for row in merging.rows(found, "t")] == [default, filled, "th"]


def test_ours_stands_for_the_default_and_for_the_rows_that_have_it() -> None:
    merging = Merging(BASE, "ALTER TABLE t ADD COLUMN c INT DEFAULT 0", "ALTER TABLE t ADD COLUMN c INT DEFAULT 5")
    found = merging.merged()
    assert places(found) == [("schema", ("table", "t"))]
    assert [row["c"] for row in merging.rows(found, "t")] == [0, 0, 0]


def test_before_both_filled_a_column_that_came_new_there_was_its_default_in_it() -> None:
    column = "ALTER TABLE t ADD COLUMN c INT DEFAULT 1"
    merging = Merging(BASE, f"{column}; UPDATE t SET c = 7 WHERE id = 1", f"{column}; UPDATE t SET c = 8 WHERE id = 1")
    (told,) = merging.merged().conflicts
    assert told.row is not None
    assert [row and row[-1] for row in (told.row.base, told.row.ours, told.row.theirs)] == [1, 7, 8]
    based = merging.merged(How(prefer="base"))
    assert [row["c"] for row in merging.rows(based, "t")] == [1, 1, 1]
