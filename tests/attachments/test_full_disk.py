"""A disk that fills up under files on their way: one sentence, nothing is changed, and with some room all goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attachments.filed import Filed
from tests.crash.test_full_disk import Disk

pytestmark = [
    pytest.mark.needs("mount"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator may mount a small disk"),
]

BIG = 2 << 20  # bytes: more than there is room for, and much more than a database needs to note it


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "disk")
    yield made
    made.close()


@pytest.mark.parametrize("words", [("switch", "exp"), ("reset", "--hard", "exp"), ("merge", "exp"), ("undo",)])
@pytest.mark.parametrize("left", [300 << 10, 1 << 20])
def test_there_is_no_room_for_what_comes(
    disk: Disk, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], left: int
) -> None:
    filed = Filed(disk.folder / "app.db", capsys)
    filed.sql("CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT); INSERT INTO notes VALUES(1, 'one')")
    filed.put("a", "a\n")
    filed.at(disk.folder).ok("init", "app.db", "--attachments", "files")
    filed.ok("config", "gc.auto", "false")
    filed.commit("first")
    filed.ok("switch", "-c", "exp")
    filed.put("a", "exp\n")
    filed.put("big", os.urandom(BIG))
    filed.sql("UPDATE notes SET title = 'exp'")
    filed.commit("exp")
    there = filed.held()
    filed.ok("switch", "main")
    if words == ("undo",):
        filed.ok("reset", "--hard", "exp")
        filed.ok("reset", "--hard", "HEAD")
        filed.ok("switch", "-c", "third")
        filed.drop("big")
        filed.commit("none")
        filed.ok("switch", "main")
        filed.ok("switch", "third")
    held, rows = filed.held(), filed.rows("SELECT * FROM notes")
    disk.leave(left)
    ended = filed.run(*words, "--json")
    disk.make_room()
    assert ended.code == 1, ended
    assert json.loads(ended.out)["error"]["code"] in ("disk-full", "no-space"), ended
    assert filed.held() == held and filed.rows("SELECT * FROM notes") == rows
    filed.ok(*words)
    assert filed.held()["big"] == there["big"]
    filed.sound()
