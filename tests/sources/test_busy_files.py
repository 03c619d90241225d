"""Others read, write and lock the file while we do: what is seen is one state, and who is in the way is named."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from isovc import errors
from isovc.model import RowChange
from isovc.sources.sqlite import Database, Reading, snapshot
from isovc.sources.sqlite.copying import copy_file
from isovc.sources.sqlite.snapshot import mark_after_commit, read_snapshot, write_snapshot
from isovc.sources.sqlite.who import holders
from tests.sources.files import check, content, make, state

ROWS = """CREATE TABLE t (a INTEGER PRIMARY KEY, b, c);
    WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
    INSERT INTO t SELECT i, 0, hex(zeroblob(100 * (i % 10))) FROM n"""
WAL = f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; {ROWS}"
CHANGE = "UPDATE t SET b = b + 1"
WRITER = """
import sqlite3, sys
user = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
user.execute("PRAGMA synchronous=OFF")
number = 0
while True:
    user.execute("UPDATE t SET b = b + 1")
    number += 1
    if number == 3:
        print("ready", flush=True)
    if number % 7 == 0:
        user.execute("PRAGMA wal_checkpoint(" + ("RESTART" if number % 2 else "PASSIVE") + ")")
"""
HOLDER = """
import sqlite3, sys
user = sqlite3.connect(sys.argv[1], isolation_level=None)
user.execute("BEGIN IMMEDIATE")
user.execute("INSERT INTO t (b) VALUES (1)")
print("ready", flush=True)
sys.stdin.read()
"""
LOCKER = """
import fcntl, sys
shared = open(sys.argv[1] + "-shm", "r+b")
fcntl.lockf(shared, fcntl.LOCK_EX, 1, 121)
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def other_process(script: str, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.mark.parametrize("tries", [100, 0])  # none: as if the writers never left a moment between two marks
def test_one_state_is_seen_while_another_process_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    database = make(tmp_path / "a.db", WAL)
    monkeypatch.setattr(snapshot, "_TRIES", tries)
    with other_process(WRITER, database.path):
        for number in range(10 if tries else 3):
            copy = tmp_path / f"copy{number}.db"
            with read_snapshot(database.path, busy_seconds=60) as seen:
                reading = Reading(seen)
                shape = reading.shape()
                first = reading.pages(shape).map
                copy_file(seen, copy)
                rows = state(reading, shape)
                assert reading.pages(shape).map == first
            # the mark, the pages and the rows tell of one commit, not of one and the next
            assert len({row[1] for row in rows["t"].values()}) == 1
            assert content(Database(copy))[1]["t"] == list(rows["t"].values())
            assert check(copy) == "ok"


def test_a_commit_right_after_the_begin_is_not_taken_for_a_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "a.db", WAL).path
    user = apsw.Connection(str(path))
    user.execute(CHANGE)
    begin, moments = snapshot._begin, [CHANGE, CHANGE]

    def begin_and_be_overtaken(connection: apsw.Connection) -> None:
        begin(connection)
        if moments:
            user.execute(moments.pop())

    monkeypatch.setattr(snapshot, "_begin", begin_and_be_overtaken)
    with read_snapshot(path, busy_seconds=1) as seen:
        copy_file(seen, tmp_path / "b.db")
        rows = state(Reading(seen), Reading(seen).shape())
    assert not moments
    assert content(Database(tmp_path / "b.db"))[1]["t"] == list(rows["t"].values())
    assert {row[1] for row in rows["t"].values()} == {3}
    user.close()


