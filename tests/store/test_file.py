"""store.db as a file: made whole, opened only if it is ours, errors of the disk as sentences."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from isovc import errors
from isovc.store import SqliteChunks, StoreFile
from isovc.store.check import check
from isovc.store.schema import APPLICATION_ID, PAGE_SIZE, STEPS
from tests.store.contents import leaf, store

FIXTURES = Path(__file__).parents[2] / "fixtures" / "stores"
ROOT = Path(__file__).parents[2]


def pragma(path, name):
    with sqlite3.connect(path) as db:
        value = db.execute(f"PRAGMA {name}").fetchone()[0]
    db.close()
    return value


def test_a_new_store_says_what_it_is(file):
    file.close()
    assert pragma(file.path, "application_id") == APPLICATION_ID
    assert pragma(file.path, "user_version") == len(STEPS)
    assert pragma(file.path, "page_size") == PAGE_SIZE
    assert pragma(file.path, "journal_mode") == "wal"
    assert pragma(file.path, "auto_vacuum") == 2  # incremental
    assert [path.name for path in file.path.parent.iterdir()] == ["store.db"]


def test_every_connection_syncs_each_commit(file):
    with file.reading() as db:
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # full


def test_what_stands_there_already_is_left_alone(tmp_path):
    path = tmp_path / "store.db"
    path.write_text("precious")
    with pytest.raises(errors.StoreExists) as refused:
        StoreFile.create(path)
    assert str(path) in refused.value.message and refused.value.hint
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_store_cannot_be_made_in_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(errors.StoreMissing):
        StoreFile.create(tmp_path / "none" / "store.db")


def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    path = tmp_path / "store.db"
    StoreFile.create(path).close()
    with pytest.raises(errors.StoreExists):
        StoreFile.create(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.EROFS, errors.NoPermission),
        (errno.EACCES, errors.NoPermission),
        (errno.EDQUOT, errors.DiskFull),
        (errno.ENOSPC, errors.DiskFull),
        (errno.EIO, errors.DiskFailed),
    ],
)
def test_what_the_system_refuses_is_a_sentence(tmp_path, monkeypatch, number, error):
    def refuse(self, target):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with pytest.raises(error) as raised:
        StoreFile.create(tmp_path / "store.db")
    assert str(tmp_path / "store.db") in raised.value.message and raised.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.needs("strace")
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync,fsync", "link,linkat", "rename", "unlink,unlinkat"])
def test_killed_while_it_is_made_there_is_no_store_or_a_whole_one(tmp_path, call):
    """The process is killed at its 1st, 2nd, ... call of a kind."""
    code = (
        "import sys; from pathlib import Path; from isovc.store import StoreFile; StoreFile.create(Path(sys.argv[1]))"
    )
    for number in (1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 36, 48, 64, 90, 200):
        path = tmp_path / str(number) / "store.db"
        path.parent.mkdir()
        kill = f"inject={call}:signal=SIGKILL:when={number}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        strace = ["strace", "-f", "-o", tmp_path / "trace", "-e", f"trace={call}", "-e", kill]
        done = subprocess.run([*strace, sys.executable, "-B", "-c", code, path], check=False, cwd=ROOT, env=environment)
        if path.exists():
            file = StoreFile(path)
            assert check(SqliteChunks(file)).clean
            file.close()
        if done.returncode == 0:
            return
    pytest.fail("it was killed each time")


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"", errors.NotOurs, "empty"),
        (b"dear diary", errors.NotOurs, "not an SQLite database"),
        (b"dear diary\n" * 9000, errors.NotOurs, "not an SQLite database"),
        (bytes(200_000), errors.NotOurs, "not an SQLite database"),
        (b"SQLite format 3\0", errors.NotOurs, "not an SQLite database"),
    ],
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, content, error, says):
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(error, match=says) as refused:
        StoreFile(path)
    assert str(path) in refused.value.message and refused.value.hint
    assert path.read_bytes() == content


def test_where_nothing_is_there_is_no_store(tmp_path):
    with pytest.raises(errors.StoreMissing, match="does not exist"):
        StoreFile(tmp_path / "store.db")
    with pytest.raises(errors.StoreMissing):
        StoreFile(tmp_path / "none" / "store.db")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_or_a_pipe_is_no_store(tmp_path):
    with pytest.raises(errors.NotOurs, match="folder"):
        StoreFile(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(errors.NotOurs, match="no ordinary file"):
        StoreFile(tmp_path / "pipe")


@pytest.mark.parametrize("application", [0, 0x0F055112])
def test_another_programs_database_is_refused_and_left_alone(tmp_path, application):
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA application_id = {application}")
        db.execute("CREATE TABLE chunk(seq INTEGER PRIMARY KEY)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(errors.NotOurs, match="another program" if application else "no mark of ours"):
        StoreFile(path)
    assert path.read_bytes() == before


def test_a_newer_store_is_refused_and_left_alone(file):
    file.close()
    with sqlite3.connect(file.path) as db:
        db.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
        db.execute("CREATE TABLE newer(a)")
    db.close()
    with pytest.raises(errors.FormatTooNew) as refused:
        StoreFile(file.path)
    assert (refused.value.version, refused.value.readable) == (len(STEPS) + 1, len(STEPS))
    assert "upgrade" in refused.value.hint


@pytest.mark.parametrize("header", ["user_version = 5", "user_version = 260", "application_id = 7"])
def test_our_own_tables_under_a_header_that_is_not_ours_are_damage(file, header):
    file.close()
    with sqlite3.connect(file.path) as db:
        db.execute(f"PRAGMA {header}")
    db.close()
    with pytest.raises(errors.StoreDamaged, match="something else"):
        StoreFile(file.path)


OLD = sorted(FIXTURES.glob("version-*.db"))


def test_there_is_an_old_store_for_every_released_version():
    assert [path.stem for path in OLD] == [f"version-{number}" for number in range(1, len(OLD) + 1)]
    assert len(OLD) >= 1


@pytest.mark.parametrize("old", OLD, ids=lambda path: path.stem)
def test_an_older_store_is_brought_up_to_date_and_keeps_its_chunks(tmp_path, old):
    path = tmp_path / "store.db"
    shutil.copyfile(old, path)
    file = StoreFile(path)
    chunks = SqliteChunks(file)
    assert check(chunks).clean
    ids = list(chunks.ids())
    assert len(ids) == 12 and {content[:1] for content in chunks.get_many(ids)} == {b"\x01", b"\x03"}
    assert store(chunks, leaf(99))[0] in set(chunks.ids())
    file.close()
    assert pragma(path, "user_version") == len(STEPS)


@pytest.mark.parametrize("version", range(len(STEPS) + 1))
def test_every_version_leads_to_the_same_tables(tmp_path, monkeypatch, version):
    listing = "SELECT name, sql FROM sqlite_schema ORDER BY name"
    fresh = StoreFile.create(tmp_path / "fresh.db")
    with fresh.reading() as db:
        wanted = db.execute(listing).fetchall()
    fresh.close()
    with monkeypatch.context() as older:
        older.setattr("isovc.store.database.STEPS", STEPS[:version])
        StoreFile.create(tmp_path / "store.db").close()
    assert pragma(tmp_path / "store.db", "user_version") == version
    file = StoreFile(tmp_path / "store.db")
    with file.reading() as db:
        assert db.execute(listing).fetchall() == wanted
    file.close()


def test_an_upgrade_that_fails_changes_nothing(tmp_path, monkeypatch):
    StoreFile.create(tmp_path / "store.db").close()
    with monkeypatch.context() as newer:
        newer.setattr("isovc.store.database.STEPS", (*STEPS, "CREATE TABLE one(a);\nCREATE TABLE one(a);\n"))
        with pytest.raises(errors.StoreDamaged):
            StoreFile(tmp_path / "store.db")
    file = StoreFile(tmp_path / "store.db")
    assert check(SqliteChunks(file)).clean
    file.close()


def test_several_that_upgrade_at_once_agree(tmp_path):
    path = tmp_path / "store.db"
    shutil.copyfile(OLD[0], path)
    failures = []

    def work():
        try:
            StoreFile(path).close()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert pragma(path, "user_version") == len(STEPS)


# -- what the system refuses -------------------------------------------------------------------------------------------


@pytest.fixture
def open_folder():
    """A folder that others may enter; pytest's own are private."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def as_somebody_else():
    """Root may do everything, so root becomes another user for the block."""
    root = os.geteuid() == 0
    if root:
        os.setegid(65534)
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)


