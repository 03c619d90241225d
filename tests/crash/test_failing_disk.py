"""A disk that fails under the user's own database: a clear error, one of the two states, and the next command works."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.crash.aftermath import Quiet, git_refs_of, goes_on, is_sound, refs_of, rows_of

pytestmark = pytest.mark.needs("git", "sqlite3")

WORDS = {"commit": ["commit", "-m", "more"], "switch": ["switch", "exp"], "reset": ["reset", "--hard", "exp"]}
CALLS = ("read", "write", "sync", "truncate", "delete")
EIO, SHORT, DEAD = "EIO", "short", "dead"  # one call fails; it does half its work before; all calls from then on fail
REAL = apsw.vfs_names()[0]
SHARE = 5  # cases of each command and kind in the short form


class Disk(apsw.VFS):
    """The real one, until call number `when` of a kind."""

    def __init__(self) -> None:
        super().__init__("failing", REAL, makedefault=True)
        self.seen: Counter[str] = Counter()
        self.call, self.when, self.how = "", 0, EIO

    def begin(self, call: str = "", when: int = 0, how: str = EIO) -> None:
        self.seen.clear()
        self.call, self.when, self.how = call, when, how

    def fails(self, call: str) -> bool:
        self.seen[call] += 1
        if self.call not in ("", call):
            return self.how == DEAD and self.seen[self.call] >= self.when
        return bool(self.call) and (self.seen[call] == self.when or (self.how == DEAD and self.seen[call] > self.when))

    def xOpen(self, name: Any, flags: list[int]) -> File:
        return File(self, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:
        if self.fails("delete"):
            raise told(apsw.SQLITE_IOERR_DELETE)
        super().xDelete(name, syncdir)


class File(apsw.VFSFile):
    """One file on it."""

    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__(REAL, name, flags)
        self._disk = disk

    def xRead(self, amount: int, offset: int) -> bytes:
        if self._disk.fails("read"):
            raise told(apsw.SQLITE_IOERR_READ)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._disk.fails("write"):
            if self._disk.how == SHORT:
                super().xWrite(bytes(data)[: len(data) // 2], offset)
            raise told(apsw.SQLITE_IOERR_WRITE)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        if self._disk.fails("sync"):
            raise told(apsw.SQLITE_IOERR_FSYNC)
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:
        if self._disk.fails("truncate"):
            raise told(apsw.SQLITE_IOERR_TRUNCATE)
        super().xTruncate(size)


def told(code: int) -> apsw.IOError:
    error = apsw.IOError("the disk does not answer")
    error.result, error.extendedresult = apsw.SQLITE_IOERR, code
    return error


@contextmanager
def failing() -> Iterator[Disk]:
    disk = Disk()
    try:
        yield disk
    finally:
        disk.begin()
        apsw.unregister_vfs("failing")
        apsw.set_default_vfs(REAL)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two branches some hundred rows apart, and something uncommitted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-settings"))
        app = Quiet(tmp_path_factory.mktemp("planted") / "work" / "app.db")
        app.path.parent.mkdir()
        app.sql(
            "CREATE TABLE many(i INTEGER PRIMARY KEY, v); CREATE INDEX by_v ON many(v);"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)"
            " INSERT INTO many SELECT i, hex(zeroblob(40)) || i FROM n"
        )
        app.ok("init", str(app.path))
        app.commit("first")
        app.ok("switch", "-c", "exp")
        app.sql("UPDATE many SET v = 'exp' || i WHERE i % 3 = 0; CREATE TABLE extra(a); DELETE FROM many WHERE i > 300")
        app.commit("exp")
        app.ok("switch", "main")
        app.sql("UPDATE many SET v = 'uncommitted' WHERE i % 50 = 0")
        return app.path.parent


@pytest.fixture
def fresh(planted: Path, tmp_path: Path) -> Iterator[Any]:
    """The same again, as often as one likes."""

    def copy() -> Quiet:
        shutil.rmtree(tmp_path / "work", ignore_errors=True)
        shutil.copytree(planted, tmp_path / "work")
        return Quiet(tmp_path / "work" / "app.db")

    return copy


@pytest.mark.parametrize("command", WORDS)
@pytest.mark.parametrize("call", CALLS)
def test_a_disk_that_fails_leaves_one_of_the_two_states(
    fresh: Any, command: str, call: str, request: pytest.FixtureRequest
) -> None:
    app = fresh()
    before = rows_of(app)
    with failing() as disk:
        disk.begin()
        app.ok(*WORDS[command])
        calls = disk.seen[call]
    states = [before, rows_of(app)]
    cases = [(when, how) for when in range(1, calls + 1) for how in (EIO, DEAD, *([SHORT] if call == "write" else []))]
    if not request.config.getoption("--long"):
        cases = random.Random(f"{command} {call}").sample(cases, min(SHARE, len(cases)))
    assert cases or command == "commit" or call == "truncate"
    for when, how in cases:
        app = fresh()
        with failing() as disk:
            disk.begin(call, when, how)
            ended = app.run(*WORDS[command], "--json")
            assert disk.seen[call] >= when
        said = json.loads(ended.out)
        case = (when, how, ended)
        if ended.code:
            assert ended.code in (1, 4), case
            assert said["error"]["code"] != "unexpected" and str(app.path) in said["error"]["message"], case
        status = is_sound(app)
        found = rows_of(app)
        assert found in states if ended.code else found == states[1], case
        if command != "commit":
            assert (status["branch"], status["clean"]) == (
                ("main", False) if found == before else ("exp" if command == "switch" else "main", True)
            ), case
        else:
            assert len(app.json("log")) == (1 if not status["clean"] else 2), case
        goes_on(app, "many")
        assert refs_of(app) == git_refs_of(app)
