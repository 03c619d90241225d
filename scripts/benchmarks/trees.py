"""Workloads on trees: build, edit, diff, merge, scan of the items table."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgpack
import zstandard
from blake3 import blake3
from peers import DoltLite, doltlite, update
from registry import ENVIRONMENT, Bench, Contender, Outcome, timed, workload
from tables import ITEMS, cached, load

from isovc.encoding.orderkey import encode_key
from isovc.store import SqliteChunks, StoreFile
from isovc.store.parts import BODY_BYTES
from isovc.tree.build import build, cut
from isovc.tree.diff import diff, summary
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest
from isovc.tree.merge import Conflict, merge
from isovc.tree.parallel import build_parallel
from isovc.tree.read import batches
from isovc.tree.rules import Rules

WIDTH = 6
_numbers = count()


def _rows(bench: Bench) -> list[tuple]:
    return bench.once("items", lambda: load(cached(bench.cache, "items", bench.rows)))


def _chosen(bench: Bench, seed: int, many: int) -> list[int]:
    """Ids of rows; different seeds below `bench.rows` draw from different halves of the table, so they never meet."""
    return sorted(random.Random(seed).sample(range(1 + seed % 2, bench.rows + 1, 2), many))


def _edits(bench: Bench, ids: list[int], add: float) -> list[Edit]:
    rows = _rows(bench)
    return [Edit(encode_key((at,)), (*rows[at - 1][:3], at + add, *rows[at - 1][4:])) for at in ids]


class Store:
    """A store with the table and some versions of it, opened anew for every go: nothing is warm but the disk."""

    def __init__(self, bench: Bench) -> None:
        self.path = bench.scratch / "trees.db"
        StoreFile.create(self.path).close()
        self.roots: dict[str, Any] = {}
        ours, others = _chosen(bench, 0, bench.scattered), _chosen(bench, 1, bench.scattered)

        def fill(trees: Forest) -> None:
            base = build(trees, _rows(bench)).id
            self.roots = {
                "base": base,
                "ours": edit(trees, base, _edits(bench, ours, 0.25), width=WIDTH).id,
                "theirs": edit(trees, base, _edits(bench, others, 0.75), width=WIDTH).id,
                "against": edit(trees, base, _edits(bench, ours, 0.5), width=WIDTH).id,
                "one": edit(trees, base, _edits(bench, ours[:1], 0.5), width=WIDTH).id,
            }

        self.cold(fill)

    def cold(self, work: Callable[[Forest], Any]) -> Outcome:
        """Time it in a store just opened."""
        file = StoreFile(self.path)
        try:
            with file.reading() as database:
                before = database.execute(f"SELECT coalesce(sum({BODY_BYTES}), 0) FROM chunk").fetchone()[0]
            took = timed(lambda: work(Forest(SqliteChunks(file))))
            with file.reading() as database:
                after = database.execute(f"SELECT coalesce(sum({BODY_BYTES}), 0) FROM chunk").fetchone()[0]
        finally:
            file.close()
        return Outcome(took.seconds, bytes=after - before)


def _store(bench: Bench) -> Store:
    return bench.once("trees", lambda: Store(bench))


@workload("build", against="bare", rounds=3)
def _build(bench: Bench) -> dict[str, Contender]:
    """Against msgpack, zstd and BLAKE3 alone on the same leaves."""
    rows = _rows(bench)

    def ours() -> Outcome:
        path = bench.scratch / f"build-{next(_numbers)}.db"
        file = StoreFile.create(path)
        took = timed(lambda: build(Forest(SqliteChunks(file)), rows))
        file.close()
        size = path.stat().st_size
        path.unlink()
        return Outcome(took.seconds, bytes=size)

    def bare() -> Outcome:
        leaves = [run.columns for run in cut(Rules(), rows, 1)]
        pack, press = msgpack.Packer().pack, zstandard.ZstdCompressor(level=1).compress

        def work() -> None:
            for columns in leaves:
                content = pack([pack(column) for column in columns])
                blake3(content).digest()
                press(content)

        return timed(work)

    return {"isovc": ours, "bare": bare, "doltlite": load_of_doltlite(bench)}


def load_of_doltlite(bench: Bench) -> Contender:
    """DoltLite filled with the table, and committed."""

    def work() -> Outcome:
        peer = DoltLite(bench.scratch / f"load-{next(_numbers)}.db")
        try:
            rows = {"rows": str(cached(bench.cache, "items", bench.rows))}
            fill = ("INSERT INTO items VALUES(?, ?, ?, ?, ?, ?)", rows)
            return peer.run(ITEMS, "BEGIN", fill, "COMMIT", "SELECT dolt_commit('-A', '-m', 'first')")
        finally:
            peer.close()
            for file in peer.path.parent.glob(peer.path.name + "*"):
                file.unlink()

    return work


def from_file(path: str, low: int, high: int, _writer: object) -> Iterator[tuple]:
    """Rows of a rowid range, in whatever process."""
    with sqlite3.connect(path) as database:
        yield from database.execute("SELECT * FROM items WHERE id > ? AND id <= ? ORDER BY id", (low, high))


@workload("build by two processes, rows read from SQLite", against="one process", ratio=1 / 1.5, rounds=3)
def _build_by_two(bench: Bench) -> dict[str, Contender]:
    source = bench.scratch / "items.db"
    with sqlite3.connect(source) as database:
        database.execute(ITEMS)
        database.executemany("INSERT INTO items VALUES(?, ?, ?, ?, ?, ?)", _rows(bench))
    middle = bench.rows // 2
    halves = [partial(from_file, str(source), 0, middle), partial(from_file, str(source), middle, bench.rows)]

    def by(work: Callable[[Forest], Any]) -> Outcome:
        path = bench.scratch / f"by-two-{next(_numbers)}.db"
        file = StoreFile.create(path)
        took = timed(lambda: work(Forest(SqliteChunks(file))))
        file.close()
        path.unlink()
        return took

    return {
        "isovc": lambda: by(lambda trees: build_parallel(trees, halves)),
        "one process": lambda: by(lambda trees: build(trees, from_file(str(source), 0, bench.rows, None))),
    }


@workload("build: memory, rows made as they go", memory=300_000_000, rounds=1)
def _build_memory(bench: Bench) -> dict[str, Contender]:
    def ours() -> Outcome:
        program = Path(__file__).with_name("streaming_build.py")
        command = [sys.executable, str(program), str(bench.scratch / "memory.db"), str(bench.rows)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
        seconds, peak = answer.stdout.split()
        return Outcome(float(seconds), memory=int(peak))

    return {"isovc": ours}


@workload("edit 1,000 scattered rows", against="doltlite", seconds=0.25, bytes=300_000)
def _edit_many(bench: Bench) -> dict[str, Contender]:
    return _edit(bench, bench.scattered)


@workload("edit one row", against="doltlite", seconds=0.002, bytes=1000)
def _edit_one(bench: Bench) -> dict[str, Contender]:
    return _edit(bench, 1)


def _edit(bench: Bench, many: int) -> dict[str, Contender]:
    store = _store(bench)

    def ours() -> Outcome:
        turn = next(_numbers)
        edits = _edits(bench, _chosen(bench, turn + 10, many), turn / 8 + 0.01)
        return store.cold(lambda trees: edit(trees, store.roots["base"], edits, width=WIDTH))

    def theirs() -> Outcome:
        peer = doltlite(bench)
        turn, before = next(_numbers), peer.size()
        peer.run("SELECT dolt_checkout('main')", f"SELECT dolt_checkout('-b', 'edit-{turn}')")
        took = peer.run(*update(_chosen(bench, turn + 10, many), turn / 8 + 0.01))
        return Outcome(took.seconds, bytes=peer.size() - before)

    return {"isovc": ours, "doltlite": theirs}


def _versions_of_doltlite(bench: Bench) -> Any:
    """Branches like the roots of Store."""

    def make() -> Any:
        peer = doltlite(bench)
        ours, others = _chosen(bench, 0, bench.scattered), _chosen(bench, 1, bench.scattered)
        for name, ids, add in (
            ("ours", ours, 0.25),
            ("theirs", others, 0.75),
            ("against", ours, 0.5),
            ("one", ours[:1], 0.5),
        ):
            peer.run("SELECT dolt_checkout('main')", f"SELECT dolt_checkout('-b', '{name}')")
            peer.run(*update(ids, add))
        return peer

    return bench.once("versions of doltlite", make)


def _compared(bench: Bench, other: str, work: Callable[[Forest, Any, Any], Any], sql: str) -> dict[str, Contender]:
    store = _store(bench)
    return {
        "isovc": lambda: store.cold(lambda trees: work(trees, store.roots["base"], store.roots[other])),
        "doltlite": lambda: _versions_of_doltlite(bench).run(sql),
    }


@workload("diff of 1,000 scattered changes", against="doltlite", ratio=2)
def _diff_many(bench: Bench) -> dict[str, Contender]:
    sql = "SELECT * FROM dolt_diff_items('main', 'ours')"
    return _compared(bench, "ours", lambda trees, old, new: list(diff(trees, old, new, width=WIDTH)), sql)


@workload("diff of one change", against="doltlite", seconds=0.002)
def _diff_one(bench: Bench) -> dict[str, Contender]:
    sql = "SELECT * FROM dolt_diff_items('main', 'one')"
    return _compared(bench, "one", lambda trees, old, new: list(diff(trees, old, new, width=WIDTH)), sql)


@workload("summary of 1,000 scattered changes", against="doltlite", ratio=2)
def _summary(bench: Bench) -> dict[str, Contender]:
    sql = "SELECT diff_type, count(*) FROM dolt_diff_items('main', 'ours') GROUP BY 1"
    return _compared(bench, "ours", lambda trees, old, new: summary(trees, old, new, width=WIDTH), sql)


@workload("merge of 1,000 with 1,000", against="doltlite", ratio=1.5)
def _merge(bench: Bench) -> dict[str, Contender]:
    store = _store(bench)

    def ours() -> Outcome:
        # what a merge writes is the same every time: a chunk that is there already costs a look-up, not the writing,
        # so each go merges into a version of its own
        turn = next(_numbers)
        mine = store.roots["ours"]
        extra = _edits(bench, [_chosen(bench, 0, bench.scattered)[0]], turn + 0.125)

        def work(trees: Forest) -> Any:
            steps = merge(trees, store.roots["base"], fresh.id, store.roots["theirs"], width=WIDTH)
            return edit(trees, fresh.id, (s for s in steps if not isinstance(s, Conflict)), width=WIDTH)

        file = StoreFile(store.path)
        fresh = edit(Forest(SqliteChunks(file)), mine, extra, width=WIDTH)
        file.close()
        return store.cold(work)

    def theirs() -> Outcome:
        peer, turn = _versions_of_doltlite(bench), next(_numbers)
        peer.run("SELECT dolt_checkout('ours')", f"SELECT dolt_checkout('-b', 'merge-{turn}')")
        return peer.run("SELECT dolt_merge('theirs')")

    return {"isovc": ours, "doltlite": theirs}


@workload("1,000 conflicts found", against="doltlite", seconds=0.3)
def _conflicts(bench: Bench) -> dict[str, Contender]:
    store = _store(bench)

    def work(trees: Forest) -> None:
        steps = merge(trees, store.roots["base"], store.roots["ours"], store.roots["against"], width=WIDTH)
        assert sum(isinstance(step, Conflict) for step in steps) == bench.scattered

    def theirs() -> Outcome:
        peer = _versions_of_doltlite(bench)
        peer.run("SELECT dolt_checkout('ours')", "BEGIN")
        took = peer.run("SELECT dolt_merge('against')", may_fail=True)
        peer.run("ROLLBACK", may_fail=True)
        return took

    return {"isovc": lambda: store.cold(work), "doltlite": theirs}


@workload("scan of all rows", against="doltlite", seconds=1.5, rounds=3)
def _scan(bench: Bench) -> dict[str, Contender]:
    def work(trees: Forest, root: Any, _: Any) -> None:
        for _batch in batches(trees, root, cells=range(WIDTH)):
            pass

    return _compared(bench, "base", work, "SELECT * FROM dolt_at_items('main')")


@workload("scan of one column", against="doltlite", seconds=0.5, rounds=3)
def _scan_column(bench: Bench) -> dict[str, Contender]:
    def work(trees: Forest, root: Any, _: Any) -> None:
        for _batch in batches(trees, root, cells=[3]):
            pass

    return _compared(bench, "base", work, "SELECT amount FROM dolt_at_items('main')")
