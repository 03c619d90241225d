"""`isovc restore`: whole states, tables and rows brought back, to the live database, a branch or a file."""

from __future__ import annotations

import fcntl
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from isovc.workspace.restoring import doing
from isovc.workspace.restoring.proving import Proof, prove
from tests.versioned import Versioned


@pytest.fixture
def past(app: Versioned) -> Versioned:
    """Three versions: first, a bad one, and one with something good in it."""
    app.sql("UPDATE notes SET title = 'bad'; DELETE FROM tags WHERE note = 1")
    app.commit("bad")
    app.sql("INSERT INTO notes VALUES(4, 'four', 'good'); INSERT INTO tags VALUES(4, 'd')")
    app.commit("good")
    return app


def test_a_whole_version_is_a_new_one(past: Versioned) -> None:
    before = past.json("log")
    found = past.json("restore", "main~2")
    assert past.rows("SELECT id, title FROM notes") == [(1, "one"), (2, "two"), (3, "three")]
    assert past.rows("SELECT * FROM tags") == [(1, "a"), (2, "b")]
    assert past.clean
    log = past.json("log")
    assert (log[0]["commit"], log[1:]) == (found["commit"], before)
    assert found["checked"] == {"tables": 2, "rows": 5, "against_rules": [], "broken_references": 0}
    past.ok("undo")
    assert past.json("log") == before
    assert past.rows("SELECT count(*) FROM notes") == [(4,)]


def test_one_table_and_what_is_uncommitted_elsewhere_stays(past: Versioned) -> None:
    past.sql("UPDATE notes SET body = 'mine' WHERE id = 4")
    past.ok("restore", "main~2", "-t", "tags")
    assert past.rows("SELECT * FROM tags") == [(1, "a"), (2, "b")]
    assert past.rows("SELECT title, body FROM notes WHERE id = 4") == [("four", "mine")]
    assert past.json("status")["tables"] == {"notes": {"added": 0, "modified": 1, "removed": 0}}
    assert past.json("diff", "HEAD~1", "HEAD")["tables"] == {"tags": {"added": 1, "modified": 0, "removed": 1}}


def test_some_rows(past: Versioned) -> None:
    past.ok("restore", "main~2", "-t", "notes", "--where", "id IN (2, 4)")
    assert past.rows("SELECT id, title FROM notes") == [(1, "bad"), (2, "two"), (3, "bad")]
    assert past.rows("SELECT count(*) FROM tags") == [(2,)]


def test_on_a_branch(past: Versioned) -> None:
    before = past.dump()
    made = past.json("restore", "main~2", "--branch", "then")
    assert past.dump() == before
    assert past.json("log", "then")[0]["commit"] == made["commit"]
    past.ok("switch", "then")
    assert past.rows("SELECT id, title FROM notes") == [(1, "one"), (2, "two"), (3, "three")]
    assert past.refused("restore", "main", "--branch", "then") == "name-taken"


@pytest.mark.parametrize("harm", ["a page", "the first bytes", "gone"])
def test_a_file_can_be_made_where_the_database_is_damaged(past: Versioned, tmp_path: Path, harm: str) -> None:
    target = tmp_path / "good.db"
    if harm == "gone":
        past.path.unlink()
    else:
        size = past.path.stat().st_size
        with past.path.open("r+b") as file:
            file.seek(0 if harm == "the first bytes" else 100)
            file.write(b"\xff" * (100 if harm == "the first bytes" else size - 100))
    assert past.run("status").code in (1, 4)
    past.ok("restore", "main~2", "--into", str(target))
    assert past.at(target).check() == "ok"


def test_a_file_that_cannot_be_told_of_is_not_made(past: Versioned, tmp_path: Path) -> None:
    past.ok("config", "busy.seconds", "0.1")
    with past.held("BEGIN EXCLUSIVE"):
        assert past.run("restore", "main~2", "--into", str(tmp_path / "then.db")).code == 5
    assert not (tmp_path / "then.db").exists()


