"""Commits taken back, done again elsewhere, or put on another version; and what was put aside coming back."""

from __future__ import annotations

from typing import Any

from tests.merging.conftest import Parted
from tests.versioned import Versioned


def titles(app: Versioned) -> list[tuple[Any, ...]]:
    return app.rows("SELECT id, title FROM notes ORDER BY id")


def subjects(app: Versioned, *words: str) -> list[str]:
    return [each["message"].strip().splitlines()[0] for each in app.json("log", *words)]


def step(app: Versioned, script: str, message: str) -> str:
    app.sql(script)
    return app.commit(message)


# -- revert ------------------------------------------------------------------------------------------------------------


def test_an_older_commit_is_taken_back_and_later_ones_stay(app: Versioned) -> None:
    bad = step(app, "UPDATE notes SET title = 'bad'", "bad")
    step(app, "UPDATE notes SET body = 'later' WHERE id = 1; INSERT INTO notes VALUES(4, 'four', NULL)", "later")
    made = app.json("revert", bad)
    assert titles(app) == [(1, "one"), (2, "two"), (3, "three"), (4, "four")]
    assert app.rows("SELECT body FROM notes WHERE id = 1") == [("later",)]
    newest = app.json("log")[0]
    assert newest["message"].strip() == f'Revert "bad"\n\nThis reverts commit {bad}.'
    assert made["made"] == [newest["commit"]]
    app.ok("revert", "HEAD")
    assert titles(app)[0] == (1, "bad")
    app.ok("undo", "-n", "2")
    assert subjects(app) == ["later", "bad", "first"]


def test_several_at_once_are_one_operation(app: Versioned) -> None:
    for name in ("a", "b", "c"):
        step(app, f"UPDATE notes SET title = '{name}'; INSERT INTO tags VALUES(5, '{name}')", name)
    app.ok("revert", "main~3..main")
    assert titles(app) == [(1, "one"), (2, "two"), (3, "three")]
    assert app.rows("SELECT tag FROM tags WHERE note = 5") == []
    assert subjects(app)[:3] == ['Revert "a"', 'Revert "b"', 'Revert "c"']
    app.ok("undo")
    assert subjects(app)[0] == "c"


def test_a_dropped_table_comes_back(app: Versioned) -> None:
    app.sql("CREATE INDEX by_tag ON tags(tag); CREATE VIEW v AS SELECT tag FROM tags")
    app.commit("more")
    before = sorted(app.dump().splitlines())
    step(app, "DROP VIEW v; DROP TABLE tags", "drop")
    step(app, "UPDATE notes SET title = 'later' WHERE id = 1", "later")
    app.ok("revert", "HEAD~1")
    app.sql("UPDATE notes SET title = 'one' WHERE id = 1")
    assert sorted(app.dump().splitlines()) == before


def test_the_first_version_taken_back_leaves_nothing(app: Versioned) -> None:
    app.ok("revert", "HEAD")
    assert app.rows("SELECT count(*) FROM sqlite_schema") == [(0,)]


