"""Going between versions: nothing uncommitted is lost, nothing comes along unasked."""

from __future__ import annotations

import sqlite3

import pytest

from isovc.cli.main import main
from tests.sealed import reseal
from tests.versioned import Versioned


@pytest.fixture
def two(app: Versioned) -> Versioned:
    """Branches main and exp, one row apart; on main."""
    app.ok("switch", "-c", "exp")
    app.sql("UPDATE notes SET body = 'exp' WHERE id = 1")
    app.commit("exp")
    app.ok("switch", "main")
    return app


def test_uncommitted_changes_stay_and_come_back(two: Versioned) -> None:
    clean = two.dump()
    two.sql("UPDATE notes SET body = 'dirty' WHERE id = 2; CREATE TABLE extra(a); PRAGMA user_version = 5")
    dirty = two.dump()
    left = two.run("switch", "exp")
    assert "Your uncommitted changes stay with main" in left.out
    assert two.clean
    assert two.rows("SELECT body FROM notes ORDER BY id") == [("exp",), ("second",), ("third",)]
    assert two.rows("PRAGMA user_version") == [(0,)]
    back = two.run("switch", "main")
    assert "are back" in back.out
    assert two.dump() == dirty
    assert two.rows("PRAGMA user_version") == [(5,)]
    two.ok("reset", "--hard", "HEAD")
    assert two.dump() == clean
    assert two.json("switch", "exp")["kept"] is None
    assert two.json("switch", "main")["returned"] is False


def test_changes_kept_before_the_branch_moved_are_merged(two: Versioned) -> None:
    two.sql("UPDATE notes SET title = 'mine' WHERE id = 3")
    two.ok("switch", "exp")
    two.ok("branch", "-m", "main", "stem")
    two.ok("checkout", "--detach", "stem")
    two.sql("UPDATE notes SET body = 'theirs' WHERE id = 3")
    moved = two.commit("meanwhile")
    two.ok("switch", "exp")
    _move(two, "stem", moved)
    came = two.json("switch", "stem")
    assert (came["returned"], came["waiting"]) == (True, None)
    assert two.rows("SELECT title, body FROM notes WHERE id = 3") == [("mine", "theirs")]
    assert two.json("status")["tables"] == {"notes": {"added": 0, "modified": 1, "removed": 0}}


def _move(app: Versioned, branch: str, commit: str) -> None:
    """As a fetch or an undo would."""
    with sqlite3.connect(app.folder / "store.db") as db:
        db.execute("UPDATE ref SET target = ? WHERE name = ?", (bytes.fromhex(commit), f"refs/heads/{branch}"))
    db.close()
    reseal(app.folder / "store.db")


def test_changes_that_do_not_fit_any_more_wait(two: Versioned) -> None:
    two.sql("UPDATE notes SET title = 'mine' WHERE id = 3")
    mine = two.dump()
    two.ok("checkout", "--detach", "HEAD")
    two.sql("UPDATE notes SET title = 'theirs' WHERE id = 3")
    moved = two.commit("meanwhile")
    two.ok("switch", "exp")
    _move(two, "main", moved)
    came = two.json("switch", "main")
    assert (came["returned"], bool(came["waiting"])) == (False, True)
    assert two.rows("SELECT title FROM notes WHERE id = 3") == [("theirs",)]
    assert two.clean
    # what is left there now does not push out what waits already
    two.sql("DELETE FROM tags")
    two.ok("switch", "exp")
    again = two.run("switch", "main")
    assert "are back" in again.out
    assert two.rows("SELECT count(*) FROM tags") == [(0,)]
    two.ok("commit", "-m", "no tags")
    two.ok("switch", "exp")
    last = two.run("switch", "main")
    assert "do not fit any more" in last.out
    two.ok("checkout", came["waiting"])
    assert two.dump() == mine


def test_kept_changes_that_break_a_rule_wait(two: Versioned) -> None:
    two.sql("CREATE UNIQUE INDEX one ON notes(title)")
    two.commit("unique")
    two.sql("INSERT INTO notes VALUES(50, 'same', 'kept')")
    two.ok("checkout", "--detach", "HEAD")
    two.sql("INSERT INTO notes VALUES(51, 'same', 'committed')")
    moved = two.commit("meanwhile")
    two.ok("switch", "exp")
    _move(two, "main", moved)
    came = two.json("switch", "main")
    assert (came["returned"], bool(came["waiting"])) == (False, True)
    assert two.clean
    assert two.json("status", "--verify")["clean"]


