"""Changes brought into a working copy step by step, in one transaction of its database, until something is
contested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from isovc.errors import HomeMoved, NoCommitsYet, ShapeNotReached, UncommittedInTheWay
from isovc.history import CommitId, Identity
from isovc.history.git_history import GitHistory
from isovc.repo.deeds import Deed, Telling
from isovc.repo.merges import Contested, Merge, Task, contesting
from isovc.repo.names import BRANCHES, short
from isovc.repo.operations import SnapshotId, Standing
from isovc.repo.refs import Refs
from isovc.repo.versions import version_of
from isovc.repo.worktrees import Intent
from isovc.snapshot.merging.how import How
from isovc.snapshot.merging.merge import Merged, merge
from isovc.snapshot.merging.row_names import Names
from isovc.snapshot.merging.translating import Translated
from isovc.snapshot.numbering.numbers import Numbers, composed, encode_numbers
from isovc.snapshot.version import Version, encode_version, laid_out_like, same
from isovc.sources.sqlite import Writing
from isovc.workspace.committing import write_commit
from isovc.workspace.desk import Desk
from isovc.workspace.merging.bases import in_numbers_of
from isovc.workspace.merging.carrying import carried, names_between
from isovc.workspace.merging.numbering import Lines, Stand
from isovc.workspace.merging.putting import Put, put
from isovc.workspace.merging.tasks import Plan
from isovc.workspace.merging.telling import Sides, numbered, once
from isovc.workspace.merging.waiting import keep, refuse_while_waiting
from isovc.workspace.moving import Step, announce, changing, confirm
from isovc.workspace.status import Difference, difference
from isovc.workspace.switching import refuse_shared_branch

_SAME = Names()


@dataclass(frozen=True, slots=True)
class Stop:
    """A step that waits for a person, with the versions it came from."""

    merge: Merge
    versions: dict[str, Version]


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of it: where the working copy is then, the commits that were made, steps that brought nothing new, what
    moved in the database, and the merge that waits, if one does. `numbers`: rows that got another one, by table."""

    standing: Standing
    made: tuple[CommitId, ...]
    empty: tuple[Task, ...]
    moved: Difference
    waiting: Merge | None = None
    numbers: Numbers = field(default_factory=dict)


class _Enough(Exception):
    """What would come is known, and nothing of it shall stay."""

    def __init__(self, brought: Brought) -> None:
        self.brought = brought


def bring(desk: Desk, history: GitHistory, plan: Plan, how: How, deed: Deed, *, preview: bool = False) -> Brought:
    """Do what a plan says; with `preview` only say what would come of it."""
    try:
        with changing(desk) as (desk, writing, live):
            refuse_while_waiting(desk)
            here = desk.worktree
            if here.commit is None or plan.start is None:
                raise NoCommitsYet(branch=here.branch or here.head)
            run = Run(desk, history, writing, deed, plan.command, how, live, here.commit, desk.head, live, here.head)
            run.home_commit, run.drops, run.preview = here.commit, plan.drops, preview
            run.ours = plan.ours or here.branch or "ours"
            run.commits, run.holds = plan.commits, plan.holds
            if preview:
                writing.hold_back()
            if plan.start != here.commit:
                run.go_to(plan.start)
            elif not plan.commits:
                run.current = live  # what is brought stands beside what is uncommitted
            stop = run.go_through(plan.tasks)
            if preview:
                raise _Enough(run.told(stop))
            intent, brought = run.arrive(plan.telling, stop)
    except _Enough as enough:
        return enough.brought
    confirm(desk, intent, writing, brought.moved)
    return brought


