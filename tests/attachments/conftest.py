"""A database with a folder of files beside it, one version committed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attachments.filed import LONG_AGO, Filed, link, write


@pytest.fixture
def filed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Filed]:
    """Two rows, and files of every kind: text, a folder, one that can be run, an empty one, links."""
    made = Filed(tmp_path / "work" / "app.db", capsys)
    made.path.parent.mkdir()
    made.sql("CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT); INSERT INTO notes VALUES(1, 'one'), (2, 'two')")
    write(made.files / "a.txt", "a\n", mtime=LONG_AGO)
    write(made.files / "b.txt", "b\n", mtime=LONG_AGO)
    write(made.files / "deep/er/c.bin", bytes(range(256)) * 9, mtime=LONG_AGO)
    write(made.files / "run.sh", "echo\n", mode=0o755, mtime=LONG_AGO)
    write(made.files / "empty", "", mode=0o600, mtime=LONG_AGO)
    link(made.files / "to-a", "a.txt", mtime=LONG_AGO)
    link(made.files / "deep/nowhere", "../../not there", mtime=LONG_AGO)
    Filed(made.path.parent, capsys).ok("init", "app.db", "--attachments", "files")
    made.commit("first")
    yield made
    gc.unfreeze()  # the command line turns collecting off for the one command that a process runs
    gc.enable()
