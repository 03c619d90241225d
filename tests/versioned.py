"""A database under version control, as tests use it: the stock sqlite3 module writes, the command line versions."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from isovc.cli.main import main

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Ended:
    """What a command line left behind."""

    code: int
    out: str
    err: str


class Versioned:
    """A database file, and isovc at work on it."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str] | None = None) -> None:
        self.path = path
        self._capsys = capsys

    def at(self, path: Path) -> Versioned:
        """The same at another file."""
        return Versioned(path, self._capsys)

    # -- the database ----------------------------------------------------------------------------------------------

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            yield connection

    def sql(self, script: str) -> None:
        with self.opened() as connection:
            connection.executescript(script)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.opened() as connection:
            return connection.execute(query).fetchall()

    def dump(self) -> str:
        """What the stock shell makes of it."""
        done = subprocess.run(["sqlite3", self.path, ".dump"], capture_output=True, check=True)
        return done.stdout.decode(errors="surrogateescape")

    def check(self) -> str:
        return "\n".join(row[0] for row in self.rows("PRAGMA integrity_check"))

    @contextmanager
    def held(self, begin: str) -> Iterator[None]:
        """Another process is inside a transaction. In this one, closing our file would drop its locks."""
        script = (
            "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None);"
            "db.execute(sys.argv[2]); db.execute('SELECT count(*) FROM sqlite_schema').fetchall(); print(flush=True);"
            "sys.stdin.read()"
        )
        words = [sys.executable, "-c", script, str(self.path), begin]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            other.stdout.readline()
            yield
            other.communicate()

    # -- isovc -----------------------------------------------------------------------------------------------------

    def run(self, *words: str) -> Ended:
        """In this process."""
        assert self._capsys is not None
        self._capsys.readouterr()
        code = main(["-C", str(self.path), *words])
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return Ended(code, said.out, said.err)

    def ok(self, *words: str) -> str:
        ended = self.run(*words)
        assert ended.code == 0, ended
        return ended.out

    def json(self, *words: str) -> Any:
        """The document of a command that succeeds."""
        return json.loads(self.ok(*words, "--json"))

    def refused(self, *words: str, code: int = 1) -> str:
        """The error code of a command that does not."""
        ended = self.run(*words, "--json")
        assert ended.code == code, ended
        error = json.loads(ended.out)["error"]
        assert set(error) == {"code", "message", "hint"}
        assert error["message"]
        assert error["code"] != "unexpected"
        return str(error["code"])

    def commit(self, message: str = "x") -> str:
        return str(self.json("commit", "-m", message)["commit"])

    def started(self, *words: str) -> subprocess.Popen[bytes]:
        """As a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "isovc", "-C", str(self.path), *words],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    @property
    def clean(self) -> bool:
        return bool(self.json("status")["clean"])

    @property
    def folder(self) -> Path:
        return self.path.parent / ".isovc"
