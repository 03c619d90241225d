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