def test_without_permission_nothing_is_made(open_folder):
    open_folder.chmod(0o555)
    with as_somebody_else(), pytest.raises(errors.NoPermission, match="create"):
        StoreFile.create(open_folder / "store.db")
    assert list(open_folder.iterdir()) == []


@pytest.mark.parametrize("what", ["the file", "the folder"])
def test_without_permission_nothing_is_read(open_folder, what):
    file = StoreFile.create(open_folder / "store.db")
    file.close()
    (file.path if what == "the file" else open_folder).chmod(0)
    with as_somebody_else(), pytest.raises(errors.NoPermission) as refused:
        StoreFile(file.path)
    assert str(file.path) in refused.value.message and "owner and mode" in refused.value.hint
    open_folder.chmod(0o755)


def test_without_permission_nothing_is_written(open_folder):
    file = StoreFile.create(open_folder / "store.db")
    kept = store(SqliteChunks(file), leaf(1))
    # an open store keeps its log and index beside it, so that others can read; without them a folder that may not be
    # written is refused when the store is opened
    for path in open_folder.iterdir():
        path.chmod(0o444)
    open_folder.chmod(0o555)
    with as_somebody_else():
        other = StoreFile(file.path)
        chunks = SqliteChunks(other)
        assert chunks.get_many(kept) == [leaf(1)]
        with pytest.raises(errors.NoPermission, match="write"):
            store(chunks, leaf(2))
        other.close()
    open_folder.chmod(0o755)
    assert list(SqliteChunks(file).ids()) == kept
    file.close()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of four MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "isovc-test", place], check=False)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_a_sentence_and_loses_nothing(small_disk):
    file = StoreFile.create(small_disk / "store.db")
    chunks = SqliteChunks(file)
    kept = store(chunks, leaf(1))
    before = set(threading.enumerate())
    with pytest.raises(errors.DiskFull) as full, chunks.writing() as writer:
        for _ in range(100):
            writer.put(b"\x03" + os.urandom(100_000))
    assert str(file.path) in full.value.message and "space" in full.value.hint
    assert set(threading.enumerate()) == before
    assert chunks.get_many(kept) == [leaf(1)]
    file.close()
    file = StoreFile(small_disk / "store.db")
    chunks = SqliteChunks(file)
    assert check(chunks).clean and set(kept) <= set(chunks.ids())
    chunks.get_many(list(chunks.ids()))
    file.close()


