"""Uncommitted changes put aside and brought back."""

from __future__ import annotations

from tests.versioned import Versioned

CHANGE = "UPDATE notes SET title = 'mine' WHERE id = 1; CREATE TABLE extra(a); INSERT INTO tags VALUES(9, 'mine')"


def test_aside_and_back(app: Versioned) -> None:
    committed = app.dump()
    app.sql(CHANGE)
    changed = app.dump()
    put = app.json("stash", "push", "-m", "half a thought")
    assert app.dump() == committed
    assert app.clean
    listed = app.json("stash", "list")
    assert [(each["number"], each["stash"], each["message"].strip()) for each in listed] == [
        (0, put["stash"], "half a thought")
    ]
    app.ok("stash", "pop")
    assert sorted(app.dump().splitlines()) == sorted(changed.splitlines())
    assert app.json("stash", "list") == []
    assert app.refused("stash", "pop") == "no-such-stash"


def test_back_on_another_branch_beside_other_changes(app: Versioned) -> None:
    app.sql(CHANGE)
    app.ok("stash", "push")
    app.ok("switch", "-c", "exp")
    app.sql("UPDATE notes SET body = 'theirs' WHERE id = 1")
    app.commit("exp")
    app.sql("UPDATE notes SET title = 'and mine' WHERE id = 2")
    app.ok("stash", "apply")
    assert app.rows("SELECT title, body FROM notes WHERE id < 3") == [("mine", "theirs"), ("and mine", "second")]
    assert len(app.json("stash", "list")) == 1
    assert app.check() == "ok"


def test_what_was_put_aside_is_a_version(app: Versioned) -> None:
    first = app.json("log")[0]["commit"]
    app.sql("UPDATE notes SET title = 'older' WHERE id = 1")
    older = app.json("stash", "push")["stash"]
    app.sql("INSERT INTO notes VALUES(9, NULL, 'newer')")
    newer = app.json("stash", "push", "-m", "a thought")["stash"]
    assert app.json("show", "stash@{0}")["commit"] == app.json("show", "stash")["commit"] == newer
    assert app.json("show", "stash@{1}")["commit"] == older
    assert app.json("show", "stash@{1}^")["commit"] == app.json("show", "stash~1")["commit"] == first
    assert app.ok("diff", "stash@{0}").splitlines() == ["notes", "  - 9  body  'newer'"]
    assert app.ok("diff", "stash@{1}..stash@{0}").splitlines()[1:] == [
        "  ~ 1  title  'older' -> 'one'",
        "  + 9  body  'newer'",
    ]
    assert app.json("sql", "SELECT title FROM notes WHERE id = 1", "--at", "stash@{1}") == [{"title": "older"}]
    assert app.refused("show", "stash@{2}") == "no-such-revision"
    assert app.refused("show", "stash@{yesterday}", code=2) == "bad-revision"
    app.ok("stash", "drop", "0")
    assert app.json("show", "stash")["commit"] == older
    # a branch that somebody called so comes first
    app.ok("branch", "stash", "HEAD")
    assert app.json("show", "stash")["commit"] == app.json("show", "stash@{0}")["commit"] == first
    app.ok("branch", "-d", "stash")
    app.ok("stash", "drop")
    assert "nothing is put aside" in app.run("show", "stash@{0}").err


def test_what_it_holds_is_shown(app: Versioned) -> None:
    app.sql("UPDATE notes SET title = 'mine' WHERE id = 1")
    app.ok("stash")
    app.sql("INSERT INTO notes VALUES(9, NULL, 'newer'); CREATE VIEW v AS SELECT 1")
    put = app.json("stash", "push")["stash"]
    app.sql("DELETE FROM notes")  # what is in the database is no part of it
    app.commit()
    assert app.ok("stash", "show").splitlines() == [
        "+ view v",
        "  + CREATE VIEW v AS SELECT 1",
        "notes",
        "  + 9  body  'newer'",
    ]
    assert app.ok("stash", "show", "1").splitlines() == ["notes", "  ~ 1  title  'one' -> 'mine'"]
    assert app.ok("stash", "show", "1", "--stat").splitlines() == [" notes | 1 ~", " 1 table: 1 modified"]
    found = app.json("stash", "show", "0")
    assert (found["stash"], found["number"]) == (put, 0)
    assert found["tables"] == {"notes": {"added": 1, "modified": 0, "removed": 0}}
    assert app.refused("stash", "show", "2") == "no-such-stash"


def test_several_are_numbered_from_the_newest(app: Versioned) -> None:
    for name in ("one", "two", "three"):
        app.sql(f"INSERT INTO tags VALUES(7, '{name}')")
        app.ok("stash", "push", "-m", name)
    assert [each["message"].strip() for each in app.json("stash", "list")] == ["three", "two", "one"]
    app.ok("stash", "drop", "1")
    assert [each["message"].strip() for each in app.json("stash", "list")] == ["three", "one"]
    app.ok("stash", "pop", "1")
    assert app.rows("SELECT tag FROM tags WHERE note = 7") == [("one",)]
    assert app.refused("stash", "drop", "5") == "no-such-stash"
    assert app.refused("stash", "pop", "-1", code=2) == "usage"


def test_each_step_can_be_undone(app: Versioned) -> None:
    app.sql(CHANGE)
    changed = sorted(app.dump().splitlines())
    app.ok("stash", "push")
    app.ok("undo")
    assert sorted(app.dump().splitlines()) == changed
    assert app.json("stash", "list") == []
    app.ok("redo")
    app.ok("stash", "drop")
    app.ok("undo")
    app.ok("stash", "pop")
    assert sorted(app.dump().splitlines()) == changed
    app.ok("undo")
    assert app.clean
    assert len(app.json("stash", "list")) == 1


def test_it_outlives_gc_and_fsck_knows_it(app: Versioned) -> None:
    app.sql(CHANGE)
    app.ok("stash", "push")
    app.ok("config", "gc.undo_days", "0")
    app.ok("gc")
    assert app.json("fsck")["damages"] == []
    app.ok("stash", "pop")
    assert app.rows("SELECT title FROM notes WHERE id = 1") == [("mine",)]


def test_where_there_is_nothing_to_put_aside(app: Versioned) -> None:
    assert app.refused("stash", "push") == "nothing-to-stash"
    assert app.refused("stash", "push", "--at-op", "@", code=2) == "only-in-the-present"
