"""`isovc audit`: what it shows, proves and hands on, and what becomes of keys and passphrases."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from isovc.encoding import signing
from isovc.repo.repository import Repository
from isovc.repo.settings import SETTINGS, Settings
from tests.versioned import Versioned

SECRET = "correct horse battery"


@pytest.fixture
def lively(app: Versioned) -> Versioned:
    """Six operations."""
    app.ok("branch", "exp")
    app.sql("UPDATE notes SET body = 'x'; INSERT INTO tags VALUES(3, 'c')")
    app.ok("commit", "-m", "second", "--author", "Ada Example <ada@example.org>")
    app.ok("switch", "exp")
    app.ok("undo")
    return app


def _store(app: Versioned, script: str) -> None:
    with closing(sqlite3.connect(app.folder / "store.db", isolation_level=None)) as db:
        db.executescript(script)


def _damaged(app: Versioned, *words: str) -> dict[str, Any]:
    ended = app.run("audit", "verify", "--json", *words)
    assert ended.code == 4, ended
    assert app.run("audit", "verify", *words).code == 4
    found: dict[str, Any] = json.loads(ended.out)
    assert found["whole"] is False
    return found


def _verified(app: Versioned, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = app.json("audit", "verify", *words)
    assert found["whole"] is True
    assert found["faults"] == []
    return found


def _key(app: Versioned, name: str = "key.pem") -> Path:
    path = app.path.with_name(name)
    app.ok("audit", "keygen", str(path))
    return path


# -- who did what ------------------------------------------------------------------------------------------------------


def test_the_log_says_who_did_what_and_to_which_data(lively: Versioned) -> None:
    found = lively.json("audit", "log")
    assert [each["command"] for each in found] == ["undo", "switch", "commit", "branch", "commit", "init"]
    assert [each["number"] for each in found] == [6, 5, 4, 3, 2, 1]
    assert [each["previous"] for each in found] == [*(each["id"] for each in found[1:]), None]
    commit = found[2]
    assert commit["author"] == "Ada Example <ada@example.org>"
    assert commit["words"][-2:] == ["--author", "Ada Example <ada@example.org>"]
    assert commit["tables"] == {
        "notes": {"added": 0, "modified": 3, "removed": 0},
        "tags": {"added": 1, "modified": 0, "removed": 0},
    }
    first, second = (each["commit"] for each in reversed(lively.json("log", "main")))
    assert commit["refs"] == {"refs/heads/main": {"before": first, "after": second}}
    switch = found[1]
    assert switch["version_before"] == commit["version_after"] != switch["version_after"]
    said = lively.ok("audit", "log")
    assert "Ada Example" in said
    assert "notes: 0 added, 3 modified, 0 removed" in said


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["-n", "2"], [6, 5]),
        (["-n", "0"], []),
        (["--command", "commit"], [4, 2]),
        (["--command", "commit", "-n", "1"], [4]),
        (["--command", "comm"], []),
        (["--table", "tags"], [6, 5, 4, 2]),
        (["--table", "notes", "--user", "ada@example.org"], [4]),
        (["--user", "Ada Example"], [4]),
        (["--user", "Ada Example <ada@example.org>"], [4]),
        (["--user", "Ada"], []),
        (["--since", "1 hour ago"], [6, 5, 4, 3, 2, 1]),
        (["--until", "1 hour ago"], []),
        (["--since", "2100-01-01"], []),
    ],
)
def test_the_log_and_the_export_choose_alike(
    lively: Versioned, tmp_path: Path, words: list[str], numbers: list[int]
) -> None:
    assert [each["number"] for each in lively.json("audit", "log", *words)] == numbers
    path = tmp_path / "log.jsonl"
    lively.ok("audit", "export", str(path), *words)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [each["body"]["number"] for each in lines] == numbers[::-1]
    assert _verified(lively, "--file", str(path), "--partial")["records"] == len(numbers)


def test_times_include_the_moment_they_name(lively: Versioned) -> None:
    at = lively.json("audit", "log")[3]["begun"]
    assert [each["number"] for each in lively.json("audit", "log", "--since", at, "--until", at)] == [3]
    assert lively.refused("audit", "log", "--since", "some day", code=2) == "bad-time"


def test_the_log_of_the_past(lively: Versioned) -> None:
    assert len(lively.json("--at-op", "@~2", "audit", "log")) == 4
    # a check is of all there is
    assert lively.refused("--at-op", "@~2", "audit", "verify", code=2) == "only-in-the-present"


# -- is it whole -------------------------------------------------------------------------------------------------------


def test_a_whole_log_is_proved_against_a_head(lively: Versioned) -> None:
    head = lively.json("audit", "head")
    assert lively.ok("audit", "head") == head["id"] + "\n"
    assert head == {key: lively.json("audit", "log", "-n", "1")[0][name] for key, name in _HEAD.items()}
    found = _verified(lively, "--head", head["id"])
    assert (found["records"], found["head"], found["signed"], found["signed_from"]) == (6, head["id"], 0, None)
    assert "--head" in lively.ok("audit", "verify")
    assert "--head" not in lively.ok("audit", "verify", "--head", f" {head['id'].upper()} ")
    lively.ok("redo")
    _verified(lively, "--head", head["id"])


_HEAD = {"id": "id", "number": "number", "time": "begun"}


@pytest.mark.parametrize("text", ["", "abcd", "g" * 64, "0" * 63, "@"])
def test_a_part_of_a_head_is_refused(lively: Versioned, text: str) -> None:
    assert lively.refused("audit", "verify", "--head", text, code=2) == "bad-head"


def test_a_log_that_was_cut_at_its_end_is_found_by_a_head(lively: Versioned) -> None:
    head = lively.json("audit", "head")["id"]
    copy = (lively.folder / "store.db").read_bytes()
    lively.ok("branch", "later")
    later = lively.json("audit", "head")["id"]
    (lively.folder / "store.db").write_bytes(copy)  # yesterday's repository is a whole repository
    _verified(lively, "--head", head)
    (fault,) = _damaged(lively, "--head", later)["faults"]
    assert (fault["number"], fault["id"]) == (None, later)


def test_the_first_bad_record_is_named_and_the_check_of_all_sees_it(lively: Versioned) -> None:
    ids = [each["id"] for each in reversed(lively.json("audit", "log"))]
    _store(
        lively, "UPDATE operation SET body = CAST(replace(CAST(body AS TEXT), 'Ada', 'Eva') AS BLOB) WHERE number > 2"
    )
    found = _damaged(lively)
    assert found["faults"] == [{"number": 4, "id": ids[3], "why": "its content is not what its id says"}]
    assert found["records"] == 3
    assert f"record 4 ({ids[3][:12]}) of the operation log" in lively.run("audit", "verify").out
    fsck = lively.run("fsck", "--json")
    assert fsck.code == 4
    assert any("record 4 " in each["what"] for each in json.loads(fsck.out)["damages"])
    # nothing that was altered is shown or handed on
    assert lively.refused("audit", "log", code=4) == "operation-damaged"
    assert lively.refused("audit", "export", str(lively.path.with_name("x")), code=4) == "operation-damaged"
    assert not lively.path.with_name("x").exists()


def test_a_repository_without_operations_has_no_head(app: Versioned) -> None:
    _store(
        app,
        "DELETE FROM operation; DELETE FROM operation_snapshot; UPDATE ref_log SET act = NULL;"
        "UPDATE total SET value = 0 WHERE name = 'operation'",
    )
    assert app.refused("audit", "head") == "no-such-operation"
    assert _verified(app) | {"signatures_checked": True} == {
        "whole": True,
        "records": 0,
        "head": None,
        "signed": 0,
        "signed_from": None,
        "signatures_checked": True,
        "faults": [],
    }
    assert app.json("audit", "log") == []


# -- handing it on -----------------------------------------------------------------------------------------------------


def test_an_export_is_a_whole_chain(lively: Versioned, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    head = lively.json("audit", "head")["id"]
    assert lively.json("audit", "export", str(path)) == {
        "file": str(path),
        "format": "jsonl",
        "records": 6,
        "last": head,
    }
    assert lively.ok("audit", "export", "-") == path.read_text()
    assert _verified(lively, "--file", str(path), "--head", head)["head"] == head
    nowhere = lively.at(tmp_path / "nowhere.db")  # no repository is needed
    _verified(nowhere, "--file", str(path))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:2] + lines[3:]))
    assert _damaged(nowhere, "--file", str(path))["faults"][0]["number"] == 3
    path.write_text("nonsense\n")
    assert "line 1 of log.jsonl" in _damaged(nowhere, "--file", str(path))["faults"][0]["why"]
    assert nowhere.refused("audit", "verify", "--file", str(tmp_path / "none")) == "not-found"


def test_a_table_has_a_row_an_operation(lively: Versioned, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lively.ok("audit", "export", str(path), "--format", "csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    log = lively.json("audit", "log")[::-1]
    assert [row["id"] for row in rows] == [each["id"] for each in log]
    assert [row["begun"] for row in rows] == [each["begun"] for each in log]
    assert rows[3]["tables"] == "notes:+0~3-0;tags:+1~0-0"
    assert rows[3]["words"].startswith("'-C ")  # no formula
    assert rows[3]["words"].endswith("commit -m second --author 'Ada Example <ada@example.org>'")
    assert rows[3]["refs"] == "refs/heads/main:{before}..{after}".format(**log[3]["refs"]["refs/heads/main"])
    assert (rows[4]["version_before"], rows[4]["version_after"]) == (log[4]["version_before"], log[4]["version_after"])
    assert lively.ok("audit", "export", "-", "--format", "csv", "-n", "1").count("\n") == 2


def test_an_export_takes_no_other_files_place(lively: Versioned, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("precious")
    assert lively.refused("audit", "export", str(path)) == "not-confirmed"
    assert path.read_text() == "precious"
    for words in (["--force"], ["--yes"]):
        path.write_text("precious")
        lively.ok("audit", "export", str(path), *words)
        _verified(lively, "--file", str(path))
    (tmp_path / "folder").mkdir()
    assert lively.refused("audit", "export", str(tmp_path / "folder"), "--force") == "path-taken"
    os.mkfifo(tmp_path / "pipe")
    assert lively.refused("audit", "export", str(tmp_path / "pipe"), "--force") == "path-taken"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert lively.refused("audit", "export", str(tmp_path / "no" / "where")) == "folder-missing"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "log", "pipe", "work"]


def test_words_that_cannot_be_meant_together(lively: Versioned, tmp_path: Path) -> None:
    assert lively.refused("audit", "export", "-", code=2) == "options-clash"
    assert lively.refused("audit", "verify", "--partial", code=2) == "options-clash"
    assert lively.refused("audit", "verify", "--signed-from", "3", code=2) == "options-clash"
    assert lively.refused("audit", "export", str(tmp_path / "x"), "--format", "xml", code=2) == "usage"


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_key_is_for_its_owner_alone_and_takes_no_other_files_place(app: Versioned) -> None:
    path = app.path.with_name("key.pem")
    public = app.path.with_name("key.pem.pub")
    assert app.json("audit", "keygen", str(path)) == {"private": str(path), "public": str(public), "locked": False}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"BEGIN PRIVATE KEY" in path.read_bytes()
    assert b"BEGIN PUBLIC KEY" in public.read_bytes()
    before = path.read_bytes()
    for words in ([], ["--yes"]):
        assert app.refused("audit", "keygen", str(path), *words) == "path-taken"
    public.unlink()
    assert app.refused("audit", "keygen", str(path)) == "path-taken"
    assert (path.read_bytes(), public.exists()) == (before, False)
    (app.path.parent / "other.pub").touch()
    assert app.refused("audit", "keygen", str(app.path.parent / "other")) == "path-taken"
    assert not (app.path.parent / "other").exists()


def test_operations_are_signed_from_the_setting_on(lively: Versioned) -> None:
    key = _key(lively)
    lively.ok("config", "audit.key", "key.pem")  # relative: from the folder of the database
    lively.ok("branch", "new")
    lively.sql("DELETE FROM tags")
    lively.ok("switch", "exp")
    public = f"{key}.pub"
    for words in ([], ["--public", public], ["--public", public, "--signed-from", "7"]):
        found = _verified(lively, *words)
        assert (found["records"], found["signed"], found["signed_from"]) == (9, 3, 7)
    (fault,) = _damaged(lively, "--public", public, "--signed-from", "6")["faults"]
    assert (fault["number"], fault["why"]) == (6, "it is not signed")
    other = _key(lively, "other.pem")
    (fault,) = _damaged(lively, "--public", f"{other}.pub")["faults"]
    assert fault["number"] == 7
    lively.ok("config", "audit.key", str(other))
    _verified(lively, "--public", public, "--public", f"{other}.pub")
    assert _damaged(lively, "--public", public)["faults"][0]["number"] == 10
    lively.ok("config", "audit.key", "--unset")
    assert _verified(lively)["signed"] == 4
    (fault,) = _damaged(lively, "--public", public, "--public", f"{other}.pub")["faults"]
    assert (fault["number"], fault["why"]) == (11, "it is not signed")


def test_the_first_operation_is_signed_where_the_person_has_a_key(
    app: Versioned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _key(app)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    app.ok("config", "--global", "audit.key", str(key))
    fresh = app.at(tmp_path / "fresh" / "app.db")
    fresh.path.parent.mkdir()
    fresh.sql("CREATE TABLE t(a)")
    fresh.at(fresh.path.parent).ok("init")
    assert _verified(fresh, "--public", f"{key}.pub", "--signed-from", "1")["signed"] == 1
    key.unlink()
    third = app.at(tmp_path / "third" / "app.db")
    third.path.parent.mkdir()
    third.sql("CREATE TABLE t(a)")
    assert third.at(third.path.parent).refused("init") == "key-unusable"
    assert not third.folder.exists()


def test_without_the_key_nothing_is_changed_and_everything_is_shown(lively: Versioned) -> None:
    key = _key(lively)
    lively.ok("config", "audit.key", str(key))
    lively.ok("tag", "signed")
    lively.sql("UPDATE notes SET body = 'dirty'")
    lively.ok("status")
    key.rename(key.with_name("away"))
    before = (lively.dump(), lively.json("audit", "head"), lively.json("branch"), _refs(lively))
    for words in (
        ["commit", "-m", "x"],
        ["branch", "new"],
        ["branch", "-d", "exp"],
        ["tag", "v1"],
        ["switch", "main"],
        ["checkout", "--detach", "HEAD"],
        ["reset", "--hard", "HEAD"],
        ["undo"],
        ["op", "restore", "@~1"],
        ["config", "gc.auto", "false"],
        ["worktree", "add", str(lively.path.with_name("more.db")), "-c", "more"],
        ["config", "audit.key", str(key)],
    ):
        assert lively.refused(*words) == "key-unusable", words
        assert (lively.dump(), lively.json("audit", "head"), lively.json("branch"), _refs(lively)) == before, words
    assert lively.json("config", "gc.auto")["value"] is True
    assert not lively.path.with_name("more.db").exists()
    for words in (["status"], ["log"], ["op", "log"], ["audit", "verify"], ["fsck"], ["show", "HEAD"]):
        lively.ok(*words)
    lively.ok("config", "audit.key", str(key.with_name("away")))  # a key that is lost locks nobody out
    lively.ok("commit", "-m", "x")
    key.with_name("away").unlink()
    lively.ok("config", "audit.key", "--unset")
    lively.ok("branch", "new")
    assert _verified(lively)["signed"] == 4


def test_undo_of_signing_is_not_signed_and_redo_is(lively: Versioned) -> None:
    key = _key(lively)
    lively.ok("config", "audit.key", str(key))
    lively.ok("undo")
    lively.ok("redo")
    assert _verified(lively)["signed"] == 2
    lively.ok("config", "audit.key", "--unset")
    key.unlink()
    assert lively.refused("undo") == "key-unusable"  # every command after it would be refused
    lively.ok("commit", "--allow-empty", "-m", "x")


def test_what_was_interrupted_waits_for_a_key_and_stands_in_nobodys_way(
    lively: Versioned, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _key(lively)
    lively.ok("config", "audit.key", str(key))
    with monkeypatch.context() as patch:
        patch.setattr("isovc.workspace.switching.confirm", _interrupt)
        assert lively.run("switch", "exp").code == 130
    there = lively.dump()
    key.rename(key.with_name("away"))
    for _ in range(2):
        assert "is settled when its record can be signed" in lively.ok("log")
    assert lively.refused("switch", "main") == "key-unusable"
    assert lively.dump() == there
    lively.ok("config", "audit.key", str(key.with_name("away")))
    assert "finished an interrupted" in lively.ok("log")
    assert lively.json("status")["branch"] == "exp"
    found = _verified(lively, "--public", f"{key}.pub")
    assert (found["records"], found["signed"]) == (9, 3)


def test_a_key_that_was_decided_on_signs_whatever_interrupts(
    lively: Versioned, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _key(lively)
    with monkeypatch.context() as patch:
        patch.setattr("isovc.workspace.setting.write_decided", _interrupt)
        assert lively.run("config", "audit.key", str(key)).code == 130
    lively.ok("branch", "new")
    assert _verified(lively, "--public", f"{key}.pub")["signed"] == 2
    lively.ok("branch", "newer")
    assert _verified(lively, "--public", f"{key}.pub")["signed"] == 3


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _refs(app: Versioned) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(app.folder / "store.db")) as db:
        return db.execute("SELECT name, target FROM ref ORDER BY name").fetchall()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "public",
        "elliptic",
    ],
)
def test_what_is_no_key_is_refused_and_not_quoted(app: Versioned, content: bytes | str) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if content == "public":
        content = Path(f"{_key(app)}.pub").read_bytes()
    elif content == "elliptic":
        made = ec.generate_private_key(ec.SECP256R1())
        content = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = app.path.with_name("bad.pem")
    path.write_bytes(content)
    ended = app.run("config", "audit.key", str(path))
    assert ended.code == 1
    assert str(path) in ended.err
    assert not any(line in ended.err for line in content.decode().splitlines()[1:-1])
    assert app.json("config", "audit.key")["value"] == ""
    private = app.path.with_name("mine.pem")
    app.ok("audit", "keygen", str(private))
    assert app.refused("audit", "verify", "--public", str(private)) == "key-unusable"
    assert app.refused("audit", "verify", "--public", str(app.path.parent)) == "key-unusable"


def test_a_locked_key_needs_its_passphrase_which_stands_nowhere(
    lively: Versioned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ISOVC_KEY_PASSPHRASE", SECRET)
    key = lively.path.with_name("locked.pem")
    said = lively.ok("audit", "keygen", str(key), "-v")
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in key.read_bytes()
    said += lively.ok("config", "audit.key", str(key), "-v")
    said += lively.ok("branch", "new", "-v")
    assert _verified(lively, "--public", f"{key}.pub")["signed"] == 2
    lively.ok("audit", "export", str(tmp_path / "log.jsonl"))
    for wrong in ("", "wrong"):
        monkeypatch.setenv("ISOVC_KEY_PASSPHRASE", wrong)
        ended = lively.run("branch", "more", "-v")
        assert ended.code == 1
        assert "passphrase" in ended.err
        assert str(key) in ended.err
        said += ended.out + ended.err
    assert SECRET not in said
    for path in [*lively.path.parent.rglob("*"), tmp_path / "log.jsonl"]:
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    lively.ok("status")
    monkeypatch.setenv("ISOVC_KEY_PASSPHRASE", SECRET)
    lively.ok("undo")
    # a key that is not locked takes no notice of it
    _key(lively, "plain.pem")
    monkeypatch.delenv("ISOVC_KEY_PASSPHRASE")
    open_key = lively.path.with_name("open.pem")
    lively.ok("audit", "keygen", str(open_key))
    monkeypatch.setenv("ISOVC_KEY_PASSPHRASE", SECRET)
    lively.ok("config", "audit.key", str(open_key))


def test_without_the_library_all_but_signing_works(lively: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    key = _key(lively)
    lively.ok("config", "audit.key", str(key))
    monkeypatch.setitem(sys.modules, "cryptography", None)
    for name in [each for each in sys.modules if each.startswith("cryptography.")]:
        monkeypatch.delitem(sys.modules, name)
    assert not signing.can_check()
    for words in (
        ["branch", "new"],
        ["audit", "keygen", str(key.with_name("more"))],
        ["audit", "verify", "--public", f"{key}.pub"],
    ):
        assert lively.refused(*words) == "signing-not-installed"
    found = _verified(lively)
    assert (found["signed"], found["signatures_checked"]) == (1, False)
    assert "library to check them is missing" in lively.ok("audit", "verify")
    lively.ok("fsck")


def test_the_library_is_imported_only_where_a_key_is(app: Versioned) -> None:
    script = (
        "import sys; from isovc.cli.main import main\n"
        "assert main(['-C', sys.argv[1], 'branch', 'new']) == 0\n"
        "assert main(['-C', sys.argv[1], 'audit', 'log']) == 0\n"
        "assert 'cryptography' not in sys.modules"
    )
    root = Path(__file__).parents[2]
    words = [sys.executable, "-c", script, str(app.path)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run(words, env=environment, check=True, capture_output=True)


def test_the_setting_is_declared_once() -> None:
    assert SETTINGS["audit.key"].default == ""
    assert Settings({}, {"audit.key": "k"}).changed("audit.key", None).text("audit.key") == "k"
    assert Settings({"a.b": 1}, {}).changed("audit.key", "k").project == {"a.b": 1, "audit.key": "k"}


def test_a_key_is_read_once_while_a_repository_is_open(app: Versioned) -> None:
    key = _key(app)
    with Repository(app.folder, Settings({"audit.key": str(key)}, {})) as repository:
        assert repository.signer() is repository.signer() is not None
        repository.settings = Settings({}, {})
        assert repository.signer() is None
