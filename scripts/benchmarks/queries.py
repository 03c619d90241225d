"""Workloads on SQL over an old version: from the question to the last row, on an opened repository. DoltLite: the query
alone, on an open database."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path
from typing import Any

from databases import Versioned
from peers import doltlite
from processes import process
from registry import Bench, Contender, Outcome, workload

from isovc.cli.asked import revisions_of
from isovc.history import Identity
from isovc.repo.deeds import Deed
from isovc.repo.place import FOLDER
from isovc.workspace.asking import ask
from isovc.workspace.committing import commit

_DEED = Deed(Identity("Bench", "bench@example.com"), 1_700_000_000_000_000)
_SCAN = "SELECT * FROM {}"
_SUM = "SELECT sum(amount) FROM {}"
_COUNT = "SELECT count(*) FROM {}"
_numbers = count(1)


def _committed(bench: Bench) -> Versioned:
    def make() -> Versioned:
        made = Versioned(bench, "asked")
        made.run(lambda desk, history: commit(desk, history, "first", _DEED))
        return made

    return bench.once("asked", make)


def _asked(bench: Bench, query: str, *, again: bool) -> dict[str, Contender]:
    versioned = _committed(bench)
    shelf = versioned.folder / FOLDER / "cache" / "sql"

    def work(desk: Any, _history: Any) -> int:
        return sum(1 for _ in ask(revisions_of(desk), query.format("items"), "HEAD").rows)

    def ours() -> Outcome:
        if not again:
            shutil.rmtree(shelf, ignore_errors=True)
        return versioned.run(work)

    def theirs() -> Outcome:
        return doltlite(bench).run(query.format("dolt_at_items('HEAD')"))

    if again:
        shutil.rmtree(shelf, ignore_errors=True)
        versioned.run(work)
    return {"isovc": ours, "doltlite": theirs}


@workload("SQL on an old version: every row, first time", against="doltlite", ratio=1.0, rounds=3)
def _scan(bench: Bench) -> dict[str, Contender]:
    """All columns, with an empty cache."""
    return _asked(bench, _SCAN, again=False)


@workload("SQL on an old version: every row, again", against="doltlite", ratio=0.6)
def _scan_again(bench: Bench) -> dict[str, Contender]:
    """With what the first time left."""
    return _asked(bench, _SCAN, again=True)


@workload("SQL on an old version: the sum of a column, first time", against="doltlite", seconds=1.0, rounds=3)
def _sum(bench: Bench) -> dict[str, Contender]:
    """With an empty cache."""
    return _asked(bench, _SUM, again=False)


@workload("SQL on an old version: the sum of a column, again", against="doltlite", seconds=0.2)
def _sum_again(bench: Bench) -> dict[str, Contender]:
    """With what the first time left."""
    return _asked(bench, _SUM, again=True)


@workload("SQL on an old version: how many rows, first time", against="doltlite", seconds=1.0, rounds=3)
def _count(bench: Bench) -> dict[str, Contender]:
    """With an empty cache."""
    return _asked(bench, _COUNT, again=False)


@workload("SQL on an old version: how many rows, again", against="doltlite", seconds=0.2)
def _count_again(bench: Bench) -> dict[str, Contender]:
    """With what the first time left."""
    return _asked(bench, _COUNT, again=True)


@workload("SQL on an old version: a row by its key", against="doltlite", seconds=0.003, rounds=20)
def _point(bench: Bench) -> dict[str, Contender]:
    """Every time the same one."""
    return _asked(bench, f"SELECT * FROM {{}} WHERE id = {bench.rows // 3}", again=True)


@workload("SQL on an old version: a whole process", memory=300_000_000, rounds=1)
def _memory(bench: Bench) -> dict[str, Contender]:
    """Every row as CSV into a file, with an empty cache."""
    versioned = _committed(bench)

    def ours() -> Outcome:
        shutil.rmtree(versioned.folder / FOLDER / "cache" / "sql", ignore_errors=True)
        target = Path(bench.scratch, f"answer-{next(_numbers)}.csv")
        words = ("-q", "sql", "SELECT * FROM items", "--at", "HEAD", "-o", str(target), "--csv")
        return process(*words, at=versioned.folder)

    return {"isovc": ours}
