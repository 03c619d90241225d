"""A merge into a branch that nobody has checked out: tried on a database of its own, which is gone afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from isovc.errors import BranchInUse, ConflictsElsewhere
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.acting import acting
from isovc.repo.deeds import Deed, Telling
from isovc.repo.names import short
from isovc.repo.operations import Standing
from isovc.repo.presence import trying
from isovc.repo.refs import Refs
from isovc.repo.versions import files_of, version_of
from isovc.repo.worktrees import Worktree
from isovc.snapshot.merging.how import How
from isovc.snapshot.version import decode_version
from isovc.sources.sqlite import Database
from isovc.workspace.desk import Desk, path_of
from isovc.workspace.filling import fill
from isovc.workspace.merging.bringing import Brought, Run
from isovc.workspace.merging.tasks import Plan
from isovc.workspace.status import difference
from isovc.workspace.switching import refuse_shared_branch


def bring_into(
    desk: Desk,
    history: GitHistory,
    head: str,
    plan: Plan,
    how: How,
    deed: Deed,
    *,
    command: str = "",
    preview: bool = False,
) -> Brought:
    """Do what a plan says to a branch, by its full ref name. Where something is contested nothing is done. `command`:
    what does the same where the branch is checked out. With `preview` only say what would come of it."""
    if not preview:
        refuse_shared_branch(desk, head, command=command)
    with desk.repository.file.reading() as db:
        tip = Refs(db).need(head).target
    if plan.tasks:
        brought = _tried(desk, history, head, tip, plan, how, deed, preview=preview)
    else:
        brought = _forward(desk, history, head, tip, plan)
    if preview:
        return brought
    assert brought.standing.commit is not None
    with acting(desk.repository, deed, desk.worktree.id) as act:
        _refuse_if_taken(desk, act.worktrees.all(), head, command)
        act.refs.move(head, brought.standing.commit, act.stamp(deed.command), seen=tip)
        act.record(Telling(plan.telling))
    return brought


def _refuse_if_taken(desk: Desk, worktrees: Sequence[Worktree], head: str, command: str) -> None:
    """Somebody may have gone to the branch while the merge was tried, or be on the way there."""
    for each in worktrees:
        if head in (each.head, each.intent.head if each.intent else ""):
            there = path_of(desk.repository, each.database)
            raise BranchInUse(branch=short(head), database=str(there), command=command)


def _forward(desk: Desk, history: GitHistory, head: str, tip: CommitId, plan: Plan) -> Brought:
    moved = difference(desk, version_of(history, tip), version_of(history, plan.start))
    return Brought(Standing("", head, plan.start), (), (), moved)


def _tried(
    desk: Desk,
    history: GitHistory,
    head: str,
    tip: CommitId,
    plan: Plan,
    how: How,
    deed: Deed,
    *,
    preview: bool,
) -> Brought:
    files = files_of(history, tip)
    version = decode_version(files)
    with trying(desk.repository.folder) as folder:
        path = folder / "database"
        fill(desk, path, version)
        database = Database(path)
        there = replace(desk.worktree, database=str(database.path), head=head, commit=tip, files=files)
        seated = replace(desk, worktree=there, database=database)
        with database.writing() as writing:
            run = Run(seated, history, writing, deed, plan.command, how, version, tip, version, version, head)
            run.preview = preview
            stop = run.go_through(plan.tasks)
            if stop is not None and not preview:
                raise ConflictsElsewhere(branch=there.branch or head, name=stop.merge.task.name, open=stop.merge.open)
            return run.told(stop)
