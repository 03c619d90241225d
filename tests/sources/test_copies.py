"""A copy of a file is the whole of one snapshot, on disk, and takes nobody's place."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from isovc import errors
from isovc.sources.sqlite import Database
from tests.sources.files import as_nobody, check, content, make, small_disk

ROWS = """CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE INDEX i ON t (b);
    INSERT INTO t VALUES (1, zeroblob(9000)), (2, 'x')"""


@pytest.mark.parametrize("layout", ["page_size=512", "page_size=65536", "auto_vacuum=2", "journal_mode=WAL"])
def test_a_copy_holds_the_same(tmp_path: Path, layout: str) -> None:
    database = make(tmp_path / "a.db", f"PRAGMA {layout}; {ROWS}")
    database.copy_to(tmp_path / "b.db")
    assert content(Database(tmp_path / "b.db")) == content(database)
    assert (tmp_path / "b.db").read_bytes() == database.path.read_bytes()
    assert check(tmp_path / "b.db") == "ok"


def test_what_is_only_in_the_log_is_copied(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", f"PRAGMA journal_mode=WAL; {ROWS}")
    user = apsw.Connection(str(database.path))
    user.wal_autocheckpoint(0)
    user.execute("UPDATE t SET b = 'new'; INSERT INTO t VALUES (3, zeroblob(70000))")
    user.execute("BEGIN; INSERT INTO t VALUES (4, 'not committed')")
    database.copy_to(tmp_path / "b.db")
    user.execute("ROLLBACK")
    found = content(Database(tmp_path / "b.db"))
    assert found == content(database)
    assert found[1]["t"] == [(1, "new"), (2, "new"), (3, bytes(70000))]
    assert check(tmp_path / "b.db") == "ok"
    user.close()


def test_a_log_of_one_page_is_copied(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t (a)")
    user = apsw.Connection(str(database.path))
    user.execute("INSERT INTO t VALUES ('in the log')")
    with database.reading() as reading:
        assert reading.mark.wal is not None
        assert reading.mark.wal.frames == 1
    database.copy_to(tmp_path / "b.db")
    assert content(Database(tmp_path / "b.db"))[1] == {"t": [(1, "in the log")]}
    user.close()


def test_a_copy_keeps_the_rights_of_its_file_and_its_locks(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", ROWS)
    database.path.chmod(0o640)
    user = apsw.Connection(str(database.path))
    user.execute("BEGIN IMMEDIATE")
    database.copy_to(tmp_path / "b.db")
    assert (tmp_path / "b.db").stat().st_mode & 0o777 == 0o640
    with pytest.raises(errors.DatabaseBusy), Database(database.path, busy_seconds=0.01).writing():
        pass
    user.close()


def test_an_empty_file_is_copied(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    Database(tmp_path / "a.db").copy_to(tmp_path / "b.db")
    assert (tmp_path / "b.db").read_bytes() == b""


@pytest.mark.parametrize("there", ["b.db", "b.db-wal", "b.db-journal"])
def test_nothing_is_overwritten(tmp_path: Path, there: str) -> None:
    database = make(tmp_path / "a.db", ROWS)
    (tmp_path / there).write_text("mine")
    with pytest.raises(errors.DatabaseExists, match=there):
        database.copy_to(tmp_path / "b.db")
    assert (tmp_path / there).read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db", there]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(3000000))")
    with small_disk(tmp_path) as folder:
        with pytest.raises(errors.NoSpace):
            database.copy_to(folder / "b.db")
        assert list(folder.iterdir()) == []


def test_a_folder_without_the_right_to_write_is_named(tmp_path: Path) -> None:
    def copy(folder: Path) -> None:
        Database(folder / "a.db").copy_to(folder / "inner" / "b.db")

    def prepare(folder: Path) -> None:
        make(folder / "a.db", ROWS).path.chmod(0o644)
        (folder / "inner").mkdir(mode=0o555)

    assert as_nobody(prepare, copy) == "database-forbidden"
