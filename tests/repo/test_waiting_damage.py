"""What a merge needs that waits for a person: altered or gone it is damage, found by fsck and told by every command."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from isovc.repo.merges import read_waiting
from isovc.repo.operations import SnapshotId
from tests.versioned import Versioned

# all that need the merge itself, and those that need what it came from
_NEED_IT = (
    ("status",),
    ("conflicts",),
    ("resolve", "--ours"),
    ("merge", "--continue"),
    ("merge", "--abort"),
    ("merge", "exp"),
    ("commit", "-m", "x"),
    ("switch", "exp"),
    ("stash", "push"),
    ("rebase", "exp"),
    ("gc",),
)
_NEED_VERSIONS = {
    "merged": (("conflicts",), ("resolve", "--ours"), ("gc",)),
    "before": (("merge", "--abort"), ("gc",)),
    "base": (("gc",),),
    "ours": (("gc",),),
    "theirs": (("gc",),),
}


@contextmanager
def store(app: Versioned) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(app.folder / "store.db", isolation_level=None)) as db:
        yield db


@pytest.fixture
def waiting(app: Versioned) -> Versioned:
    """Two conflicts wait, each version of them a state of its own."""
    app.ok("switch", "-c", "exp")
    app.sql("UPDATE notes SET title = 'theirs' WHERE id < 3; INSERT INTO tags VALUES(3, 'theirs')")
    app.commit("theirs")
    app.ok("switch", "main")
    app.sql("UPDATE notes SET title = 'ours' WHERE id < 3")
    app.commit("ours")
    app.ok("config", "gc.auto", "false")
    assert app.run("merge", "exp").code == 3
    return app


def states(app: Versioned) -> dict[str, bytes]:
    """The merge itself and what it came from, by their ids in the table."""
    with store(app) as db:
        (raw,) = db.execute("SELECT merging FROM worktree WHERE id = 1").fetchone()
        merge = read_waiting(db, SnapshotId(raw.hex()))
    return {"": raw, **{name: bytes.fromhex(each) for name, each in merge.versions.items()}}


def harm(app: Versioned, deed: str, snapshot: bytes) -> None:
    with store(app) as db:
        if deed == "deleted":
            db.execute("DELETE FROM snapshot WHERE id = ?", (snapshot,))
        elif deed == "another":
            other = "SELECT files FROM snapshot WHERE id <> ?1 LIMIT 1"
            db.execute(f"UPDATE snapshot SET files = ({other}) WHERE id = ?1", (snapshot,))
        else:
            db.execute("UPDATE snapshot SET files = ? WHERE id = ?", (b"\x28\xb5\x2f\xfd", snapshot))
        assert db.execute("SELECT changes()").fetchone() == (1,)


@pytest.mark.parametrize("deed", ["deleted", "another", "cut"])
@pytest.mark.parametrize("which", ["", *_NEED_VERSIONS])
def test_whatever_happens_to_it_is_damage(waiting: Versioned, which: str, deed: str) -> None:
    app = waiting
    snapshot = states(app)[which]
    rows, log = app.dump(), app.json("op", "log")
    harm(app, deed, snapshot)
    ended = app.run("fsck", "--json")
    assert ended.code == 4
    assert any(snapshot.hex()[:12] in each["what"] for each in json.loads(ended.out)["damages"])
    for words in _NEED_VERSIONS.get(which, _NEED_IT):
        assert app.refused(*words, code=4) == "row-damaged", words
        said = app.run(*words)
        error, *hint = said.err.strip().splitlines()
        assert (said.code, said.out) == (4, "")
        assert error.startswith("error: ") and snapshot.hex()[:12] in error
        assert hint == ["hint: isovc fsck"]
    assert (app.dump(), app.json("op", "log")) == (rows, log)


@pytest.mark.parametrize("deed", ["deleted", "another"])
def test_a_damaged_merge_can_be_given_up(waiting: Versioned, deed: str) -> None:
    app = waiting
    app.sql("INSERT INTO tags VALUES(9, 'mine')")
    harm(app, deed, states(app)[""])
    assert app.json("reset", "--hard", "HEAD")["given_up"] == {"command": None, "of": None, "open": None}
    assert app.json("status")["merging"] is None
    assert app.clean
    assert app.refused("undo", code=4 if deed == "another" else 1) in ("row-damaged", "forgotten")
    app.sql("INSERT INTO tags VALUES(10, 'and on')")
    app.commit("and on")


def test_a_version_that_a_step_behind_it_needs_is_missed(app: Versioned) -> None:
    app.ok("switch", "-c", "exp")
    for number in (1, 2):
        app.sql(f"UPDATE notes SET title = 'exp{number}' WHERE id = {number}")
        app.commit(f"exp {number}")
    tip = app.json("log")[0]["commit"]
    app.ok("switch", "main")
    app.sql("UPDATE notes SET title = 'main1' WHERE id = 1")
    app.commit("main 1")
    assert app.run("cherry-pick", "main~1..exp").code == 3
    with store(app) as db:
        db.execute("DELETE FROM commit_entry WHERE id = ?", (bytes.fromhex(tip),))
    ended = app.run("fsck", "--json")
    assert ended.code == 4
    assert any("cherry-pick needs commit" in each["what"] for each in json.loads(ended.out)["damages"])
