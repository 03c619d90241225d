"""Whatever is wrong with the database or its folder is said in one sentence, and changes nothing."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from isovc.cli.main import main
from tests.versioned import ROOT, Versioned


@pytest.fixture
def new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Versioned:
    folder = tmp_path / "new"
    folder.mkdir()
    return Versioned(folder / "new.db", capsys)


def _cannot_begin(new: Versioned, what: str, code: int = 1) -> None:
    assert new.at(new.path.parent).refused("init", new.path.name, code=code) == what
    assert not (new.path.parent / ".isovc").exists()
    assert not list(new.path.parent.glob(".isovc*"))


def test_no_database(new: Versioned) -> None:
    _cannot_begin(new, "no-database")
    assert new.at(new.path.parent).refused("init", code=2) == "which-database"
    assert new.at(new.path.parent).refused("status") == "no-repository"
    assert new.at(new.path.parent / "nowhere").refused("status") == "no-repository"


def test_several_databases(new: Versioned) -> None:
    new.sql("CREATE TABLE t(a)")
    shutil.copy(new.path, new.path.with_name("other.sqlite"))
    assert new.at(new.path.parent).refused("init", code=2) == "which-database"


def test_a_directory(new: Versioned) -> None:
    new.path.mkdir()
    _cannot_begin(new, "not-a-database")


def test_no_database_at_all(new: Versioned) -> None:
    new.path.write_text("some text, long enough to be taken for a page of a database " * 100)
    _cannot_begin(new, "not-a-database")
    new.path.write_bytes(random.Random(1).randbytes(8192))
    _cannot_begin(new, "database-encrypted")


def test_a_name_that_is_no_text(new: Versioned) -> None:
    odd = new.at(new.path.with_name("\udcff.db"))
    new.sql("CREATE TABLE t(a)")
    new.path.rename(odd.path)
    _cannot_begin(odd, "path-not-text")


def test_an_empty_file_is_an_empty_database(new: Versioned) -> None:
    new.path.touch()
    assert main(["init", str(new.path)]) == 0
    assert new.clean
    new.commit("empty")
    new.sql("CREATE TABLE t(a); INSERT INTO t VALUES(1)")
    new.commit("full")
    new.ok("checkout", "HEAD~1")
    assert new.rows("SELECT * FROM sqlite_schema") == []
    new.ok("switch", "main")
    assert new.rows("SELECT a FROM t") == [(1,)]


def test_a_corrupt_database(app: Versioned) -> None:
    app.sql("INSERT INTO notes SELECT id + 100, title, hex(zeroblob(3000)) FROM notes")
    app.commit()
    data = bytearray(app.path.read_bytes())
    data[4096:12288] = b"\x5a" * 8192
    app.path.write_bytes(data)
    assert app.refused("status", code=4) == "database-corrupt"
    assert app.refused("commit", "-m", "x", code=4) == "database-corrupt"
    app.path.write_bytes(b"SQLite format 3\x00" + b"\x00" * 5000)
    assert app.run("status").code in (1, 4)


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_locked_for_long(app: Versioned, mode: str) -> None:
    app.sql(f"PRAGMA journal_mode = {mode}")
    app.sql("UPDATE notes SET body = 'x'")
    app.commit()
    app.ok("config", "busy.seconds", "0.2")
    before = app.json("status")
    with app.held("BEGIN EXCLUSIVE"):
        for words in (["switch", "-c", "x"], ["checkout", "HEAD~1"], ["reset", "--hard", "HEAD~1"]):
            ended = app.run(*words)
            assert ended.code == 5
            assert "python" in ended.err and "process" in ended.err
        if mode == "DELETE":
            assert app.refused("status", code=5) == "database-busy"
        app.ok("log")
    assert app.json("status") == before
    with app.held("BEGIN"):  # a reader keeps nobody from reading
        app.ok("status")
        app.sql("INSERT INTO tags VALUES(8, 'x')") if mode == "WAL" else None
        app.ok("commit", "-m", "beside a reader", "--allow-empty")


_SOMEBODY = """
import importlib, os, pkgutil, sys
import isovc
for module in pkgutil.walk_packages(isovc.__path__, "isovc."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
import encodings.idna, getpass, pwd, socket, traceback
from isovc.cli.main import main
main(["help"])  # whatever is loaded late is loaded while its files can be read
os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.environ["HOME"] = "/nonexistent"
sys.exit(main(sys.argv[1:]))
"""


def _as_somebody_else(app: Versioned, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _SOMEBODY, "-C", str(app.path), *words],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "XDG_CONFIG_HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


@pytest.fixture
def foreign(app: Versioned, tmp_path: Path) -> Versioned:
    """What another user of this machine can come to."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    reach = Path(tmp_path)
    while reach != reach.parent and reach.owner() == "root" and reach != Path("/tmp"):
        reach.chmod(reach.stat().st_mode | 0o755)
        reach = reach.parent
    return app


@pytest.mark.parametrize(
    "words", [["status"], ["commit", "-m", "x"], ["switch", "-c", "x"], ["log"], ["gc"], ["fsck"], ["stats"]]
)
def test_another_user_without_rights(foreign: Versioned, words: list[str]) -> None:
    foreign.sql("DELETE FROM tags")
    before = foreign.dump()
    ended = _as_somebody_else(foreign, *words)
    assert ended.returncode == 1, ended
    assert "permission" in ended.stderr or "read-only" in ended.stderr
    assert "Traceback" not in ended.stderr
    foreign.path.parent.chmod(0o700)
    ended = _as_somebody_else(foreign, *words)
    assert ended.returncode == 1, ended
    assert "permission" in ended.stderr
    assert foreign.dump() == before


def test_another_user_who_may_all(foreign: Versioned) -> None:
    for path in [foreign.path.parent, *foreign.path.parent.rglob("*")]:
        path.chmod(0o777)
    foreign.sql("DELETE FROM tags")
    assert _as_somebody_else(foreign, "commit", "-m", "by nobody").returncode == 0
    assert "nobody" in foreign.json("log")[0]["author"]


def test_a_read_only_file(foreign: Versioned) -> None:
    foreign.sql("DELETE FROM tags")
    foreign.commit()
    for path in foreign.folder.rglob("*"):
        path.chmod(0o777)
    foreign.folder.chmod(0o777)
    foreign.path.chmod(0o444)
    ended = _as_somebody_else(foreign, "checkout", "HEAD~1")
    assert (ended.returncode, "read-only" in ended.stderr or "opened" in ended.stderr) == (1, True), ended


@pytest.mark.parametrize(
    ("script", "function", "what"),
    [
        ("CREATE TABLE t(a TEXT COLLATE mine PRIMARY KEY) WITHOUT ROWID", "collation", "missing-collation"),
        ("CREATE TABLE t(a, b AS (mine(a)) STORED)", "function", None),
        ("CREATE TABLE t(a); CREATE INDEX i ON t(mine(a))", "function", None),
    ],
)
def test_what_only_the_users_program_has(app: Versioned, script: str, function: str, what: str | None) -> None:
    with app.opened() as connection:
        connection.create_collation("mine", lambda a, b: (a > b) - (a < b))
        connection.create_function("mine", 1, lambda a: a, deterministic=True)
        connection.executescript(script)
        connection.execute("INSERT INTO t(a) VALUES('x')")
    ended = app.run("commit", "-m", "x")
    assert ended.code == (1 if what else 0), ended
    if what:
        assert "mine" in ended.err
    else:
        app.ok("checkout", "HEAD~1")
        back = app.run("switch", "main")
        assert back.code == 0 or "mine" in back.err
        assert app.check() == "ok" if back.code == 0 else True
        assert app.run("status").code == 0


def test_a_missing_module_is_said(app: Versioned) -> None:
    with app.opened() as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "INSERT INTO sqlite_schema"
            " VALUES('table', 'odd', 'odd', 0, 'CREATE VIRTUAL TABLE odd USING nothing_known(a)')"
        )
    for words in (["status"], ["commit", "-m", "x"]):
        ended = app.run(*words)
        assert ended.code == 0
        assert ended.err.startswith("warning: ")
        assert "nothing_known" in ended.err
        assert "nothing_known" not in ended.out
        assert app.run(*words, "-q", *["--allow-empty"][: len(words) - 1]).err == ""
    for words in (["status"], ["commit", "-m", "x", "--allow-empty"]):
        ended = app.run(*words, "--json")
        assert "nothing_known" in json.loads(ended.out)["warnings"][0]
        assert ended.err == ""


