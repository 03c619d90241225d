"""The law of undo where versions are merged: whatever waits, is settled, goes on or is given up, undo gives the state
before it, redo the state after; and what waits can be read at any time."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from isovc.repo.commits import CommitIndex
from isovc.repo.merges import SETTLED, Contested, contested_in
from isovc.repo.names import BRANCHES
from isovc.snapshot.how import PLAIN, How
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
_SIDES = st.sampled_from(["ours", "theirs", "base"])


class MergingMachine(UndoMachine):
    """The same model, beginning with branches that went apart."""

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        super().begin()
        self._sql(self.path, "INSERT INTO t VALUES(0, 'none', 0), (2, 'two', 2), (3, 'three', 3)")
        self._do("commit", self._commit)
        for name in "ab":
            here = self._desk().worktree.commit
            head = BRANCHES + name
            self._do("switch", lambda head=head, here=here: self._switch(head, here, create=True))
            for _ in range(2):
                self.edits_few(data.draw(st.sampled_from(_EDITS)), data.draw(st.integers(0, 400)))
                self._do("commit", self._commit)
            main = BRANCHES + "main"
            self._do("switch", lambda main=main: self._switch(main, self._refs()[main], create=False))
            self.edits_few(data.draw(st.sampled_from(_EDITS)), data.draw(st.integers(0, 400)))
            self._do("commit", self._commit)

    @rule(edit=st.sampled_from(_EDITS), n=st.integers(0, 400))
    def edits_few(self, edit: str, n: int) -> None:
        self._sql(self.path, edit.format(n=n))

    @rule(command=st.sampled_from(["merge", "cherry-pick", "revert", "rebase"]), data=st.data(), hold=st.booleans())
    def brings(self, command: str, data: st.DataObject, hold: bool) -> None:
        known = self._known()
        target, other = data.draw(st.sampled_from(known)), data.draw(st.sampled_from(known))
        prefer = data.draw(st.sampled_from([None, None, "ours", "theirs"]))

        def deed() -> None:
            desk = self._desk()
            with self.repository.file.reading() as db:
                here = desk.worktree.commit
                plan: Plan | None
                if command == "merge":
                    plan = plan_merge(db, here, target, name="it", what="commit", branch=None, holds=hold)
                elif command == "rebase":
                    plan = plan_rebase(db, here, target, name="it", branch=desk.worktree.branch)
                elif command == "revert":
                    plan = plan_reverts(db, here, [target, other], mainline=None, holds=hold)
                else:
                    plan = plan_picks(db, here, [target, other], mainline=None)
            if plan is not None:
                bring(desk, self.history, plan, How(prefer=prefer), self._deed(command))

        self._do(command, deed)

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

    @rule(side=_SIDES)
    def settles_all(self, side: Any) -> None:
        self._do("resolve", lambda: resolve(self._desk(), Which(), Choice(side), self._deed("resolve")))

    @rule(skip=st.booleans())
    def goes_on(self, skip: bool) -> None:
        self._do("continue", lambda: go_on(self._desk(), self.history, "", PLAIN, self._deed("go on"), skip=skip))

    @rule()
    def commits_what_waited(self) -> None:
        self._do("commit", lambda: commit_waiting(self._desk(), self.history, PLAIN, self._deed("commit")))

    @rule()
    def gives_up(self) -> None:
        self._do("abort", lambda: give_up(self._desk(), self.history, "", self._deed("give up")))

    @rule()
    def puts_aside(self) -> None:
        self._do("push", lambda: push(self._desk(), self.history, "aside", self._deed("stash push")))

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
