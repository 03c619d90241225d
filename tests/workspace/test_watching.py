"""A watcher beside real programs: each of their transactions can be gone back to, whatever happens to the watcher."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from isovc.repo.entries import Kind
from isovc.repo.place import find
from isovc.repo.timeline import Timelines
from isovc.workspace.desk import sit_down
from isovc.workspace.watching.watchers import only_watcher, watcher_of
from tests.sources.test_following import CHECKPOINTS, TABLES, some_statement
from tests.sources.writer import Writer, writing
from tests.versioned import Versioned
from tests.watched import (
    entries,
    has_ended,
    line_of,
    opened,
    states,
    wait_for,
    wait_for_companion,
    wait_until_recorded,
    watcher,
    without_repeats,
)


def _prepared(writer: Writer) -> None:
    assert writer.run("PRAGMA journal_mode=WAL") == ""
    for table in TABLES:
        assert writer.run(table) == ""


@pytest.mark.parametrize("seed", range(3))
def test_each_transaction_can_be_gone_back_to(app: Versioned, seed: int) -> None:
    draw = random.Random(seed)
    with writing(app.path) as writer:
        _prepared(writer)
        seen = [writer.run(see=True)]
        with watcher(app, "--every", "5ms"):
            for at in range(60):
                script = [some_statement(draw) for _ in range(draw.choice([1, 1, 3]))]
                if at % 20 == 7:
                    script.append((f"CREATE TABLE more{at}(a, b)", ()))
                seen.append(writer.transaction(*script))
                if draw.random() < 0.3:
                    writer.run(f"PRAGMA wal_checkpoint({draw.choice(CHECKPOINTS)})")
            wait_until_recorded(app, seen[-1])
        wanted = without_repeats(seen)
        assert without_repeats(states(app)) == wanted
        told = app.json("coverage")
        assert told["gaps"] == []
        assert told["entries"] == told["transactions"] + 1
        app.ok("gc")
        assert without_repeats(states(app)) == wanted
        assert app.json("fsck")["damages"] == []


def test_times_grow_and_point_at_their_states(app: Versioned) -> None:
    with writing(app.path) as writer:
        _prepared(writer)
        with watcher(app, "--every", "5ms"):
            for at in range(20):
                last = writer.transaction((f"INSERT INTO plain VALUES({at}, {at}, 'x')", ()))
            wait_until_recorded(app, last)
    with opened(app) as repository:
        line = line_of(repository)
        found = entries(repository, line)
        assert [each.number for each in found] == list(range(1, 22))
        assert all(a.time < b.time for a, b in pairwise(found))
        with repository.file.reading() as db:
            timelines = Timelines(db)
            for before, after in pairwise(found):
                exact = timelines.entry_at(line, before.time)
                assert exact is not None
                assert (exact.entry, exact.early, exact.following) == (before, 0.0, after)
                late = timelines.entry_at(line, after.time - 1)
                assert late is not None and late.entry == before
                assert late.early == (after.time - 1 - before.time) / 1000
            assert timelines.entry_at(line, found[0].time - 1) is None
            assert timelines.entry(line, 7) == found[6]


def test_a_watcher_that_was_killed_goes_on_where_it_was(app: Versioned) -> None:
    seen = []
    with writing(app.path) as writer:
        _prepared(writer)
        for _ in range(4):
            with watcher(app, "--every", "5ms") as process:
                for _ in range(10):
                    seen.append(writer.transaction(some_statement(random.Random(len(seen)))))
                process.kill()
                process.wait()
            seen.append(writer.transaction(some_statement(random.Random(len(seen)))))
        with watcher(app):
            wait_until_recorded(app, seen[-1])
    wanted = without_repeats(seen)
    found = without_repeats(states(app))
    assert found[-len(wanted) :] == wanted
    assert app.json("coverage")["gaps"] == []
    assert app.json("fsck")["damages"] == []


def _busy_log(writer: Writer, first: int) -> list[dict[str, list[str]]]:
    """The states behind transactions of a program that empties its log as often as it can."""
    seen = []
    for at in range(first, first + 12):
        seen.append(writer.transaction((f"INSERT OR REPLACE INTO plain VALUES({at % 5}, {at}, 'x')", ())))
        writer.run("PRAGMA wal_checkpoint(RESTART)")
    return seen


def test_the_log_of_a_killed_watcher_waits_for_the_next(app: Versioned) -> None:
    with writing(app.path) as writer:
        _prepared(writer)
        seen = [writer.run("PRAGMA busy_timeout=0", see=True)]
        pid, name = 0, ""
        for at in range(0, 36, 12):
            with watcher(app, "--every", "5ms") as process:
                pid, name = wait_for_companion(app, process, other_than=name)
                seen.append(writer.transaction((f"INSERT OR REPLACE INTO plain VALUES(9, {at}, 'x')", ())))
                process.kill()
                process.wait()
            assert not has_ended(pid)
            seen += _busy_log(writer, at)
        with watcher(app) as process:
            last, (pid, name) = pid, wait_for_companion(app, process, other_than=name)
            wait_until_recorded(app, seen[-1])
            wait_for(lambda: has_ended(last))
        assert has_ended(pid)
    assert without_repeats(states(app)) == without_repeats(seen)
    assert app.json("coverage")["gaps"] == []
    assert app.json("fsck")["damages"] == []


def test_a_companion_that_was_killed_too_leaves_a_gap(app: Versioned) -> None:
    with writing(app.path) as writer:
        _prepared(writer)
        with watcher(app, "--every", "5ms") as process:
            pid, _ = wait_for_companion(app, process)
            before = writer.transaction(("INSERT INTO plain VALUES(9, 9, 'x')", ()))
            wait_until_recorded(app, before)
            os.kill(pid, signal.SIGKILL)
            process.kill()
            process.wait()
        wait_for(lambda: has_ended(pid))
        after = _busy_log(writer, 0)[-1]
        with watcher(app):
            wait_until_recorded(app, after)
        [gap] = app.json("coverage")["gaps"]
        assert (gap["kind"], gap["transactions"]) == ("gap", None)
        assert states(app)[-2:] == [before, after]


@pytest.mark.parametrize("times", [1, 3])
def test_what_nobody_saw_is_told_as_a_gap(app: Versioned, times: int) -> None:
    with writing(app.path) as writer:
        _prepared(writer)
        with watcher(app):
            before = writer.transaction(("INSERT INTO plain VALUES(1, 1, 'x')", ()))
            wait_until_recorded(app, before)
        for at in range(times):
            after = writer.transaction((f"UPDATE plain SET a = {at + 2}", ()))
            assert writer.run("PRAGMA wal_checkpoint(TRUNCATE)") == ""
        after = writer.transaction(("UPDATE plain SET a = 9", ()))
        with watcher(app):
            wait_until_recorded(app, after)
        [gap] = app.json("coverage")["gaps"]
        assert (gap["kind"], gap["transactions"]) == ("gap", None)
        assert gap["from"] < gap["to"]
        assert states(app)[-2:] == [before, after]


@pytest.mark.parametrize("missed", [0, 1, 3])
def test_a_log_that_has_begun_again_tells_what_was_missed(app: Versioned, missed: int) -> None:
    with writing(app.path) as writer:
        _prepared(writer)
        seen = [writer.transaction((f"INSERT INTO plain VALUES({at}, 1, 'x')", ())) for at in range(30)]
        with watcher(app):
            wait_until_recorded(app, seen[-1])
        seen += [writer.transaction((f"UPDATE plain SET a = {at}", ())) for at in range(-missed, 0)]
        assert writer.run("PRAGMA wal_checkpoint(RESTART)") == ""
        last = writer.transaction(("UPDATE plain SET a = 99", ()))
        with watcher(app):
            wait_until_recorded(app, last)
        found = states(app)
        assert found[-1] == last
        assert found[-2] == seen[-1]
        assert [each["transactions"] for each in app.json("coverage")["gaps"]] == [missed] * (missed > 1)


def test_a_second_watcher_is_refused(app: Versioned) -> None:
    with writing(app.path) as writer:
        _prepared(writer)
        with watcher(app) as process:
            ended = app.run("watch")
            assert ended.code == 5
            assert f"process {process.pid}" in ended.err
            assert app.refused("watch", "--daemon", code=5) == "already-watched"
            assert app.json("watch", "status")["pid"] == process.pid


def test_who_only_looks_keeps_no_watcher_from_beginning(app: Versioned) -> None:
    with opened(app) as repository, (app.folder / "watch-1.pid").open("w") as looking:
        desk = sit_down(repository, find(app.path.parent))
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.02, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        with only_watcher(desk, every=1.0):
            found = watcher_of(desk)
        assert found is not None
        assert found.pid == os.getpid()


def test_another_file_in_the_place_of_the_database(app: Versioned, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with writing(other) as writer:
        writer.run("CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, body TEXT)", "PRAGMA journal_mode=WAL")
        wanted = writer.transaction(("INSERT INTO notes VALUES(9, 'other', 'file')", ()))
        writer.run("PRAGMA wal_checkpoint(TRUNCATE)")
    with writing(app.path) as writer:
        writer.run("PRAGMA journal_mode=WAL")
        with watcher(app):
            before = writer.transaction(("DELETE FROM notes WHERE id = 1", ()))
            wait_until_recorded(app, before)
            os.replace(other, app.path)
            for ending in ("-wal", "-shm"):
                Path(f"{app.path}{ending}").unlink(missing_ok=True)
            wait_until_recorded(app, wanted)
    assert [each["kind"] for each in app.json("coverage")["gaps"]] == ["replaced"]


def test_a_database_without_a_log_is_recorded_as_it_is_seen(app: Versioned) -> None:
    with writing(app.path) as writer:
        with watcher(app, "--every", "5ms"):
            seen = []
            for at in range(6):
                seen.append(writer.transaction((f"INSERT INTO notes VALUES({at + 10}, 'x', 'y')", ())))
                if at % 2:
                    wait_until_recorded(app, seen[-1])
        told = app.json("coverage")
        assert told["transactions"] == 6
        found = states(app)
        assert found[-1] == seen[-1]
        assert [state for state in found if state in seen] == found[1:]
        assert all(each["kind"] == "seen" and each["transactions"] > 1 for each in told["gaps"])


def test_the_timeline_follows_the_branch(app: Versioned) -> None:
    with writing(app.path) as writer:
        assert writer.run("PRAGMA journal_mode=WAL") == ""
        with watcher(app, "--every", "5ms"):
            on_main = writer.transaction(("INSERT INTO notes VALUES(10, 'main', '')", ()))
            app.commit("on main")
            app.ok("switch", "-c", "side")
            on_side = writer.transaction(("INSERT INTO notes VALUES(11, 'side', '')", ()))
            wait_until_recorded(app, on_side)
            app.commit("on side")
            app.ok("switch", "main")
            wait_until_recorded(app, on_main)
            again = writer.transaction(("INSERT INTO notes VALUES(12, 'main again', '')", ()))
            wait_until_recorded(app, again)
    assert without_repeats(states(app))[-2:] == [on_main, again]
    assert without_repeats(states(app, "refs/heads/side")) == [on_main, on_side]
    with opened(app) as repository:
        kinds = [each.kind for each in entries(repository, line_of(repository))]
        assert kinds.count(Kind.ARRIVED) == 1
        assert kinds[-1] is Kind.TRANSACTION
    assert app.json("coverage")["gaps"] == []


def test_a_command_of_isovc_is_known_as_such(app: Versioned) -> None:
    with writing(app.path) as writer:
        assert writer.run("PRAGMA journal_mode=WAL") == ""
        before = writer.run(see=True)
        with watcher(app, "--every", "5ms"):
            writer.transaction(("DELETE FROM notes", ()))
            app.ok("reset", "--hard", "HEAD")
            wait_until_recorded(app, before)
    newest = app.json("op", "log")[0]
    with opened(app) as repository:
        found = entries(repository, line_of(repository))
        assert [each.operation is not None for each in found] == [False, False, True]
    assert newest["command"] == "reset"


def test_a_renamed_branch_takes_its_timeline_along(app: Versioned) -> None:
    with writing(app.path) as writer:
        assert writer.run("PRAGMA journal_mode=WAL") == ""
        with watcher(app, "--every", "5ms"):
            wait_until_recorded(app, writer.transaction(("DELETE FROM notes WHERE id = 1", ())))
            app.ok("branch", "-m", "trunk")
            last = writer.transaction(("DELETE FROM notes WHERE id = 2", ()))
            wait_until_recorded(app, last)
    assert len(states(app, "refs/heads/trunk")) == 3


def test_undo_of_a_renaming_takes_the_timeline_back(app: Versioned) -> None:
    with writing(app.path) as writer:
        assert writer.run("PRAGMA journal_mode=WAL") == ""
        with watcher(app, "--every", "5ms"):
            wait_until_recorded(app, writer.transaction(("DELETE FROM notes WHERE id = 1", ())))
            app.ok("branch", "-m", "trunk")
            on_trunk = writer.transaction(("INSERT INTO notes VALUES(7, 'on trunk', '')", ()))
            wait_until_recorded(app, on_trunk)
            app.ok("undo")
            last = writer.transaction(("INSERT INTO notes VALUES(8, 'back on main', '')", ()))
            wait_until_recorded(app, last)
    assert states(app)[-2:] == [on_trunk, last]
    assert app.refused("coverage", "trunk") == "nothing-watched"
    assert app.json("coverage")["gaps"] == []


def test_gc_beside_a_watcher_takes_nothing_that_is_needed(app: Versioned) -> None:
    large = "x" * 20_000  # kept beside its row
    with writing(app.path) as writer:
        _prepared(writer)
        seen = [writer.run(see=True)]
        with watcher(app, "--every", "5ms"):
            for at in range(12):
                seen.append(writer.transaction((f"INSERT INTO plain VALUES({at}, {at}, '{at}{large}')", ())))
                if at % 4 == 1:
                    app.ok("gc", "--yes")
                    assert writer.run("PRAGMA wal_checkpoint(PASSIVE)") == ""
            wait_until_recorded(app, seen[-1])
            app.ok("gc", "--yes")
            seen.append(writer.transaction(("DELETE FROM plain WHERE id = 3", ())))
            wait_until_recorded(app, seen[-1])
    app.ok("gc", "--yes")
    assert without_repeats(states(app)) == without_repeats(seen)
    assert app.json("fsck")["damages"] == []


def test_a_transaction_larger_than_the_cache_is_one_entry(app: Versioned) -> None:
    with writing(app.path) as writer:
        _prepared(writer)
        writer.run("PRAGMA cache_size=20", "PRAGMA cache_spill=20")
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) "
        with watcher(app, "--every", "5ms"):
            seen = [writer.transaction(("INSERT INTO plain VALUES(0, 0, 'before')", ()))]
            many = (f"INSERT INTO plain {numbers} SELECT i, i, hex(zeroblob(100)) FROM n", ())
            writer.run("BEGIN", many, "ROLLBACK")
            seen.append(writer.transaction(many))
            seen.append(writer.transaction(("UPDATE plain SET a = -1 WHERE id = 4500", ())))
            wait_until_recorded(app, seen[-1])
    assert states(app)[-3:] == seen
    told = app.json("coverage")
    assert (told["transactions"], told["gaps"]) == (3, [])


def test_a_daemon_begins_and_ends(app: Versioned) -> None:
    with writing(app.path) as writer:
        assert writer.run("PRAGMA journal_mode=WAL") == ""
        pid = app.json("watch", "--daemon")["pid"]
        try:
            assert app.json("watch", "status")["watching"]
            last = writer.transaction(("DELETE FROM notes WHERE id = 1", ()))
            wait_until_recorded(app, last)
        finally:
            assert app.json("watch", "stop")["pid"] == pid
    assert not app.json("watch", "status")["watching"]
    assert "ended after 1 transaction" in (app.folder / "watch-1.log").read_text()


def test_bad_words(app: Versioned) -> None:
    for every in ("soon", "0ms", "2h", "-1s", "20", ""):
        assert app.refused("watch", "--every", every, code=2) == "bad-interval"
    assert app.refused("watch", "stop") == "not-watched"
    assert app.refused("coverage") == "nothing-watched"
    assert app.refused("coverage", "nowhere") == "nothing-watched"
    assert not app.json("watch", "status")["watching"]
    for policy in ("", "all", "all 7", "1 per minute 30d, all 7d", "all 7d, 1 per hour 1d", "2 per hour 1y", "all 7d,"):
        assert app.refused("config", "watch.keep", policy, code=2) == "bad-setting"
    assert app.json("config", "watch.keep", "all 1d, 1 per day 5y")["value"] == "all 1d, 1 per day 5y"


def test_a_database_that_is_gone_is_waited_for(app: Versioned, tmp_path: Path) -> None:
    aside = tmp_path / "aside.db"
    with watcher(app, "--every", "5ms"):
        shutil.move(app.path, aside)
        wait_for(lambda: "trying again" in (app.folder / "watch-1.log").read_text())
        shutil.move(aside, app.path)
        with writing(app.path) as writer:
            wait_until_recorded(app, writer.transaction(("DELETE FROM notes WHERE id = 1", ())))


def test_what_was_damaged_is_named(app: Versioned) -> None:
    with writing(app.path) as writer:
        _prepared(writer)
        with watcher(app):
            wait_until_recorded(app, writer.transaction(("INSERT INTO plain VALUES(1, 1, 'x')", ())))
    assert app.json("fsck")["damages"] == []
    store = app.at(app.folder / "store.db")
    for harm in (
        "UPDATE timeline_pack SET body = zeroblob(length(body))",
        "DELETE FROM timeline_pack",
        "UPDATE timeline SET next = next + 1",
        "DELETE FROM timeline_root",
    ):
        shutil.copy(store.path, store.path.with_suffix(".kept"))
        store.sql(harm)
        assert app.run("fsck").code == 4, harm
        shutil.copy(store.path.with_suffix(".kept"), store.path)
        for ending in ("-wal", "-shm"):
            Path(f"{store.path}{ending}").unlink(missing_ok=True)