@dataclass
class Run:
    """A sequence at work. `live`: what the database held before; `tip`: the last commit, `current` its version; `held`:
    what the database holds in this transaction: `current`, and what is uncommitted. `before`: what it held before the
    first command of the sequence, where this is not it. `known`: what rows of versions that were brought are called,
    which need not be found out again."""

    desk: Desk
    history: GitHistory
    writing: Writing
    deed: Deed
    command: str
    how: How
    live: Version
    tip: CommitId
    current: Version
    held: Version
    home: str
    home_commit: CommitId | None = None
    ours: str = "ours"
    commits: bool = True
    holds: bool = False
    drops: str = ""
    preview: bool = False
    before: SnapshotId | None = None
    made: list[CommitId] = field(default_factory=list)
    empty: list[Task] = field(default_factory=list)
    numbers: Numbers = field(default_factory=dict)
    known: list[tuple[CommitId, Numbers]] = field(default_factory=list)

    def go_to(self, commit: CommitId) -> None:
        """Go to another commit; what is uncommitted comes along."""
        there = laid_out_like(version_of(self.history, commit), self.live)
        names = names_between(self._lines(), self.tip, commit)
        done = put(self.desk.repository, self.writing, self.held, self._beside_uncommitted(there, names))
        if not done.is_whole and not same(self.held, self.current):
            raise self._in_the_way()
        self.tip, self.current, self.held = commit, there, done.version

    def go_through(self, tasks: Sequence[Task]) -> Stop | None:
        """Step by step, until one cannot be finished."""
        for at, task in enumerate(tasks, 1):
            stop = self._step(task, tuple(tasks[at:]))
            if stop is not None:
                return stop
        return None

    def conclude(self, task: Task, version: Version, numbers: Numbers) -> None:
        """Commit what came of a step. `numbers`: what rows of theirs are called there."""
        self.current = version
        if task.theirs is not None:
            self.known.append((task.theirs, numbers))
        if self.preview:
            return
        deed = replace(self.deed, author=Identity.parse(task.author)) if task.author else self.deed
        with self.desk.repository.file.transaction() as db:
            parents = (self.tip, *task.parents)
            files = {**encode_version(version), **encode_numbers(numbers, task.theirs or "")}
            self.tip, _ = write_commit(db, self.history, files, parents, task.message, deed)
        self.made.append(self.tip)

    def arrive(self, telling: str, stop: Stop | None) -> tuple[Intent, Brought]:
        """Say where the working copy is then, and what came of it; `confirm` after the transaction."""
        told = self.told(stop)
        there, on_branch = told.standing, self.home.startswith(BRANCHES)
        refs: dict[str, CommitId | None] = {}
        if on_branch and there.head == self.home:
            if self.desk.worktree.head != self.home:
                self._check_home()
            refs[self.home] = self.tip
        if self.drops and stop is None:
            refs[self.drops] = None
        step = Step(
            self.deed,
            Telling(f"{telling}, with {stop.merge.open} to settle" if stop and stop.merge.open else telling),
            there.head,
            there.commit,
            encode_version(self.current) if self.commits else self.desk.worktree.files,
            self.held,
            refs,
        )
        keeping = None if stop is None else lambda db: keep(db, stop.merge, stop.versions)
        return announce(self.desk, self.writing, self.live, step, keeping), told

    def told(self, stop: Stop | None) -> Brought:
        """What has come of it so far."""
        apart = stop is not None and self.command == "rebase"  # the branch goes there at the end
        head = self.tip if apart or not self.home.startswith(BRANCHES) else self.home
        return Brought(
            Standing(self.desk.worktree.database, head, self.tip),
            tuple(self.made),
            tuple(self.empty),
            difference(self.desk, self.live, self.held),
            stop.merge if stop else None,
            dict(self.numbers),
        )

    def _check_home(self) -> None:
        """Refuse to take a branch away from those who have gone on with it meanwhile."""
        refuse_shared_branch(self.desk, self.home)
        with self.desk.repository.file.reading() as db:
            found = Refs(db).get(self.home)
        if found is None or found.target != self.home_commit:
            raise HomeMoved(branch=short(self.home), command=self.command, is_gone=found is None)

    # -- one step ------------------------------------------------------------------------------------------------------

    def _step(self, task: Task, rest: tuple[Task, ...]) -> Stop | None:
        here = Stand(self.current, ((self.tip, {}),))
        said = in_numbers_of(self._lines(), here, task, self.known)
        merged, done, contested, how = self._merged(said)
        self.numbers = _more(self.numbers, composed(said.given, merged.renumbered))
        came = laid_out_like(merged.version, self.live)
        waits = bool(contested) or (self.holds and not rest)
        if waits and self.commits and not same(self.held, self.current):
            # a commit made later takes what the database holds, and these are none of its business
            raise self._in_the_way()
        if not contested and self.commits and not task.parents and same(came, self.current):
            self.empty.append(task)
            return None
        ours, self.held = self.current, done.version
        if waits:
            versions = {"base": said.base, "ours": ours, "theirs": said.theirs}
            versions |= {"merged": done.version, "before": self.live}
            stop = self._stop(task, rest, contested, how, versions)
            return replace(stop, merge=replace(stop.merge, numbers=said.numbers, renumbered=merged.renumbered))
        if self.commits:
            self.conclude(task, came, composed(said.numbers, merged.renumbered))
        else:
            self.current = done.version
        return None

    def _merged(self, said: Translated) -> tuple[Merged, Put, list[Contested], How]:
        """The merged version in the database, and what waits. A definition that the merged rows do not fit is left as
        ours, and waits too."""
        forest, how = self.desk.repository.forest, self.how
        unfit: list[Contested] = []
        while True:
            merged = merge(forest, said.base, self.current, said.theirs, how)
            came = laid_out_like(merged.version, self.live)
            sides = Sides(forest, said.base, self.current, said.theirs, came, how)
            try:
                done = put(self.desk.repository, self.writing, self.held, self._beside_uncommitted(came))
                break
            except ShapeNotReached as refused:
                place = (refused.type, refused.name)
                if place in how.definitions:
                    raise
                how = replace(how, definitions={**how.definitions, place: "ours"})
                unfit.append(sides.unfit(place, refused.why))
        found = [*sides.undecided(merged.conflicts), *unfit, *sides.refused(done.refused)]
        found += [*sides.broken(done.broken), *sides.uncompiled(done.uncompiled)]
        return merged, done, list(numbered(once(found))), how

    def _stop(
        self, task: Task, rest: tuple[Task, ...], contested: list[Contested], how: How, versions: dict[str, Version]
    ) -> Stop:
        known = {} if self.before is None else {"before": self.before}
        return Stop(
            Merge(
                self.command,
                self.ours,
                task,
                self.home,
                self.home_commit,
                known,
                how,
                rest,
                self.commits,
                self.drops,
                contesting(self.desk.repository.forest, contested),
            ),
            {name: version for name, version in versions.items() if name not in known},
        )

    def _beside_uncommitted(self, there: Version, names: Names = _SAME) -> Version:
        """What the database shall hold when it goes from the current version to another one, where rows have other
        `names`. What is uncommitted keeps its numbers, or is in the way."""
        if same(self.held, self.current) or not self.commits:
            return there
        found = carried(self._lines(), self.current, self.held, there, names)
        if found.many:
            raise self._in_the_way()
        return laid_out_like(found.version, self.live)

    def _lines(self) -> Lines:
        return Lines(self.desk.repository, self.history)

    def _in_the_way(self) -> UncommittedInTheWay:
        tables = difference(self.desk, self.current, self.held).tables
        return UncommittedInTheWay(command=self.command, tables=sorted(tables))


def _more(known: Numbers, new: Numbers) -> Numbers:
    return {table: {**known.get(table, {}), **new.get(table, {})} for table in {**known, **new}}
