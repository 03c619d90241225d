"""Workloads on a live database: first commit, later commits, switching, branches, start-up, memory."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from peers import DoltLite, doltlite, update
from processes import process
from registry import Bench, Contender, Outcome, timed, workload
from tables import ITEMS, cached, load
from trees import load_of_doltlite

from isovc.history import Identity
from isovc.history.git_history import GitHistory
from isovc.repo.deeds import Deed
from isovc.repo.names import BRANCHES
from isovc.repo.place import FOLDER, find
from isovc.repo.refs import Refs
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.store.check import stats
from isovc.workspace.committing import commit
from isovc.workspace.desk import Desk, sit_down
from isovc.workspace.mirroring import mirror
from isovc.workspace.naming import create
from isovc.workspace.starting import start
from isovc.workspace.status import status
from isovc.workspace.switching import switch
from isovc.workspace.undoing import go as go_over
from isovc.workspace.ways import plan_undo

_NOW = count(1_700_000_000_000_000, 1_000_000)
_numbers = count()


def _stamp() -> Deed:
    return Deed(Identity("Bench", "bench@example.com"), next(_NOW))


class Versioned:
    """The items table in a stock SQLite file, under version control; opened anew for every go."""

    def __init__(self, bench: Bench, folder: str) -> None:
        self.folder = bench.scratch / folder
        self.folder.mkdir()
        self.database = self.folder / "items.db"
        shutil.copyfile(stock(bench), self.database)
        start(self.database, _stamp())

    def run(self, work: Callable[[Desk, GitHistory], Any]) -> Outcome:
        """Time it, from opening to closing; the bytes are what the bodies of the chunks grew by."""
        place = find(self.folder)
        settings = Settings.read(self.folder / "nobody.toml", place.folder / "config.toml")
        with Repository(place.folder, settings) as repository, GitHistory(repository.git_folder) as history:
            before = stats(repository.chunks).body_bytes
        with Repository(place.folder, settings) as repository, GitHistory(repository.git_folder) as history:
            took = timed(lambda: work(sit_down(repository, place), history))
            grown = stats(repository.chunks).body_bytes - before
        return Outcome(took.seconds, bytes=grown)

    def change(self, sql: str, parameters: list[tuple]) -> None:
        """What another program does to the database."""
        with sqlite3.connect(self.database) as database:
            database.executemany(sql, parameters)
        database.close()

    def size(self) -> int:
        """Bytes of the whole repository."""
        return sum(file.stat().st_size for file in (self.folder / FOLDER).rglob("*") if file.is_file())


def stock(bench: Bench) -> Path:
    """A stock SQLite file with the items table."""

    def make() -> Path:
        path = bench.cache / f"items-{bench.rows}.db"
        if not path.exists():
            rows = load(cached(bench.cache, "items", bench.rows))
            unfinished = path.with_suffix(".db.part")
            unfinished.unlink(missing_ok=True)
            with sqlite3.connect(unfinished) as database:
                database.execute(ITEMS)
                database.executemany("INSERT INTO items VALUES(?, ?, ?, ?, ?, ?)", rows)
            database.close()
            unfinished.replace(path)
        return path

    return bench.once("stock", make)


def _committed(bench: Bench) -> Versioned:
    def make() -> Versioned:
        made = Versioned(bench, "versioned")
        made.run(lambda desk, history: commit(desk, history, "first", _stamp()))
        return made

    return bench.once("versioned", make)


def _scattered(bench: Bench) -> list[tuple]:
    draw = random.Random(next(_numbers))
    return [(draw.random(), number) for number in draw.sample(range(1, bench.rows + 1), bench.scattered)]


_UPDATE = "UPDATE items SET amount = ? WHERE id = ?"


@workload("first commit", against="doltlite", ratio=1.5, rounds=3)
def _first_commit(bench: Bench) -> dict[str, Contender]:
    """Bytes: the whole repository, and DoltLite's file."""

    def ours() -> Outcome:
        fresh = Versioned(bench, f"first-{next(_numbers)}")
        took = fresh.run(lambda desk, history: commit(desk, history, "first", _stamp()))
        size = fresh.size()
        shutil.rmtree(fresh.folder)
        return Outcome(took.seconds, bytes=size)

    return {"isovc": ours, "doltlite": load_of_doltlite(bench)}