def test_names_of_every_kind(app: Versioned) -> None:
    names = [
        "a b",
        'quo"te',
        "sel'ect",
        "select",
        "ünï 🐘",
        "semi;colon",
        "--",
        "new\nline",
        "%s{}",
        "[x]",
        "sqlitex",
        "x" * 300,
    ]
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        app.sql(f"CREATE TABLE {quoted}({quoted} PRIMARY KEY, b); INSERT INTO {quoted} VALUES('k', 1)")
        app.sql(f'CREATE INDEX {quoted[:-1]} i" ON {quoted}({quoted})')
        app.sql(f'CREATE VIEW {quoted[:-1]} v" AS SELECT * FROM {quoted}')
    dump = app.dump()
    app.commit("names")
    assert {*names} <= {*app.json("show")["tables"]}
    app.ok("checkout", "HEAD~1")
    assert len(app.json("show")["tables"]) == 2
    app.ok("switch", "main")
    assert sorted(app.dump().splitlines()) == sorted(dump.splitlines())
    app.sql('DELETE FROM "a b"')
    assert app.json("checkout", "HEAD", "-t", "a b")["tables"] == {"a b": {"added": 1, "modified": 0, "removed": 0}}


def test_tables_called_like_sqlites_own(app: Versioned) -> None:
    with app.opened() as connection:
        connection.execute("CREATE TABLE later(a)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET name = 'sqlite_x', tbl_name = 'sqlite_x', sql = 'CREATE TABLE sqlite_x(a)'"
            " WHERE name = 'later'"
        )
    ended = app.run("commit", "-m", "x")
    assert ended.code in (0, 1)
    if ended.code == 0:
        app.run("checkout", "HEAD~1")
        assert app.check() == "ok"
    app.ok("log")