def test_carrying_takes_changes_along(two: Versioned) -> None:
    two.sql(
        "UPDATE notes SET title = 'mine' WHERE id = 1; INSERT INTO tags VALUES(9, 'new'); CREATE INDEX i ON tags(tag)"
    )
    came = two.run("switch", "exp", "--carry")
    assert "came along" in came.out
    assert two.rows("SELECT title, body FROM notes WHERE id = 1") == [("mine", "exp")]
    found = two.json("status")
    assert found["tables"] == {
        "notes": {"added": 0, "modified": 1, "removed": 0},
        "tags": {"added": 1, "modified": 0, "removed": 0},
    }
    assert [each["name"] for each in found["schema"]] == ["i"]
    assert two.json("status", "--verify")["tables"] == found["tables"]


def test_carrying_what_does_not_fit_changes_nothing(two: Versioned) -> None:
    two.sql("UPDATE notes SET body = 'mine' WHERE id = 1")
    before = two.dump()
    assert two.refused("switch", "exp", "--carry") == "cannot-carry"
    assert two.dump() == before
    assert two.json("status")["branch"] == "main"
    assert two.refused("checkout", "exp", "--carry") == "cannot-carry"
    two.sql("DROP TABLE notes")
    assert two.refused("switch", "exp", "--carry") == "cannot-carry"


def test_carrying_what_would_break_a_rule_changes_nothing(two: Versioned) -> None:
    two.sql("CREATE UNIQUE INDEX one ON notes(title)")
    two.commit("unique")
    two.ok("switch", "-c", "third")
    two.sql("INSERT INTO notes VALUES(51, 'same', 'x')")
    two.commit("third")
    two.ok("switch", "main")
    two.sql("INSERT INTO notes VALUES(50, 'same', 'y')")
    before = two.dump()
    assert two.refused("switch", "third", "--carry") == "row-refused"
    assert two.dump() == before
    assert two.run("status").out.startswith("On branch main")
    two.ok("switch", "third")


def test_a_new_branch_takes_changes_along(app: Versioned) -> None:
    app.sql("DELETE FROM tags")
    before = app.dump()
    app.ok("switch", "-c", "exp")
    assert app.dump() == before
    assert not app.clean
    app.commit("on exp")
    assert app.json("log", "main")[0]["message"].strip() == "first"
    app.ok("switch", "-c", "old", "main")
    assert app.clean
    assert app.rows("SELECT count(*) FROM tags") == [(2,)]


def test_a_branch_is_made_with_the_move_or_not_at_all(app: Versioned) -> None:
    app.sql("CREATE TABLE extra(a)")
    app.commit("more")
    app.ok("config", "busy.seconds", "0.1")
    with app.held("BEGIN IMMEDIATE"):
        assert app.refused("switch", "-c", "exp", "HEAD~1", code=5) == "database-busy"
        assert app.refused("checkout", "-b", "exp", "HEAD~1", code=5) == "database-busy"
    assert [each["branch"] for each in app.json("branch")] == ["main"]
    assert app.refused("switch", "-c", "main") == "name-taken"
    assert app.refused("switch", "-c", "main/a") == "name-in-the-way"
    app.ok("switch", "-c", "exp", "HEAD~1")


def test_commits_on_no_branch(app: Versioned) -> None:
    first = app.json("log")[0]["commit"]
    app.ok("switch", "--detach", "main")
    app.sql("DELETE FROM tags")
    made = app.json("commit", "-m", "loose")
    assert (made["branch"], made["parents"]) == (None, [first])
    assert "On no branch" in app.ok("status")
    assert app.json("log", "main")[0]["commit"] == first
    app.sql("DELETE FROM notes")
    app.ok("switch", "main")
    assert app.json("switch", "--detach", made["commit"])["returned"] is True
    assert app.rows("SELECT count(*) FROM notes") == [(0,)]
    app.ok("reset", "--hard", "main")
    assert app.json("status") | {"tables": {}} == app.json("status")
    app.ok("checkout", "-b", "named", made["commit"])
    assert app.json("status")["branch"] == "named"


def test_reset_soft_and_hard(app: Versioned) -> None:
    first = app.json("log")[0]["commit"]
    app.sql("DELETE FROM tags")
    second = app.commit("second")
    app.sql("DELETE FROM notes")
    before = app.dump()
    app.ok("reset", first)
    assert app.dump() == before
    assert app.json("log")[0]["commit"] == first
    assert set(app.json("status")["tables"]) == {"notes", "tags"}
    app.ok("reset", "--soft", second)
    assert set(app.json("status")["tables"]) == {"notes"}
    app.ok("reset", "--hard", first)
    assert app.clean
    assert app.rows("SELECT count(*) FROM tags") == [(2,)]
    app.ok("undo")
    assert app.dump() == before


