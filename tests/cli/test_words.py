"""What the words of a command mean: names that are two things, versions that are no commit, words too many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isovc.cli import who
from isovc.cli.main import main
from tests.versioned import Versioned


@pytest.fixture
def two(app: Versioned) -> Versioned:
    """On main, two versions; the tag exp stands on the first, the branch exp on the second."""
    app.ok("tag", "exp")
    app.sql("INSERT INTO tags VALUES(3, 'c')")
    app.commit("second")
    app.ok("branch", "exp")
    return app


@pytest.mark.parametrize(
    "words",
    [["checkout", "exp"], ["switch", "--detach", "exp"], ["checkout", "exp", "-b", "x"], ["switch", "-c", "y", "exp"]],
)
def test_where_one_goes_a_branch_comes_before_a_tag(two: Versioned, words: list[str]) -> None:
    head = two.json("log")[0]["commit"]
    ended = two.run(*words)
    assert ended.code == 0
    assert ended.err == "warning: exp is ambiguous: the branch is taken, refs/tags/exp is the tag\n"
    assert two.json("status")["commit"] == head
    if words == ["checkout", "exp"]:
        assert two.json("status")["branch"] == "exp"


def test_a_worktree_is_made_on_the_branch_and_not_at_the_tag(two: Versioned) -> None:
    assert two.json("worktree", "add", "w.db", "exp")["branch"] == "exp"


def test_elsewhere_a_tag_comes_before_a_branch_and_that_is_said(two: Versioned) -> None:
    first = two.json("log")[1]["commit"]
    for words in (
        ["log", "exp"],
        ["show", "exp"],
        ["log", "EMPTY..exp~0"],
        ["branch", "new", "exp"],
        ["tag", "t", "exp"],
    ):
        ended = two.run(*words)
        assert first[:12] in ended.out
        assert ended.err == "warning: exp is ambiguous: the tag is taken, refs/heads/exp is the branch\n"
    assert two.run("log", "exp", "-q").err == ""
    assert two.run("log", "refs/heads/exp").err == ""
    assert two.json("log", "refs/heads/exp")[0]["message"].strip() == "second"
    assert two.run("switch", "exp").err == ""  # takes branches only
    assert json.loads(two.run("show", "exp", "--json").out)["commit"] == first


def test_the_empty_version_is_one_side_of_a_log(two: Versioned) -> None:
    every = two.json("log")
    assert two.json("log", "EMPTY..main") == two.json("log", "EMPTY...main") == two.json("log", "main...EMPTY") == every
    assert two.json("log", "main..EMPTY") == two.json("log", "EMPTY") == []
    assert two.refused("log", "WORK", code=2) == two.refused("log", "EMPTY..WORK", code=2) == "bad-revision"


def test_the_database_as_it_is_can_be_shown(app: Versioned) -> None:
    head = app.json("log")[0]["commit"]
    assert "all of it committed" in app.ok("show", "WORK")
    app.sql("DELETE FROM tags")
    shown = app.json("show", "WORK")
    assert (shown["commit"], shown["parents"], shown["message"]) == (None, [head], None)
    assert shown["changes"] == {"tags": {"added": 0, "modified": 0, "removed": 2}}
    assert shown["tables"]["tags"]["rows"] == 0
    assert "Uncommitted:" in app.ok("show", "WORK")
    empty = app.json("show", "EMPTY")
    assert (empty["parents"], empty["changes"], empty["tables"]) == ([], {}, {})
    assert app.ok("show", "EMPTY") == "The version without anything.\n"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["branch", "-d"], "name-missing"),
        (["branch", "-D"], "name-missing"),
        (["branch", "-m"], "name-missing"),
        (["branch", "-c"], "name-missing"),
        (["tag", "-d"], "name-missing"),
        (["branch", "-d", "a", "b"], "options-clash"),
        (["tag", "-d", "a", "HEAD"], "options-clash"),
        (["checkout", "HEAD", "-b", "x", "-t", "tags"], "options-clash"),
        (["checkout", "HEAD", "--carry", "-t", "tags"], "options-clash"),
        (["checkout", "HEAD", "--detach", "-t", "tags"], "options-clash"),
        (["checkout", "HEAD", "--detach", "-b", "x"], "options-clash"),
        (["switch", "-c", "x", "--detach"], "options-clash"),
        (["switch", "main", "extra"], "option-missing"),
        (["checkout", "HEAD", "-b", ""], "bad-name"),
        (["commit", "--allow-empty", "-m", ""], "bad-message"),
        (["commit", "--allow-empty", "-m", " \n\t", "-m", ""], "bad-message"),
    ],
)
def test_words_that_would_be_passed_over_are_refused(app: Versioned, words: list[str], what: str) -> None:
    before = app.json("branch"), app.json("tag"), app.json("log"), app.json("status")
    app.sql("DELETE FROM tags")
    assert app.refused(*words, code=2) == what
    app.sql("INSERT INTO tags VALUES(1, 'a'), (2, 'b')")
    assert before == (app.json("branch"), app.json("tag"), app.json("log"), app.json("status"))


def test_several_messages_are_paragraphs(app: Versioned) -> None:
    app.ok("commit", "--allow-empty", "-m", "one\n", "-m", "", "-m", "two\nlines", "-m", "three")
    assert app.json("log")[0]["message"].rstrip("\n") == "one\n\ntwo\nlines\n\nthree"


def _hint(app: Versioned, *words: str) -> str:
    return str(json.loads(app.run(*words, "--json").out)["error"]["hint"])


def test_a_version_that_is_no_branch_can_be_gone_to_all_the_same(app: Versioned) -> None:
    app.ok("tag", "v1")
    for name in ("v1", "HEAD", "main~0", app.json("log")[0]["commit"][:8]):
        assert app.refused("switch", name) == "not-a-branch"
        assert _hint(app, "switch", name) == f"isovc switch --detach {name}"
    assert app.refused("switch", "EMPTY") == app.refused("switch", "mian") == "no-such-name"
    assert _hint(app, "switch", "mian") == "did you mean main?"
    app.ok("switch", "--detach", "v1")


def test_the_branch_one_is_on_without_commits_is_where_one_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = Versioned(tmp_path / "new.db", capsys)
    new.sql("CREATE TABLE t(a); INSERT INTO t VALUES(1)")
    assert main(["init", str(new.path)]) == 0
    assert new.json("switch", "main") | {"left": None} == {
        "branch": "main",
        "commit": None,
        "tables": {},
        "kept": None,
        "returned": False,
        "waiting": None,
        "carried": False,
        "left": None,
    }
    assert new.rows("SELECT a FROM t") == [(1,)]
    assert new.refused("switch", "other") == "no-such-name"
    assert len(new.json("op", "log")) == 1


def test_a_branch_that_cannot_go_says_how_it_can(app: Versioned) -> None:
    app.ok("branch", "other")
    assert _hint(app, "branch", "-D", "main") == f"isovc -C {app.path} switch ANOTHER leaves it"
    app.ok("switch", "other")
    app.ok("branch", "-D", "main")
    assert _hint(app, "worktree", "add", "w.db", "other") == "isovc worktree add PATH -c NEW other"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["branch", "a b"], "letters, digits, -, _ and a / between two words do"),
        (["config", "store.level", "99"], "isovc config --list shows what every setting is now"),
        (["commit", "--allow-empty", "-m", ""], 'isovc commit -m "what this version is about"'),
        (["checkout", "HEAD", "-t", "nothing"], "tables: notes, tags"),
    ],
)
def test_what_is_refused_says_what_helps(app: Versioned, words: list[str], hint: str) -> None:
    assert _hint(app, *words) == hint


def test_a_database_that_is_no_working_copy_is_told_where_they_are_listed(app: Versioned) -> None:
    assert _hint(app.at(app.path.with_name("other.db")), "status") == "isovc worktree list shows those that are"


def test_where_there_are_no_tables_that_is_the_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = Versioned(tmp_path / "new.db", capsys)
    new.path.touch()
    assert main(["init", str(new.path)]) == 0
    new.commit()
    assert _hint(new, "checkout", "HEAD", "-t", "t") == "that version has no tables at all"


def test_the_next_command_that_init_names_works_from_where_one_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b").mkdir()
    for place, said in (("one.db", ""), ("a b/x.db", "-C 'a b/x.db' ")):
        Versioned(tmp_path / place).sql("CREATE TABLE t(a)")
        assert main(["init", place]) == 0
        assert f'Next: isovc {said}commit -m "first version"\n' in capsys.readouterr().out
        assert main([*(["-C", place] if said else []), "commit", "-m", "first version"]) == 0
    assert main(["-C", "a b", "worktree", "add", "y.db"]) == 0
    assert "isovc -C 'a b/y.db' status" in capsys.readouterr().out


def test_a_setting_that_is_taken_back_says_what_holds_then(
    app: Versioned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    app.ok("config", "--global", "busy.seconds", "2")
    app.ok("config", "busy.seconds", "1")
    assert app.ok("config", "--unset", "busy.seconds") == "busy.seconds is 2.0, as you set it for yourself.\n"
    assert app.json("config", "--unset", "busy.seconds") == {"key": "busy.seconds", "value": 2.0}
    assert app.ok("config", "--global", "--unset", "busy.seconds") == "busy.seconds is 5.0.\n"
    assert app.ok("config", "--unset", "user.name") == "user.name is empty.\n"
    assert app.refused("config", "attachments.path", "x", code=2) == "no-such-setting"


def test_what_gc_gives_back_is_what_the_store_loses(app: Versioned) -> None:
    app.ok("config", "gc.auto", "off")
    app.ok("config", "gc.undo_days", "0")
    app.ok("switch", "-c", "big")
    app.sql("CREATE TABLE big(a); INSERT INTO big VALUES(randomblob(9000000))")
    app.commit("big")
    app.ok("switch", "main")
    app.ok("branch", "-D", "big")
    before = app.json("stats")["store_bytes"]
    given = app.json("gc")["given_back"]
    assert 9_000_000 < given < before
    assert abs(before - given - app.json("stats")["store_bytes"]) < 500_000  # the record of the gc itself takes some


def test_a_version_that_gc_let_go_of_is_no_damage(app: Versioned) -> None:
    app.ok("config", "gc.undo_days", "0")
    first = app.json("log")[0]["commit"]
    app.ok("commit", "-m", "lost", "--allow-empty")
    lost = app.json("log")[0]["commit"]
    app.ok("reset", first)
    app.ok("gc")
    ended = app.run("log", "main@{1}")
    assert (ended.code, ended.err.splitlines()[0]) == (
        1,
        f"error: there is no version main@{{1}}: {lost[:12]} was cleaned up by gc",
    )


def test_a_commit_after_one_of_a_clock_far_ahead_says_so(app: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    real = who.present
    monkeypatch.setattr(who, "present", lambda: real().replace(year=real().year + 30))
    assert app.json("commit", "-m", "ahead", "--allow-empty")["warnings"] == []
    monkeypatch.setattr(who, "present", real)
    ended = app.run("commit", "-m", "now", "--allow-empty")
    assert ended.err.startswith(f"warning: this version is dated {real().year + 30}-")
    assert f"the clock here shows {real().year}-" in ended.err
    assert len(app.json("commit", "-m", "now", "--allow-empty")["warnings"]) == 1
    assert app.run("commit", "-q", "-m", "now", "--allow-empty").err == ""
