"""Merges, reverts, picks, rebases and stashes in any order, with what waits, and with undo, against a plain model."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from isovc.errors import (
    AllSettled,
    ConflictsWait,
    IsovcError,
    NoSuchConflict,
    NothingEdited,
    NothingToCommit,
    NothingToStash,
    UncommittedInTheWay,
    WholeRowWaits,
)
from isovc.history import CommitId, Identity
from isovc.history.git_history import GitHistory
from isovc.lifecycle.gc import clean
from isovc.lifecycle.verify import verify
from isovc.repo.commits import CommitIndex
from isovc.repo.deeds import Deed
from isovc.repo.merges import Task as RealTask
from isovc.repo.merges import contested_in
from isovc.repo.names import BRANCHES
from isovc.repo.place import find
from isovc.repo.refs import Refs
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.repo.versions import version_of
from isovc.snapshot.merging.how import How
from isovc.tree.read import scan
from isovc.workspace.committing import commit
from isovc.workspace.desk import Desk, sit_down
from isovc.workspace.merging.bringing import Brought, bring
from isovc.workspace.merging.choosing import Choice, Which
from isovc.workspace.merging.ending import commit_waiting, give_up, go_on
from isovc.workspace.merging.resolving import resolve
from isovc.workspace.merging.tasks import Plan, plan_merge, plan_picks, plan_rebase, plan_reverts
from isovc.workspace.merging.waiting import waiting_in
from isovc.workspace.naming import create
from isovc.workspace.starting import start
from isovc.workspace.stashing import plan_pop, push, stashed
from isovc.workspace.switching import switch
from isovc.workspace.undoing import go
from isovc.workspace.ways import plan_undo
from tests.merging.model import (
    COLUMNS,
    WIDTH,
    Conflict,
    Content,
    Going,
    InTheWay,
    Place,
    Row,
    State,
    Task,
    Waiting,
    ancestors,
    edited,
    in_common,
    merge_bases,
    settled,
)

PLACES: list[Place] = [*(("t", (key,)) for key in range(3)), *(("pair", (1, name)) for name in "xy")]
CELLS = (None, 0, 1, "text")


class MergeMachine(RuleBasedStateMachine):
    """`state` is what must be there now; `done` what was before and after each command that undo knows."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "app.db")
        with closing(sqlite3.connect(self.path)) as db:
            db.executescript(
                "CREATE TABLE t(k INTEGER PRIMARY KEY, a, b, c);"
                "CREATE TABLE pair(p, q, r, s, PRIMARY KEY(p, q)) WITHOUT ROWID;"
                "INSERT INTO t VALUES(0, 0, 0, 0), (1, 1, 1, 1); INSERT INTO pair VALUES(0, 'x', 0, 0)"
            )
        self.time = 1_000_000_000_000_000
        self.repository = Repository(start(self.path, self._deed("init")), Settings({}, {}))
        self.history = GitHistory(self.repository.git_folder)
        first = commit(self._desk(), self.history, "first", self._deed("commit")).commit
        content = self._rows()
        self.contents: dict[str, Content] = {first: content}
        self.parents: dict[str, tuple[str, ...]] = {first: ()}
        self.aside: dict[str, Content] = {}
        self.state = State({"main": first}, "main", content)
        self.done: list[tuple[State, State]] = []

    def teardown(self) -> None:
        if hasattr(self, "history"):
            found = verify(self.repository, self.history, trees=True)
            kept = {each: self._committed(CommitId(each)) for each in self.contents}
            self.history.close()
            self.repository.close()
            self.folder.cleanup()
            assert found.damages == ()
            assert kept == self.contents

    # what is done is chosen by weight, as the state allows: rules that hypothesis chooses do nothing most of the time
    @rule(random=st.integers(0, 2**64 - 1).map(Random))
    def does_something(self, random: Random) -> None:
        waits, is_clean = self.state.waiting is not None, self._is_clean()
        weights = {
            self.edits: 3,
            self.works_on_a_branch: 12 * is_clean,
            self.crosses: 4 * is_clean,
            self.commits: 6 if not is_clean else 1,
            self.names_or_cleans_up: 1,
            self.merges: 1 if waits else 8,
            self.takes_back_or_does_again: 1 if waits else 5,
            self.rebases: 1 if waits else 3,
            self.puts_aside_or_brings_back: 1 if waits else 3,
            self.resolves: 16 * waits,
            self.goes_on: 8 * waits,
            self.gives_up: 1 * waits,
            self.undoes: 4 * bool(self.done),
        }
        (deed,) = random.choices([*weights], [*weights.values()])
        note(deed.__name__)
        deed(random)

    # -- rows and names ------------------------------------------------------------------------------------------------

    def edits(self, random: Random) -> None:
        self._edit(random)

    def works_on_a_branch(self, random: Random) -> None:
        self._switch(random.choice(["main", "a", "b"]))
        self._edit(random)
        self.commits(random)

    def commits(self, random: Random) -> None:
        waiting, state = self.state.waiting, self.state
        if waiting is None:
            made = self._do(
                lambda: commit(self._desk(), self.history, "x", self._deed("commit")).commit,
                NothingToCommit if self._is_clean() else None,
            )
            if made is not None:
                self._know(made, state.live, (state.commit,))
                self._now(state.at(made))
            return
        if waiting.conflicts or waiting.todo or not waiting.commits:
            wrong: type[IsovcError] | None = ConflictsWait
        else:
            empty = not waiting.task.parents and state.live == self.contents[state.commit]
            wrong = NothingToCommit if empty else None
        made = self._do(
            lambda: commit_waiting(self._desk(), self.history, How(), self._deed("commit"), message="x").commit, wrong
        )
        if made is not None:
            self._know(made, state.live, (state.commit, *waiting.task.parents))
            self._now(replace(state, head=waiting.home, waiting=None).at(made))

    def names_or_cleans_up(self, random: Random) -> None:
        name = random.choice("xyz")
        if name in self.state.branches:
            clean(self.repository, self.history, self._deed("gc"))
            return
        here = CommitId(self.state.commit)
        self._do(lambda: create(self._desk(), BRANCHES + name, here, self._deed("branch")))
        self._now(replace(self.state, branches={**self.state.branches, name: here}))

    # -- what brings changes -------------------------------------------------------------------------------------------

    def merges(self, random: Random) -> None:
        self._merge(
            self._somewhere(random),
            random.choice([None, None, None, "ours", "theirs"]),
            forward=random.random() < 0.7,
        )

    def crosses(self, random: Random) -> None:
        """Two branches, each of which takes what the other was before: from then on they have two bases."""
        tips = []
        for name in "ab":
            self._switch(name)
            self._edit(random)
            self.commits(random)
            tips.append(CommitId(self.state.commit))
        for name, there in zip("ab", reversed(tips), strict=True):
            self._switch(name)
            self._merge(there, None, forward=False)
            for _ in range(100):
                if self.state.waiting is None:
                    break
                random.choice([self.resolves, self.goes_on])(random)
            else:
                self.gives_up(random)

    def takes_back_or_does_again(self, random: Random) -> None:
        known = [CommitId(each) for each in self.contents if len(self.parents[each]) == 1]
        if not known:
            return
        some = random.choices(known, k=random.randint(1, 3))
        with self.repository.file.reading() as db:
            plan = random.choice([plan_reverts, plan_picks])(db, CommitId(self.state.commit), some, mainline=None)
        self._bring(plan)

    def rebases(self, random: Random) -> None:
        here, there = CommitId(self.state.commit), self._somewhere(random)
        with self.repository.file.reading() as db:
            plan = plan_rebase(db, here, there, name="it", branch="main")
        if plan is None:
            assert there in ancestors(self.parents, here)
            return
        own = ancestors(self.parents, here) - ancestors(self.parents, there)
        assert {each.theirs for each in plan.tasks} == {each for each in own if len(self.parents[each]) < 2}
        self._bring(plan)

    def puts_aside_or_brings_back(self, random: Random) -> None:
        state = self.state
        if state.stash and (self._is_clean() or random.random() < 0.5):
            self._bring(plan_pop(self._desk(), 0)[1])
            return
        wrong: type[IsovcError] | None = (
            ConflictsWait if state.waiting else NothingToStash if self._is_clean() else None
        )
        found = self._do(lambda: push(self._desk(), self.history, "", self._deed("stash")), wrong)
        if found is not None:
            there = self.contents[state.commit]
            self.aside[found[0]] = state.live
            self._now(replace(state, live=there, stash=((there, state.live), *state.stash)))

    # -- what waits ----------------------------------------------------------------------------------------------------

    def resolves(self, random: Random) -> None:
        what = random.choice(["all", "row", "one"])
        how: Any = random.choice(["base", "ours", "theirs", "set", "as it is"])
        waiting, live = self._waits(), self.state.live
        open_ones = sorted(waiting.conflicts, key=repr)
        if not open_ones:
            self._do(lambda: resolve(self._desk(), Which(), Choice("ours"), self._deed("resolve")), AllSettled)
            return
        one = random.choice(open_ones)
        which, meant, values = Which(), open_ones, dict[str, Any]()
        whole: list[Any] = []
        if what != "all":
            which = Which(one.table, ",".join(map(str, one.key)))
            meant = [each for each in meant if (each.table, each.key) == (one.table, one.key)]
        if what == "one" and one.column:
            which, meant = replace(which, column=one.column), [one]
        if how == "set":
            column = one.column or COLUMNS[one.table][-1]
            values = {column: random.choice(CELLS)}
            which = Which(one.table) if what == "all" else which
            meant = [each for each in meant if each.table == one.table and each.column in (None, column)]
            whole = [each for each in meant if each.column is None] if what == "all" else []
            meant = [each for each in meant if each not in whole]
        elif how == "as it is" and what == "all":
            meant = list(edited(waiting, live))
        nobody = NothingEdited if how == "as it is" and not which.table else NoSuchConflict
        wrong = WholeRowWaits if whole else nobody  # who names no row settles none as a whole by a value
        if how != "as it is":
            live = settled(live, meant, "" if how == "set" else how, values)
        found = self._do(
            lambda: resolve(self._desk(), which, Choice(how, values), self._deed("resolve")),
            None if meant else wrong,
        )
        if found is not None:
            assert len(found.settled) == len(meant)
            left = replace(waiting, conflicts=waiting.conflicts - {*meant})
            self._now(replace(self.state, live=live, waiting=left))

    def goes_on(self, random: Random) -> None:
        state, waiting = self.state, self._waits()
        skip = random.random() < 0.4 and waiting.command in ("revert", "cherry-pick", "rebase")
        head = self.contents[state.commit]
        going = Going(head, state.live, waiting.commits, waiting.prefer)
        if skip:
            going.held = head
        elif waiting.commits and (waiting.task.parents or state.live != head):
            going.current = state.live
            going.made.append((state.live, waiting.task.parents))
        elif waiting.commits:
            going.empty += 1
        wrong = ConflictsWait if waiting.conflicts and not skip else None
        stop = None if wrong else going.go_through(waiting.todo)
        found = self._do(
            lambda: go_on(self._desk(), self.history, waiting.command, How(), self._deed("go on"), skip=skip), wrong
        )
        if found is not None:
            self._came(found, going, stop, waiting)

    def gives_up(self, random: Random) -> None:
        state, waiting = self.state, self._waits()
        self._do(lambda: give_up(self._desk(), self.history, waiting.command, self._deed("give up")))
        self._now(replace(state, head=waiting.home, live=waiting.before, waiting=None).at(waiting.home_commit))

    # -- back ----------------------------------------------------------------------------------------------------------

    def undoes(self, random: Random) -> None:
        before, after = self.done.pop()
        go(self._desk(), self.history, plan_undo(self._desk(), 1), self._deed("undo"))
        # what left the rows alone leaves them alone now, with all that was written since
        self.state = before if before.live != after.live else replace(before, live=self.state.live)

    # -- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        if not hasattr(self, "state"):
            return
        assert self._rows() == self.state.live
        desk = self._desk()
        assert (desk.worktree.branch or desk.worktree.head) == self.state.head
        with self.repository.file.reading() as db:
            found = {ref.name.removeprefix(BRANCHES): ref.target for ref in Refs(db).all(BRANCHES)}
        assert found == self.state.branches
        assert len(stashed(desk)) == len(self.state.stash)
        waiting = waiting_in(desk)
        assert (waiting is None) == (self.state.waiting is None)
        if waiting is not None:
            told = self._waits()
            assert (waiting.command, len(waiting.todo)) == (told.command, len(told.todo))
            open_ones = [
                Conflict(each.table, each.key or (), each.column, each.kind, each.sides)
                for each in contested_in(self.repository.forest, waiting)
            ]
            assert len(open_ones) == len(told.conflicts)
            assert frozenset(open_ones) == told.conflicts

    # -- within --------------------------------------------------------------------------------------------------------

    def _edit(self, random: Random) -> None:
        rows = dict(self.state.live)
        for place in random.choices(PLACES, k=random.randint(1, 4)):
            table, key = place
            cells = random.choices(CELLS, k=len(COLUMNS[table]) - WIDTH[table])
            what = random.choice(["row", "gone", "cell", "cell", "cell"])
            if what == "gone":
                rows.pop(place, None)
            elif what == "row" or place not in rows:
                rows[place] = (*key, *cells)
            else:
                at = random.randrange(len(cells)) + len(key)
                rows[place] = (*rows[place][:at], cells[0], *rows[place][at + 1 :])
        with closing(sqlite3.connect(self.path)) as db, db:
            for table, columns in COLUMNS.items():
                db.execute(f"DELETE FROM {table}")
                marks = ", ".join("?" for _ in columns)
                some = [row for (name, _), row in rows.items() if name == table]
                db.executemany(f"INSERT INTO {table} VALUES({marks})", some)
        self.state = replace(self.state, live=rows)

    def _switch(self, name: str) -> None:
        state = self.state
        if name == state.head:
            return
        there = state.branches.get(name)
        head = CommitId(there or state.commit)
        is_new = there is None
        self._do(lambda: switch(self._desk(), self.history, BRANCHES + name, head, self._deed("switch"), create=is_new))
        self._now(State({**state.branches, name: head}, name, self.contents[head], state.stash))

    def _merge(self, there: CommitId, prefer: Any, *, forward: bool) -> None:
        here = CommitId(self.state.commit)
        with self.repository.file.reading() as db:
            plan = plan_merge(db, here, there, name="it", what="branch", branch="main", forward=forward)
        assert (plan is None) == (there in ancestors(self.parents, here))
        if plan is None:
            return
        if plan.tasks:
            assert set(plan.tasks[0].bases) == merge_bases(self.parents, here, there)
        else:
            assert forward and here in ancestors(self.parents, there)
        self._bring(plan, prefer)

    def _somewhere(self, random: Random) -> CommitId:
        """A branch, or any version: with those that are no tips any more histories cross."""
        known = [*self.contents] if random.random() < 0.5 else [*self.state.branches.values()]
        return CommitId(random.choice(known))

    def _do(self, deed: Callable[[], Any], wrong: type[IsovcError] | None = None) -> Any:
        """What comes of a command; None where it has to fail in this way."""
        self.count = self._count()
        if wrong is None:
            return deed()
        with pytest.raises(wrong):
            deed()
        return None

    def _bring(self, plan: Plan, prefer: Any = None) -> None:
        state = self.state
        tasks = [self._task(each) for each in plan.tasks]
        going = Going(self.contents[state.commit], state.live, plan.commits, prefer)
        stop, wrong = None, ConflictsWait if state.waiting else None
        try:
            if plan.start != state.commit:
                going.go_to(self.contents[plan.start or ""])
            elif not plan.commits:
                going.current = state.live
            stop = going.go_through(tasks)
        except InTheWay:
            wrong = wrong or UncommittedInTheWay
        how = How(prefer)
        found = self._do(lambda: bring(self._desk(), self.history, plan, how, self._deed(plan.command)), wrong)
        if found is not None:
            known = Waiting(plan.command, Task({}, {}), (), frozenset(), {}, state.head, state.commit, state.live)
            start = state if plan.start == state.commit or plan.start is None else state.at(plan.start)
            self._came(found, going, stop, replace(known, commits=plan.commits, prefer=prefer), start)

    def _task(self, task: RealTask) -> Task:
        theirs = {} if task.theirs is None else {**self.contents, **self.aside}[task.theirs]
        return Task(in_common(self.contents, self.parents, task.bases), theirs, task.parents)

    def _came(self, found: Brought, going: Going, stop: Any, known: Waiting, start: State | None = None) -> None:
        """Bring the model to where a sequence has come."""
        assert (len(found.made), len(found.empty)) == (len(going.made), going.empty)
        tip = (start or self.state).commit
        for made, (content, parents) in zip(found.made, going.made, strict=True):
            self._know(made, content, (tip, *parents))
            tip = made
        state = replace(self.state, live=going.held, waiting=None)
        if stop is not None:
            task, todo, conflicts = stop
            known = replace(known, task=task, todo=todo, conflicts=conflicts, given=going.held)
            state = replace(state, waiting=known)
        on_branch = known.home in state.branches
        apart = stop is not None and known.command == "rebase"
        if not on_branch or apart:
            state = replace(state, head=tip)
        else:
            state = replace(state, head=known.home, branches={**state.branches, known.home: tip})
        if stop is None and not known.commits:
            state = replace(state, stash=state.stash[1:])
        self._now(state)

    def _know(self, made: str, content: Content, parents: Sequence[str]) -> None:
        with self.repository.file.reading() as db:
            assert CommitIndex(db).get(CommitId(made)).parents == tuple(parents)
        self.contents[made], self.parents[made] = content, tuple(parents)

    def _now(self, state: State) -> None:
        if self._count() > self.count:  # what changed nothing at all is in no log
            self.done.append((self.state, state))
        else:
            assert state == self.state
        self.state = state

    def _count(self) -> int:
        with self.repository.file.reading() as db:
            return int(db.execute("SELECT count(*) FROM operation").fetchone()[0])

    def _waits(self) -> Waiting:
        assert self.state.waiting is not None
        return self.state.waiting

    def _is_clean(self) -> bool:
        state = self.state
        return state.waiting is None and state.live == self.contents[state.commit]

    def _desk(self) -> Desk:
        return sit_down(self.repository, find(self.path))

    def _deed(self, command: str) -> Deed:
        self.time += 1_000_000
        return Deed(Identity("Ada", "ada@example.org"), self.time, command=command)

    def _rows(self) -> dict[Place, Row]:
        with closing(sqlite3.connect(self.path)) as db:
            return {
                (table, row[: WIDTH[table]]): row for table in COLUMNS for row in db.execute(f"SELECT * FROM {table}")
            }

    def _committed(self, commit: CommitId) -> dict[Place, Row]:
        version = version_of(self.history, commit)
        forest = self.repository.forest
        return {
            (table, row[: WIDTH[table]]): row
            for table, columns in COLUMNS.items()
            for row in scan(forest, version.roots[table].id, cells=range(len(columns)))
        }


class LongMachine(MergeMachine):
    """The same for thousands of steps."""


TestMerging = MergeMachine.TestCase
TestMerging.settings = settings(max_examples=10, stateful_step_count=30, deadline=None)
TestMergingLong = pytest.mark.long(LongMachine.TestCase)
TestMergingLong.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
