"""Workloads on the operation log: its first page, the check of its chain, and what a record adds to a command."""

from __future__ import annotations

import sqlite3
from contextlib import redirect_stdout
from io import StringIO
from itertools import count
from pathlib import Path

from registry import Bench, Contender, Outcome, timed, workload

from isovc.cli.main import main
from isovc.history import CommitId, Identity
from isovc.lifecycle.audit.keys import make_key
from isovc.lifecycle.audit.verify import verify
from isovc.repo.acting import acting
from isovc.repo.deeds import Deed, Telling
from isovc.repo.names import BRANCHES
from isovc.repo.operations import Operation, OperationId, Operations
from isovc.repo.place import FOLDER
from isovc.repo.refs import Refs, Stamp
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.workspace.starting import start

RECORDS = 100_000
_BRANCHES = 200
_COMMIT = CommitId("1" * 40)
_DEED = Deed(Identity("Bench", "bench@example.com"), 1_700_000_000_000_000, command="branch", user="bench", host="mill")
_numbers = count()


def _repository(bench: Bench) -> Path:
    """A small database under version control; its folder."""
    folder = bench.scratch / f"operations-{next(_numbers)}"
    folder.mkdir()
    with sqlite3.connect(folder / "app.db") as database:
        database.execute("CREATE TABLE t(a INTEGER PRIMARY KEY)")
    database.close()
    start(folder / "app.db", _DEED)
    return folder


def _long(bench: Bench) -> Path:
    """The same with a log of many operations."""

    def make() -> Path:
        folder = _repository(bench)
        with Repository(folder / FOLDER, Settings({}, {})) as repository, repository.file.transaction() as db:
            log = Operations(db)
            last = log.last()
            assert last is not None
            for number in range(2, RECORDS + 1):
                last = log.append(_record(number, last.operation.begun + 1_000_000, last.id))
        return folder

    return bench.once("long log", make)


def _record(number: int, begun: int, previous: OperationId) -> Operation:
    return Operation(
        number=number,
        previous=previous,
        command="commit",
        words=("commit", "-m", f"change number {number}"),
        summary=f"commit {number:012x} on main: change number {number}",
        author="Bench <bench@example.com>",
        user="bench",
        host="mill",
        begun=begun,
        ended=begun + 20_000,
        worktree=1,
        database="app.db",
        live={"1": (f"{number:064x}", f"{number:064x}")},
        tables={"items": (number % 7, 1, 0), "notes": (0, 3, number % 5)},
        below=None,
    )


@workload("op log: first page of 100,000 operations", seconds=0.05, rounds=10, is_large=True)
def _first_page(bench: Bench) -> dict[str, Contender]:
    folder = _long(bench)

    def ours() -> Outcome:
        with redirect_stdout(StringIO()) as said:
            took = timed(lambda: main(["-C", str(folder), "op", "log"]))
        assert said.getvalue().count("\n") == 50
        return took

    return {"isovc": ours}


@workload("audit verify of 100,000 operations", seconds=5.0, rounds=3, is_large=True)
def _verify(bench: Bench) -> dict[str, Contender]:
    folder = _long(bench)

    def ours() -> Outcome:
        with Repository(folder / FOLDER, Settings({}, {})) as repository:
            outcome = timed(lambda: verify(repository))
            assert verify(repository).records == RECORDS
        return outcome

    return {"isovc": ours}


@workload("what its record adds to an operation", seconds=0.002)
def _record_costs(bench: Bench) -> dict[str, Contender]:
    folder = _repository(bench)
    return {"isovc": lambda: _added(folder, Settings({}, {}))}


@workload("what its signed record adds to an operation", seconds=0.002)
def _signed_record_costs(bench: Bench) -> dict[str, Contender]:
    folder = _repository(bench)
    key = folder / "key.pem"
    make_key(key, "")
    return {"isovc": lambda: _added(folder, Settings({"audit.key": str(key)}, {}))}


def _added(folder: Path, settings: Settings) -> Outcome:
    """A branch made with its record, less one made in a transaction without: many of each, in turn."""
    with_it = without = 0.0
    with Repository(folder / FOLDER, settings) as repository:
        for _ in range(_BRANCHES):
            name = f"{BRANCHES}many/{next(_numbers)}"
            with_it += timed(lambda name=name: _recorded(repository, name)).seconds
            without += timed(lambda name=name: _bare(repository, f"{name}-bare")).seconds
    return Outcome(max(with_it - without, 0.0) / _BRANCHES)


def _recorded(repository: Repository, name: str) -> None:
    with acting(repository, _DEED, 1) as act:
        act.refs.create(name, _COMMIT, act.stamp("create"))
        act.record(Telling(f"make branch {name}"))


def _bare(repository: Repository, name: str) -> None:
    with repository.file.transaction() as db:
        Refs(db).create(name, _COMMIT, Stamp(_DEED.now, "create"))
