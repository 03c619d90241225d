"""Values too long to be held are captured and set down piece by piece: the trees and the databases are the same."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.model import Unread
from isovc.snapshot.capture import Known, capture
from isovc.snapshot.move import all_rows, plan_move
from isovc.snapshot.version import Version
from isovc.sources.sqlite import Database, rows
from isovc.store import MemoryChunks
from isovc.tree.forest import Forest
from tests.sources.files import check, content, make

BOUND = 64 << 10  # bytes of a cell that is held
MIB = 1 << 20
CODECS = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}
TABLES = {
    "number": "a INTEGER PRIMARY KEY, b, c)",
    "text": "a TEXT PRIMARY KEY NOT NULL, b, c)",
    "no key": "a UNIQUE, b, c)",
    "without rowid": "a INTEGER PRIMARY KEY, b, c) WITHOUT ROWID",
}

cells = st.tuples(
    st.sampled_from(["blob", "blob", "number", "a", "ä", "€", "😀", "a\0", "\ud800b"]),
    st.sampled_from([0, 100, 16_383, 16_384, BOUND - 12, BOUND, BOUND + 12, 2 * BOUND + 12, MIB - 4, MIB + 12]),
)
states = st.dictionaries(st.integers(0, 9), st.tuples(cells, cells), max_size=4)
Rows = dict[int, tuple[tuple[str, int], tuple[str, int]]]


def bound(cell: tuple[str, int], encoding: str) -> tuple[str, object]:
    """How a statement takes a cell, and what it is given: text as its bytes."""
    pattern, size = cell
    if pattern == "blob":
        return "?", random.Random(size).randbytes(size)
    if pattern == "number":
        return "?", size
    one = pattern.encode(CODECS[encoding], "surrogatepass")
    return "CAST(? AS TEXT)", one * (size // len(one))


def hold(path: Path, wanted: Rows, encoding: str) -> None:
    """Let the table hold these rows; those that are there and the same are left alone."""
    with closing(sqlite3.connect(path)) as database, database:
        for at in range(10):
            if at not in wanted:
                database.execute("DELETE FROM t WHERE a = ?", (at,))
                continue
            (one, b), (other, c) = (bound(each, encoding) for each in wanted[at])
            database.execute("INSERT OR IGNORE INTO t(a) VALUES(?)", (at,))
            new = f"b = {one}, c = {other}"
            database.execute(f"UPDATE t SET {new} WHERE a = ?", (b, c, at))


def captured(path: Path, forest: Forest, known: Known | None = None, *, in_pieces: bool = True) -> Known:
    with pytest.MonkeyPatch.context() as patch, Database(path).reading() as live:
        if not in_pieces:
            patch.setattr(rows, "in_pieces", lambda _: False)
        return capture(forest, live, known)


@given(st.sampled_from(sorted(TABLES)), st.sampled_from(sorted(CODECS)), states, states)
def test_versions_are_the_same_as_of_values_held_whole(
    tmp_path_factory: pytest.TempPathFactory, table: str, encoding: str, one: Rows, other: Rows
) -> None:
    folder, forest = tmp_path_factory.mktemp("values"), Forest(MemoryChunks())
    path = make(folder / "a.db", f"CREATE TABLE t({TABLES[table]}", encoding).path
    versions: list[Version] = []
    held: list[object] = []
    known: Known | None = None
    for state in (one, other):
        hold(path, state, encoding)
        known = captured(path, forest, known)
        versions.append(known.version)
        held.append(content(Database(path)))
        assert captured(path, forest).version == known.version
        assert captured(path, Forest(MemoryChunks()), in_pieces=False).version == known.version

    made = Database.create(folder / "b.db", versions[0].shape)
    there = Version()
    for at in (0, 1, 0):
        with made.writing() as writing:
            plan = plan_move(forest, there, versions[at])
            writing.apply(plan.target, plan.changes, contents=plan.contents)
        there = versions[at]
        assert content(made) == held[at]
        assert check(made.path) == "ok"
        assert captured(made.path, forest).version == there


def test_as_many_values_are_read_at_a_time_as_can_be_held(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c)").path
    with closing(sqlite3.connect(path)) as database, database:
        for at in range(60):
            database.execute("INSERT INTO t VALUES(?, ?, ?)", (at, bytes([at]) * MIB, bytes([at]) * (MIB + at)))
    forest = Forest(MemoryChunks())
    version = captured(path, forest).version

    batches = list(all_rows(forest, version, "t"))
    assert max(sum(len(b) + len(c) for _, b, c in batch) for batch in batches) <= 10 * MIB
    assert [row for batch in batches for row in batch] == [
        (at, bytes([at]) * MIB, bytes([at]) * (MIB + at)) for at in range(60)
    ]
    plan = plan_move(forest, Version(), version)
    kinds = [tuple(map(type, row)) for batch in plan.contents["t"] for row in batch]
    assert kinds == [(int, bytes, bytes), *[(int, bytes, Unread)] * 59]  # of a MiB it is read when it is written
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE t SET b = 1")
    changed = captured(path, forest).version
    changes = list(plan_move(forest, changed, version).changes["t"])
    assert {tuple(map(type, change.after or ())) for change in changes} == {(int, Unread, Unread)}
    assert all(change.before and change.after and change.before[2] == change.after[2] for change in changes)
