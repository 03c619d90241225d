"""The law of undo where versions are merged: whatever waits, is settled, goes on or is given up, undo gives the state
before it, redo the state after; and what waits can be read at any time."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from isovc.repo.commits import CommitEntry, CommitIndex
from isovc.repo.merges import SETTLED, Contested, contested_in
from isovc.repo.names import BRANCHES
from isovc.snapshot.merging.how import PLAIN, How
from isovc.workspace.committing import commit
from isovc.workspace.merging.bringing import bring
from isovc.workspace.merging.choosing import Choice, Which
from isovc.workspace.merging.elsewhere import bring_into
from isovc.workspace.merging.ending import commit_waiting, give_up, go_on
from isovc.workspace.merging.listing import listed
from isovc.workspace.merging.resolving import resolve
from isovc.workspace.merging.tasks import Plan, plan_merge, plan_picks, plan_rebase, plan_reverts
from isovc.workspace.merging.waiting import waiting_in
from isovc.workspace.stashing import drop, plan_pop, push
from isovc.workspace.switching import switch
from isovc.workspace.undoing import go
from isovc.workspace.ways import plan_restore, plan_revert
from tests.workspace.test_undo_machine import State, UndoMachine

# few rows and few names, so that sides meet
_EDITS = (
    "UPDATE t SET b = 'b{n}' WHERE a = {n} % 3",
    "UPDATE t SET c = {n} WHERE a = {n} % 4",
    "DELETE FROM t WHERE a = {n} % 4",
    "INSERT OR REPLACE INTO t VALUES({n} % 5, 'new {n}', {n})",
    "INSERT OR REPLACE INTO pair VALUES({n} % 2, 'k', 'v{n}')",
    "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT {n} % 3 AS a FROM t",
    "DROP VIEW IF EXISTS v",
    "INSERT INTO free VALUES({n}, {n})",
    "INSERT INTO counted(v) VALUES({n})",
    "CREATE UNIQUE INDEX IF NOT EXISTS only ON pair(r)",
    "PRAGMA user_version = {n}",
)
_COMMANDS = ("merge", "cherry-pick", "revert", "rebase")
_SIDES = st.sampled_from(["ours", "theirs", "base"])


def _waits(machine: MergingMachine) -> bool:
    return machine._desk().worktree.merging is not None


def _is_free(machine: MergingMachine) -> bool:
    return not _waits(machine)


class MergingMachine(UndoMachine):
    """The same model, beginning with branches that went apart."""

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        super().begin()
        self._sql(self.path, "INSERT INTO t VALUES(0, 'none', 0), (2, 'two', 2), (3, 'three', 3)")
        self._do("commit", self._commit)
        base = self._desk().worktree.commit
        for name in ("a", "b", "main"):
            head = BRANCHES + name
            target = base if name != "main" else self._refs()[head]
            self._do("switch", partial(self._switch, head, target, create=name != "main"))
            for _ in range(2):
                self.edits_few(data.draw(st.sampled_from(_EDITS)), data.draw(st.integers(0, 400)))
                self._sql(self.path, f"UPDATE t SET b = '{name}' WHERE a = 1")
                self._do("commit", self._commit)
        self.meets(data, 1)

    @rule(edit=st.sampled_from(_EDITS), n=st.integers(0, 400))
    def edits_few(self, edit: str, n: int) -> None:
        self._sql(self.path, edit.format(n=n))

    @precondition(_is_free)
    @rule(data=st.data(), n=st.integers(0, 400))
    def meets(self, data: st.DataObject, n: int) -> None:
        """Where both sides have been at work."""
        command = data.draw(st.sampled_from([*_COMMANDS, "stash pop"]))
        self._sql(self.path, f"UPDATE t SET b = 'mine {n}' WHERE a = 1")
        if command == "stash pop":
            self.puts_aside()
            self._sql(self.path, f"UPDATE t SET b = 'again {n}' WHERE a = 1")
            self.takes_out(0, keep=False)
            return
        self._do("commit", self._commit)
        names = [name for name in map(BRANCHES.__add__, "abc") if name in self._refs()]
        target = self._refs()[data.draw(st.sampled_from(names))] if names else self._desk().worktree.commit
        before = next(iter(self._entry(self._desk().worktree.commit).parents), target)
        self._bring(command, [before if command == "revert" else target], PLAIN, hold=False)

    @precondition(_is_free)
    @rule(
        command=st.sampled_from(["merge", "cherry-pick", "revert", "rebase"]),
        data=st.data(),
        flags=st.tuples(*[st.booleans()] * 2),
    )
    def brings(self, command: str, data: st.DataObject, flags: tuple[bool, bool]) -> None:
        hold, is_clean = flags
        known = self._known()
        target, other = data.draw(st.sampled_from(known)), data.draw(st.sampled_from(known))
        prefer = data.draw(st.sampled_from([None, None, None, "ours", "theirs"]))

        if is_clean:
            self._do("commit", lambda: commit(self._desk(), self.history, "x", self._deed("commit")))
        self._bring(command, [target, other], How(prefer=prefer), hold=hold)

    @rule(data=st.data(), name=st.sampled_from("abc"))
    def brings_elsewhere(self, data: st.DataObject, name: str) -> None:
        target, head = data.draw(st.sampled_from(self._known())), BRANCHES + name
        tip = self._refs().get(head)
        if tip is None or head == self._desk().worktree.head:
            return

        def deed() -> None:
            with self.repository.file.reading() as db:
                plan = plan_merge(db, tip, target, name="it", what="commit", branch=name)
            if plan is not None:
                bring_into(self._desk(), self.history, head, plan, PLAIN, self._deed("merge"))

        self._do("merge --into", deed)

    @precondition(_waits)
    @rule(data=st.data(), kind=st.sampled_from(["ours", "theirs", "base", "renumber", "as it is", "set"]))
    def settles(self, data: st.DataObject, kind: Any) -> None:
        contested = [None, *self._contested()]
        one = data.draw(st.sampled_from(contested))
        which = Which()
        if one is not None:
            name = one.place[1] if one.key is None and one.place else one.table
            which = Which(name, ",".join(map(str, one.key)) if one.key else "", one.column or "")
        choice = Choice(kind, {"c": 7, "r": 7} if kind == "set" else {})
        self._do("resolve", lambda: resolve(self._desk(), which, choice, self._deed("resolve")))

    @precondition(_waits)
    @rule(side=_SIDES)
    def settles_all(self, side: Any) -> None:
        self._do("resolve", lambda: resolve(self._desk(), Which(), Choice(side), self._deed("resolve")))

    @precondition(_waits)
    @rule(skip=st.booleans())
    def goes_on(self, skip: bool) -> None:
        self._do("continue", lambda: go_on(self._desk(), self.history, "", PLAIN, self._deed("go on"), skip=skip))

    @precondition(_waits)
    @rule()
    def commits_what_waited(self) -> None:
        self._do("commit", lambda: commit_waiting(self._desk(), self.history, PLAIN, self._deed("commit")))

    @precondition(_waits)
    @rule()
    def gives_up(self) -> None:
        self._do("abort", lambda: give_up(self._desk(), self.history, "", self._deed("give up")))

    @precondition(_is_free)
    @rule()
    def puts_aside(self) -> None:
        self._do("push", lambda: push(self._desk(), self.history, "aside", self._deed("stash push")))

    @precondition(_is_free)
    @rule(number=st.integers(0, 1), keep=st.booleans())
    def takes_out(self, number: int, keep: bool) -> None:
        def deed() -> None:
            desk = self._desk()
            _, plan = plan_pop(desk, number, keep=keep)
            bring(desk, self.history, plan, PLAIN, self._deed(plan.command))

        self._do("pop", deed)

    @rule()
    def drops(self) -> None:
        self._do("drop", lambda: drop(self._desk(), 0, self._deed("stash drop")))

    @rule(back=st.integers(0, 12), before=st.booleans())
    def restores(self, back: int, before: bool) -> None:
        def deed() -> None:
            way = plan_restore(self._desk(), f"@~{back}", before=before)
            go(self._desk(), self.history, way, self._deed("restore"))

        self._do("restore", deed)

    @rule(back=st.integers(0, 4))
    def reverts_an_operation(self, back: int) -> None:
        def deed() -> None:
            go(self._desk(), self.history, plan_revert(self._desk(), f"@~{back}"), self._deed("op revert"))

        self._do("op revert", deed)

    # -- within --------------------------------------------------------------------------------------------------------

    def _sql(self, path: Path, script: str) -> None:
        with suppress(sqlite3.OperationalError, sqlite3.IntegrityError):  # a table may be gone by now, or be unique
            super()._sql(path, script)

    def _bring(self, command: str, targets: list[Any], how: How, *, hold: bool) -> None:
        def deed() -> None:
            desk = self._desk()
            with self.repository.file.reading() as db:
                here = desk.worktree.commit
                plan: Plan | None
                if command == "merge":
                    plan = plan_merge(db, here, targets[0], name="it", what="commit", branch=None, holds=hold)
                elif command == "rebase":
                    plan = plan_rebase(db, here, targets[0], name="it", branch=desk.worktree.branch)
                elif command == "revert":
                    plan = plan_reverts(db, here, targets, mainline=None, holds=hold)
                else:
                    plan = plan_picks(db, here, targets, mainline=None)
            if plan is not None:
                bring(desk, self.history, plan, how, self._deed(command))

        self._do(command, deed)

    def _entry(self, commit: Any) -> CommitEntry:
        with self.repository.file.reading() as db:
            return CommitIndex(db).get(commit)

    def _commit(self) -> None:
        commit(self._desk(), self.history, "x", self._deed("commit"), allow_empty=True)

    def _switch(self, head: str, target: Any, *, create: bool) -> None:
        switch(self._desk(), self.history, head, target, self._deed("switch"), create=create)

    def _known(self) -> list[Any]:
        """Versions, whether a name leads to them or not."""
        with self.repository.file.reading() as db:
            return sorted({each.id for each in CommitIndex(db).walk(self._refs().values())})

    def _contested(self) -> list[Contested]:
        waiting = waiting_in(self._desk())
        return [] if waiting is None else list(contested_in(self.repository.forest, waiting))

    def _state(self) -> State:
        state = super()._state()
        desk = self._desk()
        waiting = waiting_in(desk)
        if waiting is not None:
            there = [repr(each) for each in listed(desk, waiting, Which())]
            gone = [repr(each) for each in contested_in(self.repository.forest, waiting, SETTLED)]
            assert (len(there), len(gone)) == (waiting.open, waiting.settled)
            state["names"] = (*state["names"], there, gone)
        return state


TestMergingMachine = MergingMachine.TestCase
TestMergingMachine.settings = settings(max_examples=10, stateful_step_count=30, deadline=None)
