"""The process that goes on holding a log when its watcher was killed: what it keeps, and when it lets go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from isovc.sources.sqlite import companion
from isovc.sources.sqlite.companion import Companion, accompanied
from tests.sources.writer import Writer, writing
from tests.watched import companions_of, has_ended, wait_for


@contextmanager
def a_log(path: Path) -> Iterator[Writer]:
    with writing(path) as writer:
        assert writer.run("CREATE TABLE plain(a)", "PRAGMA journal_mode=WAL", "PRAGMA busy_timeout=0") == ""
        yield writer


def held(path: Path) -> tuple[Companion, int]:
    """One that holds and is known to; and its process."""
    found = Companion(path, path.with_suffix(".hold"), busy_seconds=5)
    wait_for(found.is_new)
    moved_on(found)
    assert not found.is_new()
    [pid] = companions_of(os.getpid())
    return found, pid


def moved_on(one: Companion) -> None:
    one.renew()
    one.held()
    one.let_go()


def is_emptied(writer: Writer, path: Path) -> bool:
    """Whether the log can be emptied, when somebody tries."""
    assert writer.run("INSERT INTO plain VALUES(1)", "PRAGMA wal_checkpoint(TRUNCATE)") in ("", "database is locked")
    return Path(f"{path}-wal").stat().st_size == 0


def test_it_holds_until_it_is_relieved(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with a_log(path) as writer:
        assert is_emptied(writer, path)
        one, pid = held(path)
        assert not is_emptied(writer, path)
        one.abandon()
        assert not is_emptied(writer, path)
        with accompanied(path, path.with_suffix(".hold"), busy_seconds=5) as other:
            wait_for(other.is_new)
            assert not has_ended(pid)
            moved_on(other)
            wait_for(lambda: has_ended(pid))
            assert not is_emptied(writer, path)
        assert is_emptied(writer, path)


def test_it_moves_on_as_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with a_log(path) as writer:
        one, _ = held(path)
        for _ in range(3):
            assert not is_emptied(writer, path)
            moved_on(one)
            # all of the log that it holds may go into the file now, though the log may not begin again
            assert writer.run("PRAGMA wal_checkpoint(PASSIVE)") == ""
        one.close()
        assert is_emptied(writer, path)
        assert companions_of(os.getpid()) == []


def test_an_error_is_no_goodbye(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with a_log(path) as writer:
        with pytest.raises(KeyError), accompanied(path, path.with_suffix(".hold"), busy_seconds=5) as one:
            wait_for(one.is_new)
            moved_on(one)
            raise KeyError
        [pid] = companions_of(os.getpid())
        assert not is_emptied(writer, path)
        path.with_suffix(".hold").unlink()
        wait_for(lambda: has_ended(pid))
        assert is_emptied(writer, path)


def test_one_that_died_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companion, "_AGAIN", 0.0)
    path = tmp_path / "app.db"
    with a_log(path) as writer:
        one, pid = held(path)
        os.kill(pid, 9)
        moved_on(one)
        name = path.with_suffix(".hold")
        name.unlink()
        wait_for(one.is_new)
        moved_on(one)
        assert name.exists()
        assert not is_emptied(writer, path)
        one.close()


def test_its_time_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companion, "ALONE_SECONDS", 0.2)
    path = tmp_path / "app.db"
    with a_log(path) as writer:
        one, pid = held(path)
        one.abandon()
        wait_for(lambda: has_ended(pid))
        assert is_emptied(writer, path)


def test_the_log_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companion, "MOST_FRAMES", 50)
    path = tmp_path / "app.db"
    with a_log(path) as writer:
        one, pid = held(path)
        one.abandon()
        for _ in range(60):
            assert writer.run("INSERT INTO plain VALUES(2)") == ""
        wait_for(lambda: has_ended(pid))
        assert is_emptied(writer, path)


@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_is_no_longer_there_is_not_held(tmp_path: Path, replaced: bool) -> None:
    path, other = tmp_path / "app.db", tmp_path / "other.db"
    with a_log(other), a_log(path):
        one, pid = held(path)
        one.abandon()
        os.replace(path, tmp_path / "aside.db")
        if replaced:
            os.replace(other, path)
        wait_for(lambda: has_ended(pid))


def test_a_database_without_a_log_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with writing(path) as writer:
        assert writer.run("CREATE TABLE plain(a)", "PRAGMA busy_timeout=0") == ""
        one = Companion(path, path.with_suffix(".hold"), busy_seconds=5)
        wait_for(lambda: one.is_new() or companions_of(os.getpid()) == [])
        assert writer.run("INSERT INTO plain VALUES(1)") == ""
        one.close()
    assert not path.with_suffix(".hold").exists()