@workload("commit 1,000 scattered updates", against="doltlite", seconds=0.6, bytes=300_000)
def _commit_scattered(bench: Bench) -> dict[str, Contender]:
    """A stock file that another program changed; DoltLite owns its storage, and its time has the update in it."""
    versioned = _committed(bench)

    def ours() -> Outcome:
        versioned.change(_UPDATE, _scattered(bench))
        return versioned.run(lambda desk, history: commit(desk, history, "scattered", _stamp()))

    def theirs() -> Outcome:
        peer: DoltLite = doltlite(bench)
        before = peer.size()
        took = peer.run(*update([number for _, number in _scattered(bench)], random.random()))
        return Outcome(took.seconds, bytes=peer.size() - before)

    return {"isovc": ours, "doltlite": theirs}


@workload("commit 1 row")
def _commit_one(bench: Bench) -> dict[str, Contender]:
    versioned = _committed(bench)

    def ours() -> Outcome:
        versioned.change(_UPDATE, _scattered(bench)[:1])
        return versioned.run(lambda desk, history: commit(desk, history, "one", _stamp()))

    return {"isovc": ours}


@workload("status when nothing changed", seconds=0.05)
def _status(bench: Bench) -> dict[str, Contender]:
    versioned = _committed(bench)
    versioned.run(lambda desk, _: status(desk))
    return {"isovc": lambda: versioned.run(lambda desk, _: status(desk))}


@workload("switch between branches 1,000 rows apart", seconds=0.4, rounds=6)
def _switch(bench: Bench) -> dict[str, Contender]:
    versioned = _committed(bench)
    there_and_back = _apart(bench, versioned)
    return {"isovc": lambda: versioned.run(there_and_back)}


@workload("undo of a switch over 1,000 rows", seconds=0.2, rounds=6)
def _undo(bench: Bench) -> dict[str, Contender]:
    versioned = _committed(bench)
    there_and_back = _apart(bench, versioned)

    def ours() -> Outcome:
        versioned.run(there_and_back)
        return versioned.run(lambda desk, history: go_over(desk, history, plan_undo(desk, 1), _stamp()))

    return {"isovc": ours}


def _apart(bench: Bench, versioned: Versioned) -> Callable[[Desk, GitHistory], None]:
    """Two branches 1,000 scattered rows apart, and the way from one to the other."""

    def go(desk: Desk, history: GitHistory) -> None:
        name = BRANCHES + ("main" if desk.worktree.branch == "near" else "near")
        with desk.repository.file.reading() as db:
            target = Refs(db).need(name).target
        switch(desk, history, name, target, _stamp())

    def is_made(desk: Desk, _: GitHistory) -> None:
        with desk.repository.file.reading() as db:
            made.append(Refs(db).get(BRANCHES + "near") is not None)

    made: list[bool] = []
    versioned.run(is_made)
    if not made[0]:  # another workload may have made them on the same table
        versioned.run(lambda desk, _: create(desk, BRANCHES + "near", desk.worktree.commit, _stamp()))
        versioned.run(go)
        versioned.change(_UPDATE, _scattered(bench))
        versioned.run(lambda desk, history: commit(desk, history, "apart", _stamp()))
    return go


@workload("2,000 branches", seconds=2.0, bytes=2_000_000, rounds=1)
def _branches(bench: Bench) -> dict[str, Contender]:
    versioned = _committed(bench)

    def ours() -> Outcome:
        def make(desk: Desk, history: GitHistory) -> None:
            commit_id = desk.worktree.commit
            assert commit_id is not None
            for number in range(2000):
                create(desk, f"{BRANCHES}many/{number}", commit_id, _stamp())
            mirror(desk.repository, history)

        before = versioned.size()
        took = versioned.run(make)
        return Outcome(took.seconds, bytes=versioned.size() - before)

    return {"isovc": ours}


@workload("isovc --version, whole process", seconds=0.10, rounds=10)
def _version(bench: Bench) -> dict[str, Contender]:
    return {"isovc": lambda: process("--version", at=bench.scratch)}


@workload("isovc status, whole process, nothing changed", seconds=0.25, rounds=10)
def _status_whole(bench: Bench) -> dict[str, Contender]:
    versioned = _committed(bench)
    return {"isovc": lambda: process("status", at=versioned.folder)}


@workload("first commit: memory of all processes", memory=300_000_000, rounds=1)
def _memory(bench: Bench) -> dict[str, Contender]:
    """Of the largest of its processes."""

    def ours() -> Outcome:
        fresh = Versioned(bench, f"memory-{next(_numbers)}")
        took = process("commit", "-m", "first", at=fresh.folder)
        shutil.rmtree(fresh.folder)
        return took

    return {"isovc": ours}
