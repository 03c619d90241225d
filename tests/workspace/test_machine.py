"""Anything people do with a database and its versions, compared with a plain model: what each version held."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from isovc.errors import CannotCarry
from isovc.history import CommitId, Identity
from isovc.history.git_history import GitHistory
from isovc.lifecycle.gc import clean
from isovc.lifecycle.verify import verify
from isovc.repo.deeds import Deed
from isovc.repo.names import BRANCHES
from isovc.repo.place import find
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.snapshot.capture import capture
from isovc.snapshot.version import same
from isovc.workspace.capturing import look
from isovc.workspace.committing import commit
from isovc.workspace.desk import Desk, sit_down
from isovc.workspace.starting import start
from isovc.workspace.status import status
from isovc.workspace.switching import reset, switch

Content = dict[str, Any]

EDITS = st.sampled_from(
    [
        "INSERT OR REPLACE INTO t VALUES({n} * 37 % 500, {n}, zeroblob({n}))",
        "UPDATE t SET b = 'changed {n}' WHERE a % 7 = {n} % 7",
        "DELETE FROM t WHERE a % 11 = {n} % 11",
        "INSERT INTO free VALUES('row {n}', {n} * 0.5), (NULL, x'00ff')",
        "DELETE FROM free WHERE rowid % 3 = {n} % 3",
        "INSERT OR REPLACE INTO pair VALUES({n} % 5, 'k' || ({n} % 3), 'v{n}')",
        "UPDATE t SET c = CAST(zeroblob(20000 + {n}) AS TEXT) || '{n}' WHERE a % 50 = {n} % 50",
        "CREATE TABLE IF NOT EXISTS more(x PRIMARY KEY, y); INSERT OR REPLACE INTO more VALUES({n}, 'y')",
        "DROP TABLE IF EXISTS more",
        "CREATE INDEX IF NOT EXISTS t_by_b ON t(b)",
        "DROP INDEX IF EXISTS t_by_b",
        "PRAGMA user_version = {n}",
        "VACUUM",
        "CREATE VIEW IF NOT EXISTS v AS SELECT a FROM t",
        "PRAGMA journal_mode = WAL",
        "PRAGMA journal_mode = DELETE",
        "INSERT INTO words VALUES('some words {n}')",
        "INSERT INTO counted(v) VALUES({n})",
    ]
)


class Machine(RuleBasedStateMachine):
    """Model: by commit, branch and place where something is kept, the content there was."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "app.db")
        self._sql(
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); CREATE TABLE free(x, y);"
            "CREATE TABLE pair(p, q, r, PRIMARY KEY(p, q)) WITHOUT ROWID;"
            "CREATE VIRTUAL TABLE words USING fts5(w); CREATE TABLE counted(i INTEGER PRIMARY KEY AUTOINCREMENT, v);"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
            " INSERT INTO t SELECT i, 'text ' || i, i * 1.5 FROM n"
        )
        folder = start(self.path, Deed(Identity("Ada", "ada@example.org"), 1))
        self.repository = Repository(folder, Settings({}, {}))
        self.history = GitHistory(self.repository.git_folder)
        self.time = 1_000_000_000_000_000
        self.commits: dict[CommitId, Content] = {}
        self.branches: dict[str, CommitId] = {}
        self.kept: dict[str, tuple[CommitId, Content]] = {}
        self.layers: dict[str, int] = {}  # how often something was kept there that has not come back
        self.head = BRANCHES + "main"
        self._commit()

    def teardown(self) -> None:
        if hasattr(self, "repository"):
            found = verify(self.repository, self.history, trees=True)
            self.history.close()
            self.repository.close()
            self.folder.cleanup()
            assert found.damages == ()

    # -- what people do ------------------------------------------------------------------------------------------------

    @rule(edit=EDITS, n=st.integers(0, 400))
    def edits(self, edit: str, n: int) -> None:
        self._sql(edit.format(n=n))

    @rule()
    def commits_it(self) -> None:
        self._commit()

    @rule(name=st.sampled_from("abc"), carry=st.booleans())
    def goes_to(self, name: str, carry: bool) -> None:
        head = BRANCHES + name
        here = self._here()
        content = self._content()
        dirty = content != self.commits[here]
        if head not in self.branches:
            switch(self._desk(), self.history, head, here, self._stamp(), create=True, carry=True)
            self.branches[head] = here
            self.head = head
            assert self._content() == content
            return
        target = self.branches[head]
        try:
            came = switch(self._desk(), self.history, head, target, self._stamp(), carry=carry)
        except CannotCarry:
            assert carry and dirty
            assert self._content() == content
            return
        expected = self.commits[target]
        stays = head == self.head or (carry and target == here)
        if stays:
            expected = content
        elif carry and dirty:
            assert came.carried
        else:
            if dirty:
                self.layers[self.head] = self.layers.get(self.head, 0) + 1
                self.kept[self.head] = (here, content)
            assert (came.kept is not None) == dirty
        if came.returned:
            base, expected = self.kept[head]
            is_whole = base == target and not stays and not came.carried and self.layers[head] == 1
            if came.waiting is None:
                del self.kept[head], self.layers[head]
        else:
            is_whole = not came.carried
            assert head not in self.kept or came.waiting is not None
        if not is_whole:
            self.head = head
            return  # merged: what exactly is for the tests of merging
        self.head = head
        assert self._content() == expected

    @precondition(lambda self: not self.kept)
    @rule(data=st.data(), hard=st.booleans())
    def resets(self, data: st.DataObject, hard: bool) -> None:
        target = data.draw(st.sampled_from(sorted(self.commits)))
        before = self._content()
        reset(self._desk(), self.history, target, self._stamp(), hard=hard)
        if self.head in self.branches:
            self.branches[self.head] = target
        else:
            self.head = target
        assert self._content() == (self.commits[target] if hard else before)

    @precondition(lambda self: not self.kept)
    @rule(data=st.data())
    def goes_to_a_version(self, data: st.DataObject) -> None:
        target = data.draw(st.sampled_from(sorted(self.commits)))
        here, content = self._here(), self._content()
        came = switch(self._desk(), self.history, target, target, self._stamp())
        if came.kept:
            self.layers[self.head] = self.layers.get(self.head, 0) + 1
            self.kept[self.head] = (here, content)
        if self.head != target:
            assert self._content() == self.commits[target]
        self.head = target

    @rule()
    def cleans_up(self) -> None:
        clean(self.repository, self.history, self._stamp())

    # -- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def the_status_is_the_truth(self) -> None:
        if not hasattr(self, "repository"):
            return
        desk = self._desk()
        found = look(desk)
        with desk.database.reading() as reading:
            fresh = capture(self.repository.forest, reading).version
        assert same(found, fresh)
        assert found.roots == fresh.roots
        said = status(self._desk())
        assert said.commit == self._here()
        assert bool(said.difference) == (self._content() != self.commits[self._here()])

    # -- within --------------------------------------------------------------------------------------------------------

    def _desk(self) -> Desk:
        return sit_down(self.repository, find(self.path))

    def _here(self) -> CommitId:
        return self.branches[self.head] if self.head in self.branches else CommitId(self.head)

    def _stamp(self) -> Deed:
        self.time += 1_000_000
        return Deed(Identity("Ada", "ada@example.org"), self.time)

    def _commit(self) -> None:
        made = commit(self._desk(), self.history, "x", self._stamp(), allow_empty=True).commit
        self.commits[made] = self._content()
        if self.head.startswith(BRANCHES):
            self.branches[self.head] = made
        else:
            self.head = made

    def _sql(self, script: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.executescript(script)

    def _content(self) -> Content:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.text_factory = bytes
            schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql NOT NULL")
            found: Content = {"schema": sorted(schema)}
            for kind, name, _, sql in found["schema"]:
                if kind == b"table" and b"VIRTUAL" not in sql:
                    keyed = b"WITHOUT ROWID" in sql
                    columns = "*" if keyed else "rowid, *"
                    found[name] = sorted(map(repr, connection.execute(f'SELECT {columns} FROM "{name.decode()}"')))
            found["user_version"] = connection.execute("PRAGMA user_version").fetchone()
            assert connection.execute("PRAGMA integrity_check").fetchall() == [(b"ok",)]
            return found


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
