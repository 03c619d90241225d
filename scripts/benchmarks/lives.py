"""Workloads on the life of one row of a large table with a long history, and on the index that answers them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from databases import Versioned
from peers import DoltLite, doltlite
from registry import Bench, Contender, Outcome, workload

from isovc.encoding.orderkey import encode_key
from isovc.history import CommitId, Identity
from isovc.history.git_history import GitHistory
from isovc.repo.deeds import Deed
from isovc.repo.repository import Repository
from isovc.repo.revisions import Commit
from isovc.repo.versions import version_of
from isovc.snapshot.version import encode_version
from isovc.tree.edit import Edit, edit
from isovc.tree.read import get_many
from isovc.workspace.committing import commit, write_commit
from isovc.workspace.rows.blame import blame
from isovc.workspace.rows.changes import history_of_row
from isovc.workspace.rows.past import Past

COMMITS = 3000
_FEW, _MANY = 10, 1000  # rows that a commit changes
_OFTEN = 100  # the row in question is changed by one commit in so many
_ROW = 4242
_AMOUNT, _WIDTH = 3, 6
_NOW = count(1_700_000_000_000_000, 1_000_000)


class Long:
    """The items table with a long line of commits on top, none of them checked out."""

    def __init__(self, bench: Bench, name: str, many: int, commits: int) -> None:
        self.versioned = Versioned(bench, name)
        self.versioned.run(lambda desk, history: commit(desk, history, "first", _deed()))
        self.versioned.run(lambda desk, history: self._grow(bench, desk, history, many, commits))

    def _grow(self, bench: Bench, desk: Any, history: GitHistory, many: int, commits: int) -> None:
        repository: Repository = desk.repository
        forest = repository.forest
        self.tip: CommitId = desk.worktree.commit
        version = version_of(history, self.tip)
        for number, rows in enumerate(_edits(bench, many, commits)):
            keys = sorted(map(encode_key, ((row,) for row in rows)))
            edits = [
                Edit(key, (*row[:_AMOUNT], float(number), *row[_AMOUNT + 1 :]))
                for key, row in get_many(forest, version.roots["items"].id, keys, width=_WIDTH)
                if row is not None
            ]
            root = edit(forest, version.roots["items"].id, edits, width=_WIDTH, key_width=1)
            version = replace(version, roots={"items": root})
            with repository.file.transaction() as db:
                self.tip, _ = write_commit(db, history, encode_version(version), [self.tip], str(number), _deed())

    def ask(self, question: Callable[..., Iterator[Any]]) -> Outcome:
        """Time a question about the row."""

        def work(desk: Any, history: GitHistory) -> None:
            past = Past(desk, partial(version_of, history))
            found = list(question(past, past.start(Commit(self.tip)), "items", str(_ROW), where="x"))
            assert len(found) >= _WIDTH

        return self.versioned.run(work)

    def forget(self) -> None:
        """Drop the index."""
        shutil.rmtree(self.versioned.folder / ".isovc" / "cache" / "rows", ignore_errors=True)

    def index(self) -> Outcome:
        """Make the index, all of it; the bytes are those of its files."""

        def work(desk: Any, history: GitHistory) -> None:
            past = Past(desk, partial(version_of, history))
            next(blame(past, past.start(Commit(self.tip)), "items", where="x"))

        self.forget()
        took = self.versioned.run(work)
        files = (self.versioned.folder / ".isovc" / "cache" / "rows").iterdir()
        return Outcome(took.seconds, bytes=sum(file.stat().st_size for file in files))


def _edits(bench: Bench, many: int, commits: int) -> Iterator[list[int]]:
    draw = random.Random(many)
    for number in range(commits):
        rows = set(draw.sample(range(1, bench.rows + 1), many))
        yield sorted(rows | {_ROW} if number % _OFTEN == 0 else rows - {_ROW})


def _deed() -> Deed:
    return Deed(Identity("Bench", "bench@example.com"), next(_NOW))


def _long(bench: Bench) -> Long:
    return bench.once("long", lambda: Long(bench, "long", _FEW, COMMITS))


def _peer(bench: Bench) -> DoltLite:
    def make() -> DoltLite:
        peer = doltlite(bench)
        peer.run("SELECT dolt_checkout('main')", "SELECT dolt_checkout('-b', 'rows')")
        for number, rows in enumerate(_edits(bench, _FEW, COMMITS)):
            change = ("UPDATE items SET amount = ? WHERE id = ?", {"many": [(float(number), row) for row in rows]})
            peer.run("BEGIN", change, "COMMIT", f"SELECT dolt_commit('-A', '-m', '{number}')")
        return peer

    peer: DoltLite = bench.once("doltlite-rows", make)
    peer.run("SELECT dolt_checkout('rows')")
    return peer


@workload("history of a row, 3,000 commits", against="doltlite", seconds=0.05, is_large=True)
def _history(bench: Bench) -> dict[str, Contender]:
    """One of a million rows, changed by 30 of the commits; each of them changes ten."""
    made = _long(bench)
    made.index()
    query = f"SELECT * FROM dolt_history_items WHERE id = {_ROW}"
    return {"isovc": lambda: made.ask(history_of_row), "doltlite": lambda: _peer(bench).run(query)}


@workload("blame of a row, 3,000 commits", against="doltlite", seconds=0.05, is_large=True)
def _blame(bench: Bench) -> dict[str, Contender]:
    made = _long(bench)
    made.index()
    query = f"SELECT * FROM dolt_blame_items WHERE id = {_ROW}"
    return {"isovc": lambda: made.ask(blame), "doltlite": lambda: _peer(bench).run(query)}


@workload("history of a row, 3,000 commits, the first time", rounds=3, is_large=True)
def _first(bench: Bench) -> dict[str, Contender]:
    """Without an index: two seconds go into it, the commits that are left are looked at one by one."""
    made = _long(bench)

    def ours() -> Outcome:
        made.forget()
        return made.ask(history_of_row)

    return {"isovc": ours}


@workload("index of rows, 3,000 commits of 10 rows", rounds=1, is_large=True)
def _few(bench: Bench) -> dict[str, Contender]:
    made = _long(bench)
    return {"isovc": made.index}


@workload("index of rows, 100 commits of 1,000 scattered rows", rounds=1, is_large=True)
def _many(bench: Bench) -> dict[str, Contender]:
    made = bench.once("long-many", lambda: Long(bench, "long-many", min(_MANY, bench.scattered), 100))
    return {"isovc": made.index}
