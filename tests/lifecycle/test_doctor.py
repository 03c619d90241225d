"""isovc doctor: every finding is provoked for real, changes nothing, and leaves the looks behind it alone."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from isovc.cli.main import main
from isovc.lifecycle.doctor import machine
from isovc.lifecycle.doctor.finding import Finding, looked, ok
from tests.versioned import ROOT, Ended, Versioned
from tests.watched import watcher

Found = list[dict[str, str]]
_ROOT = os.geteuid() == 0


def _doctor(app: Versioned, *, code: int) -> Found:
    ended = app.run("doctor", "--json")
    assert ended.code == code, ended
    document = json.loads(ended.out)
    found: Found = document["findings"]
    assert all(set(each) == {"level", "about", "message", "hint"} for each in found)
    assert all(each["hint"] for each in found if each["level"] != "ok"), found
    assert all("\n" not in each["message"] for each in found)
    assert document["problems"] == sum(each["level"] == "problem" for each in found)
    assert document["damaged"] is (code == 4)
    return found


def _said(app: Versioned, level: str, words: str, *, code: int = 0) -> dict[str, str]:
    found = [each for each in _doctor(app, code=code) if each["level"] != "ok" or level == "ok"]
    one = [each for each in found if each["level"] == level and words in each["message"]]
    assert one, found
    return one[0]


def _levels(found: Found) -> set[str]:
    return {each["level"] for each in found}


def _without_privileges(app: Versioned) -> Found:
    """As somebody whom modes of files concern."""
    strip = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if _ROOT else []
    words = [*strip, sys.executable, "-m", "isovc", "-C", str(app.path), "doctor", "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    found: Found = json.loads(done.stdout)["findings"]
    return found


# -- where all is well, and where there is nothing ---------------------------------------------------------------------


def test_a_sound_repository_has_no_problem(app: Versioned) -> None:
    app.sql("DROP TABLE tags")
    found = _doctor(app, code=0)
    told = {each["about"] for each in found}
    assert {"isovc", "python", "databases", "store", "git", "settings", "store.db", "app.db", "cache"} <= told
    assert _levels(found) == {"ok"}, found
    lines = app.ok("doctor").splitlines()
    assert len(lines) == len(found) + 1 and lines[-1] == "No problem, 0 pieces of advice."


def test_it_changes_nothing(app: Versioned) -> None:
    def state() -> dict[str, bytes]:
        files = (each for each in app.path.parent.rglob("*") if each.is_file())
        return {str(each): each.read_bytes() for each in files if not each.name.endswith(("-shm", ".lock"))}

    app.ok("status")
    before = state()
    app.ok("doctor")
    assert state() == before


def test_outside_a_repository_the_machine_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tmp_path), "doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    assert {each["about"] for each in found} == {"isovc", "python", "databases", "store", "git", "system", "repository"}
    *machine, repository = found
    assert all(each["message"][0] != " " and any(map(str.isdigit, each["message"])) for each in machine)
    assert (repository["level"], repository["hint"]) == ("advice", "isovc init DATABASE makes one")


def test_a_repository_that_is_named_shall_be_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repo", str(tmp_path), "doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][-1]["about"] == "repository"


def test_a_broken_pointer_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".isovc").write_text("nonsense")
    assert main(["-C", str(tmp_path), "doctor"]) in (1, 4)
    assert "problem" in capsys.readouterr().out


def test_the_past_is_not_looked_at(app: Versioned) -> None:
    assert app.run("doctor", "--at-op", "@").code == 2


# -- the database ------------------------------------------------------------------------------------------------------


def test_a_database_that_is_gone(app: Versioned) -> None:
    app.path.rename(app.path.with_name("moved.db"))
    _said(app, "problem", "app.db", code=1)


def test_a_damaged_database(app: Versioned) -> None:
    with app.opened() as db:
        db.executemany("INSERT INTO notes VALUES(?, ?, ?)", [(n, "t", "x" * 900) for n in range(10, 400)])
    size = app.path.stat().st_size
    with app.path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)
    _said(app, "problem", "damaged", code=4)


def _wrong_header(path: Path) -> None:
    """It counts free pages that are not there."""
    with path.open("r+b") as file:
        file.seek(36)
        file.write((9).to_bytes(4, "big"))


def test_a_database_whose_parts_contradict_each_other(app: Versioned) -> None:
    _wrong_header(app.path)
    assert "isovc restore" in _said(app, "problem", "Freelist", code=4)["hint"]


def test_rows_that_break_a_rule_are_no_damage(app: Versioned) -> None:
    app.sql(
        "UPDATE notes SET title = NULL WHERE id = 2; PRAGMA writable_schema=ON;"
        "UPDATE sqlite_schema SET sql = replace(sql, 'title TEXT', 'title TEXT NOT NULL') WHERE name = 'notes'"
    )
    assert "NULL value in notes.title" in _said(app, "advice", "break rules")["message"]


def test_what_is_no_database(app: Versioned) -> None:
    app.path.write_bytes(b"no database at all, by no means, " * 200)
    found = app.run("doctor", "--json")
    assert found.code in (1, 4) and "app.db" in found.out


def test_a_database_that_is_locked(app: Versioned) -> None:
    with app.held("BEGIN EXCLUSIVE"):
        told = _said(app, "problem", "app.db", code=1)
    assert "process" in told["message"] + told["hint"]


def test_who_has_the_database_open(app: Versioned) -> None:
    with app.held("BEGIN"):
        assert "process" in _said(app, "ok", "in use by")["message"]


def test_rows_that_point_to_nothing(app: Versioned) -> None:
    app.sql(
        "CREATE TABLE child(id INTEGER PRIMARY KEY, n REFERENCES notes(id)); INSERT INTO child VALUES(1, 77), (2, 78)"
    )
    assert "2 rows point from child to rows of notes" in _said(app, "advice", "not there")["message"]


def test_a_foreign_key_that_fits_nothing(app: Versioned) -> None:
    app.sql("CREATE TABLE child(n REFERENCES notes(title))")
    assert "foreign key mismatch" in _said(app, "problem", "mismatch", code=1)["message"]


def test_tables_whose_rows_are_named_badly(app: Versioned) -> None:
    app.sql(
        "CREATE TABLE partly(a TEXT, b, PRIMARY KEY(a, b)); INSERT INTO partly VALUES('x', NULL);"
        "CREATE TABLE never(a TEXT, b, PRIMARY KEY(a, b)); INSERT INTO never VALUES('x', 1);"
        "CREATE TABLE other(a TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, b); INSERT INTO other VALUES('x', 1)"
    )
    assert _said(app, "advice", "without a PRIMARY KEY")["message"].endswith(": tags")
    assert _said(app, "advice", "with NULL in the PRIMARY KEY")["message"].endswith(": partly")
    assert _said(app, "advice", "read whole")["message"].endswith(": other")


def test_a_database_in_utf_16_is_read_whole_where_its_keys_are_text(app: Versioned) -> None:
    app.path.unlink()
    app.sql("PRAGMA encoding='UTF-16'; CREATE TABLE t(a TEXT PRIMARY KEY NOT NULL); INSERT INTO t VALUES('x')")
    assert "UTF-16" in _said(app, "ok", "pages of")["message"]
    assert _said(app, "advice", "read whole")["message"].endswith(": t")


def test_many_tables_are_named_in_part(app: Versioned) -> None:
    app.sql(";".join(f"CREATE TABLE t{n}(a)" for n in range(9)))
    assert "and 5 more" in _said(app, "advice", "without a PRIMARY KEY")["message"]


def test_pages_that_hold_nothing(app: Versioned) -> None:
    with app.opened() as db:
        db.execute("CREATE TABLE big(id INTEGER PRIMARY KEY, a)")
        db.executemany("INSERT INTO big(a) VALUES(?)", [("x" * 4000,)] * 1500)
        db.execute("DELETE FROM big")
    assert "VACUUM" in _said(app, "advice", "hold nothing")["hint"]


def test_pages_that_are_small(app: Versioned) -> None:
    app.sql("PRAGMA page_size=512; VACUUM; CREATE TABLE big(id INTEGER PRIMARY KEY, a)")
    with app.opened() as db:
        db.executemany("INSERT INTO big(a) VALUES(?)", [("x" * 400,)] * 1500)
    assert "page_size=4096" in _said(app, "advice", "512 bytes")["hint"]


def test_a_log_that_grows(app: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isovc.lifecycle.doctor.database._LONG_LOG", 100_000)
    app.sql("PRAGMA journal_mode=WAL")
    with app.held("BEGIN"):
        with app.opened() as db:
            db.execute("CREATE TABLE big(id INTEGER PRIMARY KEY, a)")
            db.executemany("INSERT INTO big(a) VALUES(?)", [("x" * 4000,)] * 100)
        found = _said(app, "advice", "not folded back")
        assert "process" in found["message"] and found["hint"].startswith(
            "end what reads or writes there, then sqlite3 "
        )


def test_what_would_not_come_back(app: Versioned) -> None:
    with app.opened() as db:
        db.create_function("odd", 1, lambda value: True, deterministic=True)
        db.execute("CREATE TABLE o(id INTEGER PRIMARY KEY, a CHECK (odd(a)))")
    assert "o" in _said(app, "advice", "function odd")["message"]


def test_a_table_whose_rows_cannot_be_reached(app: Versioned) -> None:
    with app.opened() as db:
        db.create_collation("odd", lambda one, other: (one > other) - (one < other))
        db.execute("CREATE TABLE o(a TEXT COLLATE odd PRIMARY KEY NOT NULL) WITHOUT ROWID")
    assert "odd" in _said(app, "problem", "collation", code=1)["message"]


# -- the store, and what lies beside it --------------------------------------------------------------------------------


def test_a_store_that_is_no_database(app: Versioned) -> None:
    store = app.folder / "store.db"
    store.write_bytes(b"\x00" * store.stat().st_size)
    for each in ("-wal", "-shm"):
        store.with_name(f"store.db{each}").unlink(missing_ok=True)
    found = app.run("doctor", "--json")
    assert found.code == 4
    told = [each for each in json.loads(found.out)["findings"] if each["level"] == "problem"]
    assert [each["about"] for each in told] == ["store.db"]


def test_a_store_with_a_damaged_page(app: Versioned) -> None:
    store = app.folder / "store.db"
    with closing(sqlite3.connect(store)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'chunk'").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    with store.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 200)
    _said(app, "problem", "", code=4)


def test_a_store_whose_parts_contradict_each_other(app: Versioned) -> None:
    with closing(sqlite3.connect(app.folder / "store.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _wrong_header(app.folder / "store.db")
    told = _said(app, "problem", "reelist", code=4)  # two libraries, two spellings
    assert told["about"] == "store.db" and "***" not in told["message"]


def test_a_store_that_is_missing(app: Versioned) -> None:
    (app.folder / "store.db").unlink()
    for each in ("-wal", "-shm"):
        (app.folder / f"store.db{each}").unlink(missing_ok=True)
    assert app.run("doctor").code in (1, 4)


def test_a_git_folder_that_is_missing(app: Versioned) -> None:
    shutil.rmtree(app.folder / "git")
    found = _doctor(app, code=4)
    assert any(each["about"] == "app.db" and each["level"] == "ok" for each in found)  # the rest is told all the same


def test_everything_is_locked(app: Versioned) -> None:
    script = (
        "import sqlite3, sys\n"
        "for path in sys.argv[1:]:\n"
        "    db = sqlite3.connect(path, isolation_level=None); globals()[path] = db\n"
        "    db.execute('PRAGMA locking_mode=EXCLUSIVE'); db.execute('BEGIN EXCLUSIVE')\n"
        "print(flush=True); sys.stdin.read()"
    )
    words = ["python3", "-c", script, str(app.folder / "store.db"), str(app.path)]
    locks = [os.open(app.folder / name, os.O_RDWR | os.O_CREAT) for name in ("commands.lock", "gc.lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        for each in locks:
            fcntl.flock(each, fcntl.LOCK_EX)
        try:
            told = _said(app, "problem", "", code=1)
            assert told["about"] == "store.db"
            assert "process" in _said(app, "ok", "in use by", code=1)["message"]
        finally:
            for each in locks:
                os.close(each)
            other.communicate()


def test_loose_objects_that_are_never_packed(app: Versioned) -> None:
    app.ok("config", "history.pack_after", "1")
    _said(app, "advice", "loose objects")


def test_locks_of_git_that_were_left(app: Versioned) -> None:
    (app.folder / "git" / "packed-refs.lock").touch()
    assert "packed-refs.lock" in _said(app, "advice", "or was killed")["message"]


def test_a_cache_that_is_too_large(app: Versioned) -> None:
    app.ok("config", "sql.cache", "1")
    (app.folder / "cache" / "sql").mkdir(exist_ok=True)
    (app.folder / "cache" / "sql" / "x").write_bytes(b"x" * (2 << 20))
    assert "cache" in _said(app, "advice", "queries shall leave")["hint"]


def test_much_to_clean_up_where_nobody_cleans(app: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isovc.lifecycle.paying._LEAST", 1)
    app.ok("config", "gc.auto", "false")
    assert _said(app, "advice", "gc.auto is off")["hint"] == "isovc gc"


def test_a_store_whose_log_grows(app: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isovc.lifecycle.doctor.repository._LONG_LOG", 0)
    with Versioned(app.folder / "store.db").held("BEGIN"):
        app.ok("commit", "-m", "x", "--allow-empty")
        _said(app, "advice", "its log has")


def test_a_version_of_the_future(app: Versioned) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("isovc.cli.who.present", lambda: datetime.now(UTC) + timedelta(days=900))
        app.run("commit", "--allow-empty", "-m", "from a clock that is ahead")
    assert _said(app, "advice", "in the future")["about"] == "clock"


def test_an_interrupted_command(app: Versioned) -> None:
    app.sql("UPDATE notes SET title = 'x'")
    app.commit()
    app.ok("branch", "old", "HEAD~1")
    with pytest.MonkeyPatch.context() as patch:

        def stopped(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("isovc.workspace.switching.confirm", stopped)
        app.run("switch", "old")
    assert "isovc switch" in _said(app, "advice", "interrupted")["message"]
    app.ok("status")
    assert not any("interrupted" in each["message"] for each in _doctor(app, code=0))


def test_files_of_an_interrupted_command(app: Versioned) -> None:
    app.path.with_name(".app.db.isovc-new").touch()
    (app.path.parent / ".isovc.new-abc").mkdir()
    found = {each["about"] for each in _doctor(app, code=0) if "interrupted" in each["message"]}
    assert found == {"app.db", "left"}


# -- the watcher, the key, the settings --------------------------------------------------------------------------------


def test_a_watcher_at_work_and_one_that_was_killed(app: Versioned) -> None:
    app.sql("PRAGMA journal_mode=WAL")
    with watcher(app) as process:
        assert f"process {process.pid}" in _said(app, "ok", "watched by")["message"]
        process.kill()
        process.wait()
        assert f"process {process.pid}" in _said(app, "advice", "ended without saying so")["message"]


def test_a_key_that_cannot_sign(app: Versioned, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    key = tmp_path / "key.pem"
    app.ok("audit", "keygen", str(key))
    app.ok("config", "audit.key", str(key))
    assert _said(app, "ok", "are signed")["about"] == "audit.key"
    key.chmod(0o644)
    assert "chmod 600" in _said(app, "advice", "others may read")["hint"]
    key.unlink()
    assert "not there" in _said(app, "problem", "key.pem", code=1)["message"]


def test_settings_that_name_nothing(app: Versioned) -> None:
    app.ok("config", "merge.strategy", "nots=ours")
    assert "notes" in _said(app, "advice", "nots")["hint"]


def test_settings_that_cannot_be_read(app: Versioned) -> None:
    (app.folder / "config.toml").write_text("[store\nlevel = ")
    found = _doctor(app, code=1)
    assert any(each["level"] == "problem" and each["about"] == "settings" for each in found)
    assert any(each["about"] == "app.db" for each in found)


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(app: Versioned) -> Path:
    folder = app.path.parent / "files"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    app.ok("config", "attachments", "files")
    return folder


def test_a_folder_of_files(app: Versioned, files: Path) -> None:
    assert _said(app, "ok", "1 file")["about"] == "files/"
    shutil.rmtree(files)
    _said(app, "problem", "is not there", code=1)


def test_names_that_collide_elsewhere(app: Versioned, files: Path) -> None:
    (files / "A.txt").write_text("other")
    (files / unicodedata.normalize("NFC", "é")).write_text("1")
    (files / unicodedata.normalize("NFD", "é")).write_text("2")
    found = [each for each in _doctor(app, code=0) if "one and the same name" in each["message"]]
    assert len(found) == 2


def test_files_that_are_not_kept(app: Versioned, files: Path) -> None:
    os.mkfifo(files / "pipe")
    assert "pipe (it is a pipe)" in _said(app, "problem", "not kept", code=1)["message"]


@pytest.mark.needs("setpriv")
def test_files_that_cannot_be_read(app: Versioned, files: Path) -> None:
    (files / "a.txt").chmod(0)
    told = [each for each in _without_privileges(app) if each["level"] == "problem"]
    assert ["a.txt (there is no permission to read it)" in each["message"] for each in told] == [True]


def test_files_that_an_interrupted_command_left(app: Versioned, files: Path) -> None:
    (files / ".isovc-new").mkdir()
    _said(app, "advice", ".isovc-new")


# -- the disk ----------------------------------------------------------------------------------------------------------


@pytest.mark.needs("mount")
@pytest.mark.skipif(not _ROOT, reason="only the administrator may mount a small disk")
def test_a_disk_that_is_nearly_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], check=True)
    try:
        app = Versioned(disk / "app.db", capsys)
        app.sql("CREATE TABLE t(id INTEGER PRIMARY KEY)")
        app.ok("init", str(app.path))
        (disk / "ballast").write_bytes(b"x" * (40 << 20))
        _said(app, "problem", "are free", code=1)
        (disk / "ballast").write_bytes(b"")
        assert not any(each["level"] == "problem" for each in _doctor(app, code=0))
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_room_for_another_copy(app: Versioned) -> None:
    free = shutil.disk_usage(app.folder).free
    levels = [next(each.level for each in machine.disk(app.folder, needed)) for needed in (0, 2 * free)]
    assert levels == ["ok", "advice"]


@pytest.mark.needs("setpriv")
def test_a_folder_that_cannot_be_written(app: Versioned) -> None:
    app.folder.chmod(0o555)
    try:
        assert any("no right to write" in each["message"] for each in _without_privileges(app))
    finally:
        app.folder.chmod(0o755)


MOUNTS = r"""40 22 0:35 / /mnt/my\040data rw,relatime shared:20 - nfs4 server:/x rw
41 40 0:36 / /mnt/my\040data/near rw,relatime - tmpfs tmpfs rw
22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/a", "ext4"), ("/mnt/my data/x", "nfs4"), ("/mnt/my data2", "ext4"), ("/mnt/my data/near/x", "tmpfs")],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert machine.file_system(Path(path), MOUNTS) == kind
    assert machine.file_system(Path(path), "") == machine.file_system(Path(path), "garbage\n") == ""


