"""Ending what waits: going on once all is settled, leaving a step out, or going back to where it began."""

from __future__ import annotations

from dataclasses import replace

from isovc.errors import ConflictsWait, NothingToCommit
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.deeds import Deed, Telling
from isovc.repo.names import BRANCHES
from isovc.repo.operations import Standing
from isovc.repo.refs import Refs
from isovc.repo.versions import files_of
from isovc.snapshot.merging.how import How
from isovc.snapshot.numbering.numbers import composed
from isovc.snapshot.version import laid_out_like, same
from isovc.workspace.committing import Committed
from isovc.workspace.desk import Desk
from isovc.workspace.merging.bringing import Brought, Run
from isovc.workspace.merging.putting import put
from isovc.workspace.merging.waiting import need, side
from isovc.workspace.moving import Step, changing, confirm, move
from isovc.workspace.status import difference
from isovc.workspace.switching import refuse_shared_branch


def go_on(
    desk: Desk,
    history: GitHistory,
    command: str,
    how: How,
    deed: Deed,
    *,
    message: str = "",
    author: str = "",
    skip: bool = False,
    empty: bool = True,
) -> Brought:
    """Finish the step that waits with what the database holds now, and do the steps behind it. `skip`: leave the step
    out instead. `how`: to merge in these, unless something was said at the beginning. `empty`: a step may come to
    nothing."""
    with changing(desk) as (desk, writing, live):
        waiting = need(desk, command, "--skip" if skip else "--continue")
        if waiting.open and not skip:
            raise ConflictsWait(command=waiting.command, open=waiting.open)
        here = desk.worktree
        assert here.commit is not None
        how = replace(how, prefer=waiting.how.prefer)
        home = here.head if here.branch is not None else waiting.home  # the branch may have got another name since
        run = Run(desk, history, writing, deed, waiting.command, how, live, here.commit, desk.head, live, home)
        run.home_commit, run.commits, run.drops = waiting.home_commit, waiting.commits, waiting.drops
        run.before, run.ours = waiting.versions["before"], waiting.ours_name
        task = replace(waiting.task, message=message or waiting.task.message, author=author or waiting.task.author)
        if skip:
            run.held = put(desk.repository, writing, live, laid_out_like(desk.head, live)).version
        elif waiting.commits and (task.parents or not same(live, desk.head)):
            run.conclude(task, live, composed(waiting.numbers, waiting.renumbered))
        elif waiting.commits and not empty:
            raise NothingToCommit(branch=here.branch or "HEAD")
        elif waiting.commits:
            run.empty.append(task)
        stop = run.go_through(waiting.todo)
        verb = "skip a step of" if skip else "continue"
        intent, brought = run.arrive(f"{verb} {waiting.command} of {task.name}", stop)
    confirm(desk, intent, writing, brought.moved)
    return brought


def commit_waiting(
    desk: Desk, history: GitHistory, how: How, deed: Deed, *, message: str = "", author: str = ""
) -> Committed:
    """The commit with which the last step ends."""
    waiting, before = need(desk), desk.head
    if waiting.todo or not waiting.commits:
        raise ConflictsWait(command=waiting.command, open=waiting.open)
    brought = go_on(desk, history, waiting.command, how, deed, message=message, author=author, empty=False)
    assert brought.standing.commit is not None
    parents = tuple(each for each in (desk.worktree.commit, *waiting.task.parents) if each)
    found = difference(desk, before, desk.again().head)
    made = brought.standing.commit
    return Committed(made, brought.standing.branch, parents, found, message or waiting.task.message)


def give_up(desk: Desk, history: GitHistory, command: str, deed: Deed) -> Brought:
    """Go back to where it began. What the database holds now is in the record, for undo."""
    with changing(desk) as (desk, writing, live):
        waiting = need(desk, command, "--abort")
        here = desk.worktree
        home = here.head if here.branch is not None else waiting.home
        refs: dict[str, CommitId | None] = {home: waiting.home_commit} if home.startswith(BRANCHES) else {}
        if waiting.command == "rebase":
            home, refs = _branch_left(desk, home, waiting.home_commit), {}
        wanted = laid_out_like(side(desk, waiting, "before"), live)
        files = files_of(history, waiting.home_commit)
        telling = Telling(f"give up {waiting.command} of {waiting.task.name}")
        step = Step(deed, telling, home, waiting.home_commit, files, wanted, refs)
        intent = move(desk, writing, live, step)
        moved = difference(desk, live, wanted)
    confirm(desk, intent, writing, moved)
    return Brought(Standing(here.database, home, waiting.home_commit), (), (), moved)


def _branch_left(desk: Desk, home: str, commit: CommitId | None) -> str:
    """Where a rebase that is given up goes back to: its branch, or the version alone where that has gone on since."""
    refuse_shared_branch(desk, home)
    with desk.repository.file.reading() as db:
        found = Refs(db).get(home) if home.startswith(BRANCHES) else None
    return home if commit is None or (found and found.target == commit) else commit