def test_a_merge_is_taken_back_against_one_parent(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours' WHERE id = 1", "UPDATE notes SET title = 'theirs' WHERE id = 2")
    app.ok("merge", "exp")
    ours, theirs = app.json("show")["parents"]
    assert app.ok("show").splitlines()[1] == f"Merge:  {ours[:12]} {theirs[:12]}"
    assert not [line for line in app.ok("show", "HEAD^").splitlines() if line.startswith("Merge:")]
    hint = f"hint: -m 1 against {ours[:12]} (ours), the branch it was made on; -m 2 against {theirs[:12]} (theirs)"
    for command in ("revert", "cherry-pick"):
        assert app.refused(command, "HEAD") == "mainline-needed"
        assert hint in app.run(command, "HEAD").err
    assert app.refused("revert", "HEAD", "-m", "3") == "no-mainline"
    assert app.refused("revert", "HEAD~1", "-m", "1") == "no-mainline"
    app.ok("revert", "HEAD", "-m", "1")
    assert titles(app) == [(1, "ours"), (2, "two"), (3, "three")]


def test_a_revert_that_waits(app: Versioned) -> None:
    step(app, "UPDATE notes SET title = 'bad' WHERE id = 1", "bad")
    step(app, "UPDATE notes SET title = 'worse' WHERE id = 1", "worse")
    assert app.run("revert", "HEAD~1").code == 3
    found = app.json("conflicts")[0]
    assert (found["base"], found["ours"], found["theirs"]) == ("bad", "worse", "one")
    assert app.refused("merge", "--continue") == "other-under-way"
    app.ok("resolve", "--theirs")
    app.ok("revert", "--continue")
    assert titles(app)[0] == (1, "one")
    assert subjects(app)[0] == 'Revert "bad"'


# -- cherry-pick -------------------------------------------------------------------------------------------------------


def test_a_commit_of_another_branch_keeps_its_author_and_message(app: Versioned) -> None:
    app.ok("switch", "-c", "exp")
    step(app, "INSERT INTO notes VALUES(4, 'four', NULL)", "not this")
    app.sql("UPDATE notes SET title = 'picked' WHERE id = 1")
    app.ok("commit", "-m", "this\n\nmore of it", "--author", "Somebody <some@example.com>")
    app.ok("switch", "main")
    app.ok("cherry-pick", "exp", "-x")
    assert titles(app) == [(1, "picked"), (2, "two"), (3, "three")]
    newest, source = app.json("log")[0], app.json("log", "exp")[0]
    assert newest["author"] == "Somebody <some@example.com>"
    assert newest["message"].strip() == f"this\n\nmore of it\n\n(cherry picked from commit {source['commit']})"
    empty = app.json("cherry-pick", "exp")
    assert (empty["made"], empty["empty"]) == ([], [source["commit"]])


def test_a_change_of_the_schema_is_picked(parted: Parted) -> None:
    app = parted(
        "UPDATE notes SET title = 'ours' WHERE id = 1",
        "ALTER TABLE notes ADD COLUMN done INTEGER DEFAULT 0; CREATE INDEX by_title ON notes(title)",
    )
    app.ok("cherry-pick", "exp")
    assert app.rows("SELECT * FROM notes WHERE id < 3") == [(1, "ours", "first", 0), (2, "two", "second", 0)]
    assert app.rows("SELECT name FROM sqlite_schema WHERE type = 'index'") == [("by_title",)]
    assert app.clean


def test_a_row_of_picks_stops_goes_on_and_can_leave_one_out(app: Versioned) -> None:
    app.ok("switch", "-c", "exp")
    for number in (1, 2, 3):
        step(app, f"UPDATE notes SET title = 'exp{number}' WHERE id = {number}", f"exp {number}")
    app.ok("switch", "main")
    step(app, "UPDATE notes SET title = 'main2' WHERE id = 2", "main 2")
    before = titles(app)
    assert app.run("cherry-pick", "main..exp").code == 3
    assert subjects(app) == ["exp 1", "main 2", "first"]
    assert app.refused("commit", "-m", "x", code=3) == "conflicts-wait"
    app.ok("cherry-pick", "--skip")
    assert subjects(app) == ["exp 3", "exp 1", "main 2", "first"]
    assert titles(app) == [(1, "exp1"), (2, "main2"), (3, "exp3")]
    app.ok("undo")
    app.ok("cherry-pick", "--abort")
    assert (titles(app), subjects(app)) == (before, ["main 2", "first"])
    app.ok("undo")
    app.ok("resolve", "--theirs")
    app.ok("cherry-pick", "--continue")
    assert titles(app) == [(1, "exp1"), (2, "exp2"), (3, "exp3")]
    assert subjects(app) == ["exp 3", "exp 2", "exp 1", "main 2", "first"]


# -- rebase ------------------------------------------------------------------------------------------------------------


def test_own_commits_on_top_of_another_version(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours' WHERE id = 1", "UPDATE notes SET title = 'theirs' WHERE id = 2")
    app.ok("switch", "exp")
    step(app, "UPDATE notes SET title = 'more' WHERE id = 3", "more")
    before = app.json("log")
    made = app.json("rebase", "main")
    assert (made["branch"], len(made["made"])) == ("exp", 2)
    assert subjects(app) == ["more", "theirs", "ours", "first"]
    assert titles(app) == [(1, "ours"), (2, "theirs"), (3, "more")]
    assert "already" in app.ok("rebase", "main")
    app.ok("undo")
    assert app.json("log") == before


def test_a_rebase_that_waits_leaves_the_branch_alone_until_its_end(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours' WHERE id = 2", "UPDATE notes SET title = 'theirs' WHERE id = 2")
    app.ok("switch", "exp")
    step(app, "UPDATE notes SET title = 'more' WHERE id = 3", "more")
    tip, before = app.json("log")[0]["commit"], titles(app)
    assert app.run("rebase", "main").code == 3
    tips = {each["branch"]: each["commit"] for each in app.json("branch")}
    assert tips["exp"] == tip
    assert app.json("status")["branch"] is None
    found = app.json("conflicts")[0]
    assert (found["ours"], found["theirs"]) == ("ours", "theirs")
    app.ok("rebase", "--abort")
    assert (app.json("status")["branch"], titles(app), app.clean) == ("exp", before, True)
    assert app.run("rebase", "main").code == 3
    app.ok("resolve", "--set", "title=both")
    assert app.json("rebase", "--continue")["branch"] == "exp"
    assert subjects(app) == ["more", "theirs", "ours", "first"]
    assert titles(app) == [(1, "one"), (2, "both"), (3, "more")]
    assert app.json("fsck")["damages"] == []


def test_what_stands_there_already_is_left_out(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'same' WHERE id = 2", "UPDATE notes SET title = 'same' WHERE id = 2")
    app.ok("switch", "exp")
    made = app.json("rebase", "main")
    assert (len(made["empty"]), made["made"]) == (1, [])
    assert app.json("log")[0]["commit"] == app.json("log", "main")[0]["commit"]


# -- stash -------------------------------------------------------------------------------------------------------------


def test_a_pop_that_waits(app: Versioned) -> None:
    app.sql("UPDATE notes SET title = 'mine' WHERE id = 1")
    app.ok("stash", "push")
    app.sql("UPDATE notes SET title = 'theirs' WHERE id = 1; UPDATE notes SET title = 'stays' WHERE id = 2")
    before = titles(app)
    assert app.run("stash", "pop").code == 3
    assert len(app.json("stash", "list")) == 1
    app.ok("stash", "pop", "--abort")
    assert titles(app) == before
    assert app.run("stash", "pop").code == 3
    app.ok("resolve", "--theirs")
    app.ok("stash", "pop", "--continue")
    assert titles(app) == [(1, "mine"), (2, "stays"), (3, "three")]
    assert app.json("stash", "list") == []
    assert subjects(app) == ["first"]
    app.ok("undo", "-n", "3")
    assert (titles(app), len(app.json("stash", "list"))) == (before, 1)


# -- what others do meanwhile ------------------------------------------------------------------------------------------


def test_a_rebase_is_given_up_though_its_branch_has_gone_on(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours' WHERE id = 2", "UPDATE notes SET title = 'theirs' WHERE id = 2")
    app.ok("switch", "exp")
    before, tip = titles(app), app.json("log")[0]["commit"]
    assert app.run("rebase", "main").code == 3
    app.ok("merge", "main", "--into", "exp", "-X", "ours")
    app.ok("resolve", "--theirs")
    assert app.refused("rebase", "--continue") == "home-moved"
    assert "on no branch" in app.ok("rebase", "--abort")
    status = app.json("status")
    assert (status["branch"], status["commit"], status["clean"], titles(app)) == (None, tip, True, before)
    assert app.json("fsck")["damages"] == []


def test_versions_that_a_sequence_goes_on_with_outlive_their_branch_and_gc(app: Versioned) -> None:
    app.ok("switch", "-c", "exp")
    for number in (1, 2, 3):
        step(app, f"UPDATE notes SET title = 'exp{number}' WHERE id = {number}", f"exp {number}")
    app.ok("switch", "main")
    step(app, "UPDATE notes SET title = 'main1' WHERE id = 1", "main 1")
    app.ok("config", "gc.undo_days", "0")
    assert app.run("cherry-pick", "main~1..exp").code == 3
    app.ok("branch", "-D", "exp")
    app.ok("gc")
    assert app.json("fsck")["damages"] == []
    app.ok("resolve", "--theirs")
    app.ok("cherry-pick", "--continue")
    assert titles(app) == [(1, "exp1"), (2, "exp2"), (3, "exp3")]
    assert app.json("gc")["commits"] == 3
    assert app.json("fsck")["damages"] == []


def test_what_waited_then_is_shown_as_it_was(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours'", "UPDATE notes SET title = 'theirs'")
    assert app.run("merge", "exp").code == 3
    app.ok("resolve", "notes", "1", "--theirs")
    app.ok("resolve", "--ours")
    app.ok("merge", "--continue")
    for back, waiting in ((0, None), (1, 0), (2, 2), (3, 3), (4, None)):
        then = ("--at-op", f"@~{back}")
        found = app.json(*then, "status")["merging"]
        assert found == (None if waiting is None else {"command": "merge", "open": waiting})
        assert len(app.json(*then, "conflicts")) == (waiting or 0)
        assert app.json(*then, "status")["clean"] is (back in (0, 3, 4))
