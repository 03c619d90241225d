"""What changed in a live file is captured and counted as it is, large values included."""

from __future__ import annotations

import sqlite3

from isovc.snapshot.capture import capture
from isovc.snapshot.compare import Counts, count_changes
from isovc.sources.sqlite import Database
from isovc.store import MemoryChunks
from isovc.tree.forest import Forest


def test_only_rows_that_really_differ_are_counted(tmp_path):
    path = tmp_path / "app.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b, c)")
        # of so long a value SQLite keeps little in the leaf: many rows share a page, and are looked at with each other
        database.executemany("INSERT INTO t VALUES(?, ?, ?)", [(at, at, "x" * 20_945) for at in range(300)])
    database.close()
    trees, tally = Forest(MemoryChunks()), {}
    with Database(path).reading() as live:
        known = capture(trees, live)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE t SET b = -1 WHERE a % 50 = 7")
        database.execute("UPDATE t SET c = c || 'y' WHERE a = 120")
    database.close()
    with Database(path).reading() as live:
        found = capture(trees, live, known, tally=tally)
        whole = capture(Forest(MemoryChunks()), live)
    assert found.version == whole.version
    assert list(tally.values()) == [Counts(modified=7)]  # counted on the way
    assert count_changes(trees, known.version, found.version) == {"t": Counts(modified=7)}
