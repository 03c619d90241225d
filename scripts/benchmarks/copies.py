"""Workloads on whole databases as people keep copies of them: the first, one more after some rows changed, an old one
given back as a file, and what differs as SQL. On tables of several shapes; each contender is a process of its own."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from peers import doltlite
from registry import ENVIRONMENT, Bench, Contender, Outcome, PeerMissing, timed, workload
from tables import ITEMS, cached, load

_numbers = count()
_NOTES = """
CREATE TABLE folders(id INTEGER PRIMARY KEY);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO folders SELECT i FROM n;
CREATE TABLE notes(
    id INTEGER PRIMARY KEY, guid TEXT NOT NULL UNIQUE, folder_id INTEGER REFERENCES folders, title TEXT, body TEXT,
    created REAL, modified REAL, pinned INTEGER, score REAL);"""


@dataclass(frozen=True, slots=True)
class Shape:
    """A database: one of the tables, and what it has besides."""

    name: str
    table: str
    schema: str
    column: str  # a number of it changes
    after: str = ""  # indexes, made when the rows are there

    def stock(self, bench: Bench) -> Path:
        """The file, made once a machine."""
        path = bench.cache / f"{self.name.replace(' ', '-')}-{bench.rows}.stock.db"
        if not path.exists():
            rows = load(cached(bench.cache, self.table, bench.rows))
            unfinished = path.with_suffix(".part")
            unfinished.unlink(missing_ok=True)
            with closing(sqlite3.connect(unfinished)) as database, database:
                database.executescript(self.schema)
                marks = ", ".join("?" * len(rows[0]))
                database.executemany(f"INSERT INTO {self.table} VALUES({marks})", rows)
                database.executescript(self.after)
            unfinished.replace(path)
        return path

    def change(self, path: Path, bench: Bench) -> None:
        """Some scattered rows in one column, as another program does it."""
        draw = random.Random(next(_numbers))
        chosen = [(draw.random(), number) for number in draw.sample(range(1, bench.rows + 1), bench.scattered)]
        with closing(sqlite3.connect(path)) as database, database:
            database.executemany(f"UPDATE {self.table} SET {self.column} = ? WHERE id = ?", chosen)


SHAPES = (
    Shape("items", "items", ITEMS, "amount"),
    Shape("items with an index", "items", ITEMS, "amount", "CREATE INDEX by_email ON items(email)"),
    Shape("notes", "notes", _NOTES, "score", "CREATE INDEX by_folder ON notes(folder_id, modified)"),
)


class Keeper(ABC):
    """One way of keeping copies of a database, in a folder of its own."""

    program = "sqlite3"

    def __init__(self, bench: Bench, stock: Path) -> None:
        if shutil.which(self.program) is None:
            raise PeerMissing(f"{self.program} is not installed")
        self.folder = bench.scratch / f"copies-{next(_numbers)}"
        self.kept = self.folder / "kept"
        self.folder.mkdir()
        self.database = self.folder / "app.db"
        shutil.copyfile(stock, self.database)
        self.copies = 0
        self.begin()

    def begin(self) -> None:
        """What is done once, before the first copy."""
        self.kept.mkdir()

    @abstractmethod
    def copy(self) -> None:
        """Keep what the database holds now."""

    @abstractmethod
    def back(self, target: Path) -> None:
        """The first copy as a database."""

    def next(self) -> Path:
        """A place for a copy that is a file."""
        self.copies += 1
        return self.kept / str(self.copies)

    def size(self) -> int:
        """Bytes of all that is kept."""
        return sum(file.stat().st_size for file in self.kept.rglob("*") if file.is_file())

    def run(self, *words: str | Path, out: Path | None = None, at: Path | None = None) -> None:
        """A program."""
        home = {"HOME": str(self.folder), "RESTIC_PASSWORD": "bench", "BORG_BASE_DIR": str(self.folder / "base")}
        with (out or Path(os.devnull)).open("wb") as file:
            done = subprocess.run(
                words, check=False, env={**ENVIRONMENT, **home}, stdout=file, stderr=subprocess.PIPE, cwd=at
            )
        assert done.returncode == 0, (words, done.stderr)


class Ours(Keeper):
    """The database stays where it is, and the repository lies beside it."""

    def begin(self) -> None:
        self.run_isovc("init", "app.db")
        self.kept = self.folder / ".isovc"

    def copy(self) -> None:
        self.run_isovc("commit", "-m", "copy", "--author", "Bench <bench@example.com>")

    def back(self, target: Path) -> None:
        self.run_isovc("restore", "HEAD~1", "--into", str(target))

    def differing(self, out: Path) -> None:
        """What is uncommitted, as statements."""
        self.run_isovc("diff", "--format", "sql", out=out)

    def run_isovc(self, *words: str, out: Path | None = None) -> None:
        """A command beside the database."""
        self.run(sys.executable, "-m", "isovc", *words, out=out, at=self.folder)


class Dump(Keeper):
    """`.dump`: statements."""

    def copy(self) -> None:
        self.run("sqlite3", self.database, ".dump", out=self.next())

    def back(self, target: Path) -> None:
        self.run("sqlite3", target, f".read '{self.kept / '1'}'")


class Backup(Keeper):
    """`.backup`: page by page."""

    def copy(self) -> None:
        self.run("sqlite3", self.database, f".backup '{self.next()}'")

    def back(self, target: Path) -> None:
        self.run("sqlite3", self.kept / "1", f".backup '{target}'")


class Vacuum(Keeper):
    """`VACUUM INTO`: row by row."""

    def copy(self) -> None:
        self.run("sqlite3", self.database, f"VACUUM INTO '{self.next()}'")

    def back(self, target: Path) -> None:
        self.run("sqlite3", self.kept / "1", f"VACUUM INTO '{target}'")


class Restic(Keeper):
    """Pieces of the file, encrypted."""

    program = "restic"

    def begin(self) -> None:
        self.run("restic", "-r", self.kept, "init", "-q")

    def copy(self) -> None:
        self.copies += 1
        self.run("restic", "-r", self.kept, "backup", "-q", "--no-cache", "--tag", str(self.copies), self.database)

    def back(self, target: Path) -> None:
        self.run("restic", "-r", self.kept, "restore", "-q", "--no-cache", "latest", "--tag", "1", "--target", target)


class Borg(Keeper):
    """Pieces of the file."""

    program = "borg"

    def begin(self) -> None:
        self.run("borg", "init", "-e", "none", self.kept)

    def copy(self) -> None:
        self.copies += 1
        self.run("borg", "create", f"{self.kept}::{self.copies}", self.database)

    def back(self, target: Path) -> None:
        target.mkdir()
        self.run("borg", "extract", f"{self.kept}::1", at=target)


class Litestream(Keeper):
    """Pages that transactions changed; one round of it, since it is made to run all the time."""

    program = "litestream"

    def begin(self) -> None:
        self._url = f"file://{self.kept}"
        with closing(sqlite3.connect(self.database)) as database:
            database.execute("PRAGMA journal_mode = WAL")

    def copy(self) -> None:
        self.run("litestream", "replicate", "-once", "-log-level", "error", self.database, self._url)

    def back(self, target: Path) -> None:
        self.run("litestream", "restore", "-txid", f"{1:016x}", "-o", target, self._url)


KEEPERS: dict[str, type[Keeper]] = {
    "isovc": Ours,
    ".dump": Dump,
    ".backup": Backup,
    "VACUUM INTO": Vacuum,
    "restic": Restic,
    "borg": Borg,
    "litestream": Litestream,
}


def _first(shape: Shape, bench: Bench) -> dict[str, Contender]:
    """Bytes: all that is kept then."""

    def go(kind: type[Keeper]) -> Outcome:
        keeper = kind(bench, shape.stock(bench))
        took = timed(keeper.copy)
        size = keeper.size()
        shutil.rmtree(keeper.folder)
        return Outcome(took.seconds, bytes=size)

    return {name: partial(go, kind) for name, kind in KEEPERS.items()}


def _again(shape: Shape, bench: Bench) -> dict[str, Contender]:
    """Bytes: what it grew by."""

    def go(keeper: Keeper) -> Outcome:
        shape.change(keeper.database, bench)
        before = keeper.size()
        took = timed(keeper.copy)
        return Outcome(took.seconds, bytes=keeper.size() - before)

    return _with_two(shape, bench, go)


def _back(shape: Shape, bench: Bench) -> dict[str, Contender]:
    def go(keeper: Keeper) -> Outcome:
        target = keeper.folder / f"back-{next(_numbers)}"
        took = timed(lambda: keeper.back(target))
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        return took

    return _with_two(shape, bench, go)


def _back_of_doltlite(bench: Bench) -> Contender:
    """A copy of one of its versions into a stock file."""

    def go() -> Outcome:
        peer, target = doltlite(bench), bench.scratch / f"back-{next(_numbers)}"
        sqlite3.connect(target).close()
        took = peer.run(
            f"ATTACH '{target}' AS stock",
            ITEMS.replace("items(", "stock.items(", 1),
            "BEGIN",
            "INSERT INTO stock.items SELECT id, name, email, amount, status, payload FROM dolt_at_items('HEAD')",
            "COMMIT",
            "DETACH stock",
        )
        target.unlink()
        return took

    return go


def _with_two(shape: Shape, bench: Bench, go: Callable[[Keeper], Outcome]) -> dict[str, Contender]:
    """Keepers that have a first copy, and another one after a change; shared by the workloads on this shape."""

    def made(kind: type[Keeper]) -> Keeper:
        keeper = kind(bench, shape.stock(bench))
        keeper.copy()
        shape.change(keeper.database, bench)
        keeper.copy()
        return keeper

    def contender(kind: type[Keeper]) -> Outcome:
        return go(bench.once(f"{shape.name}: {kind.__name__}", partial(made, kind)))

    return {name: partial(contender, kind) for name, kind in KEEPERS.items()}


def _differing(shape: Shape, bench: Bench) -> dict[str, Contender]:
    """Bytes: of the statements."""
    ours = Ours(bench, shape.stock(bench))
    ours.copy()
    shape.change(ours.database, bench)
    ours.run_isovc("status")  # as whoever asks what changed has done before

    def go(tell: Callable[[Path], None]) -> Outcome:
        out = ours.folder / "patch.sql"
        took = timed(lambda: tell(out))
        return Outcome(took.seconds, bytes=out.stat().st_size)

    def theirs(out: Path) -> None:
        if shutil.which("sqldiff") is None:
            raise PeerMissing("sqldiff is not installed (apt-get install sqlite3-tools)")
        ours.run("sqldiff", shape.stock(bench), ours.database, out=out)

    return {"isovc": partial(go, ours.differing), "sqldiff": partial(go, theirs)}


_Prepare = Callable[[Shape, Bench], dict[str, Contender]]
for _shape in SHAPES:
    _kinds: tuple[tuple[str, str, _Prepare], ...] = (
        (f"keep {_shape.name}", ".dump", _first),
        (f"keep {_shape.name}, 1,000 scattered updates later", "restic", _again),
        (f"give back {_shape.name}", "VACUUM INTO", _back),
        (f"what differs in {_shape.name}, as SQL", "sqldiff", _differing),
    )
    for _name, _against, _prepare in _kinds:
        workload(_name, against=_against, rounds=3, is_large=True)(partial(_prepare, _shape))


@workload("an old version as a stock file", against="doltlite", ratio=1.5, rounds=3, is_large=True)
def _old_version(bench: Bench) -> dict[str, Contender]:
    """Ours as a whole process that adds a working copy; DoltLite: the copying alone, on an open database."""
    keeper = Ours(bench, SHAPES[0].stock(bench))
    keeper.copy()
    SHAPES[0].change(keeper.database, bench)
    keeper.copy()

    def ours() -> Outcome:
        took = timed(lambda: keeper.run_isovc("worktree", "add", "old.db", "HEAD~1"))
        keeper.run_isovc("worktree", "remove", "old.db", "--yes")
        return took

    return {"isovc": ours, "doltlite": _back_of_doltlite(bench)}
