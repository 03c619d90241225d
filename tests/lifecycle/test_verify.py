"""fsck names what is not whole, and where; and says nothing of what is."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.sealed import reseal
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
    _store(app, "INSERT INTO ref VALUES('refs/heads/lost', zeroblob(20), '', x'')")
    reseal(app.folder / "store.db")
    assert [each["what"] for each in _damages(app)] == [
        "refs/heads/lost leads to commit 000000000000, which is not known",
        "refs/heads/lost leads to 000000000000, and its log says to no commit",
        "the operation log: refs/heads/lost stands where no operation has led it",
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


# -- what the tables of the store say of each other --------------------------------------------------------------------


def test_every_version_that_shares_a_loss_is_named(app: Versioned) -> None:
    for turn in range(3):
        app.sql(f"INSERT INTO tags VALUES({turn}, 'more')")
        app.commit(f"turn {turn}")
    notes = app.json("show", "HEAD")["tables"]["notes"]["root"]
    _store(app, f"DELETE FROM chunk WHERE id = x'{notes}'")
    named = {each["commit"] for each in _damages(app) if each["table"] == "notes"}
    assert named >= {each["commit"] for each in app.json("log")}


def test_every_version_that_shares_a_lost_piece_of_a_large_value_is_named(app: Versioned) -> None:
    with app.opened() as connection:
        connection.execute("INSERT INTO notes VALUES(9, 'big', ?)", (random.Random(1).randbytes(2 << 20),))
    app.commit("large")
    app.sql("UPDATE notes SET title = 'other' WHERE id = 1")
    app.commit("after it")
    _store(
        app,
        "UPDATE chunk SET body = zeroblob(length(body))"
        " WHERE seq = (SELECT seq FROM chunk ORDER BY length(body) DESC LIMIT 1)",
    )
    named = {each["commit"] for each in _damages(app) if each["table"] == "notes"}
    assert named >= {each["commit"] for each in app.json("log")[:2]}
    assert app.json("log")[2]["commit"] not in named


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("UPDATE commit_entry SET author = 'Eve <eve@example.org>' WHERE number = 2", "reads otherwise"),
        ("UPDATE commit_entry SET time = time + 1 WHERE number = 2", "reads otherwise"),
        ("UPDATE commit_entry SET parents = '' WHERE number = 2", "reads otherwise"),
        ("UPDATE commit_entry SET parents = x'31' WHERE number = 2", "makes no sense"),
        ("UPDATE commit_entry SET generation = 7 WHERE number = 2", "the way up"),
        ("UPDATE commit_entry SET depth = 7 WHERE number = 2", "the way up"),
        ("UPDATE commit_entry SET jump = 2 WHERE number = 2", "the way up"),
        ("DELETE FROM commit_entry WHERE number = 1", "is not in the index"),
        ("UPDATE ref SET target = (SELECT id FROM commit_entry WHERE number = 1)", "and its log says to"),
        ("UPDATE ref SET name = 'refs/heads/maim'", "refs/heads/main leads to no commit, and its log"),
        ("UPDATE ref_log SET old = NULL WHERE seq = 2", "does not follow"),
        ("UPDATE ref_log SET seq = 3 WHERE seq = 2", "does not follow"),
        ("UPDATE ref_log SET time = time + 1 WHERE seq = 2", "another time"),
        ("UPDATE worktree SET head = 'refs/heads/maim'", "working copy"),
        ("UPDATE worktree SET head_commit = (SELECT id FROM commit_entry WHERE number = 1)", "leads elsewhere"),
        ("UPDATE worktree SET head_files = live_files", "is not what git has"),
        ("DELETE FROM operation WHERE number = 2", "operation log"),
        ("UPDATE operation SET body = replace(CAST(body AS TEXT), 'first', 'forst')", "operation log"),
        ("UPDATE operation SET ended = ended + 1 WHERE number = 2", "operation log"),
        ("DELETE FROM operation_snapshot", "operation log"),
        ("UPDATE snapshot SET files = x'00'", "operation log"),
        (
            "DELETE FROM operation WHERE number = 3; DELETE FROM operation_snapshot WHERE number = 3",
            "operation log",
        ),
    ],
)
@pytest.mark.parametrize("broken", [False, True], ids=["sealed", "broken"])
def test_tables_that_disagree_are_told(app: Versioned, deed: str, told: str, broken: bool) -> None:
    """`broken`: as a damaged disk leaves them; otherwise as whoever knows of seals does."""
    app.sql("INSERT INTO tags VALUES(3, 'c')")
    app.commit("second")
    app.sql("INSERT INTO tags VALUES(4, 'd')")
    app.ok("status")
    assert app.json("fsck")["damages"] == []
    _store(app, deed)
    if not broken:
        reseal(app.folder / "store.db")
    found = [str(each["what"]) for each in _damages(app)]
    assert any(told in each or (broken and "in store.db is damaged" in each) for each in found), found


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE commit_entry SET message = 'forged'",
        "UPDATE commit_entry SET parents = x'00', time = 'x'",
        "UPDATE commit_entry SET number = number + 40",
        "DELETE FROM commit_entry",
        "DELETE FROM commit_entry WHERE number = 2",
        "UPDATE commit_entry SET seal = x''",
    ],
)
def test_the_index_is_made_again_from_git(app: Versioned, deed: str) -> None:
    app.sql("INSERT INTO tags VALUES(3, 'c')")
    app.commit("second")
    app.ok("switch", "-c", "exp")
    app.sql("INSERT INTO tags VALUES(4, 'd')")
    lost = app.commit("on no branch any more")
    app.ok("switch", "main")
    app.ok("branch", "-D", "exp")
    before, other = app.json("log"), app.json("log", lost)
    _store(app, deed)
    assert "hint: isovc fsck --rebuild-index" in app.run("fsck").out
    assert app.json("fsck", "--rebuild-index")["damages"] == []
    assert (app.json("log"), app.json("log", lost)) == (before, other)
    assert app.json("op", "log")[0]["command"] == "fsck"
    assert app.json("fsck")["damages"] == []
    app.sql("INSERT INTO tags VALUES(5, 'e')")
    app.commit("goes on")


def test_a_commit_that_git_was_shown_and_the_store_has_lost_is_told(app: Versioned, tmp_path: Path) -> None:
    earlier = (app.folder / "store.db").read_bytes()
    app.sql("INSERT INTO tags VALUES(3, 'c')")
    made = app.commit("second")
    (app.folder / "store.db").write_bytes(earlier)
    assert f"git knows refs/heads/main at {made[:12]}, where it has never been here" in [
        each["what"] for each in _damages(app)
    ]


def test_what_git_has_not_been_shown_yet_is_no_damage(app: Versioned) -> None:
    """As a command leaves it that was stopped just before it would have shown what it did."""
    shown = (app.folder / "git" / "packed-refs").read_bytes()
    app.sql("INSERT INTO tags VALUES(3, 'c')")
    app.commit("second")
    app.ok("tag", "later")
    app.ok("switch", "-c", "other")
    Path(app.folder, "git", "packed-refs").write_bytes(shown)
    Path(app.folder, "git", "HEAD").write_text("ref: refs/heads/main\n")
    assert app.json("fsck")["damages"] == []
