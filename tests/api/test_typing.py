"""What a script gets is typed: mypy knows each result, strictly, and finds what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.versioned import ROOT

pytest.importorskip("mypy")

SCRIPT = """
from datetime import datetime
from pathlib import Path

import isovc


def work(path: Path) -> list[str]:
    found: list[str] = []
    with isovc.open(path, author="Ada Example <ada@example.org>", tell=print) as repo:
        status: isovc.Status = repo.status()
        made: isovc.Made = repo.commit("x", allow_empty=not status.clean)
        when: datetime = made.time
        for change in repo.diff(when, "HEAD", tables=["notes"]):
            found.append(f"{change.table} {change.op} {change.key} {change.before}")
        rows: isovc.Rows = repo.sql("SELECT 1", at=when)
        columns: tuple[str, ...] = rows.columns
        with repo.at("HEAD") as db:
            db.execute("SELECT 1").fetchone()
        with repo.experiment("try") as database:
            result: isovc.Merged = isovc.open(database).merge("main", prefer="ours")
        try:
            repo.resolve("notes", (1, "a"), values={"title": None})
        except isovc.Refused as error:
            found.append(error.hint)
        return [*found, *columns, *result.made, __version__]


__version__: str = isovc.__version__
"""
WRONG = {
    'repo.merge("x", prefer="mine")': "arg-type",
    "repo.commit(3)": "arg-type",
    "repo.status().cleen": "attr-defined",
    "isovc.opne": "attr-defined",
    'repo.commit("x", "somebody")': "misc|call-arg",
    "x: int = repo.log()": "assignment",
}


def _checked(script: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    words = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--follow-imports=silent",
        f"--cache-dir={cache}",
        str(script),
    ]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_script_is_checked_strictly(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = _checked(script, tmp_path / "cache")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Success: no issues found in 1 source file")

    script.write_text("import isovc\nrepo = isovc.open('x')\n" + "\n".join(WRONG) + "\n")
    told = _checked(script, tmp_path / "cache").stdout.splitlines()
    for line, codes in enumerate(WRONG.values(), start=3):
        said = [each for each in told if f"script.py:{line}: error" in each]
        assert said and any(f"[{code}]" in said[0] for code in codes.split("|")), (line, told)