def test_deleted_between_commands(app: Versioned) -> None:
    saved = app.path.read_bytes()
    app.path.unlink()
    for words in (["status"], ["commit", "-m", "x"], ["switch", "-c", "y"], ["reset", "--hard", "HEAD"]):
        assert app.refused(*words) == "no-database"
    for words in (
        ["log"],
        ["show"],
        ["branch"],
        ["tag"],
        ["gc"],
        ["fsck"],
        ["stats"],
        ["config"],
        ["worktree", "list"],
    ):
        app.ok(*words)
    assert not app.path.exists()
    app.path.write_bytes(saved)
    assert app.clean


def test_replaced_between_commands(app: Versioned) -> None:
    app.path.unlink()
    app.sql(
        "CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, body TEXT); INSERT INTO notes VALUES(1, 'other', 'x')"
    )
    assert app.json("status")["tables"] == {
        "notes": {"added": 0, "modified": 1, "removed": 2},
        "tags": {"added": 0, "modified": 0, "removed": 2},
    }
    app.ok("reset", "--hard", "HEAD")
    assert app.rows("SELECT count(*) FROM notes") == [(3,)]
    app.path.unlink()
    with sqlite3.connect(app.path) as connection:
        connection.execute("PRAGMA encoding = 'UTF-16be'")
        connection.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, body TEXT)")
    connection.close()
    app.ok("reset", "--hard", "HEAD")
    assert app.clean
    assert app.rows("SELECT title FROM notes") == [("one",), ("two",), ("three",)]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda folder: (folder / "store.db").unlink(), 1),
        (lambda folder: (folder / "store.db").write_bytes(b"x" * 5000), 4),
        (lambda folder: shutil.rmtree(folder / "git"), 4),
        (lambda folder: (folder / "config.toml").write_text("[["), 1),
        (lambda folder: (folder / "config.toml").write_text("[busy]\nseconds = 'x'"), 2),
    ],
)
def test_a_repository_with_something_missing(app: Versioned, spoil: Callable[[Path], None], code: int) -> None:
    spoil(app.folder)
    app.sql("DELETE FROM tags")
    app.refused("commit", "-m", "x", code=code)