def test_a_network_file_system(app: Versioned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # nobody can count on a server here, so the list of the system is another one
    listed = tmp_path / "mountinfo"
    listed.write_text(MOUNTS.replace("ext4", "cifs"))
    monkeypatch.setattr(machine, "_MOUNTS", listed)
    assert "cifs" in _said(app, "advice", "network")["message"]


def test_a_system_that_lists_no_mounts(app: Versioned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_MOUNTS", tmp_path / "nowhere")
    assert "are free" in _said(app, "ok", "are free")["message"]


# -- never a traceback -------------------------------------------------------------------------------------------------


def _nothing(app: Versioned) -> None:
    for each in app.folder.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()


WRECKS: dict[str, Callable[[Versioned], Any]] = {
    "nothing is left": _nothing,
    "a folder is the store": lambda app: ((app.folder / "store.db").unlink(), (app.folder / "store.db").mkdir()),
    "a folder is the database": lambda app: (app.path.unlink(), app.path.mkdir()),
    "a file is the cache": lambda app: (shutil.rmtree(app.folder / "cache"), (app.folder / "cache").touch()),
    "a file is git": lambda app: (shutil.rmtree(app.folder / "git"), (app.folder / "git").touch()),
    "the settings are a folder": lambda app: (
        (app.folder / "config.toml").unlink(),
        (app.folder / "config.toml").mkdir(),
    ),
    "git has no HEAD": lambda app: (app.folder / "git" / "HEAD").write_text("x"),
    "the watcher said nonsense": lambda app: (app.folder / "watch-1.pid").write_text("[]"),
}


@pytest.mark.parametrize("wreck", WRECKS)
def test_whatever_is_wrecked_is_told_in_words(app: Versioned, wreck: str) -> None:
    WRECKS[wreck](app)
    ended: Ended = app.run("doctor", "-v")
    assert ended.code in (0, 1, 4) and "unexpected" not in ended.out + ended.err
    assert app.run("doctor", "--json").code == ended.code


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "/some/file"), "/some/file: Permission denied"),
        (OSError("odd"), "odd"),
        (ZeroDivisionError("two\nlines"), "ZeroDivisionError: two lines"),
    ],
)
def test_a_look_that_fails_is_a_finding_behind_what_was_found(error: Exception, words: str) -> None:
    def look() -> Iterator[Finding]:
        yield ok("x", "seen")
        raise error

    first, last = looked("x", look)
    assert (first.message, last.level, last.about) == ("seen", "problem", "x")
    assert words in last.message and last.hint
