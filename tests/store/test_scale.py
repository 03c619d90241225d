"""A large store opens as a small one does: nothing is loaded up front."""

from __future__ import annotations

import tracemalloc

import pytest

from isovc.encoding.compress import compress
from isovc.encoding.digest import chunk_id
from isovc.store import SqliteChunks, StoreFile
from isovc.store.check import stats


def filled(path, count):
    """A store of many small chunks, written past the writer for speed."""
    file = StoreFile.create(path)
    rows = []
    for number in range(1, count + 1):
        content = b"\x03%d" % number
        rows.append((number, chunk_id(content), compress(content, level=1)))
    with file.transaction() as db:
        db.executemany("INSERT INTO chunk(seq, id, depth, body) VALUES(?, ?, 0, ?)", rows)
        db.execute("UPDATE fact SET value = ? WHERE name = 'next_seq'", (count + 1,))
    assert stats(SqliteChunks(file)).chunks == count
    file.close()


def cost_of_opening(path, monkeypatch):
    """Statements, and bytes that Python held at most, to open a store and read one chunk of it."""
    statements = []
    connect = StoreFile._connect

    def traced(self):
        connection = connect(self)
        connection.set_trace_callback(statements.append)
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(StoreFile, "_connect", traced)
        tracemalloc.start()
        file = StoreFile(path)
        chunks = SqliteChunks(file)
        assert chunks.get(chunk_id(b"\x0377")) == b"\x0377"
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        with file.reading() as db:
            plans = [
                step[3]
                for line in statements
                if line.startswith("SELECT")
                for step in db.execute(f"EXPLAIN QUERY PLAN {line}")
            ]
    file.close()
    return len(statements), held, plans


@pytest.mark.parametrize("many", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_opening_costs_the_same_however_much_is_inside(tmp_path, monkeypatch, many):
    filled(tmp_path / "few.db", 100)
    filled(tmp_path / "many.db", many)
    cost_of_opening(tmp_path / "few.db", monkeypatch)  # what is made once a process
    few = cost_of_opening(tmp_path / "few.db", monkeypatch)
    much = cost_of_opening(tmp_path / "many.db", monkeypatch)
    assert few[0] == much[0]
    assert abs(few[1] - much[1]) < 64 << 10
    assert few[2] == much[2] and not any("SCAN" in step for step in much[2])


def test_ids_of_a_large_store_come_bit_by_bit(tmp_path):
    filled(tmp_path / "store.db", 20_000)
    file = StoreFile(tmp_path / "store.db")
    tracemalloc.start()
    assert sum(1 for _ in SqliteChunks(file).ids()) == 20_000
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    file.close()
    assert held < 1 << 20  # all of them would be 2 MB


def test_what_is_remembered_is_bounded(tmp_path):
    file = StoreFile.create(tmp_path / "store.db")
    chunks = SqliteChunks(file)
    with chunks.writing() as writer:
        ids = [writer.put(b"\x03%d" % number + bytes(1 << 20)) for number in range(60)]
    tracemalloc.start()
    for chunk in ids:
        chunks.get(chunk)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    file.close()
    assert held < 40 << 20
