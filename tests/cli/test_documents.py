"""What `--json` says, and the exit codes: scripts rely on both."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from isovc.cli.main import main
from tests.versioned import Ended, Versioned

HEX = re.compile(r"[0-9a-f]{40}")
COUNTS = {"added", "modified", "removed"}


def test_init(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = Versioned(tmp_path / "one.db", capsys)
    one.sql("CREATE TABLE t(a)")
    document = json.loads(_out(capsys, "-C", str(tmp_path), "init", "--json"))
    assert document == {
        "repository": str(tmp_path / ".isovc"),
        "database": str(tmp_path / "one.db"),
        "branch": "main",
        "attachments": None,
    }


def _out(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_status(app: Versioned) -> None:
    assert app.json("status") == {
        "branch": "main",
        "commit": app.json("log")[0]["commit"],
        "clean": True,
        "tables": {},
        "schema": [],
        "attachments": {},
        "files": [],
        "warnings": [],
        "waiting": None,
        "waiting_elsewhere": [],
        "merging": None,
    }
    app.sql("UPDATE notes SET body = 'x' WHERE id = 1; DELETE FROM tags; INSERT INTO notes VALUES(9, 'n', 'b');")
    app.sql("CREATE INDEX by_title ON notes(title); PRAGMA user_version = 7")
    found = app.json("status")
    assert found["clean"] is False
    assert found["tables"] == {
        "notes": {"added": 1, "modified": 1, "removed": 0},
        "tags": {"added": 0, "modified": 0, "removed": 2},
    }
    assert found["schema"] == [
        {"type": "index", "name": "by_title", "table": "notes", "op": "added"},
        {"type": "pragma", "name": "user_version", "table": None, "op": "modified"},
    ]


def test_commit_and_log(app: Versioned) -> None:
    first = app.json("log")
    app.sql("INSERT INTO tags VALUES(3, 'c')")
    made = app.json("commit", "-m", "second\n\nwith a body", "--author", "Ada Example <ada@example.org>")
    assert made == {
        "commit": made["commit"],
        "branch": "main",
        "parents": [first[0]["commit"]],
        "tables": {"tags": {"added": 1, "modified": 0, "removed": 0}},
        "attachments": {},
        "warnings": [],
    }
    assert HEX.fullmatch(made["commit"])
    newest, oldest = app.json("log")
    assert oldest == first[0]
    assert set(newest) == {"commit", "parents", "author", "time", "message"}
    assert newest["author"] == "Ada Example <ada@example.org>"
    assert newest["message"].rstrip("\n") == "second\n\nwith a body"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", newest["time"])
    assert newest["time"] > oldest["time"]


def test_show(app: Versioned) -> None:
    found = app.json("show")
    assert set(found) == {"commit", "parents", "author", "time", "message", "changes", "schema", "tables"}
    assert found["parents"] == []
    assert found["changes"]["notes"] == {"added": 3, "modified": 0, "removed": 0}
    assert {each["name"] for each in found["schema"]} == {"notes", "tags"}
    assert found["tables"]["tags"]["rows"] == 2
    said = app.ok("show", "main")
    assert f"commit {found['commit']}" in said
    assert "    first" in said


def test_branch_and_tag(app: Versioned) -> None:
    head = app.json("log")[0]["commit"]
    assert app.json("branch", "exp") == [
        {"branch": "exp", "commit": head, "current": False},
        {"branch": "main", "commit": head, "current": True},
    ]
    assert app.json("tag", "v1") == [{"tag": "v1", "commit": head}]
    assert app.json("tag", "-d", "v1") == []
    assert app.ok("branch").splitlines() == [f"  exp  {head[:12]} first", f"* main {head[:12]} first"]


def test_switch_checkout_and_reset(app: Versioned) -> None:
    head = app.json("log")[0]["commit"]
    arrived = app.json("switch", "-c", "exp")
    assert arrived == {
        "branch": "exp",
        "commit": head,
        "tables": {},
        "kept": None,
        "returned": False,
        "waiting": None,
        "carried": False,
        "left": None,
    }
    app.sql("DELETE FROM notes WHERE id = 1")
    second = app.commit("second")
    assert app.json("checkout", "main")["tables"] == {"notes": {"added": 1, "modified": 0, "removed": 0}}
    detached = app.json("checkout", second)
    assert (detached["branch"], detached["commit"]) == (None, second)
    taken = app.json("checkout", "main", "-t", "notes")
    assert taken == {"tables": {"notes": {"added": 1, "modified": 0, "removed": 0}}}
    back = app.json("reset", "--hard", "main")
    assert set(back) == {"branch", "commit", "tables", "given_up"}
    assert (back["branch"], back["commit"]) == (None, head)


def test_worktree(app: Versioned, tmp_path: Path) -> None:
    head = app.json("log")[0]["commit"]
    other = tmp_path / "other" / "exp.db"
    other.parent.mkdir()
    assert app.json("worktree", "add", str(other), "-c", "exp") == {
        "path": str(other),
        "branch": "exp",
        "commit": head,
    }
    assert app.json("worktree", "list") == [
        {"path": str(app.path), "branch": "main", "commit": head, "there": True},
        {"path": str(other), "branch": "exp", "commit": head, "there": True},
    ]
    gone = {"path": str(other), "branch": "exp", "deleted": True}
    assert app.json("worktree", "remove", str(other), "--yes") == gone


def test_the_repository(app: Versioned) -> None:
    assert app.json("gc", "--dry-run") == {
        "dry_run": True,
        "chunks": 0,
        "bytes": 0,
        "commits": 0,
        "given_back": 0,
        "states": 0,
    }
    assert set(app.json("gc")) == {"dry_run", "chunks", "bytes", "commits", "given_back", "states"}
    found = app.json("fsck", "--trees")
    assert (found["commits"], found["damages"]) == (1, [])
    assert set(found) == {"chunks", "commits", "damages"}
    weighed = app.json("stats")
    assert set(weighed) == {
        *("commits", "branches", "tags", "chunks", "differences", "longest_chain", "chunk_bytes", "store_bytes"),
        *("free_bytes", "git_bytes", "database_bytes"),
    }
    assert (weighed["commits"], weighed["branches"], weighed["tags"]) == (1, 1, 0)
    assert weighed["database_bytes"] == app.path.stat().st_size


def test_config(app: Versioned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    assert app.json("config", "busy.seconds") == {"key": "busy.seconds", "value": 5.0, "origin": "default"}
    assert app.json("config", "busy.seconds", "1") == {"key": "busy.seconds", "value": 1.0}
    assert app.json("config", "--global", "user.name", "Ada") == {"key": "user.name", "value": "Ada"}
    listed = app.json("config")
    assert listed["busy.seconds"] == {"value": 1.0, "origin": "project"}
    assert listed["user.name"] == {"value": "Ada", "origin": "person"}
    assert app.json("config", "--unset", "busy.seconds")["value"] == 5.0
    assert app.json("config", "busy.seconds")["origin"] == "default"
    assert "Ada" in app.ok("config", "--list")


def test_a_persons_settings_need_no_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    monkeypatch.chdir(tmp_path)
    assert _out(capsys, "config", "--global", "user.name", "Ada") == "user.name is Ada.\n"
    assert _out(capsys, "config", "--global", "user.name") == "Ada\n"


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["commit", "-m", "x"], 1, "nothing-to-commit"),
        (["commit"], 2, "usage"),
        (["commit", "-m", "a\x00b", "--allow-empty"], 2, "bad-message"),
        (["commit", "-m", "x", "--allow-empty", "--author", "nobody"], 2, "bad-identity"),
        (["switch", "nowhere"], 1, "no-such-name"),
        (["checkout", "nowhere"], 1, "no-such-revision"),
        (["checkout", "main", "-t", "nothing"], 1, "no-such-table"),
        (["branch", "a b"], 2, "bad-name"),
        (["branch", "main"], 1, "name-taken"),
        (["branch", "-d", "main"], 1, "branch-in-use"),
        (["branch", "-d", "-m", "main"], 2, "options-clash"),
        (["reset", "--soft", "--hard", "main"], 2, "options-clash"),
        (["config", "no.such"], 2, "no-such-setting"),
        (["config", "busy.seconds", "soon"], 2, "bad-setting"),
        (["config", "--unset"], 2, "options-clash"),
        (["worktree", "remove", "app.db", "--yes"], 1, "last-worktree"),
        (["worktree", "remove", "none.db", "--yes"], 1, "not-a-worktree"),
        (["worktree", "remove", "none.db"], 1, "not-confirmed"),
        (["worktree", "add", "app.db"], 1, "path-taken"),
        (["worktree", "add", "no/where.db"], 1, "folder-missing"),
        (["worktree", "add", "b.db", "main"], 1, "branch-in-use"),
        (["init", "app.db"], 1, "repository-exists"),
        (["log", "-n", "-1"], 2, "usage"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    app: Versioned, words: list[str], code: int, what: str
) -> None:
    before = app.json("log"), app.json("branch"), app.json("worktree", "list"), app.dump()
    assert app.refused(*words, code=code) == what
    assert before == (app.json("log"), app.json("branch"), app.json("worktree", "list"), app.dump())


def test_a_branch_without_commits_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = Versioned(tmp_path / "new.db", capsys)
    new.sql("CREATE TABLE t(a); INSERT INTO t VALUES(1)")
    assert main(["init", str(new.path)]) == 0
    for words in (["log"], ["show"], ["tag", "v"], ["branch", "b"], ["reset", "HEAD"], ["checkout", "HEAD"]):
        assert new.refused(*words) == "no-commits-yet"
    assert "no commits yet" in new.ok("status")
    assert new.ok("branch") == "* main (no commits yet)\n"
    assert new.json("switch", "-c", "trunk")["branch"] == "trunk"
    assert new.refused("switch", "-c", "a..b", code=2) == "bad-name"
    new.ok("branch", "-m", "stem")
    assert new.json("status")["branch"] == "stem"
    assert new.refused("branch", "-m", "no good", code=2) == "bad-name"
    assert new.json("commit", "-m", "x")["branch"] == "stem"
    assert new.json("branch")[0]["branch"] == "stem"


def test_the_log_in_its_forms(app: Versioned) -> None:
    app.ok("switch", "-c", "exp")
    app.sql("DELETE FROM tags")
    second = app.commit("second\nmore")
    app.ok("tag", "v1")
    first = app.json("log")[1]["commit"]
    assert app.ok("log", "--oneline").splitlines() == [
        f"{second[:12]} (HEAD -> exp, v1) second",
        f"{first[:12]} (main) first",
    ]
    assert app.ok("log", "--oneline", "--graph", "-n", "1") == f"* {second[:12]} (HEAD -> exp, v1) second\n"
    assert [each["commit"] for each in app.json("log", "main..exp")] == [second]
    assert [each["commit"] for each in app.json("log", "main...exp")] == [second]
    whole = app.ok("log", "--graph")
    assert f"* commit {second}" in whole
    assert "|     more" in whole


def test_text_of_every_kind_reaches_the_screen_safely(app: Versioned) -> None:
    app.sql('CREATE TABLE "a\nb\x1b[31m"(x); INSERT INTO "a\nb\x1b[31m" VALUES(1)')
    said = app.ok("status")
    assert "\x1b" not in said
    assert "a\\x0ab\\x1b[31m" in said
    app.ok("commit", "-m", "\x1b[31mred")
    assert "\x1b" not in app.ok("log")
    assert "a\nb\x1b[31m" in app.json("show")["tables"]


def test_rows_of_a_table_of_another_shape_are_compared_by_column(app: Versioned) -> None:
    app.sql(
        "ALTER TABLE notes DROP COLUMN title; UPDATE notes SET body = 'x' WHERE id = 2; DELETE FROM notes WHERE id = 1"
    )
    app.sql("INSERT INTO notes VALUES(9, 'new')")
    assert app.json("status")["tables"] == {"notes": {"added": 1, "modified": 1, "removed": 1}}
    app.commit("narrow")
    app.sql("CREATE TABLE new(body PRIMARY KEY, id); INSERT INTO new SELECT body, id FROM notes")
    app.sql("DROP TABLE notes; ALTER TABLE new RENAME TO notes")
    assert app.json("status")["tables"] == {"notes": {"added": 3, "modified": 0, "removed": 3}}


def test_quiet_commands_that_do_something_say_nothing(app: Versioned) -> None:
    app.sql("DELETE FROM tags")
    for words in (
        ["commit", "-m", "x"],
        ["switch", "-c", "b"],
        ["checkout", "main"],
        ["checkout", "HEAD~1", "-t", "tags"],
        ["reset", "--hard", "HEAD"],
        ["branch", "c"],
        ["branch", "-m", "c", "d"],
        ["branch", "-d", "d"],
        ["tag", "v1"],
        ["tag", "-d", "v1"],
        ["config", "gc.auto", "off"],
        ["worktree", "add", "w.db"],
        ["worktree", "remove", "w.db", "--yes"],
        ["gc"],
    ):
        assert app.run("-q", *words) == Ended(0, "", "")
    for words in (
        ["log"],
        ["show"],
        ["status"],
        ["branch"],
        ["config"],
        ["worktree", "list"],
        ["gc", "--dry-run"],
        ["stats"],
    ):
        assert app.ok("-q", *words)
