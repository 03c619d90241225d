"""The clock set back and forth between commands: times of commits only grow, and nothing is lost for it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.crash.aftermath import git_refs_of, is_sound, refs_of, rows_of
from tests.versioned import ROOT, Versioned

pytestmark = pytest.mark.needs("faketime", "git", "sqlite3")

TURNS = 8
JUMPS = ("-2d", "+2d", "-1d", "+0d", "+30h", "-47h", "+1h", "-2d")


def at(app: Versioned, jump: str, *words: str) -> Any:
    """A command while the clock is off by so much. Elapsed time goes on as it is: a wait ends all the same."""
    done = subprocess.run(
        [
            "faketime",
            "-m",
            "--exclude-monotonic",
            "-f",
            jump,
            sys.executable,
            "-m",
            "isovc",
            "-C",
            str(app.path),
            *words,
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "FAKETIME_DONT_RESET": "1"},
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 8))])
def test_a_clock_set_back_and_forth_loses_nothing(app: Versioned, seed: int) -> None:
    chance = random.Random(seed)
    jumps = list(JUMPS)
    chance.shuffle(jumps)
    made: list[tuple[str, list[str]]] = []
    for turn in range(TURNS):
        app.sql(
            f"INSERT INTO tags VALUES({turn}, 'turn'); UPDATE notes SET body = 'turn {turn}' WHERE id = {turn % 3 + 1}"
        )
        made.append((at(app, jumps[turn], "commit", "-m", f"turn {turn}", "--json")["commit"], rows_of(app)))
    log = app.json("log")
    assert [each["commit"] for each in reversed(log)][1:] == [commit for commit, _ in made]
    times = [moment(each["time"]) for each in reversed(log)]
    assert all(early < late for early, late in pairwise(times)), times
    now = datetime.now(times[0].tzinfo)
    assert times[-1] > now - timedelta(days=3)

    # each version is found by its own time, and just before it the one before
    for place, (commit, _) in enumerate(made, 1):
        exact = times[place].isoformat().replace("+00:00", "Z")
        assert [each["commit"] for each in app.json("log", f"main@{{{exact}}}", "-n", "1")] == [commit]
        before = (times[place] - timedelta(microseconds=1)).isoformat().replace("+00:00", "Z")
        older = made[place - 2][0] if place > 1 else log[-1]["commit"]
        assert [each["commit"] for each in app.json("log", f"main@{{{before}}}", "-n", "1")] == [older]

    # names are moved and commits left behind while the clock lies: what undo could need is kept
    app.ok("config", "gc.auto", "false")
    at(app, "-2d", "branch", "side", "--json")
    app.sql("DELETE FROM tags")
    at(app, "+2d", "switch", "side", "--json")
    app.sql("INSERT INTO tags VALUES(77, 'side')")
    left = at(app, "-2d", "commit", "-m", "left behind", "--json")["commit"]
    at(app, "+1d", "reset", "--hard", made[2][0], "--json")
    for jump in ("-2d", "+0d", "+2d"):
        assert at(app, jump, "gc", "--json")["commits"] == 0
        is_sound(app)
    assert app.json("show", left)["message"].strip() == "left behind"
    at(app, "-2d", "switch", "main", "--json")
    assert app.rows("SELECT count(*) FROM tags") == [(0,)]  # what was uncommitted there has come back
    for commit, rows in made:
        at(app, chance.choice(JUMPS), "reset", "--hard", commit, "--json")
        assert rows_of(app) == rows
    for _, rows in reversed(made[:-1]):
        at(app, chance.choice(JUMPS), "undo", "--json")
        assert rows_of(app) == rows
    is_sound(app)
    assert refs_of(app) == git_refs_of(app)


def test_a_clock_that_runs_ahead_of_the_time_of_undo_takes_nothing_that_a_name_leads_to(app: Versioned) -> None:
    """Only a clock that is ahead by all of the window lets gc forget something, and never what a name leads to."""
    app.ok("config", "gc.undo_days", "1")
    app.sql("INSERT INTO tags VALUES(7, 'left')")
    left = app.commit("left")
    first = app.json("log")[-1]["commit"]
    app.ok("reset", "--hard", first)
    assert at(app, "+23h", "gc", "--json")["commits"] == 0
    assert at(app, "-2d", "gc", "--json")["commits"] == 0
    app.ok("tag", "kept", left)
    assert at(app, "+2d", "gc", "--json")["commits"] == 0
    app.ok("reset", "--hard", "kept")
    assert app.rows("SELECT count(*) FROM tags WHERE note = 7") == [(1,)]
    is_sound(app)
