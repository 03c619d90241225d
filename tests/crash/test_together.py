"""Two to eight processes at once, for a while: nobody's commit is lost, and everyone is told what became of theirs."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.crash.aftermath import git_refs_of, goes_on, is_sound, refs_of
from tests.versioned import ROOT, Versioned

pytestmark = pytest.mark.needs("git", "sqlite3")

STATED = {"name-taken", "branch-in-use", "nothing-to-commit", "no-such-name", "not-merged", "kept-there"}  # refusals
DEEDS = ("commit", "commit", "drop", "drop", "switch", "branch", "clean", "clean", "look")
LEAST = 15  # turns of each, however slow the machine: enough to have left a branch behind
PATIENCE = 120  # seconds: a command that takes longer has hung


@dataclass
class Worker:
    """Somebody at one working copy."""

    app: Versioned
    name: str
    chance: random.Random
    acknowledged: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    codes: dict[int, int] = field(default_factory=dict)
    turn: int = 0

    def work(self, until: float) -> None:
        while (time.monotonic() < until or self.turn < LEAST) and not self.failures:
            self.turn += 1
            try:
                getattr(self, self.chance.choice(DEEDS))()
            except (AssertionError, ValueError, sqlite3.Error, subprocess.TimeoutExpired) as error:
                self.failures.append(f"{self.name}, turn {self.turn}: {error!r}")

    def commit(self) -> None:
        self.change()
        said = self.run("commit", "-m", f"{self.name} {self.turn}")
        if said is not None:
            self.acknowledged.append(said["commit"])

    def drop(self) -> None:
        """What is committed and left behind at once is what gc lives on."""
        self.change()
        said = self.run("commit", "-m", "for nothing")
        if said is not None:
            self.run("reset", "--hard", said["parents"][0])

    def change(self) -> None:
        with closing(sqlite3.connect(self.app.path, timeout=60, isolation_level=None)) as db:
            # the same values come and go: the garbage of one is news of the other
            db.execute(f"UPDATE notes SET body = 'turn {self.chance.randrange(4)}' || id")
            db.execute("INSERT INTO tags VALUES(?, ?)", (self.turn, self.name))

    def switch(self) -> None:
        self.run("switch", f"{self.name}-{self.chance.randrange(3)}")

    def branch(self) -> None:
        name = f"{self.name}-extra"
        self.run("branch", *(["-D", name] if self.chance.random() < 0.5 else [name]))

    def clean(self) -> None:
        self.run("gc")

    def look(self) -> None:
        self.run(self.chance.choice(("status", "log", "fsck")))

    def run(self, *words: str) -> dict[str, Any] | None:
        done = subprocess.run(
            [sys.executable, "-m", "isovc", "-C", str(self.app.path), *words, "--json"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        self.codes[done.returncode] = self.codes.get(done.returncode, 0) + 1
        said = json.loads(done.stdout)
        assert b"Traceback" not in done.stderr, done
        assert done.returncode in (0, 1, 5), (words, done)
        if done.returncode == 1:
            assert said["error"]["code"] in STATED, (words, said)
        return said if done.returncode == 0 else None


@pytest.mark.parametrize(
    ("workers", "seconds"),
    [(3, 10), *(pytest.param(many, 60, marks=pytest.mark.long) for many in (2, 4, 8))],
)
def test_many_at_work_at_once_lose_nothing(app: Versioned, tmp_path: Path, workers: int, seconds: int) -> None:
    app.ok("config", "gc.undo_days", "0")
    app.ok("config", "busy.seconds", "2")
    at_work = []
    for number in range(workers):
        name = f"w{number}"
        for which in range(3):
            app.ok("branch", f"{name}-{which}", "main")
        path = tmp_path / "work" / f"{name}.db"
        app.ok("worktree", "add", str(path), f"{name}-0")
        at_work.append(Worker(app.at(path), name, random.Random(number)))
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=worker.work, args=(until,)) for worker in at_work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [failure for worker in at_work for failure in worker.failures]
    app.ok("gc")
    tips = [each["branch"] for each in app.json("branch")]
    reached = {each["commit"] for tip in tips for each in app.json("log", tip)}
    for worker in at_work:
        lost = set(worker.acknowledged) - reached
        # only with the extra branch can a commit of theirs go, and nobody ever stands on it
        assert not lost, worker.name
        status = is_sound(worker.app)
        assert status["branch"].startswith(worker.name)
    assert sum(len(worker.acknowledged) for worker in at_work) >= workers
    app.ok("tag", "afterwards")
    assert refs_of(app) == git_refs_of(app)
    goes_on(app, "tags")