@pytest.mark.parametrize("left", [0, 4096, 65536, 200_000])
def test_a_store_cannot_be_made_on_a_full_disk(small_disk, left):
    (small_disk / "ballast").write_bytes(bytes((4 << 20) - left))
    with pytest.raises(errors.DiskFull):
        StoreFile.create(small_disk / "store.db")
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_a_store_on_a_full_disk_can_be_opened_once_there_is_space(small_disk):
    file = StoreFile.create(small_disk / "store.db")
    kept = store(SqliteChunks(file), leaf(1))
    file.close()
    free = shutil.disk_usage(small_disk).free
    (small_disk / "ballast").write_bytes(bytes(free))
    with pytest.raises(errors.DiskFull):
        StoreFile(small_disk / "store.db")
    (small_disk / "ballast").unlink()
    file = StoreFile(small_disk / "store.db")
    assert SqliteChunks(file).get_many(kept) == [leaf(1)]
    file.close()


def test_a_file_that_may_not_grow_is_a_sentence_and_loses_nothing(chunks):
    kept = store(chunks, leaf(1))
    with chunks.file.reading() as db:
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0] + 1}")
    with pytest.raises(errors.DiskFull):
        store(chunks, b"\x03" + os.urandom(500_000))
    assert list(chunks.ids()) == kept
    assert check(chunks).clean


def test_a_disk_that_fails_is_a_sentence(tmp_path):
    """A limit on the size of files stands for the disk: SQLite is told that a write failed, and not that it is full."""
    code = """
import os, resource, sys
from pathlib import Path
from isovc.errors import IsovcError
from isovc.store import SqliteChunks, StoreFile
chunks = SqliteChunks(StoreFile.create(Path(sys.argv[1])))
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    with chunks.writing() as writer:
        for _ in range(100):
            writer.put(os.urandom(100_000))
except IsovcError as error:
    print(type(error).__name__, error.exit_code)
"""
    path = tmp_path / "store.db"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, path], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("DiskFailed 4\n", "")
    file = StoreFile(path)
    assert check(SqliteChunks(file)).problems == ()
    file.close()


# -- transactions ------------------------------------------------------------------------------------------------------


def test_a_block_of_reading_sees_one_moment(file):
    other = StoreFile(file.path)
    with file.reading() as db:
        before = db.execute("SELECT count(*) FROM chunk").fetchone()
        store(SqliteChunks(other), leaf(1))
        with file.reading() as inner:
            assert inner.execute("SELECT count(*) FROM chunk").fetchone() == before
        assert db.execute("SELECT count(*) FROM chunk").fetchone() == before
    with file.reading() as db:
        assert db.execute("SELECT count(*) FROM chunk").fetchone() == (1,)
    other.close()


def test_a_transaction_that_fails_keeps_nothing(file):
    with pytest.raises(KeyboardInterrupt), file.transaction() as db:
        db.execute("INSERT INTO fact VALUES('a', 1)")
        raise KeyboardInterrupt
    with file.transaction() as db:
        assert db.execute("SELECT count(*) FROM fact WHERE name = 'a'").fetchone() == (0,)


@pytest.mark.parametrize("outer", ["reading", "transaction"])
def test_a_transaction_inside_another_block_is_a_mistake_that_shows(file, outer):
    with getattr(file, outer)() as db:
        with pytest.raises(AssertionError), file.transaction():
            pass
        assert db.in_transaction
    with file.transaction() as db:
        db.execute("INSERT INTO fact VALUES('a', 1)")


def test_a_mistake_of_ours_is_not_called_damage(file):
    with pytest.raises(sqlite3.ProgrammingError), file.reading() as db:
        db.execute("SELECT ?", ())


def test_a_thread_that_ends_gives_its_connection_back(file):
    def count():
        return len(list(Path("/proc/self/fd").iterdir()))

    def work():
        with file.reading() as db:
            db.execute("SELECT count(*) FROM chunk").fetchall()
        file.release()

    def run():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    run()
    before = count()
    for _ in range(5):
        run()
    assert count() == before
    file.release()
    file.release()  # nothing to give back is no error
    with file.reading() as db:
        assert db.execute("SELECT count(*) FROM chunk").fetchone() == (0,)
