"""Files and rows edited, committed, switched, merged, put aside, undone and redone in any order, against dicts."""

from __future__ import annotations

import gc
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.attachments.filed import LONG_AGO, Known, link, read, write
from tests.crash.aftermath import Quiet
from tests.merging.model import ancestors, merge_bases

PATHS = ("a", "b", "d", "d/x", "d/y", "e/f/g", "e/f")
Files = Mapping[str, Known]
Rows = Mapping[int, str]


@dataclass(frozen=True)
class Content:
    """What the database and the folder hold."""

    files: Files
    rows: Rows


@dataclass(frozen=True)
class State:
    """Where everything is. `kept`: what was uncommitted when a branch was left."""

    branches: Mapping[str, str]
    head: str
    live: Content
    kept: Mapping[str, Content] = field(default_factory=dict)
    stash: tuple[tuple[str, Content], ...] = ()

    @property
    def commit(self) -> str:
        return self.branches[self.head]


def clashes(files: Files) -> bool:
    """Whether something is a file and a folder."""
    return any(path.startswith(f"{other}/") for path in files for other in files)


def one_file(base: Known | None, ours: Known | None, theirs: Known | None) -> tuple[bool, Known | None]:
    """Whether the file waits, and what it is until it is settled."""
    if theirs in (base, ours):
        return False, ours
    if ours == base:
        return False, theirs
    if ours is None or theirs is None:
        return True, ours
    was = base or Known(b"\0", -1, -1, ours.is_link)  # what neither has, so that it counts as changed by both
    both_wrote = ours.content != theirs.content and was.content not in (ours.content, theirs.content)
    kinds = [(each.mode, each.is_link) for each in (was, ours, theirs)]
    both_modes = kinds[1] != kinds[2] and (base is None or kinds[0] not in kinds[1:])
    waits = both_wrote or both_modes
    if base is None and waits:
        return True, ours
    if waits and ours.is_link != theirs.is_link:
        return True, ours
    content = theirs.content if ours.content == was.content else ours.content
    mode, is_link = kinds[2] if kinds[1] == kinds[0] else kinds[1]
    if was.mtime in (ours.mtime, theirs.mtime):
        mtime = theirs.mtime if ours.mtime == was.mtime else ours.mtime
    else:
        mtime = ours.mtime if both_wrote else max(ours.mtime, theirs.mtime)
    return waits, Known(content, mode, ours.mtime if both_wrote else mtime, is_link)


