"""`isovc merge` from the outside: what goes together, what waits, and how it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from isovc.sources.sqlite import Reading
from tests.merging.conftest import Parted
from tests.versioned import Versioned


def titles(app: Versioned) -> list[tuple[Any, ...]]:
    return app.rows("SELECT id, title FROM notes ORDER BY id")


def conflicts(app: Versioned, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.json("conflicts", *words)
    return found


def test_different_cells_of_one_row_go_together(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours' WHERE id = 1", "UPDATE notes SET body = 'theirs' WHERE id = 1")
    found = app.json("merge", "exp")
    assert app.rows("SELECT title, body FROM notes WHERE id = 1") == [("ours", "theirs")]
    assert (found["conflicts"], found["waiting"], len(found["made"])) == (0, None, 1)
    assert app.clean
    newest, *_ = app.json("log")
    assert newest["message"].strip() == "Merge branch 'exp'"
    tips = {each["branch"]: each["commit"] for each in app.json("branch")}
    assert len(newest["parents"]) == 2
    assert newest["parents"][1] == tips["exp"]
    assert app.json("fsck")["damages"] == []


SIDES = {"edit": "UPDATE notes SET title = '{}' WHERE id = 1", "delete": "DELETE FROM notes WHERE id = 1"}
ADD = "INSERT INTO notes VALUES(9, '{}', NULL)"


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (SIDES["edit"].format("a"), SIDES["edit"].format("b"), "edit/edit"),
        (SIDES["edit"].format("a"), SIDES["edit"].format("a"), None),
        (SIDES["edit"].format("one"), SIDES["edit"].format("b"), None),
        (SIDES["edit"].format("a"), SIDES["delete"], "edit/delete"),
        (SIDES["delete"], SIDES["edit"].format("b"), "delete/edit"),
        (SIDES["delete"], SIDES["delete"], None),
        (ADD.format("a"), ADD.format("b"), "add/add"),
        (ADD.format("a"), ADD.format("a"), None),
        (ADD.format("a"), "INSERT INTO notes VALUES(8, 'b', NULL)", None),
    ],
)
def test_every_pair_of_deeds(parted: Parted, ours: str, theirs: str, kind: str | None) -> None:
    app = parted(ours, theirs)
    ended = app.run("merge", "exp", "--json")
    assert ended.code == (3 if kind else 0)
    found = conflicts(app)
    assert [each["kind"] for each in found] == ([kind] if kind else [])
    if kind is None:
        assert app.clean
        return
    before = titles(app)
    app.ok("merge", "--abort")
    assert titles(app) == before
    for side, row in (("ours", found[0]["ours"]), ("theirs", found[0]["theirs"]), ("base", found[0]["base"])):
        assert app.run("merge", "exp").code == 3
        assert app.json("resolve", f"--{side}")["open"] == 0
        there = app.rows(f"SELECT title FROM notes WHERE id = {found[0]['key'][0]}")
        wanted = row["title"] if isinstance(row, dict) else row
        assert there == ([(wanted,)] if row is not None else [])
        app.ok("merge", "--continue")
        assert app.clean
        assert app.json("fsck")["damages"] == []
        app.ok("undo", "-n", "3")
        assert titles(app) == before


def test_conflicts_say_what_each_side_has(parted: Parted) -> None:
    app = parted(
        "UPDATE notes SET title = 'ours', body = 'ours' WHERE id = 1; UPDATE notes SET title = 'x' WHERE id = 2",
        "UPDATE notes SET title = 'theirs', body = 'theirs' WHERE id = 1; DELETE FROM notes WHERE id = 2;"
        "INSERT INTO tags VALUES(7, 'theirs')",
    )
    assert app.run("merge", "exp").code == 3
    keys = {"id", "table", "key", "column", "kind", "base", "ours", "theirs"}
    found = conflicts(app)
    assert all(keys <= set(each) for each in found)
    assert [
        tuple(each[name] for name in ("table", "key", "column", "base", "ours", "theirs")) for each in found[:2]
    ] == [
        ("notes", [1], "title", "one", "ours", "theirs"),
        ("notes", [1], "body", "first", "ours", "theirs"),
    ]
    assert found[2]["ours"] == {"id": 2, "title": "x", "body": "second"}
    assert (found[2]["theirs"], found[2]["column"]) == (None, None)
    assert app.rows("SELECT tag FROM tags WHERE note = 7") == [("theirs",)]  # what nobody contests is there
    assert [each["id"] for each in conflicts(app, "notes", "1")] == [1, 2]
    assert [each["id"] for each in conflicts(app, "notes:1:body")] == [2]
    assert "2 edit/edit" in app.ok("conflicts", "-s")
    shown = app.ok("conflicts")
    assert "notes:1:title" in shown
    assert "exp" in shown
    assert "main" in shown
    status = app.json("status")
    assert status["merging"] == {"command": "merge", "open": 3}


def test_one_by_one_by_cell_by_row_by_table_and_by_value(parted: Parted) -> None:
    app = parted(
        "UPDATE notes SET title = 'ours', body = 'ours'; INSERT INTO tags VALUES(1, 'ours')",
        "UPDATE notes SET title = 'theirs', body = 'theirs'",
    )
    assert app.run("merge", "exp").code == 3
    assert len(conflicts(app)) == 6
    assert app.ok("resolve", "notes:1:title", "--theirs").startswith("Resolved 1 conflict. 5 to go.")
    assert app.json("resolve", "notes", "1", "--set", "body=12")["open"] == 4
    assert app.json("resolve", "notes", "2", "--ours")["open"] == 2
    assert app.refused("merge", "--continue", code=3) == "conflicts-wait"
    assert app.refused("commit", "-m", "x", code=3) == "conflicts-wait"
    assert app.json("resolve", "notes", "--base")["open"] == 0
    assert app.rows("SELECT title, body, typeof(body) FROM notes") == [
        ("theirs", "12", "text"),
        ("ours", "ours", "text"),
        ("three", "third", "text"),
    ]
    made = app.json("commit", "-m", "settled")
    assert len(made["parents"]) == 2
    assert app.json("log")[0]["message"].strip() == "settled"
    assert app.refused("conflicts", "--wrong", code=2) == "usage"
    assert app.refused("resolve", "--ours") == "nothing-under-way"


def test_settled_by_editing_the_database(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours'", "UPDATE notes SET title = 'theirs'")
    assert app.run("merge", "exp").code == 3
    app.sql("UPDATE notes SET title = 'by hand' WHERE id = 2")
    assert app.json("resolve")["resolved"] == 1
    assert [each["key"] for each in conflicts(app)] == [[1], [3]]
    assert app.refused("resolve") == "nothing-edited"
    assert app.json("resolve", "notes", "3")["resolved"] == 1  # as it is
    app.ok("resolve", "--theirs")
    app.ok("merge", "--continue")
    assert titles(app) == [(1, "theirs"), (2, "by hand"), (3, "ours")]


def test_each_step_can_be_undone_and_done_again(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours'", "UPDATE notes SET title = 'theirs'")
    states = [(titles(app), 0)]
    assert app.run("merge", "exp").code == 3
    states.append((titles(app), 3))
    app.ok("resolve", "notes", "1", "--theirs")
    states.append((titles(app), 2))
    app.ok("resolve", "--base")
    states.append((titles(app), 0))
    app.ok("merge", "--continue")

    def is_at(state: tuple[list[tuple[Any, ...]], int]) -> bool:
        return (titles(app), len(conflicts(app))) == state

    for state in reversed(states):
        app.ok("undo")
        assert is_at(state)
    for state in states[1:]:
        app.ok("redo")
        assert is_at(state)
    app.ok("redo")
    assert len(app.json("log")[0]["parents"]) == 2
    app.ok("undo")
    app.ok("merge", "--abort")
    assert is_at(states[0])
    app.ok("undo")
    assert is_at(states[3])
    assert app.json("fsck")["damages"] == []
    assert app.ok("audit", "verify")


def test_a_merge_that_changes_no_row_reads_no_page_again(parted: Parted, monkeypatch: pytest.MonkeyPatch) -> None:
    app = parted("UPDATE notes SET title = 'ours'", "UPDATE notes SET title = 'theirs'")
    read: list[object] = []
    pages = Reading.pages
    monkeypatch.setattr(Reading, "pages", lambda self, *words: read.append(self) or pages(self, *words))
    assert app.run("merge", "exp").code == 3
    assert not read
    app.sql("UPDATE notes SET title = 'mine' WHERE id = (SELECT min(id) FROM notes)")
    assert app.json("status")["tables"]["notes"]["modified"] == 1
    app.ok("resolve", "--theirs")
    assert len(read) > 1
    assert app.rows("SELECT DISTINCT title FROM notes") == [("theirs",)]
    app.ok("merge", "--continue")
    assert app.json("fsck")["damages"] == []


def test_what_waits_outlives_gc_and_stands_in_the_way(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours'", "UPDATE notes SET title = 'theirs'")
    assert app.run("merge", "exp").code == 3
    app.ok("config", "gc.undo_days", "0")
    app.ok("gc")
    assert len(conflicts(app)) == 3
    for words in (
        ("switch", "exp"),
        ("merge", "exp"),
        ("stash", "push"),
        ("rebase", "exp"),
        ("reset", "exp"),
        ("revert", "HEAD"),
        ("cherry-pick", "exp"),
    ):
        assert app.refused(*words, code=3) == "conflicts-wait"
    assert app.refused("rebase", "--abort") == "other-under-way"
    app.ok("resolve", "--theirs")
    app.ok("merge", "--continue")
    assert app.json("fsck")["damages"] == []


def test_reset_hard_gives_up_a_merge(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours'", "UPDATE notes SET title = 'theirs'")
    assert app.run("merge", "exp").code == 3
    app.ok("resolve", "notes", "1", "--theirs")
    done = app.json("reset", "--hard", "HEAD")
    assert done["given_up"] == {"command": "merge", "of": "exp", "open": 2}
    assert app.json("status")["merging"] is None
    assert "and give up merge of exp" in app.json("op", "log")[0]["summary"]
    app.ok("undo")
    assert app.json("status")["merging"] == {"command": "merge", "open": 2}
    assert app.rows("SELECT title FROM notes ORDER BY id") == [("theirs",), ("ours",), ("ours",)]
    said = app.ok("reset", "--hard", "HEAD")
    assert "The merge of exp that waited (1 settled, 2 open) was given up: isovc undo brings it back." in said
    assert app.json("reset", "--hard", "HEAD")["given_up"] is None


def test_a_preview_changes_nothing(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours'", "UPDATE notes SET title = 'theirs', body = 'new'")
    before, log = app.path.read_bytes(), app.json("op", "log")
    ended = app.run("merge", "exp", "--preview", "--json")
    assert (ended.code, json.loads(ended.out)["conflicts"]) == (3, 3)
    assert json.loads(ended.out)["tables"] == {"notes": {"added": 0, "modified": 3, "removed": 0}}
    assert app.path.read_bytes() == before
    assert (app.json("op", "log"), conflicts(app), app.clean) == (log, [], True)


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_side_that_counts(parted: Parted, side: str) -> None:
    app = parted(
        "UPDATE notes SET title = 'ours' WHERE id = 1; DELETE FROM notes WHERE id = 2",
        "UPDATE notes SET title = 'theirs', body = 'both' WHERE id = 1; UPDATE notes SET title = 'kept' WHERE id = 2",
    )
    app.ok("merge", "exp", "-X", side)
    wanted = [(1, side, "both")] + ([(2, "kept", "second")] if side == "theirs" else [])
    assert app.rows("SELECT * FROM notes WHERE id < 3") == wanted


def test_forward_and_not(parted: Parted) -> None:
    app = parted("", "UPDATE notes SET title = 'theirs'")
    app.ok("reset", "--hard", "HEAD~1")
    assert app.json("merge", "exp", "--no-ff", "-m", "on purpose")["forward"] is False
    assert len(app.json("log")[0]["parents"]) == 2
    app.ok("undo")
    app.sql("UPDATE tags SET tag = 'mine'")  # what is uncommitted comes along
    assert app.json("merge", "exp")["forward"] is True
    assert app.json("log")[0]["message"].strip() == "theirs"
    assert app.rows("SELECT DISTINCT tag FROM tags") == [("mine",)]
    assert app.json("status")["tables"]["tags"]["modified"] == 2
    assert "up to date" in app.ok("merge", "exp")
    assert app.refused("merge", code=2) == "usage"
    assert app.refused("merge", "nowhere") == "no-such-revision"


def test_uncommitted_changes_come_along_or_are_in_the_way(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours' WHERE id = 1", "UPDATE notes SET title = 'theirs' WHERE id = 2")
    app.sql("UPDATE notes SET title = 'mine' WHERE id = 2")
    before = app.dump()
    assert app.refused("merge", "exp") == "uncommitted-in-the-way"
    assert app.dump() == before
    app.sql("UPDATE notes SET title = 'two' WHERE id = 2; UPDATE notes SET title = 'mine' WHERE id = 3")
    app.ok("merge", "exp")
    assert titles(app) == [(1, "ours"), (2, "theirs"), (3, "mine")]
    assert app.json("status")["tables"] == {"notes": {"added": 0, "modified": 1, "removed": 0}}


def test_the_commit_left_to_somebody(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours' WHERE id = 1", "UPDATE notes SET title = 'theirs' WHERE id = 2")
    assert app.json("merge", "exp", "--no-commit")["waiting"] == "merge"
    assert len(app.json("log")) == 3 - 1
    app.sql("UPDATE notes SET title = 'and more' WHERE id = 3")
    app.ok("commit", "-m", "mine")
    newest = app.json("log")[0]
    assert (newest["message"].strip(), len(newest["parents"])) == ("mine", 2)
    assert titles(app) == [(1, "ours"), (2, "theirs"), (3, "and more")]


def test_into_a_branch_that_nobody_has_checked_out(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours' WHERE id = 1", "UPDATE notes SET title = 'theirs' WHERE id = 2")
    app.ok("branch", "other", "exp")
    before = app.dump()
    made = app.json("merge", "main", "--into", "other")
    assert app.dump() == before
    assert (made["branch"], len(made["made"])) == ("other", 1)
    app.ok("switch", "other")
    assert titles(app) == [(1, "ours"), (2, "theirs"), (3, "three")]
    app.ok("switch", "main")
    app.ok("undo", "-n", "3")
    assert {each["branch"]: each["commit"] for each in app.json("branch")}["other"] == app.json("log", "exp")[0][
        "commit"
    ]
    said = app.ok("merge", "main", "--into", "other")
    assert ("1 modified there" in said, "in the database" in said) == (True, False)
    app.ok("undo")
    app.sql("UPDATE notes SET title = 'ours too' WHERE id = 2")
    app.commit()
    assert app.refused("merge", "main", "--into", "other", code=3) == "conflicts-elsewhere"
    assert app.refused("merge", "main", "--into", "nowhere") == "no-such-name"


def test_a_preview_into_another_branch(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours' WHERE id = 1", "UPDATE notes SET title = 'theirs' WHERE id = 2")
    app.ok("branch", "behind", "HEAD~1")
    app.sql("INSERT INTO notes VALUES(9, 'uncommitted', '')")
    said, state = app.dump(), (app.json("branch"), app.json("op", "log"))
    found = app.json("merge", "main", "--into", "exp", "--preview")
    assert (found["branch"], found["preview"], found["forward"], found["made"]) == ("exp", True, False, [])
    assert found["tables"] == {"notes": {"added": 0, "modified": 1, "removed": 0}}
    assert app.ok("merge", "main", "--into", "exp", "--preview").splitlines() == [
        "Into exp:",
        "Would bring 1 modified; nothing was changed.",
    ]
    assert app.json("merge", "main", "--into", "behind", "--preview")["forward"] is True
    assert "Already up to date." in app.ok("merge", "behind", "--into", "exp", "--preview")
    assert (app.dump(), (app.json("branch"), app.json("op", "log"))) == (said, state)
    # a branch that somebody else is on may be asked, and not be given anything
    there = app.at(app.path.parent.parent / "there.db")
    app.ok("worktree", "add", str(there.path), "exp")
    assert app.json("merge", "main", "--into", "exp", "--preview")["conflicts"] == 0
    state = app.json("branch"), app.json("op", "log")
    ended = app.run("merge", "main", "--into", "exp")
    assert f"branch exp is checked out in {there.path}" in ended.err
    assert f"isovc -C {there.path} merge main does it there" in ended.err
    assert (app.dump(), (app.json("branch"), app.json("op", "log"))) == (said, state)
    there.ok("merge", "main")
    assert titles(there) == [(1, "ours"), (2, "theirs"), (3, "three")]
    app.sql("UPDATE notes SET title = 'more' WHERE id = 2")
    app.commit()
    there.sql("UPDATE notes SET title = 'other' WHERE id = 2")
    there.commit()
    # conflicts are counted, and wait nowhere
    ended = app.run("merge", "main", "--into", "exp", "--preview", "--json")
    assert (ended.code, json.loads(ended.out)["conflicts"]) == (3, 1)
    assert app.json("status")["merging"] is there.json("status")["merging"] is None


def test_criss_cross_asks_again_only_where_the_sides_still_differ(app: Versioned) -> None:
    app.ok("branch", "exp")
    app.sql("UPDATE notes SET title = 'a' WHERE id = 1")
    app.commit("a")
    app.ok("switch", "exp")
    app.sql("UPDATE notes SET title = 'b' WHERE id = 1; UPDATE notes SET title = 'b' WHERE id = 2")
    app.commit("b")
    app.ok("branch", "before")
    assert app.run("merge", "main").code == 3
    app.ok("resolve", "--theirs")  # exp: a
    app.ok("merge", "--continue")
    app.ok("switch", "main")
    assert app.run("merge", "before").code == 3
    app.ok("resolve", "--theirs")  # main: b
    app.ok("merge", "--continue")
    app.sql("UPDATE notes SET title = 'c' WHERE id = 3")
    app.commit("c")
    ended = app.run("merge", "exp", "--json")
    assert ended.code == 3
    found, *more = conflicts(app)
    assert not more
    assert (found["key"], found["base"], found["ours"], found["theirs"]) == ([1], "one", "b", "a")
    app.ok("resolve", "--ours")
    app.ok("merge", "--continue")
    assert titles(app) == [(1, "b"), (2, "b"), (3, "c")]
    assert "up to date" in app.ok("merge", "exp")


def test_a_merge_of_a_merge(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours' WHERE id = 1", "UPDATE notes SET title = 'theirs' WHERE id = 2")
    app.ok("merge", "exp")
    app.ok("switch", "exp")
    app.sql("UPDATE notes SET title = 'later' WHERE id = 3")
    app.commit()
    app.ok("switch", "main")
    app.ok("merge", "exp")
    app.ok("switch", "exp")
    assert app.json("merge", "main")["forward"] is True
    assert titles(app) == [(1, "ours"), (2, "theirs"), (3, "later")]


def test_a_value_is_for_the_cells_that_wait(parted: Parted) -> None:
    app = parted(
        "UPDATE notes SET title = 'ours' WHERE id = 1; UPDATE notes SET body = 'ours' WHERE id = 2;"
        "DELETE FROM notes WHERE id = 3; INSERT INTO notes VALUES(4, 'ours', 'ours')",
        "UPDATE notes SET title = 'theirs' WHERE id = 1; UPDATE notes SET body = 'theirs' WHERE id = 2;"
        "UPDATE notes SET body = 'theirs' WHERE id = 3; INSERT INTO notes VALUES(4, 'theirs', 'theirs')",
    )
    assert app.run("merge", "exp").code == 3
    before = app.rows("SELECT * FROM notes ORDER BY id")
    done = app.json("resolve", "notes", "--set", "body=5", "--set", "title=4")
    assert (done["resolved"], done["open"], done["whole"]) == (2, 2, 2)
    # each value only where its cell waited; rows that wait as a whole are as they were
    assert app.rows("SELECT * FROM notes ORDER BY id") == [(1, "4", "first"), (2, "two", "5"), *before[2:]]
    assert [each["kind"] for each in conflicts(app)] == ["delete/edit", "add/add"]
    assert app.refused("resolve", "--set", "body=5") == "whole-row-waits"
    said = app.run("resolve", "--set", "body=5").err
    assert "the row 3 of notes waits as a whole (delete/edit), and so does 1 more" in said
    # somebody names them
    assert app.json("resolve", "notes", "3", "--set", "body=5")["open"] == 1
    assert app.json("resolve", "notes", "4", "--set", "body=6", "--set", "title=7")["open"] == 0
    assert app.rows("SELECT * FROM notes WHERE id > 2 ORDER BY id") == [(3, "three", "5"), (4, "7", "6")]


def test_what_values_leave_is_said(parted: Parted) -> None:
    app = parted(
        "UPDATE notes SET body = 'ours' WHERE id = 2; DELETE FROM notes WHERE id = 3",
        "UPDATE notes SET body = 'theirs' WHERE id > 1",
    )
    assert app.run("merge", "exp").code == 3
    said = app.ok("resolve", "--set", "body=5").splitlines()
    assert said[0] == "Resolved 1 conflict. 1 to go."
    assert "1 of them waits as a whole row and got no value, like notes 3 (delete/edit)" in said[1]


def test_a_row_by_the_words_that_show_it(parted: Parted) -> None:
    long = "https://example.org/" + "a" * 60
    app = parted(
        "UPDATE \"a:b\" SET v = 'ours', w = 'ours'",
        "UPDATE \"a:b\" SET v = 'theirs', w = 'theirs'",
        'CREATE TABLE "a:b"(k PRIMARY KEY, v, w) WITHOUT ROWID; INSERT INTO "a:b"(k) VALUES'
        f" ('x:y'), ('{long}1'), ('{long}2'), (1), ('1'), (x'{'00' * 20}01'), (x'{'00' * 20}02'),"
        " ('p' || char(10) || 'q'), ('p\\nq')",
    )
    assert app.run("merge", "exp").code == 3
    for text in ("'x:y'", f"'{long}1'", "1", "'1'", f"x'{'00' * 20}02'"):
        for place in (f"a:b:{text}:w", f"a:b:{text}"):
            assert place in app.ok("conflicts")
            assert app.json("resolve", place, "--theirs")["resolved"] == 1
    shown = "'p\\nq'"  # a line that ends, and a backslash with an n, read alike
    assert app.json("resolve", "a:b", json.dumps(["p\nq"]), "--theirs")["resolved"] == 2
    assert app.json("resolve", "a:b", shown, "v", "--theirs")["resolved"] == 1
    theirs = sorted(row[0] for row in app.rows("SELECT hex(k) FROM \"a:b\" WHERE w = 'theirs'"))
    assert len(theirs) == 6
    assert app.json("resolve", "a:b", "--ours")["open"] == 0


def test_words_that_could_be_two_rows_settle_none(parted: Parted) -> None:
    app = parted(
        "UPDATE two SET v = 'ours'",
        "UPDATE two SET v = 'theirs'",
        "CREATE TABLE two(a TEXT, b TEXT, v, PRIMARY KEY(a, b));INSERT INTO two VALUES('a,b', 'c', 0), ('a', 'b,c', 0)",
    )
    assert app.run("merge", "exp").code == 3
    assert app.refused("resolve", "two", "a,b,c", "--theirs") == "ambiguous-key"
    assert len(app.json("conflicts", "two", "a,b,c")) == 2
    assert app.json("resolve", "two", "'a', 'b,c'", "--theirs")["resolved"] == 1
    assert app.json("resolve", "two", "a,b,c", "--theirs")["open"] == 0  # only one waits by now


def test_wrong_words(parted: Parted) -> None:
    app = parted("UPDATE notes SET title = 'ours'", "UPDATE notes SET title = 'theirs'")
    assert app.refused("merge", "--continue") == "nothing-under-way"
    assert app.refused("merge", "--continue", "--abort", code=2) == "options-clash"
    assert app.refused("merge", "exp", "--abort", code=2) == "options-clash"
    for way in ("--continue", "--abort"):
        for other in (["--no-ff"], ["--no-commit"], ["-X", "ours"], ["--into", "exp"], ["--preview"]):
            ended = app.run("merge", way, *other)
            assert (ended.code, f"{way} and {other[0]}" in ended.err) == (2, True)
    for command in ("cherry-pick", "revert", "rebase"):
        for way in ("--continue", "--abort", "--skip"):
            assert app.refused(command, "exp", way, code=2) == "options-clash"
    for command in ("cherry-pick", "revert"):
        for other in (["--no-commit"], ["-m", "1"]):
            assert app.refused(command, "--continue", *other, code=2) == "options-clash"
    assert app.refused("cherry-pick", "--abort", "-x", code=2) == "options-clash"
    assert app.refused("merge", "exp", "-X", "mine", code=2) == "usage"
    assert app.refused("resolve", "--ours", "--theirs", code=2) == "options-clash"
    assert app.refused("resolve", "--set", "title", code=2) == "bad-assignment"
    assert app.run("merge", "exp").code == 3
    assert app.refused("resolve", "nowhere", "--ours") == "no-such-conflict"
    assert app.refused("resolve", "notes", "77", "--ours") == "no-such-conflict"
    assert app.refused("resolve", "notes", "1", "--set", "nothing=1") == "no-such-column"
    assert app.refused("resolve", "notes", "1", "--set", "title=x", "--set", "id=9") == "key-is-kept"
    both = ("--set", "title=x", "--set", "body=y")
    assert app.refused("resolve", "notes", "1", "title", *both, code=2) == "other-column-set"
    said = app.run("resolve", "notes:1:title", "--set", "body=5").err
    assert "only the conflict of column title is meant, and --set says what column body shall be" in said
    assert len(conflicts(app)) == 3


def test_a_number_that_both_sides_set_in_the_header(parted: Parted) -> None:
    app = parted("PRAGMA user_version = 7", "PRAGMA user_version = 8; UPDATE notes SET title = 'theirs' WHERE id = 1")
    assert app.run("merge", "exp").code == 3
    found = conflicts(app)[0]
    assert (found["definition"], found["base"], found["ours"], found["theirs"]) == (
        {"type": "pragma", "name": "user_version"},
        0,
        7,
        8,
    )
    assert app.rows("PRAGMA user_version") == [(7,)]
    app.ok("resolve", "--theirs")
    assert app.rows("PRAGMA user_version") == [(8,)]
    app.ok("merge", "--continue")
    assert titles(app)[0] == (1, "theirs")


FILLED = "UPDATE notes SET body = 'edited' WHERE id = 1; INSERT INTO notes VALUES (9, 'nine', 'n')"
DROPPED = "ALTER TABLE notes DROP COLUMN body; DELETE FROM notes WHERE id = 3"


@pytest.mark.parametrize("side", ["ours", "theirs"])
@pytest.mark.parametrize("keeper", ["ours", "theirs"])
def test_a_dropped_column_comes_back_with_the_definition_of_the_side_that_filled_it(
    parted: Parted, keeper: str, side: str
) -> None:
    app = parted(*((FILLED, DROPPED) if keeper == "ours" else (DROPPED, FILLED)))
    assert app.run("merge", "exp").code == 3
    told = [(each["kind"], each["key"]) for each in conflicts(app)]
    assert told[0] == ("rows against schema", None)
    assert len([kind for kind, _ in told if kind == "rows against schema"]) == 1
    columns = len(app.rows("SELECT * FROM notes")[0])
    assert columns == (3 if keeper == "ours" else 2)
    assert app.json("resolve", "notes", f"--{side}")["open"] == 0
    bodies = [(1, "edited"), (2, "second"), (9, "n")]
    if side == keeper:
        assert app.rows("SELECT id, body FROM notes ORDER BY id") == bodies
    else:
        assert [len(row) for row in app.rows("SELECT * FROM notes")] == [2, 2, 2]
    app.ok("merge", "--continue")
    assert app.clean


def test_a_row_that_was_deleted_where_its_column_was_dropped_comes_back_whole(parted: Parted) -> None:
    app = parted("DELETE FROM notes WHERE id = 1; ALTER TABLE notes DROP COLUMN body", FILLED)
    assert app.run("merge", "exp").code == 3
    app.ok("resolve", "notes", "--theirs")
    assert app.rows("SELECT * FROM notes WHERE id IN (1, 9)") == [(1, "one", "edited"), (9, "nine", "n")]


def test_the_definition_of_theirs_brings_what_theirs_put_into_a_column_that_both_added(parted: Parted) -> None:
    app = parted(
        "ALTER TABLE notes ADD COLUMN c INT DEFAULT 1; UPDATE notes SET c = 5 WHERE id = 2",
        "ALTER TABLE notes ADD COLUMN c TEXT DEFAULT 'x'; UPDATE notes SET c = 'th' WHERE id = 3",
    )
    assert app.run("merge", "exp").code == 3
    assert app.rows("SELECT c FROM notes ORDER BY id") == [(1,), (5,), ("th",)]
    app.ok("resolve", "notes", "--theirs")
    assert app.rows("SELECT c FROM notes ORDER BY id") == [("x",), ("5",), ("th",)]
