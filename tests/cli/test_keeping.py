"""Nothing that was not committed gets lost, and what waits is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.versioned import ROOT, Versioned

KILLED_BEFORE_CONFIRMING = """
import os, runpy, signal, sys
from isovc.workspace import switching
switching.confirm = lambda *rest, **more: os.kill(os.getpid(), signal.SIGKILL)
runpy.run_module("isovc", run_name="__main__")
"""


def killed(app: Versioned, *words: str) -> None:
    """The command is killed when the database has been moved and store.db does not know yet."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-c", KILLED_BEFORE_CONFIRMING, "-C", str(app.path), *words]
    assert subprocess.run(line, env=environment, check=False, capture_output=True).returncode == -signal.SIGKILL


def test_a_table_taken_from_elsewhere_comes_back_with_undo(app: Versioned) -> None:
    app.sql("UPDATE notes SET title = 'precious' WHERE id = 2")
    before = app.dump()
    assert "isovc undo brings back" in app.ok("checkout", "HEAD", "-t", "NOTES")  # as SQLite reads names
    assert app.clean
    app.ok("undo")
    assert app.dump() == before


def test_a_table_that_is_not_there_is_not_taken(app: Versioned) -> None:
    app.sql("CREATE TABLE fresh(a); INSERT INTO fresh VALUES(42)")
    assert app.refused("checkout", "HEAD", "-t", "fresh") == "no-such-table"
    assert app.rows("SELECT a FROM fresh") == [(42,)]


def test_a_table_without_a_name_is_one_table(app: Versioned) -> None:
    app.sql('CREATE TABLE ""(q); INSERT INTO "" VALUES(1)')
    app.commit()
    app.sql("INSERT INTO tags VALUES(7, 'stays'); DELETE FROM \"\"")
    app.ok("checkout", "HEAD", "-t", "")
    assert app.rows("SELECT note FROM tags WHERE tag = 'stays'") == [(7,)]
    assert app.rows('SELECT q FROM ""') == [(1,)]


def test_the_order_of_definitions_stays_where_a_table_is_taken(app: Versioned) -> None:
    app.sql("CREATE TABLE z(a); CREATE VIEW v AS SELECT 1; CREATE TABLE b(a); CREATE INDEX i ON b(a)")
    app.commit()
    before = app.rows("SELECT name FROM sqlite_schema")
    app.sql("INSERT INTO z VALUES(1)")
    app.ok("checkout", "HEAD", "-t", "z")
    assert app.rows("SELECT name FROM sqlite_schema") == before


def test_what_waits_comes_back_though_other_changes_are_carried_there(app: Versioned) -> None:
    app.ok("branch", "exp")
    app.sql("UPDATE notes SET title = 'waits' WHERE id = 1")
    app.ok("switch", "exp")
    app.sql("UPDATE notes SET title = 'carried' WHERE id = 2")
    came = app.json("switch", "main", "--carry")
    assert (came["carried"], came["returned"], came["waiting"]) == (True, True, None)
    assert app.rows("SELECT title FROM notes WHERE id < 3") == [("waits",), ("carried",)]


def test_what_does_not_fit_is_said_until_it_is_taken(app: Versioned) -> None:
    app.ok("branch", "exp")
    app.sql("UPDATE notes SET title = 'waits' WHERE id = 1")
    app.ok("switch", "exp")
    app.sql("UPDATE notes SET title = 'carried' WHERE id = 1")
    waiting = app.json("switch", "main", "--carry")["waiting"]
    assert waiting
    assert app.json("status")["waiting"] == waiting
    assert "isovc switch main brings back" in app.ok("status")
    app.sql("UPDATE notes SET title = 'one' WHERE id = 1")
    assert app.json("switch", "main")["returned"]
    assert app.rows("SELECT title FROM notes WHERE id = 1") == [("waits",)]
    assert app.json("status")["waiting"] is None


def test_versions_on_no_branch_are_named_when_they_are_left(app: Versioned) -> None:
    app.ok("switch", "--detach", "HEAD")
    app.sql("DELETE FROM tags")
    made = app.commit("on no branch")
    assert made[:12] in app.ok("switch", "main")
    app.ok("switch", "--detach", made)
    app.ok("branch", "named")
    assert app.json("switch", "main")["left"] is None


def test_killed_and_then_written_to_nothing_is_gone(app: Versioned) -> None:
    app.ok("switch", "-c", "exp")
    app.sql("UPDATE notes SET body = 'exp' WHERE id = 1")
    app.commit()
    app.ok("switch", "main")
    app.sql("UPDATE notes SET body = 'precious' WHERE id = 1")
    killed(app, "switch", "exp")
    app.sql("UPDATE notes SET body = body || '!' WHERE id = 1")
    assert "interrupted" in app.ok("status")
    app.sql("UPDATE notes SET body = 'exp' WHERE id = 1")
    app.ok("switch", "main")
    assert app.rows("SELECT body FROM notes WHERE id = 1") == [("precious",)]


