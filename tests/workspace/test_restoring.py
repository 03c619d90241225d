"""The exact transaction: found by its number and by its time, rebuilt, and put back."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from isovc.repo.entries import merged
from isovc.repo.timeline import Timelines
from tests.versioned import Versioned
from tests.watched import opened, wait_for_companion, wait_until_recorded, watcher


@pytest.fixture
def recorded(app: Versioned) -> Versioned:
    """Five transactions that a watcher saw, each its own title; the rows are gone after the last."""
    app.sql("PRAGMA journal_mode = WAL")
    with watcher(app, "--every", "5ms"):
        for number in range(1, 5):
            app.sql(f"UPDATE notes SET title = 't{number}' WHERE id = 1; ")
            rows = [repr(row) for row in app.rows("SELECT * FROM notes ORDER BY 1")]
            tags = sorted(repr(row) for row in app.rows("SELECT * FROM tags"))
            wait_until_recorded(app, {"notes": sorted(rows), "tags": tags})
        app.sql("DELETE FROM notes")
        wait_until_recorded(app, {"notes": [], "tags": tags})
    return app


def test_by_number_and_before_it(recorded: Versioned) -> None:
    last = recorded.json("coverage")["entries"]
    assert recorded.refused("restore", "--tx", str(last + 1)) == "no-such-entry"
    found = recorded.json("restore", "--before-tx", str(last))
    assert recorded.rows("SELECT title FROM notes WHERE id = 1") == [("t4",)]
    assert (found["found"]["transaction"], found["next"]["transaction"]) == (last - 1, last)
    recorded.ok("undo")
    assert recorded.rows("SELECT count(*) FROM notes") == [(0,)]
    recorded.ok("restore", "--tx", str(last - 2), "-t", "notes", "--where", "id = 1")
    assert recorded.rows("SELECT id, title FROM notes") == [(1, "t3")]
    assert recorded.json("fsck")["damages"] == []


def test_a_transaction_that_was_thinned_away_is_no_other_one(recorded: Versioned) -> None:
    last = recorded.json("coverage")["entries"]
    with opened(recorded) as repository, repository.file.transaction() as db:
        timelines, line = Timelines(db), Timelines(db).get(1, "refs/heads/main")
        packs = list(timelines.packs(line))
        [*kept, old, newer] = [entry for pack in packs for entry in pack.read()]
        timelines.replace(line, [pack.id for pack in packs], [*kept[:-1], merged([kept[-1], old]), newer])
    before = recorded.dump()
    for words in (["--tx", str(last - 2)], ["--before-tx", str(last - 1)]):
        assert recorded.refused("restore", *words) == "entry-thinned"
        assert f": {last - 3} and {last - 1}\n" in recorded.run("restore", *words).err
    assert recorded.dump() == before
    assert recorded.json("restore", "--before-tx", str(last))["found"]["transaction"] == last - 1
    assert recorded.rows("SELECT title FROM notes WHERE id = 1") == [("t4",)]


def test_by_time_to_the_microsecond(recorded: Versioned, tmp_path: Path) -> None:
    last = recorded.json("coverage")["entries"]
    for number in range(2, last + 1):
        point = recorded.json("restore", "--tx", str(number), "--dry-run")["found"]
        found = recorded.json("restore", "--at", point["time"], "--dry-run")
        assert (found["found"], found["early_ms"]) == (point, 0.0)
        before = datetime.fromisoformat(point["time"]) - timedelta(microseconds=1)
        found = recorded.json("restore", "--at", before.isoformat(), "--into", str(tmp_path / f"{number}.db"))
        assert found["found"]["transaction"] == number - 1
        assert found["next"] == point


def test_what_nobody_watched_is_an_error_that_names_what_is_near(recorded: Versioned) -> None:
    recorded.sql("INSERT INTO tags VALUES(9, 'unseen')")
    before = recorded.dump()
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for words in (["--at", later], ["--at", "2001-01-01"]):
        assert recorded.refused("restore", *words) == "not-covered"
        assert "transaction" in recorded.run("restore", *words).err
    assert recorded.dump() == before


def test_a_watcher_at_work_is_waited_for(app: Versioned) -> None:
    app.sql("PRAGMA journal_mode = WAL")
    with watcher(app, "--every", "5ms"):
        app.sql("UPDATE notes SET title = 'just now'")
        found = app.json("restore", "--at", "now", "--dry-run")
        assert found["tables"] == {}


@pytest.mark.parametrize("how", ["paused", "killed"])
def test_what_was_found_late_is_no_state_of_the_time_between(app: Versioned, how: str) -> None:
    app.sql("PRAGMA journal_mode = WAL; UPDATE notes SET title = 'before'")
    tags = sorted(repr(row) for row in app.rows("SELECT * FROM tags"))
    with ExitStack() as stack:
        process = stack.enter_context(watcher(app, "--every", "5ms"))
        wait_for_companion(app, process)
        app.sql("UPDATE notes SET title = 'seen'")
        wait_until_recorded(app, {"notes": sorted(map(repr, app.rows("SELECT * FROM notes"))), "tags": tags})
        process.send_signal(signal.SIGSTOP if how == "paused" else signal.SIGKILL)
        app.sql("UPDATE notes SET title = 'meanwhile'")
        time.sleep(0.5)  # so long is late
        between = datetime.now(UTC).isoformat()
        app.sql("UPDATE notes SET title = 'late'")
        process.send_signal(signal.SIGCONT)
        if how == "killed":
            process.wait()
            stack.enter_context(watcher(app, "--every", "5ms"))
        wait_until_recorded(app, {"notes": sorted(map(repr, app.rows("SELECT * FROM notes"))), "tags": tags})
        assert app.refused("restore", "--at", between) == "not-covered"
        told = app.json("coverage")
        assert (told["transactions"], told["gaps"]) == (3, [])
        last = told["entries"]
        for number, title in ((last - 2, "seen"), (last - 1, "meanwhile"), (last, "late")):
            found = app.json("restore", "--tx", str(number), "--dry-run")["found"]
            assert app.json("restore", "--at", found["time"], "--dry-run")["found"] == found
            app.run("restore", "--tx", str(number))
            assert app.rows("SELECT DISTINCT title FROM notes") == [(title,)]
