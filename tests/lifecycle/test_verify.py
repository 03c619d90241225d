"""fsck names what is not whole, and where; and says nothing of what is."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.versioned import Versioned


def _store(app: Versioned, script: str) -> None:
    with closing(sqlite3.connect(app.folder / "store.db", isolation_level=None)) as db:
        db.executescript(script)


def _damages(app: Versioned, *words: str) -> list[dict[str, str | None]]:
    ended = app.run("fsck", "--json", *words)
    assert ended.code == 4, ended
    import json

    found = json.loads(ended.out)["damages"]
    assert all(set(each) == {"what", "commit", "table"} for each in found)
    assert app.run("fsck", *words).code == 4
    return list(found)


def test_a_lost_chunk_is_told_with_its_commit_and_table(app: Versioned) -> None:
    _store(app, "DELETE FROM chunk WHERE seq = (SELECT min(seq) FROM chunk)")
    found = _damages(app)
    commit = app.json("log")[0]["commit"]
    assert any(each["commit"] == commit and each["table"] in ("notes", "tags") for each in found)


def test_a_changed_chunk_is_told(app: Versioned) -> None:
    _store(app, "UPDATE chunk SET body = zeroblob(length(body)) WHERE seq = (SELECT min(seq) FROM chunk)")
    assert any("damaged" in str(each["what"]) for each in _damages(app, "--trees"))


def test_a_lost_piece_of_a_large_value_is_told(app: Versioned) -> None:
    with app.opened() as connection:
        connection.execute("INSERT INTO notes VALUES(9, 'big', ?)", (random.Random(1).randbytes(3 << 20),))
    app.ok("commit", "-m", "large")
    _store(app, "DELETE FROM chunk WHERE seq = (SELECT seq FROM chunk ORDER BY length(body) DESC LIMIT 1)")
    assert any(each["table"] == "notes" for each in _damages(app))


def test_a_branch_that_leads_nowhere_is_told(app: Versioned) -> None:
    _store(app, "INSERT INTO ref VALUES('refs/heads/lost', zeroblob(20), '')")
    assert [each["what"] for each in _damages(app)] == [
        "refs/heads/lost leads to commit 000000000000, which is not known",
        "refs/heads/lost leads to 000000000000, and its log says to no commit",
    ]


def test_an_index_that_says_otherwise_than_git_is_told(app: Versioned) -> None:
    _store(app, "UPDATE commit_entry SET message = 'forged'")
    assert any("reads otherwise" in str(each["what"]) for each in _damages(app))


def test_a_lost_git_object_is_told(app: Versioned) -> None:
    commit = app.json("log")[0]["commit"]
    Path(app.folder, "git", "objects", commit[:2], commit[2:]).unlink()
    assert any(each["commit"] == commit for each in _damages(app))


def test_a_working_copy_that_cannot_be_read_is_told(app: Versioned) -> None:
    _store(app, "UPDATE worktree SET live_files = x'00'")
    assert app.run("status").code == 4


@pytest.mark.needs("git")
def test_stock_git_reads_the_history(app: Versioned) -> None:
    import subprocess

    app.sql("ALTER TABLE notes ADD COLUMN more")
    app.commit("altered")
    git = ["git", "-C", str(app.folder / "git")]
    said = subprocess.run([*git, "log", "--stat", "-p"], capture_output=True, check=True, text=True).stdout
    assert "schema.sql" in said
    assert "ADD COLUMN" not in said
    assert "body TEXT, more)" in said
    subprocess.run([*git, "fsck", "--strict"], capture_output=True, check=True)
