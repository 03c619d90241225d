"""Workloads on large values: a cell of 500 MB in and out, and what changing, repeating and renaming costs. Sizes are
the same whatever the number of rows is."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import Any

from peers import DoltLite
from processes import process
from registry import Bench, Contender, Outcome, workload

from isovc.repo.place import FOLDER

MB = 1_000_000
CELL, EDITED, REPEATED = 500 * MB, 32 << 20, 10 * MB
_PER_SECOND = 150 * MB  # bytes, in and out
_TABLE = "CREATE TABLE files(name TEXT PRIMARY KEY NOT NULL, body BLOB)"
_numbers = count()


class Files:
    """A table of large values in a stock SQLite file, under version control."""

    def __init__(self, bench: Bench) -> None:
        self.folder = bench.scratch / f"large-{next(_numbers)}"
        self.folder.mkdir()
        self.sql(_TABLE)
        self.isovc("init", "files.db")
        self.isovc("commit", "-m", "empty")

    def sql(self, statement: str, *parameters: Any) -> None:
        """What another program does to the database."""
        with closing(sqlite3.connect(self.folder / "files.db")) as database, database:
            database.execute(statement, parameters)

    def isovc(self, *words: str) -> Outcome:
        """A command as a process; the bytes are what the repository grew by."""
        before = self._size()
        took = process(*words, at=self.folder)
        return replace(took, bytes=self._size() - before)

    def put_large(self) -> None:
        """A cell that is made piece by piece here, too."""
        with closing(sqlite3.connect(self.folder / "files.db")) as database, database:
            row = database.execute("INSERT INTO files VALUES('large', zeroblob(?))", (CELL,)).lastrowid
            with database.blobopen("files", "body", row) as cell:
                for piece in _noise(CELL):
                    cell.write(piece)

    def _size(self) -> int:
        return sum(file.stat().st_size for file in (self.folder / FOLDER).rglob("*") if file.is_file())


def _noise(size: int) -> Iterator[bytes]:
    draw = random.Random(next(_numbers))
    for at in range(0, size, MB):
        yield draw.randbytes(min(MB, size - at))


def _edits() -> tuple[bytes, bytes]:
    one = bytearray(random.Random(next(_numbers)).randbytes(EDITED))
    before = bytes(one)
    one[random.Random(next(_numbers)).randrange(EDITED)] ^= 1
    return before, bytes(one)


class _Peer:
    """The same table in DoltLite."""

    def __init__(self, bench: Bench) -> None:
        self._folder = bench.scratch / f"peer-{next(_numbers)}"
        self._folder.mkdir()
        self._peer = DoltLite(self._folder / "files.db")
        bench.closing.append(self._peer.close)
        self._peer.run(_TABLE, "SELECT dolt_commit('-A', '-m', 'empty')")

    def run(self, *statements: str) -> Outcome:
        """Run and commit; the bytes are what it grew by."""
        before = self._peer.size()
        took = self._peer.run("BEGIN", *statements, "COMMIT", "SELECT dolt_commit('-A', '-m', 'changed')")
        return Outcome(took.seconds, bytes=self._peer.size() - before)

    def blob(self, data: bytes) -> str:
        """A value as a statement says it: what is sent to the process is JSON."""
        return f"x'{data.hex()}'"


@workload("commit of a cell of 500 MB", seconds=CELL / _PER_SECOND, memory=300 * MB, rounds=2, is_large=True)
def _cell_in(bench: Bench) -> dict[str, Contender]:
    def ours() -> Outcome:
        files = Files(bench)
        files.put_large()
        took = files.isovc("commit", "-m", "large")
        shutil.rmtree(files.folder)
        return took

    return {"isovc": ours}


@workload("checkout of a cell of 500 MB", seconds=CELL / _PER_SECOND, memory=300 * MB, rounds=2, is_large=True)
def _cell_out(bench: Bench) -> dict[str, Contender]:
    def ours() -> Outcome:
        files = Files(bench)
        files.put_large()
        files.isovc("commit", "-m", "large")
        files.isovc("checkout", "HEAD~1")
        took = files.isovc("switch", "main")
        shutil.rmtree(files.folder)
        return took

    return {"isovc": ours}


@workload("commit of one byte changed in 32 MB", against="doltlite", bytes=200_000, rounds=3, is_large=True)
def _edit(bench: Bench) -> dict[str, Contender]:
    def ours() -> Outcome:
        files = Files(bench)
        before, after = _edits()
        files.sql("INSERT INTO files VALUES('edited', ?)", before)
        files.isovc("commit", "-m", "one")
        files.sql("UPDATE files SET body = ?", after)
        return files.isovc("commit", "-m", "other")

    def theirs() -> Outcome:
        peer = _Peer(bench)
        before, after = _edits()
        peer.run(f"INSERT INTO files VALUES('edited', {peer.blob(before)})")
        return peer.run(f"UPDATE files SET body = {peer.blob(after)}")

    return {"isovc": ours, "doltlite": theirs}


@workload("commit of the same 10 MB in ten rows", against="doltlite", bytes=12 * MB, rounds=2, is_large=True)
def _repeat(bench: Bench) -> dict[str, Contender]:
    def ours() -> Outcome:
        files = Files(bench)
        value = random.Random(next(_numbers)).randbytes(REPEATED)
        for at in range(10):
            files.sql("INSERT INTO files VALUES(?, ?)", f"copy {at}", value)
        return files.isovc("commit", "-m", "copies")

    def theirs() -> Outcome:
        peer = _Peer(bench)
        value = peer.blob(random.Random(next(_numbers)).randbytes(REPEATED))
        return peer.run(*(f"INSERT INTO files VALUES('copy {at}', {value})" for at in range(10)))

    return {"isovc": ours, "doltlite": theirs}


@workload("commit of another key for 32 MB", against="doltlite", bytes=100_000, rounds=2, is_large=True)
def _rename(bench: Bench) -> dict[str, Contender]:
    def ours() -> Outcome:
        files = Files(bench)
        files.sql("INSERT INTO files VALUES('old', ?)", _edits()[0])
        files.isovc("commit", "-m", "one")
        files.sql("UPDATE files SET name = 'new'")
        return files.isovc("commit", "-m", "other")

    def theirs() -> Outcome:
        peer = _Peer(bench)
        peer.run(f"INSERT INTO files VALUES('old', {peer.blob(_edits()[0])})")
        return peer.run("UPDATE files SET name = 'new'")

    return {"isovc": ours, "doltlite": theirs}
