"""What may never be lost, put into words that two runs share, and the judgement over what an accident has left."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tests.crash.scenarios import MAIN, Scenario
from tests.versioned import Ended, Versioned

_FOLDER = ".isovc"
_ID = re.compile(r"\b[0-9a-f]{12,}\b")


@dataclass(frozen=True)
class State:
    """All that a person can ask for, without ids and times. Versions are told by their messages, newest first."""

    databases: Mapping[str, str]
    files: Mapping[str, tuple[bytes, int, int]]  # beside them: content, mode and time
    branches: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, tuple[str, ...]]
    copies: tuple[tuple[str, str | None, tuple[str, ...], bool], ...]  # path, branch, history, clean
    waits: Mapping[str, Any]  # by working copy, what a merge waits for there
    stashes: tuple[str, ...]
    settings: Mapping[str, Any]
    operations: tuple[str, ...]  # what was done, newest first


@dataclass(frozen=True)
class Course:
    """How a command goes when nobody stops it."""

    scenario: Scenario
    before: State
    after: State
    back: State

    @property
    def states(self) -> tuple[State, State, State]:
        return self.before, self.after, self.back


class Wrong(Exception):
    """What is not as it must be, in a sentence."""


def demand(holds: object, said: str) -> None:
    """As `assert`, told in words that stand for themselves among two thousand others."""
    if not holds:
        raise Wrong(said)


class Witness:
    """Looks at a folder through isovc alone, all in this process."""

    def __init__(self, app: Versioned) -> None:
        self._app = app
        self._histories: dict[str, tuple[str, ...]] = {}  # by commit, which never changes; fsck reads each of them

    def course(self, scenario: Scenario, folder: Path) -> Course:
        """Walk the whole way once; the folder is used up."""
        before = self.state(folder)
        self.ok(folder, scenario.at, *scenario.words, code=scenario.code)
        after = self.state(folder)
        for words in scenario.back:
            self.ok(folder, scenario.at, *words)
        return Course(scenario, before, after, self.state(folder))

    def judge(self, course: Course, folder: Path, *, must: State | None = None) -> None:
        """After an accident: one of the two states (`must`: this one), and from there everything goes on by itself."""
        scenario = course.scenario
        # what was interrupted is settled by whatever is typed next
        if (folder / _FOLDER).exists():
            self.ok(folder, scenario.at, "status")
        found = self.state(folder)
        demand(found in (course.before, course.after), f"a third state: {differing(course, found)}")
        demand(must is None or found == must, f"not the state that was told: {differing(course, found)}")
        self.sound(folder)
        if found != course.after or course.before == course.after:
            self.ok(folder, scenario.at, *scenario.words, code=scenario.code)
            now = self.state(folder)
            demand(now == course.after, f"the command, typed again, leads elsewhere: {differing(course, now)}")
        for words in scenario.back:
            self.ok(folder, scenario.at, *words)
        now = self.state(folder)
        demand(now == course.back, f"the way back leads elsewhere: {differing(course, now)}")
        self.goes_on(folder)

    def goes_on(self, folder: Path) -> None:
        """The next command works, and git's own tools see what it left."""
        self.ok(folder, MAIN, "commit", "--allow-empty", "-m", "and on")
        self.sound(folder)
        self._refs_agree(folder)

    def state(self, folder: Path) -> State:
        """Everything that can be asked for."""
        if not (folder / _FOLDER).exists():
            return State(_databases(folder), _attachments(folder), {}, {}, (), {}, (), {}, ())
        copies, waits = [], {}
        for each in self.json(folder, MAIN, "worktree", "list"):
            path = Path(each["path"]).relative_to(folder).as_posix()
            if not each["there"]:  # some scenarios begin so; in any other it is a state that nobody expects
                copies.append((path, each["branch"], self._history(folder, each["commit"]), False))
                continue
            status = self.json(folder, path, "status")
            copies.append((path, status["branch"], self._history(folder, status["commit"]), status["clean"]))
            if status["merging"]:
                waits[path] = (status["merging"], self.json(folder, path, "conflicts"))
        branches = {each["branch"]: each["commit"] for each in self.json(folder, MAIN, "branch")}
        tags = {each["tag"]: each["commit"] for each in self.json(folder, MAIN, "tag")}
        return State(
            _databases(folder),
            _attachments(folder),
            {name: self._history(folder, commit) for name, commit in branches.items()},
            {name: self._history(folder, commit) for name, commit in tags.items()},
            tuple(copies),
            waits,
            tuple(each["message"].strip() for each in self.json(folder, MAIN, "stash", "list")),
            self.json(folder, MAIN, "config"),
            tuple(_ID.sub("#", each["summary"]) for each in self.json(folder, MAIN, "op", "log")),
        )

    def sound(self, folder: Path) -> None:
        """Nothing is damaged: neither what is kept nor a live database."""
        if (folder / _FOLDER).exists():
            damages = self.json(folder, MAIN, "fsck")["damages"]
            demand(not damages, f"fsck: {damages}")
        for path in _files(folder):
            with closing(sqlite3.connect(path)) as db:
                said = db.execute("PRAGMA integrity_check").fetchall()
            demand(said == [("ok",)], f"{path.name}: {said}")

    def ok(self, folder: Path, at: str, *words: str, code: int = 0) -> str:
        """A command that must work."""
        ended = self.run(folder, at, *words)
        demand(ended.code == code, f"`isovc {' '.join(words)}` ends with {ended.code}: {ended.err.strip()}")
        return ended.out

    def json(self, folder: Path, at: str, *words: str) -> Any:
        """The document of a command that must work."""
        ended = self.run(folder, at, *words, "--json")
        demand(ended.code == 0, f"`isovc {' '.join(words)}` ends with {ended.code}: {ended.out.strip()}")
        return json.loads(ended.out)

    def run(self, folder: Path, at: str, *words: str) -> Ended:
        return self._app.at(folder / at).run(*words)

    def _history(self, folder: Path, commit: str | None) -> tuple[str, ...]:
        if commit is None:
            return ()
        if commit not in self._histories:
            log = self.json(folder, MAIN, "log", commit)
            self._histories[commit] = tuple(each["message"].strip() for each in log)
        return self._histories[commit]

    def _refs_agree(self, folder: Path) -> None:
        ours = {f"refs/heads/{each['branch']}": each["commit"] for each in self.json(folder, MAIN, "branch")}
        ours |= {f"refs/tags/{each['tag']}": each["commit"] for each in self.json(folder, MAIN, "tag")}
        demand(ours == git_refs(folder), f"git shows {git_refs(folder)}, and isovc {ours}")
        # neither in git's folder nor beside the database, where a person would have to wonder
        left = [*(folder / _FOLDER / "git").glob(".*"), *folder.glob(f"{_FOLDER}.*"), *folder.glob("beside/.*.isovc*")]
        left += folder.glob("**/.isovc-new")
        demand(not left, f"left behind: {[each.name for each in left]}")