def test_single_tables_with_all_that_hangs_on_them(app: Versioned) -> None:
    app.sql(
        "CREATE INDEX by_title ON notes(title); CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM tags; END;"
        "CREATE VIRTUAL TABLE words USING fts5(w); INSERT INTO words VALUES('hello world');"
        "CREATE TABLE counted(i INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO counted VALUES(7)"
    )
    rich = app.commit("rich")
    app.sql("DROP INDEX by_title; DROP TRIGGER t; DROP TABLE words; DELETE FROM notes; UPDATE tags SET tag = 'kept';")
    app.sql("DROP TABLE counted")
    app.commit("poor")
    app.sql("INSERT INTO tags VALUES(5, 'uncommitted')")
    said = app.ok("checkout", rich, "-t", "notes", "-t", "words", "-t", "counted")
    assert "Took notes, words, counted from" in said
    assert app.rows("SELECT count(*) FROM notes") == [(3,)]
    assert app.rows("SELECT w FROM words WHERE words MATCH 'hello'") == [("hello world",)]
    assert app.rows("SELECT i FROM counted") == [(7,)]
    assert {row[0] for row in app.rows("SELECT name FROM sqlite_schema WHERE type IN ('index', 'trigger')")} >= {
        "by_title",
        "t",
    }
    assert app.rows("SELECT tag FROM tags") == [("kept",), ("kept",), ("uncommitted",)]
    quick, full = app.json("status"), app.json("status", "--verify")
    assert quick == full
    assert app.check() == "ok"
    app.ok("checkout", "HEAD", "-t", "notes")
    assert app.rows("SELECT count(*) FROM notes") == [(0,)]
    app.ok("checkout", "WORK", "-t", "tags")
    app.ok("checkout", "EMPTY", "-t", "tags")
    assert app.refused("checkout", "HEAD", "-t", "Tag") == "no-such-table"


def test_kept_changes_follow_their_branch(two: Versioned) -> None:
    two.sql("DELETE FROM tags")
    two.ok("switch", "exp")
    two.ok("branch", "-m", "main", "trunk")
    assert two.refused("branch", "-d", "trunk") == "kept-there"
    two.ok("branch", "-c", "trunk", "twin")
    assert two.json("switch", "trunk")["returned"] is True
    two.ok("switch", "exp")
    two.ok("branch", "-D", "trunk")
    two.ok("branch", "trunk", "twin")
    assert two.json("switch", "trunk")["returned"] is False


def test_only_a_branch_whose_versions_stay_goes_easily(two: Versioned) -> None:
    assert two.refused("branch", "-d", "exp") == "not-merged"
    two.ok("tag", "safe", "exp")
    two.ok("branch", "-d", "exp")
    two.ok("switch", "-c", "other", "safe")
    two.sql("DELETE FROM tags")
    two.ok("switch", "main")
    two.ok("tag", "-d", "safe")
    # what is kept there leads to its versions, and is no reason to let them go
    assert two.refused("branch", "-d", "other") == "not-merged"
    two.ok("branch", "-m", "renamed")
    assert two.json("status")["branch"] == "renamed"
    two.ok("branch", "-c", "copied")
    assert two.refused("tag", "renamed x", code=2) == "bad-name"


def test_layout_is_no_change_and_stays(app: Versioned) -> None:
    app.sql("UPDATE notes SET body = 'x'")
    app.commit("second")
    app.sql("PRAGMA page_size = 1024; VACUUM")
    app.sql("PRAGMA auto_vacuum = 1; VACUUM")
    assert app.clean
    assert app.refused("commit", "-m", "x") == "nothing-to-commit"
    assert app.json("checkout", "HEAD~1")["kept"] is None
    assert app.clean
    assert app.json("status", "--verify")["clean"]
    assert app.rows("PRAGMA page_size") == [(1024,)]
    assert app.json("switch", "main")["kept"] is None


def test_rows_that_point_nowhere_come_back_too(app: Versioned) -> None:
    app.sql("CREATE TABLE child(n REFERENCES notes(id)); INSERT INTO child VALUES(77)")
    dump = app.dump()
    app.commit("broken")
    app.ok("checkout", "HEAD~1")
    app.ok("switch", "main")
    assert app.dump() == dump


def test_columns_with_defaults_keep_their_nulls(app: Versioned) -> None:
    app.sql("ALTER TABLE tags ADD COLUMN more DEFAULT 5")
    app.sql("UPDATE tags SET more = NULL WHERE note = 1")
    dump = app.dump()
    app.commit("added")
    app.ok("checkout", "HEAD~1")
    app.ok("switch", "main")
    assert sorted(app.dump().splitlines()) == sorted(dump.splitlines())
    assert app.rows("SELECT more FROM tags ORDER BY note") == [(None,), (5,)]
    assert app.json("status", "--verify")["clean"]


def test_an_empty_database_is_a_version_too(app: Versioned) -> None:
    app.sql("DROP TABLE notes; DROP TABLE tags")
    app.commit("nothing left")
    app.ok("checkout", "HEAD~1")
    assert app.rows("SELECT count(*) FROM notes") == [(3,)]
    app.ok("switch", "main")
    assert app.rows("SELECT count(*) FROM sqlite_schema") == [(0,)]
    assert main(["-C", str(app.path), "fsck"]) == 0
