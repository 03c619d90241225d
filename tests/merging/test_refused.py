"""What the database does not take as it was merged: rows that break a rule, and definitions that no longer fit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.merging.conftest import Parted
from tests.versioned import Versioned

ROWS = "INSERT INTO t VALUES(1, 'a', 1), (2, 'b', 2), (3, 'c', 3)"
PLAIN = f"CREATE TABLE t(id INTEGER PRIMARY KEY, u, v); {ROWS}"
# rules that keep two rows apart, and values that meet only by them
UNIQUE = {
    "constraint": (f"CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v); {ROWS}", "x", "x"),
    "table constraint": (f"CREATE TABLE t(id INTEGER PRIMARY KEY, u, v, UNIQUE(v, u)); {ROWS}", "x", "x"),
    "index": (f"{PLAIN}; CREATE UNIQUE INDEX i ON t(u)", "x", "x"),
    "nocase": (f"CREATE TABLE t(id INTEGER PRIMARY KEY, u COLLATE NOCASE UNIQUE, v); {ROWS}", "x", "X"),
    "rtrim index": (f"{PLAIN}; CREATE UNIQUE INDEX i ON t(u COLLATE RTRIM)", "x", "x  "),
    "partial": (f"{PLAIN}; CREATE UNIQUE INDEX i ON t(u) WHERE v > 5", "x", "x"),
    "expression": (f"{PLAIN}; CREATE UNIQUE INDEX i ON t(lower(u) || (v % 2))", "x", "X"),
    "generated": (
        f"CREATE TABLE t(id INTEGER PRIMARY KEY, u, v, g AS (substr(u, 1, 1)) UNIQUE); {ROWS}",
        "x1",
        "x2",
    ),
    "without rowid": (f"CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v) WITHOUT ROWID; {ROWS}", "x", "x"),
}
STRICTER = "ALTER TABLE t RENAME TO o; CREATE TABLE t({}); INSERT INTO t SELECT * FROM o; DROP TABLE o"


def conflicts(app: Versioned, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.json("conflicts", *words)
    return found


def listed(app: Versioned) -> list[tuple[Any, ...]]:
    return [(each["table"], each["key"], each["kind"]) for each in conflicts(app)]


def rows(app: Versioned) -> list[tuple[Any, ...]]:
    return app.rows("SELECT id, u, v FROM t ORDER BY id")


def waiting(app: Versioned) -> Versioned:
    assert app.run("merge", "exp").code == 3
    return app


def refuses(app: Versioned, *words: str) -> str:
    """A choice that the database does not take changes nothing. What is said of it."""
    before, waited = app.dump(), conflicts(app)
    ended = app.run("resolve", *words)
    assert ended.code == 1
    assert "does not take" in ended.err
    assert (app.dump(), conflicts(app)) == (before, waited)
    return ended.err


def finished(app: Versioned) -> None:
    app.ok("merge", "--continue")
    assert app.clean
    assert app.check() == "ok"
    assert app.json("fsck")["damages"] == []


# -- UNIQUE ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", UNIQUE)
def test_two_new_rows_that_exclude_each_other(parted: Parted, rule: str) -> None:
    base, mine, other = UNIQUE[rule]
    app = waiting(
        parted(
            f"INSERT INTO t(id, u, v) VALUES(10, '{mine}', 8)",
            f"INSERT INTO t(id, u, v) VALUES(11, '{other}', 8); UPDATE t SET v = 9 WHERE id = 1",
            base,
        )
    )
    (found,) = conflicts(app)
    assert (found["table"], found["key"], found["column"], found["kind"]) == ("t", [11], None, "unique")
    assert found["why"].startswith("UNIQUE constraint failed: ")
    assert found["why"].endswith(": 10 has it")
    assert (found["base"], found["ours"], found["theirs"]["u"]) == (None, None, other)
    assert rows(app) == [(1, "a", 9), (2, "b", 2), (3, "c", 3), (10, mine, 8)]  # ours stands, the rest has come
    assert "t:11: UNIQUE constraint failed" in refuses(app, "--theirs")
    refuses(app, "t:11", "--set", f"u={mine}")
    app.ok("resolve", "t:11", "--set", "u=other")
    assert rows(app)[-2:] == [(10, mine, 8), (11, "other", 8)]
    finished(app)


@pytest.mark.parametrize("end", ["ours", "make room", "by hand", "as it is"])
def test_a_row_that_is_in_the_way(parted: Parted, end: str) -> None:
    base, _, _ = UNIQUE["constraint"]
    app = waiting(parted("UPDATE t SET u = 'x' WHERE id = 1", "UPDATE t SET u = 'x' WHERE id = 3", base))
    assert listed(app) == [("t", [3], "unique")]
    assert conflicts(app)[0]["why"].endswith(": 1 has it")
    assert rows(app) == [(1, "x", 1), (2, "b", 2), (3, "c", 3)]
    wanted = "c"
    if end == "ours":
        app.ok("resolve", "--ours")
    elif end == "make room":
        app.sql("UPDATE t SET u = 'a' WHERE id = 1")
        app.ok("resolve", "--theirs")
        wanted = "x"
    elif end == "by hand":
        app.sql("UPDATE t SET u = 'z' WHERE id = 3")
        assert app.json("resolve")["resolved"] == 1
        wanted = "z"
    else:
        assert app.refused("resolve") == "nothing-edited"
        app.ok("resolve", "t", "3")
    assert rows(app)[2] == (3, wanted, 3)
    finished(app)


def test_values_that_change_places(parted: Parted) -> None:
    base, _, _ = UNIQUE["constraint"]
    ours = "UPDATE t SET u = 'tmp' WHERE id = 1; UPDATE t SET u = 'a' WHERE id = 2; UPDATE t SET u = 'b' WHERE id = 1"
    app = parted(ours, "UPDATE t SET v = v * 10; INSERT INTO t VALUES(4, 'd', 40)", base)
    app.ok("merge", "exp")
    assert rows(app) == [(1, "b", 10), (2, "a", 20), (3, "c", 30), (4, "d", 40)]


def test_a_value_passed_on_by_one_side_and_taken_by_the_other(parted: Parted) -> None:
    base, _, _ = UNIQUE["constraint"]
    app = parted(
        "UPDATE t SET u = 'free' WHERE id = 1",
        "UPDATE t SET u = 'z' WHERE id = 2; UPDATE t SET u = 'b' WHERE id = 3; INSERT INTO t VALUES(4, 'c', 4)",
        base,
    )
    app.ok("merge", "exp")
    assert [row[1] for row in rows(app)] == ["free", "z", "b", "c"]
    assert app.check() == "ok"


def test_several_rows_in_the_way(parted: Parted) -> None:
    base = f"CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v UNIQUE); {ROWS}"
    app = waiting(parted("UPDATE t SET u = 'x' WHERE id = 1", "INSERT INTO t VALUES(11, 'x', 20)", base))
    app.ok("merge", "--abort")
    app.sql("UPDATE t SET v = 20 WHERE id = 2")
    app.commit()
    waiting(app)
    assert listed(app) == [("t", [11], "unique")]
    assert conflicts(app)[0]["why"].endswith(": 1; 2 have it")


def test_a_row_kept_out_does_not_keep_others_out(parted: Parted) -> None:
    base, _, _ = UNIQUE["constraint"]
    app = waiting(
        parted(
            "INSERT INTO t VALUES(10, 'x', 0)",
            "UPDATE t SET u = 'x' WHERE id = 1; INSERT INTO t VALUES(20, 'a', 0), (21, 'new', 0)",
            base,
        )
    )
    # 1 cannot give 'a' away, because it does not get 'x'
    assert listed(app) == [("t", [1], "unique"), ("t", [20], "unique")]
    assert [row[0] for row in rows(app)] == [1, 2, 3, 10, 21]
    app.sql("UPDATE t SET u = 'y' WHERE id = 10")
    assert app.json("resolve", "--theirs")["open"] == 0
    assert [row[:2] for row in rows(app)] == [(1, "x"), (2, "b"), (3, "c"), (10, "y"), (20, "a"), (21, "new")]
    finished(app)


def test_the_side_that_counts_cannot_break_a_rule(parted: Parted) -> None:
    base, _, _ = UNIQUE["constraint"]
    app = parted("UPDATE t SET u = 'x' WHERE id = 1", "UPDATE t SET u = 'x' WHERE id = 3", base)
    assert app.run("merge", "exp", "-X", "theirs").code == 3
    assert listed(app) == [("t", [3], "unique")]


# -- other rules -------------------------------------------------------------------------------------------------------


def test_a_check_over_two_cells(parted: Parted) -> None:
    base = "CREATE TABLE t(id INTEGER PRIMARY KEY, u, v, CHECK(u <= v)); INSERT INTO t VALUES(1, 1, 9), (2, 1, 9)"
    app = waiting(
        parted("UPDATE t SET u = 8", "UPDATE t SET v = 2 WHERE id = 1; UPDATE t SET v = 8 WHERE id = 2", base)
    )
    (found,) = conflicts(app)
    assert (found["key"], found["kind"], found["why"]) == ([1], "check", "CHECK constraint failed: u <= v")
    assert (found["ours"], found["theirs"]) == ({"id": 1, "u": 8, "v": 9}, {"id": 1, "u": 8, "v": 2})
    assert rows(app) == [(1, 8, 9), (2, 8, 8)]
    refuses(app, "--theirs")
    refuses(app, "--set", "v=5")
    app.ok("resolve", "--set", "v=5", "--set", "u=4")
    assert rows(app)[0] == (1, 4, 5)
    finished(app)


def test_a_column_that_must_not_be_empty_any_more(parted: Parted) -> None:
    app = waiting(
        parted(
            STRICTER.format("id INTEGER PRIMARY KEY, u NOT NULL, v"),
            "UPDATE t SET u = NULL, v = 7 WHERE id = 1; INSERT INTO t VALUES(4, NULL, 4), (5, 'e', 5)",
            PLAIN,
        )
    )
    assert {(each["key"][0], each["ours"] and 1) for each in conflicts(app)} == {(1, 1), (4, None)}
    assert all("null" in each["kind"] + each["why"].lower() for each in conflicts(app))
    refuses(app, "--theirs")
    refuses(app, "t", "4", "--set", "u=NULL")
    app.ok("resolve", "t", "4", "--set", "u=d")
    app.ok("resolve", "--ours")
    assert [row[1] for row in rows(app)] == ["a", "b", "c", "d", "e"]
    finished(app)


def test_a_table_that_is_strict_by_now(parted: Parted) -> None:
    base = f"CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT, v INTEGER); {ROWS}"
    app = waiting(
        parted(
            STRICTER.format("id INTEGER PRIMARY KEY, u TEXT, v INTEGER").replace("; INSERT", " STRICT; INSERT", 1),
            "UPDATE t SET v = 'text' WHERE id = 1; UPDATE t SET u = 'fits' WHERE id = 2",
            base,
        )
    )
    (found,) = conflicts(app)
    assert (found["key"], found["why"] != "") == ([1], True)
    assert rows(app)[:2] == [(1, "a", 1), (2, "fits", 2)]
    assert "TEXT value in INTEGER column" in refuses(app, "--theirs")
    refuses(app, "--set", "v=words")
    app.ok("resolve", "--set", "v=77")
    assert app.rows("SELECT v, typeof(v) FROM t WHERE id = 1") == [(77, "integer")]
    finished(app)


@pytest.mark.parametrize("deed", ["revert", "cherry-pick", "rebase", "stash"])
def test_other_commands_ask_too(app: Versioned, deed: str) -> None:
    app.sql(UNIQUE["constraint"][0])
    app.commit("base")
    if deed == "revert":
        app.sql("UPDATE t SET u = 'z' WHERE id = 1")
        words = ("revert", app.commit())
        app.sql("INSERT INTO t VALUES(9, 'a', 9)")
        app.commit()
    elif deed == "stash":
        app.sql("UPDATE t SET u = 'x' WHERE id = 1")
        app.ok("stash", "push")
        app.sql("INSERT INTO t VALUES(9, 'x', 9)")
        words = ("stash", "pop")
    else:
        app.ok("switch", "-c", "exp")
        app.sql("UPDATE t SET u = 'x' WHERE id = 1")
        picked = app.commit()
        app.ok("switch", "main")
        app.sql("INSERT INTO t VALUES(9, 'x', 9)")
        app.commit()
        words = ("cherry-pick", picked)
        if deed == "rebase":
            app.ok("switch", "exp")
            words = ("rebase", "main")
    assert app.run(*words).code == 3
    assert listed(app) == [("t", [1], "unique")]
    app.ok("resolve", "--set", "u=y")
    app.ok(*(("stash", "pop") if deed == "stash" else (deed,)), "--continue")
    assert (rows(app)[0][1], app.check()) == ("y", "ok")
    assert app.json("status")["merging"] is None


# -- definitions that do not fit ---------------------------------------------------------------------------------------


def test_their_index_over_our_doubles(parted: Parted) -> None:
    app = waiting(
        parted(
            "UPDATE t SET u = 'same' WHERE id < 3",
            "CREATE UNIQUE INDEX i ON t(u); UPDATE t SET v = 30 WHERE id = 3; INSERT INTO t VALUES(4, 'd', 4)",
            PLAIN,
        )
    )
    (found,) = conflicts(app)
    assert (found["table"], found["key"], found["kind"]) == ("t", None, "schema")
    assert found["definition"] == {"type": "index", "name": "i"}
    assert (found["ours"], found["theirs"]) == (None, "CREATE UNIQUE INDEX i ON t(u)")
    assert found["why"] == "UNIQUE constraint failed: t.u"
    assert rows(app) == [(1, "same", 1), (2, "same", 2), (3, "c", 30), (4, "d", 4)]  # data is merged
    before = app.dump()
    ended = app.run("resolve", "--theirs")
    assert (ended.code, app.dump(), len(conflicts(app))) == (1, before, 1)
    assert "UNIQUE constraint failed: t.u" in ended.err
    app.sql("UPDATE t SET u = 'other' WHERE id = 2")
    assert app.json("resolve", "i", "--theirs")["open"] == 0
    assert app.rows("SELECT name FROM sqlite_schema WHERE type = 'index'") == [("i",)]
    assert [row[1] for row in rows(app)] == ["same", "other", "c", "d"]
    finished(app)


def test_their_doubles_under_our_index(parted: Parted) -> None:
    app = waiting(
        parted(
            "CREATE UNIQUE INDEX i ON t(u)",
            "UPDATE t SET u = 'same' WHERE id < 3; INSERT INTO t VALUES(4, 'd', 4)",
            PLAIN,
        )
    )
    assert listed(app) == [("t", [2], "unique")]
    assert rows(app) == [(1, "same", 1), (2, "b", 2), (3, "c", 3), (4, "d", 4)]
    refuses(app, "--theirs")
    app.sql("UPDATE t SET u = 'a' WHERE id = 1")
    app.ok("resolve", "--theirs")
    assert [row[1] for row in rows(app)] == ["a", "same", "c", "d"]
    finished(app)


def test_an_index_left_out_for_good(parted: Parted) -> None:
    app = waiting(parted("UPDATE t SET u = 'same'", "CREATE UNIQUE INDEX i ON t(u)", PLAIN))
    app.ok("resolve", "--ours")
    finished(app)
    assert app.rows("SELECT count(*) FROM sqlite_schema WHERE type = 'index'") == [(0,)]


RENAMES = {
    "a column": ("ALTER TABLE t RENAME COLUMN v TO w", "t", "u, w"),
    "the unique column": ("ALTER TABLE t RENAME COLUMN u TO w", "t", "w, v"),
    "the table": ("ALTER TABLE t RENAME TO n", "n", "u, v"),
    "both": ("ALTER TABLE t RENAME COLUMN v TO w; ALTER TABLE t RENAME TO n", "n", "u, w"),
}


@pytest.mark.parametrize("renamed", RENAMES)
@pytest.mark.parametrize("row", [1, 3])
def test_rows_that_exclude_each_other_in_what_got_another_name(parted: Parted, renamed: str, row: int) -> None:
    """Ours stands whatever comes first by its key, and the new names come all the same."""
    more = ", ".join(f"({id_}, 'more {id_}', {id_})" for id_ in range(5, 25))  # by which a table is known again
    base = f"{UNIQUE['constraint'][0]}; INSERT INTO t VALUES{more}"
    rename, table, columns = RENAMES[renamed]
    left = 4 - row
    theirs = f"UPDATE t SET u = 'x' WHERE id = {row}; UPDATE t SET v = 30 WHERE id = {left}; {rename}"
    app = waiting(parted("UPDATE t SET u = 'x' WHERE id = 2; INSERT INTO t VALUES(4, 'd', 4)", theirs, base))
    assert listed(app) == [(table, [row], "unique")]
    (found,) = conflicts(app)
    unique = columns.split(", ")[0]
    assert found["why"] == f"UNIQUE constraint failed: {table}.{unique}: 2 has it"
    assert (found["base"][unique], found["ours"][unique], found["theirs"][unique]) == ("abc"[row - 1],) * 2 + ("x",)
    stand = {1: ("a", 1), 2: ("x", 2), 3: ("c", 3), 4: ("d", 4), left: ("abc"[left - 1], 30)}
    query = f"SELECT id, {columns} FROM {table} WHERE id < 5 ORDER BY id"
    assert app.rows(query) == [(id_, *stand[id_]) for id_ in sorted(stand)]
    app.sql(f"UPDATE {table} SET {unique} = 'b' WHERE id = 2")
    app.ok("resolve", "--theirs")
    stand |= {2: ("b", 2), row: ("x", row)}
    assert app.rows(query) == [(id_, *stand[id_]) for id_ in sorted(stand)]
    finished(app)


def test_our_row_does_not_fit_their_renamed_table(parted: Parted) -> None:
    stricter = f"{STRICTER.format('id INTEGER PRIMARY KEY, u, v CHECK(v < 10)')}; ALTER TABLE t RENAME TO n"
    app = waiting(parted("UPDATE t SET v = 99 WHERE id = 2", stricter, PLAIN))
    (found,) = conflicts(app)
    assert (found["key"], found["kind"], found["why"]) == (None, "schema", "CHECK constraint failed: v < 10")
    assert rows(app) == [(1, "a", 1), (2, "b", 99), (3, "c", 3)]


# -- views and triggers ------------------------------------------------------------------------------------------------

VIEW = "CREATE VIEW w AS SELECT u FROM t"
TRIGGER = "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET u = 'z' WHERE id = new.id; END"


@pytest.mark.parametrize("side", ["ours", "theirs"])
@pytest.mark.parametrize(("kind", "name", "sql"), [("view", "w", VIEW), ("trigger", "r", TRIGGER)])
def test_made_on_one_side_over_a_column_that_went_on_the_other(
    parted: Parted, side: str, kind: str, name: str, sql: str
) -> None:
    gone = "ALTER TABLE t DROP COLUMN u; UPDATE t SET v = 30 WHERE id = 3"
    app = waiting(parted(*((sql, gone) if side == "ours" else (gone, sql)), PLAIN))
    found = {each["definition"]["name"]: each for each in conflicts(app)}
    assert name in found
    assert (found[name]["kind"], found[name]["definition"]["type"]) == ("schema", kind)
    assert found[name][side] == sql
    assert "u" in found[name]["why"]
    assert app.rows("SELECT v FROM t WHERE id = 3") == [(30,)]
    app.ok("resolve", "--ours")
    there = {row[0] for row in app.rows("SELECT name FROM sqlite_schema")}
    columns = {row[0] for row in app.rows("SELECT name FROM pragma_table_info('t')")}
    assert (name in there, "u" in columns) == (side == "ours", side == "ours")
    app.sql("INSERT INTO t(id) VALUES(50)")
    app.ok("merge", "--continue")


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_view_over_a_table_that_went(parted: Parted, side: str) -> None:
    made, gone = "CREATE VIEW w AS SELECT u FROM t JOIN notes USING (id)", "DROP TABLE notes"
    app = waiting(parted(*((made, gone) if side == "ours" else (gone, made)), PLAIN))
    found = next(each for each in conflicts(app) if each["definition"]["name"] == "w")
    assert (found["kind"], found[side]) == ("schema", made)
    assert "notes" in found["why"]
    app.ok("resolve", "--theirs")
    finished(app)
    names = {row[0] for row in app.rows("SELECT name FROM sqlite_schema")}
    assert ({"w", "notes"} & names) == ({"w", "notes"} if side == "theirs" else set())


COUNTED = {
    "w": ("view", "CREATE VIEW w AS SELECT * FROM t UNION SELECT 7, 8, 9"),
    "r": ("trigger", "CREATE TRIGGER r AFTER INSERT ON notes BEGIN INSERT INTO t VALUES(new.id, 8, 9); END"),
}


@pytest.mark.parametrize("side", ["ours", "theirs"])
@pytest.mark.parametrize("name", COUNTED)
def test_made_on_one_side_for_as_many_columns_as_there_were(parted: Parted, side: str, name: str) -> None:
    kind, sql = COUNTED[name]
    more = "ALTER TABLE t ADD COLUMN more DEFAULT 0; UPDATE t SET v = 30 WHERE id = 3"
    app = waiting(parted(*((sql, more) if side == "ours" else (more, sql)), PLAIN))
    (found,) = conflicts(app)
    assert (found["kind"], found["definition"]) == ("schema", {"type": kind, "name": name})
    assert "columns" in found["why"]
    assert app.rows("SELECT v, more FROM t WHERE id = 3") == [(30, 0)]
    app.sql(f"DROP {kind} IF EXISTS {name}")
    app.ok("resolve", name)
    finished(app)
    assert app.rows(f"SELECT 1 FROM sqlite_schema WHERE name = '{name}'") == []


def test_what_did_not_work_before_is_no_news(parted: Parted) -> None:
    lame = "PRAGMA legacy_alter_table = ON; CREATE VIEW lame AS SELECT missing FROM nowhere"
    app = parted("UPDATE t SET u = 'o' WHERE id = 1", "UPDATE t SET u = 't' WHERE id = 2", f"{PLAIN}; {lame}")
    app.ok("merge", "exp")
    assert [row[1] for row in rows(app)] == ["o", "t", "c"]
