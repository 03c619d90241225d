"""`isovc shell`: questions one after the other, piped in or typed at a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.versioned import ROOT, Versioned


def _piped(app: Versioned, text: str, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "isovc", "-C", str(app.path), "shell", *words],
        input=text,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_statements_may_have_several_lines_and_the_last_semicolon_may_be_missing(app: Versioned) -> None:
    text = (
        "SELECT ';'\n  AS a -- one;\n;\n\nSELECT 1 AS b; SELECT 2 AS c;\n.mode csv\nSELECT title FROM notes\nWHERE id=2"
    )
    code, out, err = _piped(app, text)
    assert (code, err) == (0, "")
    assert out == "a\n-\n;\nb\n-\n1\n\nc\n-\n2\ntitle\ntwo\n"


def test_a_version_is_asked(app: Versioned) -> None:
    app.sql("DELETE FROM notes")
    for at, many in (((), 0), (("--at", "HEAD"), 3)):
        assert _piped(app, "SELECT count(*) AS n FROM notes;\n", "--json", *at)[1] == f'[{{"n": {many}}}]\n'


def test_orders(app: Versioned) -> None:
    app.sql("CREATE INDEX i ON notes(title)")
    assert _piped(app, ".tables\n")[1] == "notes\ntags\n"
    assert _piped(app, ".schema NOTES\n")[1].splitlines() == [
        "CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, body TEXT);",
        "CREATE INDEX i ON notes(title);",
    ]
    assert _piped(app, ".schema\n", "--at", "HEAD")[1].count("CREATE") == 2
    assert _piped(app, ".mode\n.mode jsonl\n.mode\nSELECT 1 AS a;\n")[1] == 'table\njsonl\n{"a": 1}\n'
    assert ".schema" in _piped(app, ".help\n")[1]
    assert _piped(app, ".quit\nSELECT 1;\n") == (0, "", "")


@pytest.mark.parametrize(
    "line", ["SELEKT 1;", "DELETE FROM notes;", ".mode xml", ".what", ".schema nothing", "SELECT :x;"]
)
def test_a_failure_ends_one_question_only(app: Versioned, line: str) -> None:
    code, out, err = _piped(app, f"{line}\nSELECT 1 AS a;\n")
    assert (code, out) == (1, "a\n-\n1\n")
    assert err.startswith("error: ")
    assert app.rows("SELECT count(*) FROM notes") == [(3,)]
    code, out, _ = _piped(app, f"{line}\n", "--json")
    assert code == 1
    assert set(json.loads(out)["error"]) == {"code", "message", "hint"}


def test_a_version_that_is_not_there_is_told_at_once(app: Versioned) -> None:
    assert _piped(app, "SELECT 1;\n", "--at", "nowhere")[0] == 1


class _Terminal:
    """The shell with a person at it."""

    def __init__(self, app: Versioned, home: Path) -> None:
        self.master, theirs = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb", "XDG_STATE_HOME": str(home)}
        words = [sys.executable, "-m", "isovc", "-C", str(app.path), "shell"]
        self.process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.said = b""

    def until(self, text: bytes) -> None:
        while text not in self.said:
            try:
                self.said += os.read(self.master, 65536)
            except OSError:
                raise AssertionError(self.said) from None
        self.said = self.said.partition(text)[2]

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def end(self) -> int:
        code = self.process.wait()
        os.close(self.master)
        return code


def test_at_a_terminal(app: Versioned, tmp_path: Path) -> None:
    shell = _Terminal(app, tmp_path)
    shell.until(b"live> ")
    shell.type(b"SELECT 40 +\n")
    shell.until(b"...> ")
    shell.type(b"2 AS answer;\n")
    shell.until(b"42")
    shell.until(b"live> ")
    shell.type(b"SELECT missing\n")
    shell.until(b"...> ")
    shell.type(b"\x04")
    shell.until(b"no such column")
    assert shell.end() == 0
    assert "40 +" in (tmp_path / "isovc" / "shell-history").read_text()


def test_ctrl_c_stops_one_question(app: Versioned, tmp_path: Path) -> None:
    shell = _Terminal(app, tmp_path)
    shell.until(b"live> ")
    shell.type(b"WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r;\n")
    shell.until(b"FROM r;")
    used = _seconds(shell.process.pid)
    while _seconds(shell.process.pid) < used + 0.5:
        time.sleep(0.01)
    os.kill(shell.process.pid, 2)
    shell.until(b"interrupted")
    shell.until(b"live> ")
    shell.type(b"SELECT 5 AS five;\n")
    shell.until(b"five")
    shell.until(b"live> ")
    shell.type(b".quit\n")
    assert shell.end() == 0


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")
