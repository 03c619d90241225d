"""gc deletes only what nothing leads to, gives the disk back, and is never in anybody's way."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

import pytest

from isovc.errors import AlreadyCleaning, CleaningTooLong, RepositoryBusy
from isovc.history import Identity
from isovc.history.git_history import GitHistory
from isovc.lifecycle import gc, paying, tidying
from isovc.lifecycle.gc import clean, plan
from isovc.repo.deeds import Deed
from isovc.repo.presence import alone, cleaning, present
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from tests.versioned import Versioned

FAR = 4_000_000_000_000_000  # microseconds: every undo window has passed
DEED = Deed(Identity("Ada", "ada@example.org"), FAR, command="gc")


@pytest.fixture
def opened(app: Versioned) -> Iterator[tuple[Repository, GitHistory]]:
    with Repository(app.folder, Settings({}, {})) as repository, GitHistory(repository.git_folder) as history:
        yield repository, history


def _garbage(app: Versioned, megabytes: int = 1) -> None:
    """Something big is seen by a status and never committed."""
    for number in range(megabytes):
        value = random.Random(number).randbytes(1 << 20)
        with app.opened() as connection:
            connection.execute("INSERT INTO notes VALUES(?, 'big', ?)", (1000 + number, value))
    app.ok("status")
    app.sql("DELETE FROM notes WHERE id >= 1000")
    app.ok("status")


def test_a_dry_run_says_what_would_go_and_changes_nothing(app: Versioned) -> None:
    assert app.json("gc", "--dry-run")["chunks"] == 0
    _garbage(app)
    before = _counts(app)
    planned = app.json("gc", "--dry-run")
    assert planned["bytes"] > 1_000_000
    assert _counts(app) == before
    assert "would be deleted" in app.ok("gc", "--dry-run")
    done = app.json("gc")
    assert (done["chunks"], done["bytes"]) == (planned["chunks"], planned["bytes"])
    assert done["given_back"] > 900_000
    assert app.json("gc")["chunks"] == 0
    assert app.json("fsck")["damages"] == []


def _counts(app: Versioned) -> list[tuple[int, ...]]:
    with sqlite3.connect(app.folder / "store.db") as db:
        found = [db.execute(f"SELECT count(*) FROM {t}").fetchone() for t in ("chunk", "commit_entry", "ref", "met")]
    db.close()
    return found


def test_the_disk_gets_its_space_back(app: Versioned) -> None:
    _garbage(app, 8)
    large = app.json("stats")["store_bytes"]
    app.ok("gc")
    assert app.json("stats")["store_bytes"] < large - 7_000_000


def test_the_time_of_undo_is_honoured(app: Versioned, opened: tuple[Repository, GitHistory]) -> None:
    repository, history = opened
    app.ok("switch", "-c", "exp")
    app.sql("DELETE FROM notes")
    gone = app.commit("on a branch that goes")
    app.ok("switch", "main")
    app.ok("branch", "-D", "exp")
    app.ok("checkout", "--detach", "main")
    app.sql("DELETE FROM tags")
    loose = app.commit("on no branch")
    app.ok("switch", "main")
    app.sql("UPDATE notes SET title = 'thrown away'")
    app.ok("reset", "--hard", "HEAD")
    assert app.json("gc")["commits"] == 0
    for commit in (gone, loose):
        app.ok("show", commit)
    app.ok("undo")
    assert app.rows("SELECT DISTINCT title FROM notes") == [("thrown away",)]
    app.ok("redo")
    assert clean(repository, history, DEED).commits == 2
    assert app.refused("show", gone) == "no-such-revision"
    assert app.refused("show", loose) == "no-such-revision"
    assert app.refused("undo") == "forgotten"
    assert app.clean
    assert app.json("fsck", "--trees")["damages"] == []


def test_everything_named_stays(app: Versioned, opened: tuple[Repository, GitHistory]) -> None:
    repository, history = opened
    versions = {}
    for number, name in enumerate(["tagged", "branched", "kept"]):
        app.ok("checkout", "-b", f"b{number}", "main")
        app.sql(f"UPDATE notes SET body = '{name}'")
        versions[name] = app.commit(name)
    app.ok("tag", "v", versions["tagged"])
    app.ok("branch", "-D", "b0")
    app.sql("UPDATE notes SET body = 'uncommitted'")
    dump = app.dump()
    app.ok("switch", "main")
    clean(repository, history, DEED)
    app.ok("switch", "b2")
    assert app.dump() == dump
    for revision in ("v", "b1", "main"):
        app.ok("checkout", revision)
        assert app.json("status", "--verify")["clean"]


def test_only_one_at_a_time(app: Versioned, opened: tuple[Repository, GitHistory]) -> None:
    repository, history = opened
    with cleaning(app.folder), pytest.raises(AlreadyCleaning):
        clean(repository, history, DEED)
    with present(app.folder), pytest.raises(RepositoryBusy):
        clean(repository, history, DEED, wait=0)
    with alone(app.folder, seconds=0):
        pass


def test_what_is_met_while_a_sweep_is_on_stays(
    app: Versioned, opened: tuple[Repository, GitHistory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the looking and the deleting somebody commits what was garbage a moment before."""
    repository, history = opened
    app.sql("UPDATE notes SET body = 'now and then'")
    app.ok("status")
    content = app.dump()
    app.sql("UPDATE notes SET body = 'between'")
    app.ok("status")
    forget = gc._forget_lost

    def meanwhile(*rest: object) -> int | None:
        done = forget(*rest)  # type: ignore[arg-type]
        app.sql("UPDATE notes SET body = 'now and then'")
        app.ok("commit", "-m", "while gc is at work")
        return done

    monkeypatch.setattr(gc, "_forget_lost", meanwhile)
    clean(repository, history, DEED)
    assert app.dump() == content
    assert app.json("fsck", "--trees")["damages"] == []
    app.sql("DELETE FROM notes")
    app.ok("reset", "--hard", "main")
    assert app.dump() == content