def test_into_a_file(past: Versioned, tmp_path: Path) -> None:
    before, log = past.dump(), past.json("op", "log")
    target = tmp_path / "then.db"
    past.ok("restore", "main~2", "--into", str(target))
    with closing(sqlite3.connect(target)) as there:
        assert there.execute("SELECT id, title FROM notes").fetchall() == [(1, "one"), (2, "two"), (3, "three")]
        assert there.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert (past.dump(), past.json("op", "log")) == (before, log)
    assert past.refused("restore", "main~2", "--into", str(target)) == "path-taken"
    part = tmp_path / "part.db"
    past.ok("restore", "main~2", "-t", "notes", "--where", "id > 1", "--into", str(part))
    with closing(sqlite3.connect(part)) as there:
        assert there.execute("SELECT name FROM sqlite_schema").fetchall() == [("notes",)]
        assert there.execute("SELECT id FROM notes").fetchall() == [(2,), (3,)]
    assert {target, part} <= set(tmp_path.iterdir())
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_by_time_it_says_what_it_found(past: Versioned) -> None:
    newest, bad, first = past.json("log")
    found = past.json("restore", "--at", bad["time"], "--dry-run")
    assert (found["found"]["commit"], found["early_ms"]) == (bad["commit"], 0.0)
    assert found["next"]["commit"] == newest["commit"]
    assert past.json("restore", "--at", "now", "--dry-run")["found"]["commit"] == newest["commit"]
    assert past.refused("restore", "--at", "2001-01-01") == "not-covered"
    ended = past.run("restore", "--at", "2001-01-01")
    assert first["commit"][:12] in ended.err
    assert past.rows("SELECT count(*) FROM notes") == [(4,)]


def test_a_dry_run_changes_nothing(past: Versioned) -> None:
    before, log = past.path.read_bytes(), past.json("op", "log")
    found = past.json("restore", "main~2", "--dry-run")
    assert found["tables"]["notes"] == {"added": 0, "modified": 3, "removed": 1}
    assert (past.path.read_bytes(), past.json("op", "log")) == (before, log)


def test_what_cannot_be_meant(past: Versioned) -> None:
    before = past.dump()
    for words, code, what in (
        ([], 2, "usage"),
        (["main", "--at", "now"], 2, "options-clash"),
        (["main", "--into", "x.db", "--branch", "y"], 2, "options-clash"),
        (["nowhere"], 1, "no-such-revision"),
        (["main~1", "-t", "nothing"], 1, "no-such-table"),
        (["main~1", "--where", "nonsense("], 2, "bad-condition"),
        (["main"], 1, "nothing-differs"),
        (["--at", "2026-13-99"], 2, "bad-time"),
        (["--tx", "0"], 2, "usage"),
        (["--tx", "7"], 1, "nothing-watched"),
        (["--at", "3000-01-01"], 1, "not-covered"),
        (["main", "--into", str(past.path)], 1, "working-copy-there"),
        (["main", "--into", "no/where.db"], 1, "folder-missing"),
    ):
        assert past.refused("restore", *words, code=code) == what, words
    assert past.dump() == before


def test_a_table_that_came_later(past: Versioned) -> None:
    past.sql("CREATE TABLE later(a)")
    past.commit("later")
    assert past.refused("restore", "main~1", "-t", "later") == "no-such-table"
    past.ok("restore", "main~1")
    assert past.rows("SELECT name FROM sqlite_schema WHERE name = 'later'") == []


def test_it_always_says_what_was_asked_and_when_nothing_would_change(past: Versioned) -> None:
    assert past.ok("restore", "main~2", "--dry-run").startswith("Asked for main~2:\n")
    assert past.ok("restore", "main", "--dry-run").endswith("\nNothing would change.\n")


def test_one_at_a_time_makes_a_file(past: Versioned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def alone(*words: Any, **options: Any) -> Proof:
        with (past.folder / "worktrees.lock").open("ab") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return prove(*words, **options)

    monkeypatch.setattr(doing, "prove", alone)
    past.ok("restore", "main~2", "--into", str(tmp_path / "then.db"))


def test_a_file_that_came_meanwhile_is_not_replaced(
    past: Versioned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "then.db"

    def slowly(*words: Any, **options: Any) -> Proof:
        target.write_text("of somebody else")
        return prove(*words, **options)

    monkeypatch.setattr(doing, "prove", slowly)
    assert past.refused("restore", "main~2", "--into", str(target)) == "path-taken"
    assert target.read_text() == "of somebody else"


def test_what_a_killed_one_has_left_goes_with_the_next(past: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[Path] = []

    def leave(_desk: Any, _version: Any, path: Path, **_: Any) -> Proof:
        killed.append(path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(doing, "prove", leave)
        past.run("restore", "main~2")
    killed[0].parent.mkdir(parents=True)
    killed[0].write_text("half of it")
    past.ok("restore", "main~2")
    assert not killed[0].exists()