def test_what_may_go_may_go(app: Versioned) -> None:
    shutil.rmtree(app.folder / "cache")
    assert app.json("status", "--verify")["clean"]
    for file in (app.folder / "cache").iterdir():
        file.write_bytes(b"nonsense")
    app.sql("DELETE FROM tags")
    assert app.json("status")["tables"] == {"tags": {"added": 0, "modified": 0, "removed": 2}}


def test_a_database_that_is_named_is_never_another(
    app: Versioned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = app.at(tmp_path / "other" / "w.db")
    other.path.parent.mkdir()
    shutil.copy(app.path, other.path)
    assert main(["init", str(other.path)]) == 0
    app.sql("DELETE FROM tags")
    assert other.refused("--repo", str(app.folder), "commit", "-m", "x") == "not-a-worktree"
    assert len(app.json("log")) == 1
    # relative to where the database lies
    monkeypatch.chdir("/")
    assert app.run("--repo", ".isovc", "commit", "-m", "x").code == 0
    assert app.run("--repo", "../work", "log").code == 0
    assert len(app.json("log")) == 2


@pytest.mark.parametrize(
    ("name", "what"),
    [
        (".isovc/store.db-journal", "inside-repository"),
        (".isovc/cache/x.db", "inside-repository"),
        ("app.db-wal", "path-reserved"),
    ],
)
def test_no_worktree_where_it_would_be_taken_for_something_else(app: Versioned, name: str, what: str) -> None:
    before = sorted(app.folder.rglob("*"))
    assert app.refused("worktree", "add", name, "-c", "x") == what
    assert sorted(app.folder.rglob("*")) == before
    assert len(app.json("branch")) == 1


def test_a_file_where_the_cache_shall_be_stops_nothing(app: Versioned) -> None:
    shutil.rmtree(app.folder / "cache")
    (app.folder / "cache").touch()
    app.sql("DELETE FROM tags")
    assert app.json("status")["tables"]["tags"]["removed"] == 2
    app.commit()
    assert app.clean


def test_a_store_that_is_gone_is_not_to_be_made_anew(app: Versioned) -> None:
    (app.folder / "store.db").unlink()
    assert app.refused("status") == "store-missing"
    assert "init" not in app.run("status").err


def test_a_database_that_is_gone_or_damaged_is_made_again_as_the_hint_says(app: Versioned) -> None:
    before = app.dump()
    for error, code in (("no-database", 1), ("database-corrupt", 4)):
        if code == 4:
            app.sql("CREATE TABLE big(a); INSERT INTO big VALUES(zeroblob(50000))")
            app.path.write_bytes(app.path.read_bytes()[:4096] + b"Z" * 30000)
            assert app.refused("status", code=4) == error
        app.path.rename(app.path.with_name("away"))
        assert app.refused("status") == "no-database"
        assert "isovc worktree add" in app.run("status").err
        app.ok("worktree", "add", str(app.path), "main")
        assert app.dump() == before
        assert app.clean