@pytest.mark.parametrize("precious", ["CREATE VIEW precious AS SELECT 1", "CREATE TABLE precious(x)"])
def test_killed_where_only_definitions_differ(app: Versioned, precious: str) -> None:
    app.ok("switch", "-c", "exp")
    app.sql("CREATE INDEX by_title ON notes(title)")
    app.commit()
    app.ok("switch", "main")
    app.sql(precious)
    killed(app, "switch", "exp")
    app.sql("INSERT INTO tags VALUES(3, 'since')")
    app.ok("status")
    app.ok("switch", "main")
    assert app.rows("SELECT count(*) FROM sqlite_schema WHERE name = 'precious'") == [(1,)]


def test_a_working_copy_that_is_removed_comes_back_with_all_in_it(app: Versioned, tmp_path: Path) -> None:
    other = app.at(tmp_path / "other.db")
    app.ok("worktree", "add", str(other.path), "-c", "exp")
    other.sql("UPDATE notes SET title = 'precious'; CREATE TABLE t(a)")
    before = other.dump()
    app.ok("worktree", "remove", str(other.path), "--yes")
    assert not other.path.exists()
    app.ok("undo")
    assert other.dump() == before
    assert other.json("status")["branch"] == "exp"
    app.ok("redo")
    assert not other.path.exists()
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == []


def test_a_working_copy_that_cannot_be_read_is_forgotten_and_left(app: Versioned, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    app.ok("worktree", "add", str(other), "-c", "exp")
    other.write_bytes(b"no database any more" * 500)
    assert app.json("worktree", "remove", str(other), "--yes")["deleted"] is False
    assert other.exists()
    assert len(app.json("worktree", "list")) == 1


def test_a_database_that_is_gone_is_made_again_in_its_place(app: Versioned, tmp_path: Path) -> None:
    other = app.at(tmp_path / "other.db")
    app.ok("worktree", "add", str(other.path), "-c", "exp")
    first = app.dump()
    app.path.unlink()
    assert app.refused("status") == "no-database"
    main = Versioned(app.path.parent, app._capsys)
    main.ok("worktree", "add", str(app.path), "main")
    assert app.dump() == first
    assert app.json("status")["branch"] == "main"
    listed = app.json("worktree", "list")
    assert [(each["path"], each["branch"]) for each in listed] == [(str(app.path), "main"), (str(other.path), "exp")]
    other.path.unlink()
    main.ok("worktree", "add", str(other.path), "exp")
    assert other.json("status")["branch"] == "exp"


def test_a_database_with_another_name_is_found_again(app: Versioned, tmp_path: Path) -> None:
    app.sql("INSERT INTO tags VALUES(9, 'uncommitted')")
    app.ok("status")
    renamed = app.at(app.path.with_name("data.db"))
    app.path.rename(renamed.path)
    beside = Versioned(app.path.parent, app._capsys)
    assert beside.refused("status") == "no-database"
    beside.ok("worktree", "repair", str(renamed.path))
    status = renamed.json("status")
    assert (status["branch"], status["tables"]["tags"]["added"]) == ("main", 1)
    assert beside.refused("worktree", "repair", str(renamed.path)) == "already-there"
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    renamed.path.rename(moved / "data.db")
    beside.ok("worktree", "repair", str(moved / "data.db"))
    assert Versioned(moved, app._capsys).json("status")["branch"] == "main"


def test_a_working_copy_killed_while_it_is_made_is_none(app: Versioned, tmp_path: Path) -> None:
    app.sql("INSERT INTO tags VALUES(5, 'uncommitted')")
    script = KILLED_BEFORE_CONFIRMING.replace("switching.confirm", "filling.plan_move").replace("switching", "filling")
    line = [sys.executable, "-c", script, "-C", str(app.path), "worktree", "add", str(tmp_path / "w.db"), "-c", "exp"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(line, env=environment, check=False, capture_output=True).returncode == -signal.SIGKILL
    assert len(app.json("worktree", "list")) == 1
    assert [each["branch"] for each in app.json("branch")] == ["main"]
    made = app.json("worktree", "add", str(tmp_path / "w.db"), "-c", "exp")
    assert made["branch"] == "exp"
    assert app.at(tmp_path / "w.db").clean


def test_a_new_file_has_the_layout_of_its_version(app: Versioned, tmp_path: Path) -> None:
    app.sql("PRAGMA page_size = 1024; VACUUM")
    app.ok("commit", "-m", "small pages", "--allow-empty")
    app.sql("PRAGMA page_size = 8192; VACUUM")
    app.ok("commit", "-m", "large pages", "--allow-empty")
    app.ok("worktree", "add", str(tmp_path / "w.db"), "HEAD~1")
    assert app.at(tmp_path / "w.db").rows("PRAGMA page_size") == [(1024,)]
    assert app.at(tmp_path / "w.db").clean
