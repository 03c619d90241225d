"""Chunks on their way in: several processes, failures in the thread that writes, and being killed."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from isovc import errors
from isovc.encoding.digest import chunk_id
from isovc.store import SqliteChunks, StoreFile
from isovc.store.check import check
from tests.store.contents import leaf, store

ROOT = Path(__file__).parents[2]


def start(code, *arguments):
    # what is killed must not measure coverage: it would leave half a file of it
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-B", "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


READER = """
import sys
from pathlib import Path
from isovc.encoding.digest import chunk_id
from isovc.store import SqliteChunks, StoreFile
print("ready", flush=True)
rounds = most = 0
while most < 60:
    chunks = SqliteChunks(StoreFile(Path(sys.argv[1])))
    ids = list(chunks.ids())
    assert all(chunk_id(content) == chunk for chunk, content in zip(ids, chunks.get_many(ids), strict=True))
    assert len(ids) >= most
    most = len(ids)
    chunks.file.close()
print("read", most)
"""


def test_several_processes_read_while_one_writes(chunks):
    readers = [start(READER, chunks.file.path) for _ in range(2)]
    try:
        assert [reader.stdout.readline() for reader in readers] == ["ready\n"] * 2
        for seed in range(60):
            store(chunks, leaf(seed))
        assert [reader.communicate()[0] for reader in readers] == ["read 60\n"] * 2
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
            reader.stdout.close()


GC = """
import sys
from pathlib import Path
from isovc.store import SqliteChunks, StoreFile
from tests.store.contents import edited, leaf, versions
chunks = SqliteChunks(StoreFile(Path(sys.argv[1])))
print("ready", flush=True)
for seed in range(30):
    ids = versions(chunks, leaf(10_000 + seed), 6)
    chunks.delete(ids[:-1])
"""


def test_a_reader_never_takes_another_processs_deletions_for_damage(chunks):
    other = start(GC, chunks.file.path)
    try:
        assert other.stdout.readline() == "ready\n"
        while other.poll() is None:
            with chunks.file.reading():
                ids = list(chunks.ids())[-40:]
                contents = SqliteChunks(chunks.file).get_many(ids)
            assert [chunk_id(content) for content in contents] == ids
        assert other.returncode == 0
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


def test_a_second_writer_waits_for_the_first(file):
    first, second = SqliteChunks(file), SqliteChunks(StoreFile(file.path, busy_seconds=60))
    entered, done = threading.Event(), []

    def work():
        entered.wait()
        done.append(store(second, leaf(2)))
        second.file.release()

    thread = threading.Thread(target=work)
    thread.start()
    with first.file.transaction() as db:
        entered.set()
        db.execute("INSERT INTO fact VALUES('first', 1)")
        thread.join(0.3)
        assert thread.is_alive() and not done
    thread.join()
    assert second.get_many(done[0]) == [leaf(2)]
    second.file.close()


def test_a_second_writer_that_waits_too_long_is_told(file):
    second = SqliteChunks(StoreFile(file.path, busy_seconds=0.05))
    with file.transaction(), pytest.raises(errors.StoreBusy) as busy:
        store(second, leaf(2))
    assert "0.05 seconds" in busy.value.message and busy.value.hint and busy.value.exit_code == 5
    with file.transaction(), pytest.raises(errors.StoreBusy), second.writing() as writer:
        for seed in range(40):
            writer.put(leaf(seed) * 100)
    second.file.close()


def test_a_writer_that_pauses_lets_others_write(file):
    slow, other = SqliteChunks(file), SqliteChunks(StoreFile(file.path))
    with slow.writing() as writer:
        ids = [writer.put(b"\x03" + os.urandom(1 << 20))]  # enough for the thread to begin a transaction
        for _ in range(3000):
            if other.has_many(ids):
                break
            time.sleep(0.01)
        ids += store(other, leaf(1))
        assert other.has_many(ids) == set(ids)
        ids.append(writer.put(leaf(2)))
    assert other.has_many(ids) == set(ids)
    other.file.close()


def test_no_thread_and_no_connection_is_left_behind(chunks):
    def write():
        with chunks.writing() as writer:
            for _ in range(3):
                writer.put(b"\x03" + os.urandom(1 << 20))

    write()
    check(chunks)
    threads, files = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        write()
        check(chunks)
    assert (threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))) == (threads, files)


@pytest.mark.parametrize("blobs", [1, 3, 30])
def test_an_interrupt_of_the_caller_leaves_whole_chunks_and_no_thread(chunks, blobs):
    kept = store(chunks, leaf(1))
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), chunks.writing() as writer:
        for _ in range(blobs):
            writer.put(b"\x03" + os.urandom(1 << 20))
        raise KeyboardInterrupt
    assert threading.active_count() == before
    assert check(chunks).clean and set(kept) <= set(chunks.ids())
    assert chunks.get_many(store(chunks, leaf(2))) == [leaf(2)]


def test_an_interrupt_while_waiting_for_the_thread_leaves_no_thread(chunks, monkeypatch):
    before = threading.active_count()
    join, interrupted = threading.Thread.join, []

    def once(thread, timeout=None):
        if not interrupted and thread.name == "isovc-chunks":
            interrupted.append(True)
            raise KeyboardInterrupt
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", once)
    with pytest.raises(KeyboardInterrupt), chunks.writing() as writer:
        writer.put(b"\x03" + os.urandom(1 << 20))
    assert interrupted and threading.active_count() == before
    assert check(chunks).clean


def test_a_failure_in_the_thread_reaches_the_caller_and_nothing_stays_in_memory(chunks):
    """The table is dropped behind the writer's back: the surest failure there is."""
    with sqlite3.connect(chunks.file.path) as db:
        db.execute("CREATE TRIGGER refuse BEFORE INSERT ON chunk WHEN NEW.seq > 2 BEGIN SELECT RAISE(ABORT, 'no'); END")
    db.close()
    before = threading.active_count()
    ids = []
    with pytest.raises(errors.StoreDamaged, match="no"), chunks.writing() as writer:
        for seed in range(1000):
            ids.append(writer.put(leaf(seed) * 20, base=ids[-1] if ids else chunk_id(b"")))
    assert threading.active_count() == before
    assert list(chunks.ids()) == []
    for chunk in ids:
        with pytest.raises(errors.ChunkMissing):
            chunks.get(chunk)


