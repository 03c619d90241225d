"""undo, redo, op and --at-op as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isovc.cli.who import without_secrets
from tests.versioned import Versioned


@pytest.fixture
def grown(app: Versioned) -> Versioned:
    """Three versions on main, and one on exp."""
    app.sql("UPDATE notes SET title = 'uno' WHERE id = 1")
    app.commit("second")
    app.ok("switch", "-c", "exp")
    app.sql("INSERT INTO notes VALUES(9, 'nine', 'ninth')")
    app.commit("on exp")
    app.ok("switch", "main")
    return app


def test_the_log_says_what_was_done(grown: Versioned) -> None:
    found = grown.json("op", "log")
    assert [set(each) for each in found] == [{"id", "time", "command", "summary", "undo_of"}] * len(found)
    commands = ["switch", "commit", "switch", "commit", "commit", "init"]
    assert [each["command"] for each in found] == commands
    assert [each["command"] for each in grown.json("op", "log", "-n", "2")] == commands[:2]
    assert found[0]["summary"] == "switch from exp to main (-1)"
    assert "switch from exp to main" in grown.ok("op", "log", "-n", "1")


def test_undo_and_redo_take_rows_and_branches_along(grown: Versioned) -> None:
    main = grown.dump()
    done = grown.json("undo")
    assert done["branch"] == "exp"
    assert done["tables"] == {"notes": {"added": 1, "modified": 0, "removed": 0}}
    assert grown.json("op", "log", "-n", "1")[0]["undo_of"] == done["operations"][0]
    assert grown.rows("SELECT title FROM notes WHERE id = 9") == [("nine",)]
    grown.json("redo")
    assert grown.dump() == main
    assert grown.refused("redo") == "nothing-to-redo"


def test_undo_of_a_commit_leaves_the_rows(grown: Versioned) -> None:
    grown.sql("INSERT INTO tags VALUES(3, 'c')")
    commit = grown.commit("third")
    grown.sql("INSERT INTO tags VALUES(4, 'd')")
    grown.ok("undo")
    assert grown.rows("SELECT count(*) FROM tags") == [(4,)]
    assert grown.json("status")["tables"]["tags"]["added"] == 2
    assert commit not in {each["commit"] for each in grown.json("log")}
    grown.ok("redo")
    assert grown.json("log")[0]["commit"] == commit


def test_what_was_written_since_is_said_and_comes_back_with_redo(grown: Versioned) -> None:
    grown.ok("reset", "--hard", "HEAD~1")
    grown.sql("INSERT INTO tags VALUES(5, 'since')")
    since = grown.dump()
    said = grown.ok("undo")
    assert "What was written since (1 added) is kept: isovc redo brings it back." in said
    assert grown.clean
    grown.ok("redo")
    assert grown.dump() == since
    grown.sql("INSERT INTO tags VALUES(6, 'and again')")
    again = grown.dump()
    grown.ok("undo")
    grown.ok("redo")
    assert grown.dump() == again


def test_several_at_once_and_not_more_than_there_are(grown: Versioned) -> None:
    assert len(grown.json("undo", "-n", "4")["operations"]) == 4
    assert [each["message"].strip() for each in grown.json("log")] == ["first"]
    assert [each["branch"] for each in grown.json("branch")] == ["main"]
    assert grown.refused("undo", "-n", "2") == "nothing-to-undo"
    assert len(grown.json("redo", "-n", "4")["operations"]) == 4
    assert grown.json("status")["branch"] == "main"
    assert {each["branch"] for each in grown.json("branch")} == {"main", "exp"}
    assert grown.refused("undo", "-n", "0", code=2) == "usage"


def test_something_new_ends_the_redoing(grown: Versioned) -> None:
    grown.ok("undo")
    grown.ok("branch", "other")
    assert grown.refused("redo") == "nothing-to-redo"
    grown.ok("undo")
    grown.ok("undo")
    assert grown.json("log")[0]["message"].strip() == "second"


def test_a_dry_run_changes_nothing(grown: Versioned) -> None:
    before = (grown.dump(), grown.json("op", "log"))
    assert grown.json("undo", "--dry-run")["dry_run"] is True
    assert "Would undo: switch from exp to main" in grown.ok("undo", "--dry-run")
    assert (grown.dump(), grown.json("op", "log")) == before


def test_what_another_has_moved_since_is_refused(grown: Versioned, tmp_path: Path) -> None:
    grown.ok("branch", "shared")
    other = grown.at(tmp_path / "w.db")
    grown.ok("worktree", "add", str(other.path), "shared")
    other.sql("DELETE FROM tags")
    other.commit("elsewhere")
    before = grown.json("op", "log")
    assert grown.refused("undo") == "moved-since"  # the working copy has gone on since it was made
    assert other.path.exists()
    assert grown.json("op", "log") == before
    made = grown.json("op", "log")[2]["id"]
    assert grown.refused("op", "revert", made) == "moved-since"  # the branch has a version more than it was made with


def test_the_branch_under_the_feet_of_another_stays(grown: Versioned, tmp_path: Path) -> None:
    other = grown.at(tmp_path / "w.db")
    grown.ok("worktree", "add", str(other.path), "main~1")
    grown.ok("branch", "shared")
    other.ok("switch", "shared")
    assert grown.refused("undo") == "branch-in-use"


def test_one_operation_can_be_taken_back_among_others(grown: Versioned) -> None:
    grown.sql("INSERT INTO notes VALUES(7, 'lost', '')")
    grown.ok("reset", "--hard", "HEAD")
    reset = grown.json("op", "log", "-n", "1")[0]["id"]
    grown.ok("tag", "v1")
    grown.sql("INSERT INTO notes VALUES(8, 'later', '')")
    grown.ok("op", "revert", reset[:8])
    assert grown.rows("SELECT id FROM notes WHERE id > 3") == [(7,), (8,)]
    assert [each["tag"] for each in grown.json("tag")] == ["v1"]
    grown.ok("undo")
    assert grown.rows("SELECT id FROM notes WHERE id > 3") == [(8,)]


def test_what_was_changed_since_does_not_fit_back(grown: Versioned) -> None:
    grown.sql("UPDATE notes SET body = 'mine' WHERE id = 2")
    grown.ok("reset", "--hard", "HEAD")
    reset = grown.json("op", "log", "-n", "1")[0]["id"]
    grown.sql("UPDATE notes SET body = 'theirs' WHERE id = 2")
    before = grown.dump()
    assert grown.refused("op", "revert", reset[:8]) == "does-not-fit"
    assert grown.dump() == before
    grown.ok("op", "restore", "--before", reset[:8])
    assert grown.rows("SELECT body FROM notes WHERE id = 2") == [("mine",)]
    grown.ok("undo")
    assert grown.dump() == before


def test_any_state_can_be_gone_back_to(grown: Versioned) -> None:
    dump, names = grown.dump(), grown.json("branch")
    here = grown.json("op", "log", "-n", "1")[0]["id"]
    grown.ok("switch", "exp")
    grown.ok("branch", "-D", "main")
    grown.ok("config", "busy.seconds", "7")
    grown.sql("DROP TABLE tags")
    grown.commit("no tags")
    grown.ok("op", "restore", here)
    assert (grown.dump(), grown.json("branch")) == (dump, names)
    assert grown.json("config", "busy.seconds")["value"] == 5.0
    grown.ok("undo")
    assert grown.rows("SELECT count(*) FROM sqlite_schema WHERE name = 'tags'") == [(0,)]
    assert grown.json("config", "busy.seconds")["value"] == 7.0


def test_one_operation_is_shown_with_names_and_rows(grown: Versioned) -> None:
    shown = grown.json("op", "show", "@")
    assert shown["database_moved"] == {"notes": {"added": 0, "modified": 0, "removed": 1}}
    assert (shown["database"], shown["words"][-2:]) == ("app.db", ["switch", "main"])
    made = grown.json("op", "show", "@~1")
    assert set(made["refs"]) == {"refs/heads/exp"}
    assert made["tables"] == {"notes": {"added": 1, "modified": 0, "removed": 0}}
    text = grown.ok("op", "show", "@~1")
    assert "exp:" in text
    assert grown.refused("op", "show", "ffffffff") == "no-such-operation"
    assert grown.refused("op", "show", "@~99") == "no-such-operation"


def test_reading_commands_look_at_the_past(grown: Versioned) -> None:
    grown.sql("DELETE FROM tags")
    grown.ok("reset", "--hard", "HEAD")
    first = grown.json("op", "log")[-2]["id"]
    assert [each["message"].strip() for each in grown.json("--at-op", first, "log")] == ["first"]
    assert [each["branch"] for each in grown.json("--at-op", first, "branch")] == ["main"]
    assert grown.json("status", "--at-op", "@~2")["branch"] == "exp"
    then = grown.json("status", "--at-op", "@")
    assert (then["branch"], then["clean"]) == ("main", True)
    assert len(grown.json("op", "log", "--at-op", first)) == 2
    assert grown.refused("--at-op", "@~1", "commit", "-m", "x", code=2) == "only-in-the-present"
    assert grown.refused("--at-op", "@~1", "switch", "exp", code=2) == "only-in-the-present"
    assert grown.refused("--at-op", "nonsense", "log") == "no-such-operation"
    assert grown.json("status")["branch"] == "main"


def test_commands_that_do_nothing_are_no_operations(grown: Versioned) -> None:
    before = len(grown.json("op", "log"))
    grown.ok("switch", "main")
    grown.ok("status")
    grown.ok("gc")
    grown.run("switch", "nowhere")
    grown.run("commit", "-m", "nothing")
    assert len(grown.json("op", "log")) == before


def test_secrets_are_not_kept(app: Versioned) -> None:
    words = ("push", "https://ada:hunter2@example.org/x", "--password", "hunter2", "--api-token=hunter2", "-m", "x")
    assert "hunter2" not in json.dumps(without_secrets(words))
    assert without_secrets(words)[-2:] == ("-m", "x")
    app.ok("commit", "--allow-empty", "-m", "see https://ada:hunter2@example.org/")
    assert b"hunter2" not in _bodies(app)


def _bodies(app: Versioned) -> bytes:
    return json.dumps(app.json("op", "show", "@")["words"]).encode()


def test_the_init_cannot_be_undone(app: Versioned) -> None:
    app.ok("undo")
    assert app.refused("undo") == "nothing-to-undo"
    assert app.json("status")["commit"] is None
    app.ok("redo")
    assert app.clean


def test_a_name_that_stays_is_no_operation(grown: Versioned) -> None:
    before = grown.json("op", "log")
    grown.ok("branch", "-m", "main", "main")
    assert grown.json("op", "log") == before
    assert grown.json("fsck")["damages"] == []


def test_there_is_nothing_before_the_beginning(grown: Versioned) -> None:
    first = grown.json("op", "log")[-1]["id"]
    assert grown.refused("op", "restore", "--before", first) == "not-there-then"
    assert grown.refused("op", "revert", first) == "moved-since"
    grown.ok("undo", "-n", "5")
    assert grown.refused("op", "revert", first) == "not-there-then"
    assert grown.json("fsck")["damages"] == []


def test_a_working_copy_that_removed_itself_comes_back_from_the_main_one(grown: Versioned, tmp_path: Path) -> None:
    other = grown.at(tmp_path / "w.db")
    grown.ok("worktree", "add", str(other.path), "-c", "b1")
    other.sql("DELETE FROM tags")
    there = other.dump()
    other.ok("worktree", "remove", str(other.path), "--yes")
    grown.ok("undo")
    assert other.dump() == there


def test_what_was_seen_last_of_a_lost_file_comes_back(grown: Versioned, tmp_path: Path) -> None:
    other = grown.at(tmp_path / "w.db")
    grown.ok("worktree", "add", str(other.path), "-c", "b1")
    other.sql("INSERT INTO notes VALUES(77, 'seen', '')")
    other.ok("status")
    other.path.unlink()
    assert "undo brings back what was seen last" in grown.ok("worktree", "add", str(other.path), "b1")
    assert other.clean
    other.ok("undo")
    assert other.rows("SELECT title FROM notes WHERE id = 77") == [("seen",)]


def test_where_a_file_lies_is_not_taken_back(grown: Versioned) -> None:
    renamed = grown.at(grown.path.with_name("renamed.db"))
    grown.path.rename(renamed.path)
    Versioned(grown.path.parent, grown._capsys).ok("worktree", "repair", str(renamed.path))
    assert renamed.refused("op", "revert", "@") == "file-moved"
    assert renamed.refused("op", "restore", "--before", "@") == "nothing-differs"
    assert renamed.json("worktree", "list")[0]["path"] == str(renamed.path)


def test_branches_under_the_feet_of_others_stay_where_they_are(grown: Versioned, tmp_path: Path) -> None:
    other = grown.at(tmp_path / "w.db")
    here = grown.json("op", "log")[0]["id"]
    grown.ok("branch", "gone")
    grown.ok("worktree", "add", str(other.path), "-c", "b1")
    other.sql("DELETE FROM tags")
    moved = other.commit()
    grown.ok("op", "restore", here)
    assert {each["branch"]: each["commit"] for each in grown.json("branch")}["b1"] == moved
    assert "gone" not in {each["branch"] for each in grown.json("branch")}


def test_the_past_of_working_copies_and_settings(grown: Versioned, tmp_path: Path) -> None:
    grown.ok("config", "gc.undo_days", "7")
    grown.ok("worktree", "add", str(tmp_path / "w.db"), "-c", "b1")
    assert len(grown.json("worktree", "list", "--at-op", "@~1")) == 1
    assert [each["branch"] for each in grown.json("worktree", "list", "--at-op", "@")] == ["main", "b1"]
    assert grown.json("config", "gc.undo_days", "--at-op", "@~2")["value"] == 90
    assert grown.json("config", "gc.undo_days", "--at-op", "@~1")["value"] == 7
    assert grown.refused("fsck", "--at-op", "@~2", code=2) == "only-in-the-present"


def test_names_of_the_past_outlive_its_rows(grown: Versioned) -> None:
    grown.sql("DELETE FROM tags")
    grown.ok("reset", "--hard", "HEAD")
    grown.ok("config", "gc.undo_days", "0")
    grown.ok("gc")
    assert grown.json("log", "--at-op", "@~2")[0]["message"].strip() == "second"
    assert grown.refused("undo", "-n", "2") == "forgotten"


def test_a_setting_goes_without_a_trace(grown: Versioned) -> None:
    file = grown.folder / "config.toml"
    before = file.read_bytes()
    grown.ok("config", "gc.undo_days", "30")
    grown.ok("undo")
    assert file.read_bytes() == before


def test_no_password_gets_into_the_log(app: Versioned) -> None:
    app.ok("commit", "--allow-empty", "-m", "see https://ada:hunter2@example.org/")
    assert app.refused("config", "user.name", "https://ada:hunter2@example.org", code=2) == "bad-setting"
    assert "hunter2" not in app.ok("audit", "export", "-")


def test_an_export_writes_over_nothing_of_ours(app: Versioned) -> None:
    before = app.dump()
    assert app.refused("audit", "export", str(app.path), "--force") == "working-copy-there"
    assert app.refused("audit", "export", str(app.folder / "store.db"), "--force") == "inside-repository"
    assert app.refused("audit", "keygen", str(app.folder / "key.pem")) == "inside-repository"
    assert app.dump() == before
    assert app.json("fsck")["damages"] == []


def test_rows_in_a_working_copy_that_was_undone_come_back_with_redo(grown: Versioned, tmp_path: Path) -> None:
    other = grown.at(tmp_path / "w.db")
    grown.ok("worktree", "add", str(other.path), "-c", "b1")
    other.sql("INSERT INTO notes VALUES(77, 'precious', '')")
    assert "isovc redo brings it back" in grown.ok("undo")
    grown.ok("redo")
    assert other.rows("SELECT title FROM notes WHERE id = 77") == [("precious",)]
    grown.ok("worktree", "remove", str(other.path), "--yes")
    grown.ok("undo")
    other.sql("INSERT INTO notes VALUES(78, 'more', '')")
    grown.ok("redo")
    grown.ok("undo")
    assert other.rows("SELECT count(*) FROM notes WHERE id > 76") == [(2,)]


def test_what_was_seen_of_a_lost_working_copy_outlives_its_removal(grown: Versioned, tmp_path: Path) -> None:
    other = grown.at(tmp_path / "w.db")
    grown.ok("worktree", "add", str(other.path), "-c", "b1")
    other.sql("INSERT INTO notes VALUES(77, 'seen', '')")
    other.ok("status")
    other.path.unlink()
    grown.ok("worktree", "remove", str(other.path), "--yes")
    grown.ok("undo")
    assert other.rows("SELECT title FROM notes WHERE id = 77") == [("seen",)]


def test_a_setting_that_was_set_since_is_not_set_back(grown: Versioned) -> None:
    grown.ok("config", "gc.undo_days", "80")
    grown.ok("config", "gc.undo_days", "85")
    assert grown.refused("op", "revert", "@~1") == "moved-since"
    assert grown.json("config", "gc.undo_days")["value"] == 85


def test_a_table_that_was_renamed_with_its_index(grown: Versioned) -> None:
    grown.sql("CREATE INDEX by_title ON notes(title); CREATE TRIGGER tr AFTER INSERT ON notes BEGIN SELECT 1; END")
    grown.commit("index")
    before = grown.dump()
    grown.sql("DELETE FROM notes; ALTER TABLE notes RENAME TO remarks; INSERT INTO remarks VALUES(9, 'x', 'y')")
    grown.commit("renamed")
    grown.ok("switch", "--detach", "HEAD~1")
    assert sorted(grown.dump().splitlines()) == sorted(before.splitlines())
    grown.ok("undo")
    assert grown.rows("SELECT id FROM remarks") == [(9,)]
    assert grown.check() == "ok"


def test_a_patch_of_a_renamed_table_goes_both_ways(grown: Versioned, tmp_path: Path) -> None:
    before = sorted(grown.dump().splitlines())
    grown.sql(
        "ALTER TABLE notes RENAME TO remarks; INSERT INTO remarks VALUES(7, 'n', ''); DELETE FROM remarks WHERE id = 2"
    )
    patch = tmp_path / "patch"
    patch.write_text(grown.ok("diff", "--format", "jsonl"))
    grown.ok("apply", "-R", str(patch))
    assert grown.clean
    assert sorted(grown.dump().splitlines()) == before


def test_what_another_working_copy_did_is_taken_back_only_there(grown: Versioned, tmp_path: Path) -> None:
    other = grown.at(tmp_path / "w.db")
    grown.ok("worktree", "add", str(other.path), "-c", "side")
    deeds = (("switch", "exp"), ("commit", "--allow-empty", "-m", "there"))
    for words in deeds:
        other.ok(*words)
        before = grown.json("worktree", "list")
        assert grown.refused("op", "revert", "@~0") == "moved-another"
        assert grown.refused("op", "revert", "@~0", "--dry-run") == "moved-another"
        assert grown.json("worktree", "list") == before
    other.ok("op", "revert", "@~0")
    grown.ok("branch", "-m", "exp", "less")  # it is only called otherwise there
    other.ok("op", "revert", "@~0")
    assert other.json("status")["branch"] == "exp"
    assert grown.json("fsck")["damages"] == []
