"""A disk that fills up under a command: one sentence names it, nothing is changed, and with some room all goes on."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.aftermath import Quiet, git_refs_of, goes_on, is_sound, refs_of, rows_of

pytestmark = [
    pytest.mark.needs("git", "sqlite3", "mount"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator may mount a small disk"),
]

ROOMY = 64 << 20  # bytes
# bytes that are left when a command begins: from nothing at all to more than some commands need
LEFT = (0, 4 << 10, 12 << 10, 40 << 10, 100 << 10, 200 << 10, 400 << 10)
WORDS: dict[str, list[str]] = {
    "commit": ["commit", "-m", "more"],
    "switch": ["switch", "exp"],
    "reset": ["reset", "--hard", "exp"],
    "branch": ["branch", "another"],
    "tag": ["tag", "marked"],
    "worktree": ["worktree", "add", "beside.db", "-c", "beside"],
    "gc": ["gc"],
    "init": ["init", "fresh/fresh.db"],
}


class Disk:
    """A file system in memory whose size can be changed while it is in use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", folder], check=True)

    def leave(self, left: int) -> None:
        found = os.statvfs(self.folder)
        self._resize((found.f_blocks - found.f_bfree) * found.f_frsize + left)

    def make_room(self) -> None:
        self._resize(ROOMY)

    def _resize(self, size: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={max(size, 4096)}", self.folder], check=True)

    def close(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "disk")
    yield made
    made.close()


def planted(folder: Path, *, journal: str) -> tuple[Quiet, list[str]]:
    """Two branches some hundred rows apart, with something uncommitted and something to clean up; the rows of the
    other branch."""
    app = Quiet(folder / "app.db")
    app.sql(
        f"PRAGMA journal_mode = {journal}; CREATE TABLE many(i INTEGER PRIMARY KEY, v);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        " INSERT INTO many SELECT i, hex(randomblob(40)) FROM n"
    )
    app.ok("init", str(app.path))
    app.ok("config", "gc.undo_days", "0")
    app.ok("config", "gc.auto", "false")
    app.commit("first")
    app.ok("switch", "-c", "exp")
    app.sql("UPDATE many SET v = 'exp' || i WHERE i % 3 = 0; CREATE TABLE extra(a)")
    app.commit("exp")
    rows_of_exp = rows_of(app)
    app.ok("switch", "-c", "gone")
    app.sql("UPDATE many SET v = hex(randomblob(40)) WHERE i % 4 = 0")
    app.commit("gone")
    app.ok("switch", "main")
    app.ok("branch", "-D", "gone")
    app.sql("UPDATE many SET v = hex(randomblob(40)) WHERE i % 5 = 0")
    fresh = folder / "fresh" / "fresh.db"
    fresh.parent.mkdir()
    Quiet(fresh).sql("CREATE TABLE a(b)")
    return app, rows_of_exp


def everything(app: Quiet) -> object:
    """All that a person could see of it."""
    return (
        rows_of(app),
        app.json("log"),
        refs_of(app),
        app.json("worktree", "list"),
        app.json("status", "--verify"),
        sorted(path.name for path in app.path.parent.glob("*") if path.suffix in ("", ".db")),
        sorted(path.name for path in app.path.with_name("fresh").iterdir()),
    )


@pytest.mark.parametrize("command", WORDS)
@pytest.mark.parametrize("left", LEFT)
def test_a_command_on_a_full_disk_changes_nothing_and_says_so(disk: Disk, command: str, left: int) -> None:
    chance = random.Random(f"{command} {left}")
    app, rows_of_exp = planted(disk.folder, journal=chance.choice(("delete", "wal")))
    before = everything(app)
    disk.leave(left + chance.randrange(3) * 4096)
    ended = app.run(*WORDS[command], "--json")
    disk.make_room()
    if ended.code:
        assert ended.code == 1, ended
        error = json.loads(ended.out)["error"]
        assert error["code"] in ("disk-full", "no-space"), error
        assert str(disk.folder) in error["message"] and error["hint"]
        if everything(app) == before:
            app.ok(*WORDS[command])
        else:  # the database was there, and no room was left to note it: that was finished now
            assert command in ("switch", "reset")
            assert rows_of(app) == rows_of_exp and app.json("status")["clean"]
    elif left == 0:
        assert command == "gc", "there was no room for it"
    if command == "init":
        fresh = Quiet(disk.folder / "fresh" / "fresh.db")
        fresh.commit("first")
        assert is_sound(fresh)["clean"]
    is_sound(app)
    app.ok("tag", "shown")  # what git shows may have been behind
    assert refs_of(app) == git_refs_of(app)
    goes_on(app, "many")