def git_refs(folder: Path) -> dict[str, str]:
    """What git's own tools see."""
    words = ["git", "--git-dir", str(folder / _FOLDER / "git"), "for-each-ref", "--format=%(refname) %(objectname)"]
    said = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    return dict(line.split() for line in said.splitlines())


def differing(course: Course, found: State) -> str:
    """Where a state is neither of the two, as briefly as it can be said."""
    told = []
    for field in fields(State):
        is_now, courses = getattr(found, field.name), [getattr(each, field.name) for each in course.states]
        if isinstance(is_now, dict):
            names = sorted({*is_now, *(name for each in courses for name in each)})
            parts = {f"{field.name} {name}": (is_now.get(name), [each.get(name) for each in courses]) for name in names}
        else:
            parts = {field.name: (is_now, courses)}
        # what is the same before and after tells nothing
        told += [f"{name} {_when(*part)}" for name, part in parts.items() if any(part[0] != it for it in part[1][:2])]
    return "; ".join(told)


def _when(now: object, courses: list[object]) -> str:
    of = [name for name, each in zip(("before", "after", "back"), courses, strict=True) if each == now]
    return f"as {' and '.join(of)}" if of else f"as never: {_brief(now)}"


def _brief(what: object) -> str:
    text = str(what)
    return text if len(text) < 400 else f"{text[:400]}..."


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*.db") if _FOLDER not in each.parts and each.name != "store.db")


def _attachments(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Everything in the folders of files, also what should not be there, but for what is staged."""
    found = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any("files" in part for part in parts[:2]) and _FOLDER not in parts and _is_file(path):
            seen = path.lstat()
            held = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
            found["/".join(parts)] = (held, seen.st_mode, seen.st_mtime_ns)
    return found


def _is_file(path: Path) -> bool:
    # what is staged lies there until the next placing
    return (path.is_symlink() or path.is_file()) and not any(part.endswith(".isovc-new") for part in path.parts)


def _databases(folder: Path) -> dict[str, str]:
    found = {}
    for path in _files(folder):
        with closing(sqlite3.connect(path)) as db:
            found[path.relative_to(folder).as_posix()] = "\n".join(sorted(db.iterdump()))
    return found
