"""Workloads on recorded transactions: finding one among a million, and a writer beside a watcher at 20 and at 500 a
second, which must lose none, cost few bytes each and not slow the writer."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

from registry import ENVIRONMENT, Bench, Contender, Outcome, timed, workload

from isovc.repo.entries import Entry, TableChanges
from isovc.repo.place import FOLDER
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.repo.timeline import Timelines

ENTRIES, SECONDS, ROWS = 1_000_000, 60, 20_000
_LOOKS = 50
_MOST_BYTES = 200  # of growth for a transaction of one row
_BEGIN = 1_700_000_000_000_000  # microseconds
_numbers = count()

# prints: transactions, seconds spent in them
_WRITER = """
import random, sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
rate, rows, seconds = float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
draw, done, spent, begin = random.Random(), 0, 0.0, time.perf_counter()
while (now := time.perf_counter()) < begin + seconds:
    time.sleep(max(0.0, begin + done / rate - now))
    start = time.perf_counter()
    db.execute("UPDATE items SET name = ?, payload = ? WHERE id = ?",
               (f"name-{draw.getrandbits(40):x}", f"{draw.getrandbits(192):048x}", draw.randrange(rows)))
    spent += time.perf_counter() - start
    done += 1
print(done, spent)
"""


@workload("find a moment among 1,000,000 transactions", seconds=0.05, is_large=True)
def _find(bench: Bench) -> dict[str, Contender]:
    folder = _versioned(bench)
    with Repository(folder / FOLDER, Settings({}, {})) as repository:
        for first in range(1, ENTRIES, 50_000):
            some = [
                Entry(at, _BEGIN + at * 1000, tables={"items": TableChanges(1, (), ((at % ROWS, "x", at),))})
                for at in range(first, first + 50_000)
            ]
            with repository.file.transaction() as db:
                timelines = Timelines(db)
                timelines.append(timelines.open(1, "refs/heads/main"), some, seen=0, place=None, operation=0)

    def ours() -> Outcome:
        with Repository(folder / FOLDER, Settings({}, {})) as repository, repository.file.reading() as db:
            timelines = Timelines(db)
            line = timelines.get(1, "refs/heads/main")
            asked = range(1, ENTRIES, ENTRIES // _LOOKS)
            took = timed(lambda: [timelines.entry_at(line, _BEGIN + at * 1000 + 1) for at in asked])
        return Outcome(took.seconds / _LOOKS)

    return {"isovc": ours}


@workload("a writer beside a watcher, 20 transactions a second", against="alone", ratio=1.05, rounds=1, is_large=True)
def _few(bench: Bench) -> dict[str, Contender]:
    return _beside(bench, 20)


@workload("a writer beside a watcher, 500 transactions a second", against="alone", ratio=1.05, rounds=1, is_large=True)
def _many(bench: Bench) -> dict[str, Contender]:
    return _beside(bench, 500)


def _beside(bench: Bench, rate: int) -> dict[str, Contender]:
    folder = _versioned(bench)

    def alone() -> Outcome:
        done, spent = _written(folder, rate)
        return Outcome(spent / done)

    def watched() -> Outcome:
        before = _bytes(folder)
        _isovc(folder, "watch", "--daemon")
        try:
            done, spent = _written(folder, rate)
            time.sleep(1)
        finally:
            _isovc(folder, "watch", "stop")
        told = _isovc(folder, "coverage")
        assert (told["transactions"], told["merged"], told["gaps"]) == (done, 0, [])
        each = (_bytes(folder) - before) // done
        assert each <= _MOST_BYTES, each
        return Outcome(spent / done, bytes=each)

    return {"isovc": watched, "alone": alone}


def _versioned(bench: Bench) -> Path:
    """A table of some rows in WAL mode, under version control; its folder."""
    folder = bench.scratch / f"moments-{next(_numbers)}"
    folder.mkdir()
    script = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('PRAGMA journal_mode=WAL');"
        "db.execute('CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT, payload TEXT)');"
        f"db.executemany('INSERT INTO items VALUES(?, ?, ?)', ((n, f'name-{{n}}', 'x' * 48) for n in range({ROWS})));"
        "db.commit()"
    )
    subprocess.run([sys.executable, "-c", script, folder / "app.db"], check=True)
    _isovc(folder, "init", "app.db")
    _isovc(folder, "commit", "-m", "first")
    return folder


def _written(folder: Path, rate: int) -> tuple[int, float]:
    words = [sys.executable, "-c", _WRITER, folder / "app.db", str(rate), str(ROWS), str(SECONDS)]
    done, spent = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    return int(done), float(spent)


def _isovc(folder: Path, *words: str) -> dict[str, object]:
    run = [sys.executable, "-m", "isovc", "-C", folder, *words, "--json"]
    done = subprocess.run(run, check=True, capture_output=True, text=True, env=ENVIRONMENT)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _bytes(folder: Path) -> int:
    """Bytes in use in store.db."""
    with Repository(folder / FOLDER, Settings({}, {})) as repository, repository.file.reading() as db:
        size, pages, free = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
        )
    return int(size * (pages - free))
