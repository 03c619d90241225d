"""Several commands at once: each does its work or says that it is busy, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from isovc.errors import HeadMoved
from isovc.history import Identity
from isovc.history.git_history import GitHistory
from isovc.repo.deeds import Deed
from isovc.repo.place import find
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.workspace import moving, switching
from isovc.workspace.committing import commit
from isovc.workspace.desk import sit_down
from isovc.workspace.switching import reset
from tests.versioned import Versioned

STAMP = Deed(Identity("Ada", "ada@example.org"), 1)


def test_many_processes_commit_while_gc_is_at_work(app: Versioned) -> None:
    copies = [app]
    for name in ("b", "c"):
        app.ok("worktree", "add", str(app.path.with_name(f"{name}.db")), "-c", name)
        copies.append(app.at(app.path.with_name(f"{name}.db")))
    app.ok("config", "gc.undo_days", "0")
    for turn in range(3):
        for number, copy in enumerate(copies):
            # the same values come and go: garbage of one is news of the other
            copy.sql(
                f"UPDATE notes SET body = 'turn {(turn + number) % 2}' || id; INSERT INTO tags VALUES({turn}, 'x')"
            )
        started = [copy.started("commit", "-m", f"turn {turn}") for copy in copies]
        started += [app.started("gc"), app.started("gc")]
        for process in started:
            said, _ = process.communicate()
            assert process.returncode in (0, 5), said
            assert b"Traceback" not in said
        for copy, process in zip(copies, started, strict=False):
            if process.returncode == 5:
                copy.commit(f"turn {turn}")
    assert app.json("fsck", "--trees")["damages"] == []
    for copy in copies:
        assert [each["message"].strip() for each in copy.json("log")] == ["turn 2", "turn 1", "turn 0", "first"]
        assert copy.json("status", "--verify")["clean"]


def test_commands_on_one_database_at_once(app: Versioned) -> None:
    for name in ("a", "b", "c"):
        app.ok("switch", "-c", name, "main")
        app.sql(f"UPDATE notes SET body = '{name}'")
        app.commit(name)
    started = [app.started("switch", name, "--json") for name in ("a", "b", "c", "main")]
    started += [app.started("status", "--json") for _ in range(2)]
    for process in started:
        said, _ = process.communicate()
        assert process.returncode in (0, 1, 5), said
        json.loads(said)
    assert app.clean
    assert app.json("status", "--verify")["clean"]
    assert app.json("fsck")["damages"] == []
    branch = app.json("status")["branch"]
    assert {row[0] for row in app.rows("SELECT body FROM notes")} == (
        {"first", "second", "third"} if branch == "main" else {branch}
    )


def test_an_announcement_is_not_taken_from_a_command_that_is_still_at_it(
    app: Versioned, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = app.json("log")[0]["commit"]
    app.sql("DELETE FROM tags")
    app.commit("second")
    app.ok("config", "busy.seconds", "0.2")
    codes: list[int] = []
    plan = moving.plan_move

    def meanwhile(*rest: object) -> object:
        other = app.started("commit", "-m", "between", "--allow-empty")
        other.communicate()
        codes.append(other.returncode)
        return plan(*rest)  # type: ignore[arg-type]

    monkeypatch.setattr(moving, "plan_move", meanwhile)
    app.ok("reset", "--hard", first)
    assert codes == [5]
    assert [each["commit"] for each in app.json("log")] == [first]
    assert app.clean


@pytest.mark.parametrize("command", ["status", "commit"])
def test_who_comes_between_the_move_and_its_confirmation_finishes_it(
    app: Versioned, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    app.sql("DELETE FROM tags")
    app.commit("second")
    first = app.json("log")[1]["commit"]
    confirm = switching.confirm

    def meanwhile(*rest: object, **more: object) -> None:
        words = ["status"] if command == "status" else ["commit", "-m", "between", "--allow-empty"]
        other = app.started(*words)
        said, _ = other.communicate()
        assert other.returncode == 0, said
        assert b"finished an interrupted `isovc reset`" in said
        confirm(*rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(switching, "confirm", meanwhile)
    app.ok("reset", "--hard", first)
    messages = [each["message"].strip() for each in app.json("log")]
    assert messages == (["first"] if command == "status" else ["between", "first"])
    assert app.clean


def test_a_commit_beside_a_move_does_not_land_on_the_wrong_branch(
    app: Versioned, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks after the database was moved, and before the working copy is said to be there."""
    app.sql("DELETE FROM tags")
    app.commit("second")
    with Repository(app.folder, Settings({}, {})) as repository, GitHistory(repository.git_folder) as history:
        desk = sit_down(repository, find(app.path))
        monkeypatch.setattr(switching, "confirm", lambda *rest, **more: None)
        reset(desk, history, desk.worktree.commit, STAMP, hard=True)  # type: ignore[arg-type]
        with pytest.raises(HeadMoved):
            commit(desk, history, "x", STAMP, allow_empty=True)


def test_a_writer_beside_us_is_waited_for(app: Versioned) -> None:
    script = (
        "import sqlite3, sys, time\n"
        "until = time.monotonic() + 3\n"
        "while time.monotonic() < until:\n"
        "    db = sqlite3.connect(sys.argv[1], timeout=30)\n"
        "    with db: db.execute(\"INSERT INTO tags VALUES(1, 'w')\")\n"
        "    db.close(); time.sleep(0.01)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script, str(app.path)])
    while writer.poll() is None:
        assert app.run("commit", "-m", "while somebody writes").code in (0, 1)
    app.run("commit", "-m", "last")
    assert app.json("status", "--verify")["clean"]
