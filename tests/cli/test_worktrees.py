"""Other versions as database files of their own: found from everywhere, gone without a trace, moved together."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from isovc.cli.main import main
from tests.versioned import Versioned


@pytest.fixture
def exp(app: Versioned) -> Versioned:
    folder = app.path.parent.parent / "beside"
    folder.mkdir()
    app.ok("worktree", "add", str(folder / "exp.db"), "-c", "exp")
    return app.at(folder / "exp.db")


def test_it_holds_the_version_and_has_a_life_of_its_own(app: Versioned, exp: Versioned) -> None:
    assert exp.dump() == app.dump()
    assert exp.check() == "ok"
    assert exp.clean
    exp.sql("DELETE FROM tags")
    exp.commit("in exp")
    assert app.clean
    assert app.rows("SELECT count(*) FROM tags") == [(2,)]
    assert app.json("log", "exp")[0]["message"].strip() == "in exp"
    app.sql("DELETE FROM notes")
    assert exp.clean
    assert app.refused("switch", "exp") == "branch-in-use"
    assert app.refused("branch", "-D", "exp") == "branch-in-use"


@pytest.mark.parametrize("start", ["clean", "dirty", "wal", "gone"])
def test_any_version_whatever_the_live_file_holds(app: Versioned, start: str) -> None:
    old = app.dump()
    app.sql("UPDATE notes SET body = 'new'; CREATE INDEX i ON notes(body); DROP TABLE tags")
    app.commit("new")
    if start == "dirty":
        app.sql("CREATE TABLE uncommitted(a); DELETE FROM notes")
    if start == "wal":
        app.sql("PRAGMA journal_mode = WAL; DELETE FROM notes")
    if start == "gone":
        app.path.unlink()
    other = app.at(app.path.with_name("old.db"))
    app.ok("worktree", "add", str(other.path), "HEAD~1")
    assert sorted(other.dump().splitlines()) == sorted(old.splitlines())
    assert other.json("status")["branch"] is None
    assert other.clean
    assert other.json("status", "--verify")["clean"]


def test_commands_beside_it_just_work(
    exp: Versioned, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(exp.path.parent)
    assert main(["status"]) == 0
    assert capsys.readouterr().out.startswith("On branch exp")
    (exp.path.parent / "deeper").mkdir()
    monkeypatch.chdir("deeper")
    assert main(["status"]) == 0
    assert capsys.readouterr().out.startswith("On branch exp")
    assert main(["-C", str(exp.path), "worktree", "add", "more.db"]) == 0
    assert (exp.path.parent / "more.db").is_file()
    capsys.readouterr()
    # the repository by name, and of its databases still the one beside which one stands
    work = exp.path.parent.parent / "work"
    assert main(["--repo", str(work), "status"]) == 0
    assert capsys.readouterr().out.startswith("On branch exp")
    assert main(["-C", str(work), "--repo", ".isovc", "status"]) == 0
    assert capsys.readouterr().out.startswith("On branch main")


def test_several_in_one_folder(app: Versioned, exp: Versioned, capsys: pytest.CaptureFixture[str]) -> None:
    second = exp.at(exp.path.with_name("second.db"))
    app.ok("worktree", "add", str(second.path), "-c", "second")
    assert second.json("status")["branch"] == "second"
    app.ok("worktree", "remove", str(exp.path), "--yes")
    assert second.json("status")["branch"] == "second"
    assert main(["-C", str(exp.path.parent), "status"]) == 0
    assert "On branch second" in capsys.readouterr().out
    app.ok("worktree", "remove", str(second.path), "--yes")
    assert sorted(os.listdir(exp.path.parent)) == []


def test_the_file_is_gone(app: Versioned, exp: Versioned) -> None:
    exp.path.unlink()
    assert [each["there"] for each in app.json("worktree", "list")] == [True, False]
    assert "(the file is gone)" in app.ok("worktree", "list")
    # what is meant for it goes to no other database
    assert exp.refused("status") == "no-database"
    assert exp.refused("reset", "--hard", "HEAD") == "no-database"
    app.ok("gc")
    app.ok("fsck")
    app.ok("worktree", "add", str(exp.path), "-c", "anew")
    assert exp.json("status")["branch"] == "anew"
    exp.path.unlink()
    app.ok("worktree", "remove", str(exp.path), "--yes")
    assert len(app.json("worktree", "list")) == 1
    app.ok("switch", "exp")


def test_both_folders_moved_together(app: Versioned, exp: Versioned, tmp_path: Path) -> None:
    exp.sql("DELETE FROM tags")
    new = tmp_path / "moved"
    new.mkdir()
    for folder in ("work", "beside"):
        shutil.move(tmp_path / folder, new / folder)
    there = app.at(new / "beside" / "exp.db")
    assert there.json("status")["branch"] == "exp"
    assert there.json("status")["tables"] == {"tags": {"added": 0, "modified": 0, "removed": 2}}
    there.commit("after the move")
    main_one = app.at(new / "work" / "app.db")
    assert main_one.clean
    main_one.ok("worktree", "remove", str(there.path), "--yes")


def test_links_lead_to_the_same_file(app: Versioned, exp: Versioned, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(exp.path.parent)
    linked = app.at(tmp_path / "link" / "exp.db")
    assert linked.json("status")["branch"] == "exp"
    app.ok("worktree", "add", str(tmp_path / "link" / "b.db"), "-c", "b")
    assert app.at(exp.path.with_name("b.db")).json("status")["branch"] == "b"
    app.ok("worktree", "remove", str(tmp_path / "link" / "b.db"), "--yes")


def test_the_folder_of_another_repository_is_refused(
    app: Versioned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Versioned(tmp_path / "other" / "o.db", capsys)
    other.path.parent.mkdir()
    other.sql("CREATE TABLE t(a)")
    assert main(["init", str(other.path)]) == 0
    other.commit()
    (tmp_path / "free").mkdir()
    other.ok("worktree", "add", str(tmp_path / "free" / "x.db"), "-c", "x")
    for place in ("other", "free"):
        assert app.refused("worktree", "add", str(tmp_path / place / "y.db"), "-c", "y") == "folder-of-another"
    assert [each["branch"] for each in app.json("branch")] == ["main"]


def test_a_failed_add_leaves_nothing(app: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = app.path.parent / "sub"
    folder.mkdir()
    app.ok("config", "busy.seconds", "0.1")
    before = app.json("branch"), app.json("worktree", "list")
    with app.held("BEGIN EXCLUSIVE"):
        app.refused("worktree", "add", str(folder / "x.db"), "-c", "x", code=5)
    assert os.listdir(folder) == []
    assert before == (app.json("branch"), app.json("worktree", "list"))


def test_nasty_names(app: Versioned) -> None:
    folder = app.path.parent.parent / "a 'b\"\n\u00e9"
    folder.mkdir()
    other = app.at(folder / "x\ny;--.db")
    app.ok("worktree", "add", str(other.path), "-c", "exp")
    assert other.json("status")["branch"] == "exp"
    app.ok("worktree", "list")
    assert main(["-C", str(folder), "status"]) == 0


@pytest.mark.parametrize(
    "text", ["", "isovc worktree\n", "isovc worktree\n5\n", "isovc worktree\n[1, 2]\n", "\xff", "x\n"]
)
def test_a_pointer_that_makes_no_sense(exp: Versioned, text: str) -> None:
    exp.path.with_name(".isovc").write_text(text, encoding="latin-1")
    assert exp.refused("status", code=4) == "pointer-broken"