@pytest.mark.parametrize("before", ["", "PRAGMA wal_checkpoint(PASSIVE)"])
def test_a_log_that_begins_again_changes_nothing_that_is_seen(tmp_path: Path, before: str) -> None:
    database = make(tmp_path / "a.db", WAL)
    user = apsw.Connection(str(database.path))
    user.execute(f"{CHANGE}; {before}")
    with database.reading() as reading:
        shape = reading.shape()
        pages, rows = reading.pages(shape), state(reading, shape)
        found = pages.map
        for _ in range(3):
            user.execute(CHANGE)
            user.execute("PRAGMA wal_checkpoint(PASSIVE)")
            assert reading.pages(shape).map == found
        assert state(reading, shape) == rows
    user.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.reading() as reading:
        assert reading.pages(shape).map != found
    user.close()


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells who holds a lock")
def test_the_process_in_the_way_is_named(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    with other_process(HOLDER, database.path) as process:
        with (
            pytest.raises(errors.DatabaseBusy, match=f"process {process.pid}") as caught,
            Database(database.path, busy_seconds=0.05).writing(),
        ):
            pass
        assert caught.value.who == holders(database.path)
        (who,) = holders(database.path)
        assert who == f"{Path(f'/proc/{process.pid}/comm').read_text().strip()} (process {process.pid})"
    assert holders(database.path) == ()
    assert holders(tmp_path / "nowhere.db") == ()


def test_our_own_lock_is_nobody_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with path.open("wb") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        assert holders(path) == ()


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_commit_of_another_right_after_ours_leaves_no_mark(tmp_path: Path, mode: str) -> None:
    path = make(tmp_path / "a.db", f"PRAGMA journal_mode={mode}; CREATE TABLE t (a)").path
    for other_commits in (False, True):
        with write_snapshot(path, busy_seconds=1) as ours:
            version = ours.connection.pragma("data_version")
            ours.connection.execute("INSERT INTO t VALUES (1); COMMIT")
            if other_commits:
                other = apsw.Connection(str(path))
                other.execute("INSERT INTO t VALUES (2)")
                other.close()
            assert (mark_after_commit(ours, version) is None) == other_commits


def test_a_commit_while_another_moves_the_log_is_done_all_the_same(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    user = apsw.Connection(str(database.path))
    user.execute("INSERT INTO t VALUES (1, 1)")
    with other_process(LOCKER, database.path), Database(database.path, busy_seconds=0.1).writing() as writing:
        writing.apply(writing.shape(), {"t": [RowChange((2,), None, (2, 2))]})
    assert writing.committed == database.mark()
    user.close()
    assert content(database)[1]["t"] == [(1, 1), (2, 2)]


def test_a_file_that_is_swapped_all_the_time_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a)")
    monkeypatch.setattr(snapshot, "_inode", lambda path: os.stat(tmp_path).st_ino)
    with pytest.raises(errors.DatabaseBusy):
        database.mark()


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_transaction_that_writes_nothing_waits_for_no_reader(tmp_path: Path, mode: str) -> None:
    database = make(tmp_path / "a.db", f"PRAGMA journal_mode={mode}; CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    make(database.path, "INSERT INTO t VALUES (1, 0.5); PRAGMA user_version=7")
    user = apsw.Connection(str(database.path))
    user.execute("PRAGMA wal_checkpoint(PASSIVE)")
    user.execute("INSERT INTO t VALUES (2, 2)")
    user.execute("BEGIN")
    assert user.execute("SELECT count(*) FROM t").get == 2
    mark = database.mark()
    quick = Database(database.path, busy_seconds=0.05)
    with quick.writing() as writing:
        assert writing.mark == mark
    assert writing.committed == mark
    with quick.writing() as writing:
        shape = writing.shape()
        writing.apply(shape, {"t": [RowChange((1,), (1, 0.5), (1, 0.5))]})
        assert writing.pages(shape).map.encode() == pages(database)
    assert writing.committed == mark == database.mark()
    user.execute("ROLLBACK")
    user.close()


def pages(database: Database) -> bytes:
    with database.reading() as reading:
        return reading.pages(reading.shape()).map.encode()


def test_a_log_outlives_a_transaction_that_writes_nothing(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    user = apsw.Connection(str(database.path))
    user.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    user.execute("INSERT INTO t VALUES (2, 2)")
    user.close()
    mark = database.mark()
    assert mark.wal is not None
    with database.writing() as writing:
        pass
    assert writing.committed == mark == database.mark()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE VIEW v AS SELECT 1",
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b); PRAGMA user_version=3",
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b); PRAGMA application_id=3",
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c)",
        "",
    ],
)
def test_every_kind_of_change_is_committed(tmp_path: Path, change: str) -> None:
    target, _ = content(make(tmp_path / "b.db", change))
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    with database.writing() as writing:
        writing.apply(target, {})
    assert content(database)[0] == target


def test_a_commit_that_fails_is_said(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    user = apsw.Connection(str(database.path))
    user.execute("BEGIN; SELECT * FROM t")
    with pytest.raises(errors.DatabaseBusy), Database(database.path, busy_seconds=0.05).writing() as writing:
        writing.apply(writing.shape(), {"t": [RowChange((2,), None, (2, 2))]})
    assert writing.committed is None
    user.execute("ROLLBACK")
    user.close()
    assert content(database)[1]["t"] == []