def test_a_version_that_becomes_needed_while_looking_stays(
    app: Versioned, opened: tuple[Repository, GitHistory], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, history = opened
    app.ok("switch", "-c", "exp")
    app.sql("DELETE FROM notes")
    commit = app.commit("wanted again")
    app.ok("switch", "main")
    app.ok("branch", "-D", "exp")
    forget, calls = gc._forget_lost, []

    def meanwhile(*rest: object) -> int | None:
        if not calls:
            app.ok("branch", "again", commit)
        calls.append(1)
        return forget(*rest)  # type: ignore[arg-type]

    monkeypatch.setattr(gc, "_forget_lost", meanwhile)
    assert clean(repository, history, DEED).commits == 0
    assert len(calls) == 2
    app.ok("switch", "again")
    assert app.json("fsck")["damages"] == []


def test_looking_can_be_given_little_time(app: Versioned, opened: tuple[Repository, GitHistory]) -> None:
    _garbage(app)
    before = _counts(app)
    with pytest.raises(CleaningTooLong):
        clean(*opened, DEED, seconds=-1)
    assert _counts(app) == before
    assert plan(*opened, FAR).chunks > 0


def test_it_runs_by_itself_when_it_pays(app: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "_LEAST", 1 << 20)
    _garbage(app, 2)
    app.ok("config", "gc.auto", "false")
    app.sql("DELETE FROM tags")
    app.ok("commit", "-m", "x")
    assert app.json("gc", "--dry-run")["bytes"] > 2_000_000
    app.ok("config", "gc.auto", "true")
    app.sql("INSERT INTO tags VALUES(5, 'z')")
    with present(app.folder):  # somebody is at work: it goes without
        app.ok("commit", "-m", "y")
    assert app.json("gc", "--dry-run")["bytes"] > 2_000_000
    app.sql("INSERT INTO tags VALUES(6, 'z')")
    app.ok("commit", "-m", "z")
    assert app.json("gc", "--dry-run")["bytes"] == 0
    _garbage(app, 1)  # not twice what was there: not yet
    app.sql("INSERT INTO tags VALUES(7, 'z')")
    monkeypatch.setattr(tidying, "_SECONDS", -1)
    app.ok("commit", "-m", "z")
    assert app.json("gc", "--dry-run")["bytes"] > 1_000_000


def test_large_values_are_kept_and_freed(app: Versioned, opened: tuple[Repository, GitHistory]) -> None:
    text, blob = "é" * 2_600_000, random.Random(5).randbytes(5_000_000)
    with app.opened() as connection:
        connection.execute("CREATE TABLE big(k PRIMARY KEY, v)")
        connection.execute("INSERT INTO big VALUES(?, ?)", ("key" * 8000, text))
        connection.execute("INSERT INTO big VALUES(?, ?)", (b"k" * 20_000, blob))
        connection.execute("INSERT INTO big VALUES(1, ?)", ("m" * 16_384,))
        connection.execute("INSERT INTO big VALUES(2, CAST(? AS TEXT))", (b"\xff\x00" * 10_000,))
    large = app.commit("large")
    content = app.dump()
    app.sql("DELETE FROM big")
    app.ok("commit", "-m", "gone")
    assert clean(*opened, DEED).chunks == 0
    assert app.json("fsck", "--trees")["damages"] == []
    app.ok("checkout", large)
    assert sorted(app.dump().splitlines()) == sorted(content.splitlines())
    assert app.json("status", "--verify")["clean"]
    app.ok("switch", "main")
    app.ok("reset", "--hard", "HEAD~2")
    clean(*opened, DEED)
    assert app.json("stats")["chunk_bytes"] < 100_000