class FilesMachine(RuleBasedStateMachine):
    """`state` is what must be there now; `done` and `undone` what was before and after each command."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.app = Quiet(Path(self.folder.name, "app.db"))
        self.files = Path(self.folder.name, "files")
        self.files.mkdir()
        with closing(sqlite3.connect(self.app.path)) as db:
            db.executescript("CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(0, 'zero')")
        Quiet(self.files).ok("init", "../app.db", "--attachments", ".")
        write(self.files / "a", "base\n", mtime=LONG_AGO)
        live = self._held()
        first = self.app.commit("first")
        self.contents = {first: live}
        self.parents: dict[str, tuple[str, ...]] = {first: ()}
        self.state = State({"main": first}, "main", live)
        self.done: list[tuple[State, State]] = []
        self.undone: list[tuple[State, State]] = []
        self.named = 0

    def teardown(self) -> None:
        gc.unfreeze()
        gc.enable()
        if hasattr(self, "app"):
            assert self.app.json("fsck")["damages"] == []
            for commit, content in self.contents.items():
                found = self.app.json("ls", commit, "-r")
                assert {each["path"]: (each["size"], each["mtime"]) for each in found} == {
                    path: (len(each.content), each.mtime) for path, each in content.files.items()
                }
            assert not (self.files / ".isovc-new").exists()
            self.folder.cleanup()

    @rule(random=st.integers(0, 2**64 - 1).map(Random))
    def does_something(self, random: Random) -> None:
        is_dirty = self.state.live != self.contents[self.state.commit]
        weights = {
            self.edits: 8,
            self.commits: 8 * is_dirty,
            self.switches: 4,
            self.branches_off: 3,
            self.merges: 8 * (not is_dirty and len(self.state.branches) > 1),
            self.puts_aside: 3 * is_dirty,
            self.brings_back: 3 * (not is_dirty and bool(self.state.stash)),
            self.resets: 2 * is_dirty,
            self.undoes: 5 * bool(self.done),
            self.redoes: 5 * bool(self.undone),
            self.works_beside: 1,
            self.takes_files: 2,
            self.cleans_up: 1,
        }
        (deed,) = random.choices([*weights], weights=[*map(int, weights.values())])
        deed(random)
        assert self._held() == self.state.live, deed.__name__
        status = self.app.json("status")
        assert status["branch"] == self.state.head and status["commit"] == self.state.commit
        assert status["clean"] == (self.state.live == self.contents[self.state.commit]), deed.__name__

    def edits(self, random: Random) -> None:
        for _ in range(random.randint(1, 3)):
            path = self.files / random.choice(PATHS)
            what = random.choice(["gone", "write", "write", "write", "link", "mode", "touch"])
            is_there = path.is_symlink() or path.is_file()
            if what == "gone":
                if is_there:
                    path.unlink()
            elif what in ("mode", "touch") and is_there and not path.is_symlink():
                seen = path.stat()
                mode = random.choice((0o644, 0o755, 0o600)) if what == "mode" else seen.st_mode & 0o777
                mtime = LONG_AGO + random.randint(1, 9) if what == "touch" else seen.st_mtime_ns
                write(path, path.read_bytes(), mode=mode, mtime=mtime)
            elif what in ("write", "link"):
                self._make_way(path)
                mtime = LONG_AGO + random.randint(1, 9)
                if what == "link":
                    link(path, random.choice(("a", "../nowhere")), mtime=mtime)
                else:
                    text = random.choice(("", "one\n", "two\n", "three\n" * 30_000))
                    write(path, text, mode=random.choice((0o644, 0o755)), mtime=mtime)
        if random.random() < 0.4:
            with closing(sqlite3.connect(self.app.path)) as db, db:
                row = (random.randint(0, 2), random.choice(("x", "y", "z")))
                db.execute("INSERT OR REPLACE INTO t VALUES(?, ?)", row)
        self.state = replace(self.state, live=self._held())

    def commits(self, random: Random) -> None:
        self._committed(self.app.commit("more"), self.state.live, (self.state.commit,))

    def switches(self, random: Random) -> None:
        name = random.choice([*self.state.branches])
        if name != self.state.head:
            self.app.ok("switch", name)
            self._arrive(self._left(), name)

    def branches_off(self, random: Random) -> None:
        if len(self.state.branches) < 4:
            name = self._name()
            self.app.ok("switch", "-c", name, "--carry") if random.random() < 0.5 else self.app.ok("branch", name)
            branches = {**self.state.branches, name: self.state.commit}
            head = str(self.app.json("status")["branch"])
            self._now(replace(self.state, branches=branches, head=head))

    def merges(self, random: Random) -> None:
        other = random.choice([name for name in self.state.branches if name != self.state.head])
        here, there = self.state.commit, self.state.branches[other]
        before = self.state
        bases = merge_bases(self.parents, here, there)
        if there in ancestors(self.parents, here):
            return
        ended = self.app.run("merge", other)
        if here in ancestors(self.parents, there):
            assert ended.code == 0, ended
            branches = {**self.state.branches, self.state.head: there}
            self._now(replace(self.state, branches=branches, live=self.contents[there]))
            return
        steps = 1
        if len(bases) == 1:
            base, ours, theirs = (self.contents[each].files for each in (*bases, here, there))
            found = {
                path: one_file(base.get(path), ours.get(path), theirs.get(path)) for path in {*base, *ours, *theirs}
            }
            merged = {path: file for path, (_, file) in found.items() if file is not None}
            if clashes(merged):
                assert ended.code == 1, ended
                return
            waits = {path for path, (is_open, _) in found.items() if is_open}
            assert ended.code in ((0, 3) if not waits else (3,)), (ended, found)
            assert self._held().files == merged
            if ended.code == 3:
                said = self.app.json("conflicts")
                assert {each["key"][0] for each in said if each["table"] == "files/"} == waits
        if ended.code == 3:
            side = random.choice(("--ours", "--theirs"))
            if random.random() < 0.3 or self.app.run("resolve", side).code:
                self.app.ok("merge", "--abort")
                assert self._held() == before.live
                self.done.clear()
                self.undone.clear()
                return
            if len(bases) == 1:
                chosen = ours if side == "--ours" else theirs
                now = self._held().files
                whole = [path for path in waits if found[path][1] is None or path not in chosen]
                assert [now.get(path) for path in whole] == [chosen.get(path) for path in whole]
            self.app.ok("merge", "--continue")
            steps = 3
        elif ended.code == 1:
            return  # it has several bases, and something is in the way
        made = str(self.app.json("status")["commit"])
        self._committed(made, self._held(), (here, there))
        if steps > 1:  # each of them is undone by itself
            self.done.clear()

    def puts_aside(self, random: Random) -> None:
        self.app.ok("stash", "push")
        stash = ((self.state.commit, self.state.live), *self.state.stash)
        self._now(replace(self.state, stash=stash, live=self.contents[self.state.commit]))

    def brings_back(self, random: Random) -> None:
        base, aside = self.state.stash[0]
        if base == self.state.commit:
            self.app.ok("stash", "pop")
            self._now(replace(self.state, stash=self.state.stash[1:], live=aside))

    def resets(self, random: Random) -> None:
        self.app.ok("reset", "--hard", "HEAD")
        self._now(replace(self.state, live=self.contents[self.state.commit]))

    def undoes(self, random: Random) -> None:
        before, after = self.done[-1]
        if after == self.state:
            self.app.ok("undo")
            self.done.pop()
            self.undone.append((before, after))
            self.state = before

    def redoes(self, random: Random) -> None:
        before, after = self.undone[-1]
        if before == self.state:
            self.app.ok("redo")
            self.undone.pop()
            self.done.append((before, after))
            self.state = after

    def works_beside(self, random: Random) -> None:
        if len(self.state.branches) >= 4:
            return
        name, here = self._name(), self.state.commit
        self.app.ok("worktree", "add", "beside.db", "-c", name)
        folder = Path(self.folder.name, "files-beside")
        assert read(folder) == self.contents[here].files
        beside = Quiet(Path(self.folder.name, "beside.db"))
        for path in ("b", "d", "d/x"):
            if (folder / path).is_dir():
                shutil.rmtree(folder / path)
            if path != "d":
                if (folder / "d").is_file() or (folder / "d").is_symlink():
                    (folder / "d").unlink()
                write(folder / path, f"{name}\n", mtime=LONG_AGO + 20)
        made, files = beside.commit("beside"), read(folder)
        if random.random() < 0.5:
            (folder / "b").unlink()  # and is gone with the working copy, which undo brings back as it was
        self.app.ok("worktree", "remove", "beside.db", "--yes")
        assert not folder.exists()
        self.contents[made] = Content(files, self.contents[here].rows)
        self.parents[made] = (here,)
        self.state = replace(self.state, branches={**self.state.branches, name: made})
        self.done.clear()
        self.undone.clear()

    def takes_files(self, random: Random) -> None:
        name = random.choice([*self.state.branches])
        files = self.contents[self.state.branches[name]].files
        self.app.ok("checkout", "-t", "files/", name)
        self._now(replace(self.state, live=replace(self.state.live, files=files)))

    def cleans_up(self, random: Random) -> None:
        self.app.ok("gc")

    # -- within --------------------------------------------------------------------------------------------------------

    def _left(self) -> State:
        """What is uncommitted stays with the branch."""
        state = self.state
        if state.live == self.contents[state.commit]:
            return state
        return replace(state, kept={**state.kept, state.head: state.live})

    def _arrive(self, state: State, name: str) -> None:
        live = state.kept.get(name, self.contents[state.branches[name]])
        kept = {branch: content for branch, content in state.kept.items() if branch != name}
        self._now(replace(state, head=name, live=live, kept=kept))

    def _committed(self, made: str, content: Content, parents: tuple[str, ...]) -> None:
        self.contents[made], self.parents[made] = content, parents
        branches = {**self.state.branches, self.state.head: made}
        self._now(replace(self.state, branches=branches, live=content))

    def _now(self, state: State) -> None:
        if state != self.state:
            self.done.append((self.state, state))
            self.undone.clear()
        self.state = state

    def _name(self) -> str:
        self.named += 1
        return f"branch-{self.named}"

    def _make_way(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        for above in path.parents:
            if above != self.files and above.is_relative_to(self.files) and (above.is_symlink() or above.is_file()):
                above.unlink()

    def _held(self) -> Content:
        with closing(sqlite3.connect(self.app.path)) as db:
            return Content(read(self.files), dict(db.execute("SELECT k, v FROM t")))


class LongMachine(FilesMachine):
    """The same for thousands of steps."""


TestFiles = FilesMachine.TestCase
TestFiles.settings = settings(max_examples=5, stateful_step_count=25, deadline=None)
TestFilesLong = pytest.mark.long(LongMachine.TestCase)
TestFilesLong.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
