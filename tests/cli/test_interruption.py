"""Killed at any moment: the next command settles it, and the database is one of the two states."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from isovc.workspace import moving, switching
from tests.versioned import ROOT, Versioned


@pytest.fixture
def two(app: Versioned) -> tuple[Versioned, dict[str, str]]:
    """Two branches some thousand rows apart; on main with something uncommitted."""
    app.sql(
        "CREATE TABLE many(i INTEGER PRIMARY KEY, v);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
        " INSERT INTO many SELECT i, hex(randomblob(50)) FROM n"
    )
    app.commit("main")
    app.ok("switch", "-c", "exp")
    app.sql("UPDATE many SET v = 'exp'; CREATE TABLE extra(a); DELETE FROM tags")
    app.commit("exp")
    states = {"exp": app.dump()}
    app.ok("switch", "main")
    states["main"] = app.dump()
    app.sql("INSERT INTO tags VALUES(99, 'uncommitted')")
    states["dirty"] = app.dump()
    return app, states


def _settled(app: Versioned, states: dict[str, str]) -> str:
    """Which state it is, and that all goes on."""
    status = app.json("status")
    assert app.check() == "ok"
    found = sorted(app.dump().splitlines())
    state = next(name for name, dump in states.items() if sorted(dump.splitlines()) == found)
    assert (status["branch"], status["clean"]) == {
        "main": ("main", True),
        "dirty": ("main", False),
        "exp": ("exp", True),
    }[state]
    assert app.json("fsck")["damages"] == []
    assert app.json("status", "--verify") == status
    return state


def _there_and_back(app: Versioned, states: dict[str, str]) -> None:
    if _settled(app, states) == "exp":
        assert app.json("switch", "main")["returned"] is True
    assert _settled(app, states) == "dirty"
    assert app.json("branch") == app.json("branch")
    app.ok("switch", "exp")
    assert _settled(app, states) == "exp"
    app.ok("switch", "main")
    assert _settled(app, states) == "dirty"


def test_killed_at_random_moments(two: tuple[Versioned, dict[str, str]]) -> None:
    app, states = two
    moments = random.Random(7)
    for _ in range(6):
        process = app.started("switch", "exp")
        time.sleep(moments.uniform(0.1, 0.9))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        _there_and_back(app, states)


@pytest.mark.needs("strace")
@pytest.mark.parametrize("when", [1, 3, 6, *(pytest.param(n, marks=pytest.mark.long) for n in range(2, 18) if n % 3)])
@pytest.mark.parametrize("words", [["switch", "exp"], ["reset", "--hard", "exp"], ["commit", "-m", "x"]])
def test_killed_at_every_step_that_reaches_the_disk(
    two: tuple[Versioned, dict[str, str]], words: list[str], when: int
) -> None:
    app, states = two
    calls = "fsync,fdatasync"
    trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"]
    trace += ["-e", f"inject={calls}:signal=KILL:when={when}"]
    subprocess.run(
        [*trace, sys.executable, "-m", "isovc", "-C", str(app.path), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    if words[0] == "switch":
        _there_and_back(app, states)
        return
    status = app.json("status")
    found = sorted(app.dump().splitlines())
    assert app.check() == "ok"
    if words[0] == "commit":
        assert found == sorted(states["dirty"].splitlines())
        if not status["clean"]:
            app.commit("again")
        assert len(app.json("log")) == 3
    else:
        is_done = found == sorted(states["exp"].splitlines())
        assert is_done or found == sorted(states["dirty"].splitlines())
        assert app.json("log")[0]["message"].strip() == ("exp" if is_done else "main")
        assert status["clean"] == is_done
    assert app.json("fsck")["damages"] == []


def test_what_is_interrupted_politely_is_undone_at_once(
    two: tuple[Versioned, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, states = two

    def interrupted(*rest: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(moving, "plan_move", interrupted)
    assert app.run("switch", "exp").code == 130
    monkeypatch.undo()
    said = app.run("status").out
    assert "interrupted" not in said
    assert _settled(app, states) == "dirty"


def test_a_database_that_is_away_is_settled_when_it_is_back(
    two: tuple[Versioned, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, states = two

    def killed(*rest: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(switching, "confirm", killed)
    assert app.run("switch", "exp").code == 130
    monkeypatch.undo()
    away = app.path.with_name("away")
    app.path.rename(away)
    app.ok("log")
    app.ok("gc")
    assert app.refused("status") == "no-database"
    away.rename(app.path)
    with app.opened() as connection:  # and somebody has written meanwhile
        connection.execute("INSERT INTO many VALUES(100000, 'since')")
    said = app.run("status")
    assert "finished an interrupted `isovc switch`" in said.out
    assert "On branch exp" in said.out
    app.sql("DELETE FROM many WHERE i = 100000")
    assert _settled(app, states) == "exp"
    app.ok("switch", "main")
    assert _settled(app, states) == "dirty"