@pytest.mark.parametrize("value", ["'many'", "NULL", "-1", "0", str(1 << 62), "2.5"])
def test_a_store_that_lost_count_of_its_rows_is_refused_by_writers(chunks, value):
    kept = store(chunks, leaf(1))
    with chunks.file.transaction() as db:
        db.execute(f"UPDATE fact SET value = {value} WHERE name = 'next_seq'")
    with pytest.raises(errors.StoreDamaged, match="count"):
        store(chunks, leaf(2))
    assert chunks.get_many(kept) == [leaf(1)]
    assert not check(chunks).clean or value == str(1 << 62)


@pytest.mark.parametrize("damage", ["body = x'00'", "depth = 'deep'", "base = 99, depth = 8", "base = seq, depth = 8"])
def test_a_new_chunk_never_depends_on_damage(file, damage):
    chunks = SqliteChunks(file)
    (base,) = store(chunks, leaf(1))
    with file.transaction() as db:
        db.execute(f"UPDATE chunk SET {damage}")
    with chunks.writing() as writer:
        chunk = writer.put(leaf(1) + b"more", base=base)
    assert SqliteChunks(file).get(chunk) == leaf(1) + b"more"
    with file.reading() as db:
        assert db.execute("SELECT base, depth FROM chunk WHERE id = ?", (chunk,)).fetchone() == (None, 0)


def test_a_row_number_is_never_used_twice(chunks):
    (last,) = store(chunks, leaf(1), leaf(2))[1:]
    with chunks.file.reading() as db:
        before = db.execute("SELECT max(seq) FROM chunk").fetchone()[0]
    chunks.delete([last])
    store(chunks, leaf(3))
    with chunks.file.reading() as db:
        assert db.execute("SELECT max(seq) FROM chunk").fetchone()[0] > before


WRITER = """
import os, random, sys
from pathlib import Path
from isovc.store import SqliteChunks, StoreFile
from tests.store.contents import edited, leaf
chance = random.Random(int(sys.argv[2]))
chunks = SqliteChunks(StoreFile(Path(sys.argv[1])))
old = None
while True:
    with chunks.writing() as writer:
        content = leaf(chance.randrange(10**9))
        ids = [writer.put(content)]
        for step in range(chance.randrange(10)):
            content = edited(content, step)
            ids.append(writer.put(content, base=ids[-1]))
        if chance.random() < 0.2:
            for _ in range(4):
                ids.append(writer.put(b"\\x03" + chance.randbytes(1 << 19)))
    print(*(chunk.hex() for chunk in ids), flush=True)
    if old and chance.random() < 0.3:
        print("-", *(chunk.hex() for chunk in old), flush=True)
        chunks.delete(bytes.fromhex(chunk) for chunk in [one.hex() for one in old])
        old = None
    elif chance.random() < 0.5:
        old = ids[: len(ids) // 2]
"""


@pytest.mark.parametrize("rounds", [4, pytest.param(60, marks=pytest.mark.long)])
def test_a_killed_writer_loses_nothing_it_acknowledged(file, rounds):
    chance = random.Random(rounds)
    acknowledged: set[bytes] = set()
    for number in range(rounds):
        writer = start(WRITER, file.path, number)
        try:
            lines = [writer.stdout.readline()]
            time.sleep(chance.random() * 0.3)
        finally:
            writer.send_signal(signal.SIGKILL)
            lines += writer.communicate()[0].splitlines(keepends=True)
        for line in lines:
            if line.endswith("\n"):
                ids = {bytes.fromhex(word) for word in line.removeprefix("-").split()}
                acknowledged = acknowledged - ids if line.startswith("-") else acknowledged | ids
        reopened = SqliteChunks(StoreFile(file.path))
        found = check(reopened)
        assert found.clean, (found.damaged, found.problems)
        assert reopened.has_many(acknowledged) == acknowledged
        reopened.file.close()
    assert acknowledged
