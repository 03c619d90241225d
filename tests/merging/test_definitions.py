"""Definitions against definitions and against rows, from outside: what is merged, what waits, and how it is settled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.merging.conftest import Parted
from tests.versioned import Versioned

T = (
    "CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT, v INTEGER);"
    "INSERT INTO t VALUES(1, 'a', 1), (2, 'b', 2), (3, 'c', 3)"
)
EDITED = "UPDATE t SET u = 'x' WHERE id = 1; UPDATE t SET v = 20 WHERE id = 2; INSERT INTO t VALUES(4, 'd', 4)"
CHANGED = [(1, "x", 1), (2, "b", 20), (3, "c", 3), (4, "d", 4)]
ANEW = "CREATE TABLE n({}); INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t"
OTHER = {"ours": "theirs", "theirs": "ours"}
VIEW = "DROP VIEW IF EXISTS w; CREATE VIEW w AS SELECT {}"


@pytest.fixture(params=["ours", "theirs"])
def side(request: pytest.FixtureRequest) -> str:
    """The side that changed the definition."""
    return str(request.param)


def apart(parted: Parted, side: str, definition: str, rows: str, base: str = T) -> Versioned:
    return parted(*((definition, rows) if side == "ours" else (rows, definition)), base)


def conflicts(app: Versioned, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.json("conflicts", *words)
    return found


def waiting(app: Versioned) -> list[dict[str, Any]]:
    """What a merge leaves waiting."""
    assert app.run("merge", "exp").code == 3
    return conflicts(app)


def rows(app: Versioned, table: str = "t") -> list[tuple[Any, ...]]:
    return app.rows(f"SELECT * FROM {table} ORDER BY 1")


def columns(app: Versioned) -> list[str]:
    return [row[0] for row in app.rows("SELECT name FROM pragma_table_info('t')")]


def names(app: Versioned) -> set[str]:
    return {row[0] for row in app.rows("SELECT name FROM sqlite_schema")}


def finished(app: Versioned) -> None:
    app.ok("merge", "--continue")
    assert app.clean
    assert app.check() == "ok"
    assert app.json("fsck")["damages"] == []
    before = sorted(app.dump().splitlines())
    app.ok("switch", "exp")
    app.ok("switch", "main")  # what was committed is what was there
    assert sorted(app.dump().splitlines()) == before


# -- a table that went, or got another key -----------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["ours", "theirs"])
def test_a_table_dropped_here_and_edited_there(parted: Parted, side: str, choice: str) -> None:
    app = apart(parted, side, "DROP TABLE t; INSERT INTO tags VALUES(9, 'also')", EDITED)
    (found,) = waiting(app)
    assert (found["table"], found["key"], found["kind"]) == ("t", None, "rows against schema")
    assert found["definition"] == {"type": "table", "name": "t"}
    assert (found[side], found[OTHER[side]]) == (None, T.partition(";")[0])
    assert ("t" in names(app)) == (side == "theirs")  # ours stands
    assert app.rows("SELECT tag FROM tags WHERE note = 9") == [("also",)]
    app.ok("resolve", "t", f"--{choice}")
    assert ("t" in names(app)) == (choice != side)
    if choice != side:
        assert rows(app) == CHANGED
    finished(app)


def test_a_table_dropped_on_both_sides_or_left_alone_on_one(parted: Parted, side: str) -> None:
    app = apart(parted, side, "DROP TABLE t", "UPDATE notes SET title = 'x'")
    app.ok("merge", "exp")
    assert "t" not in names(app)
    app.ok("undo")
    app.ok("switch", "main" if side == "theirs" else "exp")
    app.sql("DROP TABLE t")
    app.commit()
    app.ok("merge", "exp" if side == "theirs" else "main")
    assert "t" not in names(app)


@pytest.mark.parametrize("choice", ["ours", "theirs"])
def test_a_key_changed_here_and_rows_there(parted: Parted, side: str, choice: str) -> None:
    app = apart(parted, side, ANEW.format("id INTEGER, u TEXT PRIMARY KEY, v INTEGER"), EDITED)
    (found,) = waiting(app)
    assert (found["table"], found["key"], found["kind"]) == ("t", None, "rows against schema")
    assert "key" in found["why"]
    app.ok("resolve", f"--{choice}")
    key = app.rows("SELECT name FROM pragma_table_info('t') WHERE pk = 1")
    assert key == [("u",) if choice == side else ("id",)]
    if choice != side:
        assert rows(app) == CHANGED
    finished(app)


# -- columns -----------------------------------------------------------------------------------------------------------


def test_columns_added_on_both_sides(parted: Parted) -> None:
    app = parted(
        "ALTER TABLE t ADD COLUMN x DEFAULT 1; UPDATE t SET x = 7 WHERE id = 1; INSERT INTO t VALUES(4, 'd', 4, 5)",
        "ALTER TABLE t ADD COLUMN y DEFAULT 2; UPDATE t SET y = 8, u = 't' WHERE id = 1;"
        "INSERT INTO t VALUES(5, 'e', 5, 6); DELETE FROM t WHERE id = 3",
        T,
    )
    app.ok("merge", "exp")
    assert columns(app) == ["id", "u", "v", "x", "y"]
    assert rows(app) == [(1, "t", 1, 7, 8), (2, "b", 2, 1, 2), (4, "d", 4, 5, 2), (5, "e", 5, 1, 6)]
    assert app.clean


@pytest.mark.parametrize("choice", ["ours", "theirs"])
def test_one_column_added_on_both_sides_and_not_alike(parted: Parted, choice: str) -> None:
    app = parted(
        "ALTER TABLE t ADD COLUMN x TEXT; UPDATE t SET u = 'o' WHERE id = 2",
        "ALTER TABLE t ADD COLUMN x INTEGER DEFAULT 5; UPDATE t SET v = 30 WHERE id = 3",
        T,
    )
    found = next(each for each in waiting(app) if each["key"] is None)
    assert (found["table"], found["kind"]) == ("t", "schema")
    assert "x" in found["why"]
    assert [row[:3] for row in rows(app)] == [(1, "a", 1), (2, "o", 2), (3, "c", 30)]
    app.ok("resolve", f"--{choice}")
    assert app.rows("SELECT type FROM pragma_table_info('t') WHERE name = 'x'") == [
        ("TEXT" if choice == "ours" else "INTEGER",)
    ]
    assert [row[:3] for row in rows(app)] == [(1, "a", 1), (2, "o", 2), (3, "c", 30)]
    finished(app)


def test_a_column_renamed_here_and_edited_there(parted: Parted, side: str) -> None:
    app = apart(parted, side, "ALTER TABLE t RENAME COLUMN u TO title; UPDATE t SET title = 'n' WHERE id = 3", EDITED)
    app.ok("merge", "exp")
    assert columns(app) == ["id", "title", "v"]
    assert rows(app) == [(1, "x", 1), (2, "b", 20), (3, "n", 3), (4, "d", 4)]
    assert app.clean


@pytest.mark.parametrize("choice", ["ours", "theirs"])
def test_a_column_renamed_on_both_sides(parted: Parted, choice: str) -> None:
    app = parted(
        "ALTER TABLE t RENAME COLUMN u TO title; UPDATE t SET title = 'o' WHERE id = 1",
        "ALTER TABLE t RENAME COLUMN u TO name; UPDATE t SET name = 't', v = 20 WHERE id = 2",
        T,
    )
    (found,) = waiting(app)
    assert (found["table"], found["kind"]) == ("t", "schema")
    assert all(name in found["why"] for name in ("title", "name"))
    assert rows(app) == [(1, "o", 1), (2, "t", 20), (3, "c", 3)]
    app.ok("resolve", f"--{choice}")
    assert columns(app) == ["id", "title" if choice == "ours" else "name", "v"]
    assert rows(app) == [(1, "o", 1), (2, "t", 20), (3, "c", 3)]
    finished(app)


def test_a_column_that_got_another_type(parted: Parted, side: str) -> None:
    app = apart(parted, side, ANEW.format("id INTEGER PRIMARY KEY, u TEXT, v TEXT"), EDITED)
    app.ok("merge", "exp")
    assert rows(app) == [(key, u, str(v)) for key, u, v in CHANGED]
    assert app.clean


def test_a_column_dropped_here_and_filled_there(parted: Parted, side: str) -> None:
    app = apart(parted, side, "ALTER TABLE t DROP COLUMN u", EDITED)
    (table,) = [each for each in waiting(app) if each["key"] is None]
    assert table["definition"] == {"type": "table", "name": "t"}
    without, with_it = ["id", "v"], ["id", "u", "v"]
    assert columns(app) == (without if side == "ours" else with_it)  # our side stands
    app.ok("resolve", "--theirs")
    assert columns(app) == (with_it if side == "ours" else without)
    finished(app)


def test_a_column_dropped_that_nobody_wrote_to(parted: Parted, side: str) -> None:
    app = apart(parted, side, "ALTER TABLE t DROP COLUMN u", "UPDATE t SET v = v * 10; DELETE FROM t WHERE id = 1")
    app.ok("merge", "exp")
    assert rows(app) == [(2, 20), (3, 30)]


def test_a_table_renamed_here_and_edited_there(parted: Parted, side: str) -> None:
    app = apart(parted, side, "ALTER TABLE t RENAME TO things", EDITED)
    app.ok("merge", "exp")
    assert "t" not in names(app)
    assert rows(app, "things") == CHANGED


def test_indexes_views_and_triggers_come_and_go_by_themselves(parted: Parted) -> None:
    both = "CREATE INDEX by_u ON t(u); CREATE VIEW all_of_it AS SELECT * FROM t"
    app = parted(
        "DROP INDEX by_u; CREATE INDEX by_v ON t(v)",
        "DROP VIEW all_of_it; CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM tags; END",
        f"{T}; {both}",
    )
    app.ok("merge", "exp")
    assert {"by_v", "r"} <= names(app)
    assert not {"by_u", "all_of_it"} & names(app)
    assert app.rows("SELECT count(*) FROM tags") == [(2,)]  # no trigger has fired


@pytest.mark.parametrize("choice", ["base", "ours", "theirs"])
def test_a_view_changed_on_both_sides(parted: Parted, choice: str) -> None:
    app = parted(VIEW.format(1), VIEW.format(2), f"{T}; {VIEW.format(0)}")
    (found,) = waiting(app)
    assert (found["kind"], found["definition"]) == ("schema", {"type": "view", "name": "w"})
    assert [found[each] for each in ("base", "ours", "theirs")] == [f"CREATE VIEW w AS SELECT {i}" for i in range(3)]
    assert app.rows("SELECT * FROM w") == [(1,)]
    app.ok("resolve", "w", f"--{choice}")
    assert app.rows("SELECT * FROM w") == [(["base", "ours", "theirs"].index(choice),)]
    finished(app)


def test_a_view_settled_by_hand(parted: Parted) -> None:
    app = parted(VIEW.format(1), VIEW.format(2), f"{T}; {VIEW.format(0)}")
    waiting(app)
    app.sql(VIEW.format(12))
    assert app.json("resolve")["resolved"] == 1
    finished(app)
    assert app.rows("SELECT * FROM w") == [(12,)]


# -- what was decided before stays -------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["ours", "theirs"])
def test_rows_settled_before_a_definition_is(parted: Parted, choice: str) -> None:
    app = parted(
        f"UPDATE t SET u = 'o'; ALTER TABLE t ADD COLUMN x TEXT; {VIEW.format(1)}",
        f"UPDATE t SET u = 't', v = v * 10; ALTER TABLE t ADD COLUMN x INTEGER; {VIEW.format(2)}",
        T,
    )
    found = waiting(app)
    assert len([each for each in found if each["key"]]) == 3
    app.ok("resolve", "t", "1", "--theirs")
    app.ok("resolve", "t", "2", "--set", "u=mine")
    app.sql("UPDATE t SET u = 'by hand' WHERE id = 3; INSERT INTO t(id, u) VALUES(7, 'since')")
    app.json("resolve")
    before = [(row[0], row[1], row[2]) for row in rows(app)]
    assert before == [(1, "t", 10), (2, "mine", 20), (3, "by hand", 30), (7, "since", None)]
    assert {each["kind"] for each in conflicts(app)} == {"schema"}
    app.ok("resolve", "w", f"--{choice}")
    assert [(row[0], row[1], row[2]) for row in rows(app)] == before
    app.ok("resolve", f"--{choice}")
    assert [(row[0], row[1], row[2]) for row in rows(app)] == before
    finished(app)


def test_rows_that_wait_go_on_waiting_when_a_definition_is_settled(parted: Parted) -> None:
    app = parted(f"UPDATE t SET u = 'o'; {VIEW.format(1)}", f"UPDATE t SET u = 't'; {VIEW.format(2)}", T)
    found = waiting(app)
    app.ok("resolve", "t", "1", "--ours")
    app.ok("resolve", "w", "--theirs")
    left = conflicts(app)
    assert [each["key"] for each in left] == [[2], [3]]
    assert [each["id"] for each in left] == [each["id"] for each in found if each["key"] in ([2], [3])]
    app.ok("undo")
    assert len(conflicts(app)) == 3
    app.ok("redo")
    app.ok("resolve", "--theirs")
    assert [row[1] for row in rows(app)] == ["o", "t", "t"]
    finished(app)


def test_a_refused_row_left_out_stays_out_when_a_definition_is_settled(parted: Parted) -> None:
    base = "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v); INSERT INTO t VALUES(1, 'a', 1)"
    app = parted(
        f"INSERT INTO t VALUES(10, 'x', 1); {VIEW.format(1)}",
        f"INSERT INTO t VALUES(11, 'x', 2); {VIEW.format(2)}",
        base,
    )
    assert {each["kind"] for each in waiting(app)} == {"unique", "schema"}
    app.ok("resolve", "t", "11", "--ours")
    app.sql("UPDATE t SET u = 'y' WHERE id = 10")  # nothing is in its way any more
    app.ok("resolve", "w", "--theirs")
    assert rows(app) == [(1, "a", 1), (10, "y", 1)]
    finished(app)


def test_a_refused_row_that_waits_waits_on(parted: Parted) -> None:
    base = "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v); INSERT INTO t VALUES(1, 'a', 1)"
    app = parted(
        f"INSERT INTO t VALUES(10, 'x', 1); {VIEW.format(1)}",
        f"INSERT INTO t VALUES(11, 'x', 2); {VIEW.format(2)}",
        base,
    )
    waiting(app)
    app.ok("resolve", "w", "--theirs")
    (found,) = conflicts(app)
    assert (found["key"], found["kind"]) == ([11], "unique")
    app.ok("resolve", "--set", "u=z")
    assert rows(app) == [(1, "a", 1), (10, "x", 1), (11, "z", 2)]
    finished(app)


# -- revert and cherry-pick --------------------------------------------------------------------------------------------


def test_a_dropped_table_comes_back_with_its_rows_and_all_that_hung_on_it(app: Versioned) -> None:
    app.sql(f"{T}; CREATE UNIQUE INDEX i ON t(u); CREATE TRIGGER r AFTER DELETE ON t BEGIN DELETE FROM tags; END")
    app.commit()
    app.sql("DROP TABLE t")
    dropped = app.commit()
    app.sql("CREATE TABLE other(x); UPDATE notes SET title = 'later'")
    app.commit()
    app.ok("revert", dropped)
    assert {"t", "i", "r"} <= names(app)
    assert rows(app) == [(1, "a", 1), (2, "b", 2), (3, "c", 3)]


def test_a_column_added_is_taken_back_unless_it_is_used(app: Versioned) -> None:
    app.sql(T)
    app.commit()
    app.sql("ALTER TABLE t ADD COLUMN x")
    added = app.commit()
    app.sql("UPDATE t SET v = 10 WHERE id = 1")
    app.commit()
    app.ok("revert", added)
    assert rows(app) == [(1, "a", 10), (2, "b", 2), (3, "c", 3)]
    app.ok("undo")
    app.sql("UPDATE t SET x = 'used' WHERE id = 2")
    app.commit()
    assert app.run("revert", added).code == 3
    (found,) = conflicts(app)
    assert found["definition"] == {"type": "table", "name": "t"}
    app.ok("revert", "--abort")
    assert rows(app)[1] == (2, "b", 2, "used")


def test_a_change_of_columns_is_picked_into_a_table_that_has_others(parted: Parted) -> None:
    app = parted(
        "ALTER TABLE t ADD COLUMN x DEFAULT 1; INSERT INTO t VALUES(9, 'nine', 9, 9)",
        "ALTER TABLE t RENAME COLUMN u TO title; ALTER TABLE t ADD COLUMN y DEFAULT 2; CREATE INDEX i ON t(title)",
        T,
    )
    app.ok("cherry-pick", "exp")
    assert columns(app) == ["id", "title", "v", "x", "y"]
    assert rows(app)[-1] == (9, "nine", 9, 9, 2)
    assert "i" in names(app)
    assert app.clean


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "title", "tag"), [("notes=theirs", "t", None), ("notes=theirs, kept=ours", "t", "o")])
def test_whose_word_counts_in_a_table(parted: Parted, said: str, title: str, tag: str | None) -> None:
    base = "CREATE TABLE kept(id INTEGER PRIMARY KEY, tag); INSERT INTO kept VALUES(1, '')"
    edit = "UPDATE notes SET title = '{0}' WHERE id = 1; UPDATE kept SET tag = '{0}'"
    app = parted(edit.format("o"), edit.format("t"), base)
    app.ok("config", "merge.strategy", said)
    assert app.run("merge", "exp").code == (0 if tag else 3)
    assert app.rows("SELECT title FROM notes WHERE id = 1") == [(title,)]
    assert [each["table"] for each in conflicts(app)] == ([] if tag else ["kept"])


def test_cells_that_hold_json(parted: Parted) -> None:
    base = """CREATE TABLE j(id INTEGER PRIMARY KEY, meta, plain);
        INSERT INTO j VALUES(1, '{"a": 1, "b": 1}', '{"a": 1, "b": 1}')"""
    app = parted(
        """UPDATE j SET meta = '{"a": 2, "b": 1}'""",
        """UPDATE j SET meta = '{"a": 1, "b": 2, "c": 3}'""",
        base,
    )
    assert len(waiting(app)) == 1
    app.ok("merge", "--abort")
    app.ok("config", "merge.json", "j.meta")
    app.ok("merge", "exp")
    assert app.rows("SELECT json(meta) FROM j") == [('{"a":2,"b":2,"c":3}',)]
    app.ok("undo")
    app.sql("""UPDATE j SET meta = '{"a": 2, "b": 9}'""")
    app.commit()
    (found,) = waiting(app)
    assert (found["column"], found["kind"]) == ("meta", "edit/edit")
    assert "b" in found["why"]


ADDED = "INSERT INTO notes VALUES(4, '{0}', NULL), (5, '{0} too', NULL); INSERT INTO replies VALUES({1}, 4), ({2}, 5)"
REPLIES = "CREATE TABLE replies(id INTEGER PRIMARY KEY, note INTEGER REFERENCES notes)"


def test_rows_added_under_one_number_both_stay(parted: Parted) -> None:
    app = parted(ADDED.format("o", 1, 2), ADDED.format("t", 11, 12), REPLIES)
    assert [each["kind"] for each in waiting(app)] == ["add/add", "add/add"]
    app.ok("merge", "--abort")
    app.ok("config", "merge.renumber", "notes")
    found = app.json("merge", "exp")
    assert found["renumbered"] == {"notes": {"4": 6, "5": 7}}
    assert app.rows("SELECT id, title FROM notes WHERE id > 3") == [(4, "o"), (5, "o too"), (6, "t"), (7, "t too")]
    assert rows(app, "replies") == [(1, 4), (2, 5), (11, 6), (12, 7)]
    assert app.rows("PRAGMA foreign_key_check") == []


def test_rows_renumbered_afterwards(parted: Parted) -> None:
    app = parted(
        f"{ADDED.format('o', 1, 2)}; UPDATE notes SET title = 'mine' WHERE id = 1",
        f"{ADDED.format('t', 11, 12)}; UPDATE notes SET title = 'yours' WHERE id = 1",
        REPLIES,
    )
    assert len(waiting(app)) == 3
    app.ok("resolve", "notes", "1", "--theirs")
    assert app.json("resolve", "notes", "--renumber")["open"] == 0
    assert app.rows("SELECT id, title FROM notes") == [
        (1, "yours"),
        (2, "two"),
        (3, "three"),
        (4, "o"),
        (5, "o too"),
        (6, "t"),
        (7, "t too"),
    ]
    assert rows(app, "replies") == [(1, 4), (2, 5), (11, 6), (12, 7)]
    finished(app)
    assert app.rows("PRAGMA foreign_key_check") == []


def test_a_table_whose_rows_have_no_numbers_is_no_table_to_renumber(parted: Parted) -> None:
    app = parted("SELECT 1", "UPDATE w SET x = 2", "CREATE TABLE w(k TEXT PRIMARY KEY, x) WITHOUT ROWID")
    app.ok("config", "merge.renumber", "w, nowhere")
    before = app.dump()
    ended = app.run("merge", "exp")
    assert ended.code == 1
    assert "w" in ended.err
    assert app.dump() == before
