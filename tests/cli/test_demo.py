"""`isovc demo` does what it says, in a new folder only."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Ended

Isovc = Callable[..., Ended]


def test_the_sample_is_an_ordinary_database_that_says_what_was_done(isovc: Isovc, tmp_path: Path) -> None:
    ended = isovc("-C", str(tmp_path), "demo")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Made isovc-demo/notes.db, ")
    assert "  Next: isovc commit -m" in ended.out  # as beside the database, where the next line types just that
    with closing(sqlite3.connect(tmp_path / "isovc-demo" / "notes.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("SELECT count(*), sum(stars > 0) FROM note").fetchone() == (4, 3)
        assert database.execute("SELECT body FROM note WHERE id = 1").fetchone() == ("Flour, water, salt, time 🍞",)


def test_the_demo_answers_in_json(isovc: Isovc, tmp_path: Path) -> None:
    ended = isovc("demo", str(tmp_path / "new"), "--json")
    said = json.loads(ended.out)
    assert (said["folder"], said["database"]) == (str(tmp_path / "new"), "notes.db")
    answers = {step["command"]: step["answer"] for step in said["steps"]}
    assert "note  ~1 modified" in answers["isovc status"]
    assert "no damage" in answers["isovc fsck"]
    assert "1 added, 1 definition in the database" in answers["isovc switch main"]


def test_a_step_that_fails_leaves_nothing_and_says_why(
    isovc: Isovc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isovc.cli.commands.demo._STEPS", (("", "isovc switch nowhere"),))
    ended = isovc("-C", str(tmp_path), "demo")
    assert (ended.code, list(tmp_path.iterdir())) == (1, [])
    assert "is not in a repository" in ended.err


def test_a_folder_that_is_there_is_left_alone(isovc: Isovc, tmp_path: Path) -> None:
    ended = isovc("demo", str(tmp_path))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"error: {tmp_path} is there already, and isovc puts nothing into it\nhint: name a new folder\n"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_nowhere_is_one_sentence(isovc: Isovc, tmp_path: Path) -> None:
    ended = isovc("demo", str(tmp_path / "no" / "such"))
    assert (ended.code, ended.err.splitlines()[0]) == (1, f"error: {tmp_path}/no/such is not there")


def test_a_sample_that_cannot_be_made_leaves_nothing(
    isovc: Isovc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    ended = isovc("demo", str(tmp_path / "new"), "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["error"]["message"].endswith("could not be changed: it ended with 1")
    assert list(tmp_path.iterdir()) == []
