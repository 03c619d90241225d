"""What must hold after anything that may happen to a repository, and a command line that needs no fixture for it."""

from __future__ import annotations

import io
import json
import os
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from isovc.cli.main import main
from tests.versioned import Ended, Versioned


class Quiet(Versioned):
    """At work in this process, with what it says caught here: also for what is made once for many tests."""

    def at(self, path: Path) -> Quiet:
        return Quiet(path)

    def run(self, *words: str) -> Ended:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["-C", str(self.path), *words])
        assert "Traceback" not in err.getvalue()
        return Ended(code, out.getvalue(), err.getvalue())


def rows_of(app: Versioned) -> list[str]:
    """All that the stock shell finds in the database; the order in which tables were made is none of it."""
    return sorted(app.dump().splitlines())


def refs_of(app: Versioned) -> dict[str, str]:
    """Branches and tags as isovc knows them."""
    branches = {f"refs/heads/{each['branch']}": each["commit"] for each in app.json("branch")}
    return branches | {f"refs/tags/{each['tag']}": each["commit"] for each in app.json("tag")}


def git_refs_of(app: Versioned) -> dict[str, str]:
    """The same as git knows them."""
    words = ["git", "-C", str(app.folder / "git"), "for-each-ref", "--format=%(objectname) %(refname)"]
    home = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1"}
    home |= {"GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    said = subprocess.run(words, env=home, capture_output=True, check=True, text=True).stdout
    return {name: commit for commit, name in (line.split(" ") for line in said.splitlines())}


def is_sound(app: Versioned) -> dict[str, Any]:
    """Nothing is damaged, nothing is left over, and what is said of the database is what it holds. Its status."""
    found = app.run("fsck", "--json")
    assert (found.code, json.loads(found.out)["damages"]) == (0, [])
    assert app.check() == "ok"
    status: dict[str, Any] = app.json("status", "--verify")
    assert app.json("status") == status
    return status


def goes_on(app: Versioned, table: str) -> None:
    """The next commands work by themselves, and afterwards git shows what isovc knows."""
    app.sql(f"INSERT INTO {table} DEFAULT VALUES")
    before = app.json("log")
    made = app.commit("goes on")
    assert [each["commit"] for each in app.json("log")] == [made, *(each["commit"] for each in before)]
    assert is_sound(app)["clean"]
    assert refs_of(app) == git_refs_of(app)
