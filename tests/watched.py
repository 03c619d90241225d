"""What a watcher recorded, as tests read it: each state as rows of text, rebuilt from the timeline."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from isovc.repo.entries import Entry
from isovc.repo.rebuilding import version_at
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.repo.timeline import Line, Timelines
from isovc.snapshot.move import all_rows
from isovc.snapshot.version import Version
from tests.versioned import Versioned

_PATIENCE = 60.0  # seconds for another process to begin or end; never what a test is about


@contextmanager
def opened(app: Versioned) -> Iterator[Repository]:
    with Repository(app.folder, Settings.read(Path(os.devnull), app.folder / "config.toml")) as repository:
        yield repository


def line_of(repository: Repository, head: str = "refs/heads/main", worktree: int = 1) -> Line:
    with repository.file.reading() as db:
        return Timelines(db).get(worktree, head)


def entries(repository: Repository, line: Line) -> list[Entry]:
    with repository.file.reading() as db:
        return list(Timelines(db).entries(line, 0, 1 << 60))


def as_seen(repository: Repository, version: Version) -> dict[str, list[str]]:
    """A version as the stock module shows a database: columns as declared."""
    found = {}
    for name, table in version.shape.tables.items():
        places = [table.cells.index(column.name) for column in table.columns]
        rows = (row for batch in all_rows(repository.forest, version, name) for row in batch)
        found[name] = sorted(repr(tuple(row[at] for at in places)) for row in rows)
    return found


def states(app: Versioned, head: str = "refs/heads/main") -> list[dict[str, list[str]]]:
    """Every recorded state, rebuilt and proven."""
    with opened(app) as repository:
        line = line_of(repository, head)
        return [as_seen(repository, version_at(repository, line, each)) for each in entries(repository, line)]


def without_repeats(found: list[Any]) -> list[Any]:
    """A transaction that changed nothing leaves the state as it was."""
    return [state for at, state in enumerate(found) if at == 0 or state != found[at - 1]]


@contextmanager
def watcher(app: Versioned, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A watcher as a process of its own, which has seen the database; it ends with the block, politely."""
    process = app.started("watch", *words)
    try:
        wait_for(lambda: process.poll() is not None or app.json("watch", "status")["ready"])
        assert process.poll() is None, process.communicate()[0]
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        said, _ = process.communicate(timeout=_PATIENCE)
        assert b"Traceback" not in said, said.decode()


def wait_for(what: Any) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def wait_until_recorded(app: Versioned, wanted: dict[str, list[str]]) -> None:
    """The newest recorded state is this one."""

    def is_there() -> bool:
        with opened(app) as repository:
            with repository.file.reading() as db:
                head = db.execute("SELECT head FROM worktree WHERE id = 1").fetchone()[0]
                line = Timelines(db).find(1, head)
            if line is None or line.next == 1:
                return False
            with repository.file.reading() as db:
                entry = Timelines(db).entry(line, line.next - 1)
            return as_seen(repository, version_at(repository, line, entry)) == wanted

    wait_for(is_there)


def companions_of(pid: int) -> list[int]:
    """The processes that hold the log beside this one."""
    words = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
    rows = [
        line.split(None, 2)
        for line in subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    ]
    return [int(row[0]) for row in rows if int(row[1]) == pid and "sqlite.companion" in row[-1]]


def has_ended(pid: int) -> bool:
    """Gone, or waiting only for somebody to ask how it ended."""
    done = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return done.stdout.strip() in ("", "Z")


def wait_for_companion(app: Versioned, process: subprocess.Popen[bytes], *, other_than: str = "") -> tuple[int, str]:
    """The companion of a watcher, once it holds the log, and its name."""
    names = app.folder / "watch-1.hold"
    wait_for(lambda: names.exists() and names.read_text() not in ("", other_than))
    [pid] = companions_of(process.pid)
    return pid, names.read_text()
