"""The law of undo: after any commands, undo gives the state before them, redo the state after; rows and names alike."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from isovc.errors import BranchInUse, CannotCarry, GoneOverAlone, IsovcError, NothingToCommit, Refused
from isovc.history import Identity
from isovc.history.git_history import GitHistory
from isovc.lifecycle.verify import verify
from isovc.repo.deeds import Deed
from isovc.repo.names import BRANCHES, TAGS
from isovc.repo.place import find
from isovc.repo.refs import Refs
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.repo.worktrees import Worktrees
from isovc.workspace.committing import commit
from isovc.workspace.desk import Desk, sit_down
from isovc.workspace.naming import create, remove, rename
from isovc.workspace.outposts import add
from isovc.workspace.outposts import remove as leave
from isovc.workspace.starting import start
from isovc.workspace.switching import reset, switch
from isovc.workspace.undoing import go
from isovc.workspace.ways import plan_redo, plan_restore, plan_undo
from tests.workspace.test_machine import EDITS

State = dict[str, Any]


class UndoMachine(RuleBasedStateMachine):
    """Model: the whole state before each command that was recorded, and what undo has gone back over."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "app.db")
        self._sql(
            self.path,
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); CREATE TABLE free(x, y);"
            "CREATE TABLE pair(p, q, r, PRIMARY KEY(p, q)) WITHOUT ROWID; CREATE VIRTUAL TABLE words USING fts5(w);"
            "CREATE TABLE counted(i INTEGER PRIMARY KEY AUTOINCREMENT, v); INSERT INTO t VALUES(1, 'one', 1)",
        )
        self.time = 1_000_000_000_000_000
        self.repository = Repository(start(self.path, self._deed("init")), Settings({}, {}))
        self.history = GitHistory(self.repository.git_folder)
        self.done: list[tuple[State, State]] = []  # before and after
        self.undone: list[tuple[State, State]] = []
        self._do("commit", lambda: commit(self._desk(), self.history, "first", self._deed("commit")))

    def teardown(self) -> None:
        if hasattr(self, "history"):
            found = verify(self.repository, self.history, trees=True)
            self.history.close()
            self.repository.close()
            self.folder.cleanup()
            assert found.damages == ()

    # -- what people do ------------------------------------------------------------------------------------------------

    @rule(edit=EDITS, n=st.integers(0, 400))
    def edits(self, edit: str, n: int) -> None:
        self._sql(self.path, edit.format(n=n))

    @rule()
    def commits(self) -> None:
        self._do("commit", lambda: commit(self._desk(), self.history, "x", self._deed("commit")))

    @rule(name=st.sampled_from("abc"), carry=st.booleans())
    def goes_to(self, name: str, carry: bool) -> None:
        head = BRANCHES + name
        target = self._refs().get(head)
        here = self._desk().worktree.commit
        self._do(
            "switch",
            lambda: switch(
                self._desk(),
                self.history,
                head,
                target or here,
                self._deed("switch"),
                carry=carry or target is None,
                create=target is None,
            ),
        )

    @rule(data=st.data(), hard=st.booleans())
    def resets(self, data: st.DataObject, hard: bool) -> None:
        known = sorted(set(self._refs().values()))
        if not known:
            return
        target = data.draw(st.sampled_from(known))
        self._do("reset", lambda: reset(self._desk(), self.history, target, self._deed("reset"), hard=hard))

    @rule(name=st.sampled_from("abc"), kind=st.sampled_from([BRANCHES, TAGS]), deed=st.sampled_from(["make", "remove"]))
    def names(self, name: str, kind: str, deed: str) -> None:
        here = self._desk().worktree.commit
        if here is None:
            return
        if deed == "make":
            self._do("name", lambda: create(self._desk(), kind + name, here, self._deed("name")))
        else:
            self._do("name", lambda: remove(self._desk(), kind + name, self._deed("name"), force=True))

    @rule(name=st.sampled_from("abc"), new=st.sampled_from("abcd"))
    def renames(self, name: str, new: str) -> None:
        self._do("rename", lambda: rename(self._desk(), BRANCHES + name, BRANCHES + new, self._deed("rename")))

    @rule(edit=st.sampled_from(["DELETE FROM t", "INSERT INTO free VALUES('there', 1)", "SELECT 1"]))
    def plants(self, edit: str) -> None:
        other = self.path.with_name("other.db")
        here = self._desk().worktree.commit
        if here is None:
            return
        if other.exists():
            self._sql(other, edit)
            self._do("leave", lambda: leave(self._desk(), other, self._deed("leave")))
        else:
            self._do("plant", lambda: add(self._desk(), self.history, other, here, here, self._deed("plant")))

    # -- back and forward ----------------------------------------------------------------------------------------------

    @rule(many=st.integers(1, 3))
    def undoes(self, many: int) -> None:
        if not self.done:
            return
        many = min(many, len(self.done))
        now = self._state()
        try:
            way = plan_undo(self._desk(), many)
        except GoneOverAlone:
            many = 1
            way = plan_undo(self._desk(), many)
        go(self._desk(), self.history, way, self._deed("undo"))
        over = [self.done.pop() for _ in range(many)]
        expected = over[-1][0]
        found = self._state()
        assert found["names"] == expected["names"]
        if any(before["other"] is not None and after["other"] is None for before, after in over[-1:]):
            assert found["other"] == expected["other"]
        # those that left the rows alone leave them alone now, with all that was written before the others
        moved = [before["rows"] for before, after in over if before["rows"] != after["rows"]]
        assert found["rows"] == (moved[-1] if moved else now["rows"])
        last = now
        for before, after in over:
            self.undone.append((before, {**after, "rows": last["rows"]}))
            last = before

    @rule()
    def redoes(self) -> None:
        if not self.undone:
            return
        before, after = self.undone[-1]
        now = self._state()
        go(self._desk(), self.history, plan_redo(self._desk(), 1), self._deed("redo"))
        self.undone.pop()
        found = self._state()
        assert found["names"] == after["names"]
        self.done.append((now, found))
        if before["rows"] != after["rows"]:
            assert found["rows"] in (after["rows"], now["rows"])

    @rule()
    def goes_back_to_the_beginning_and_undoes_that(self) -> None:
        way = plan_restore(self._desk(), "@", before=False)
        self._do("restore", lambda: go(self._desk(), self.history, way, self._deed("restore")))

    @invariant()
    def nothing_is_in_the_way(self) -> None:
        if hasattr(self, "history"):
            assert self._desk().worktree.intent is None

    # -- within --------------------------------------------------------------------------------------------------------

    def _do(self, what: str, deed: Any) -> None:
        before = self._state()
        count = self._count()
        try:
            deed()
        except (NothingToCommit, CannotCarry, BranchInUse, Refused, IsovcError):
            assert self._state() == before, what
            return
        if self._count() > count:
            self.done.append((before, self._state()))
            self.undone.clear()
        else:
            assert self._state() == before, what

    def _count(self) -> int:
        with self.repository.file.reading() as db:
            return int(db.execute("SELECT count(*) FROM operation").fetchone()[0])

    def _desk(self) -> Desk:
        return sit_down(self.repository, find(self.path))

    def _deed(self, command: str) -> Deed:
        self.time += 1_000_000
        return Deed(Identity("Ada", "ada@example.org"), self.time, command=command)

    def _refs(self) -> dict[str, Any]:
        with self.repository.file.reading() as db:
            return {ref.name: ref.target for ref in Refs(db).all()}

    def _state(self) -> State:
        with self.repository.file.reading() as db:
            places = {each.database.removesuffix(".db"): each.standing for each in Worktrees(db).all()}
        other = self.path.with_name("other.db")
        there = self._content(other) if other.exists() else None
        return {"names": (self._refs(), places, other.exists()), "rows": self._content(self.path), "other": there}

    def _sql(self, path: Path, script: str) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.executescript(script)

    def _content(self, path: Path) -> Any:
        with closing(sqlite3.connect(path)) as connection:
            connection.text_factory = bytes
            schema = sorted(
                connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql NOT NULL")
            )
            found: list[Any] = [schema, connection.execute("PRAGMA user_version").fetchone()]
            for kind, name, _, sql in schema:
                if kind == b"table" and b"VIRTUAL" not in sql:
                    found.append((name, sorted(map(repr, connection.execute(f'SELECT * FROM "{name.decode()}"')))))
            assert connection.execute("PRAGMA integrity_check").fetchall() == [(b"ok",)]
            return found


TestUndoMachine = UndoMachine.TestCase
TestUndoMachine.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
