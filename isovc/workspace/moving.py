"""Making a live database another version: announced in store.db, done in one transaction of the database, confirmed.

An interrupted command leaves its announcement behind. Whoever comes next looks at the database: it is one of the two
states, and the announcement is finished or dropped accordingly (`settle`). Whatever was uncommitted is kept first.
"""

from __future__ import annotations

from dataclasses import dataclass

from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.database import Database as Connection
from isovc.repo.names import BRANCHES
from isovc.repo.refs import Refs
from isovc.repo.refs import Stamp as When
from isovc.repo.worktrees import Files, Intent, Live, Worktrees
from isovc.snapshot.compare import count_changes
from isovc.snapshot.move import plan_move
from isovc.snapshot.version import Version, decode_version, encode_version
from isovc.sources.sqlite import Writing
from isovc.workspace.capturing import look, remember
from isovc.workspace.committing import Stamp, write_commit
from isovc.workspace.desk import Desk
from isovc.workspace.status import same

KEPT = "refs/kept/"  # by head: uncommitted changes that wait there for somebody to come back


@dataclass(frozen=True, slots=True)
class Step:
    """Where a working copy goes: its next head, the version there, and what the database shall hold."""

    command: str
    head: str
    commit: CommitId | None
    head_files: Files
    live: Version
    moves_branch: bool = False  # the branch shall lead to `commit`, rather than lead there already


def move(desk: Desk, writing: Writing, live: Version, step: Step) -> None:
    """Do it inside the transaction that `live` was seen in; `confirm` after that has been committed."""
    mark = writing.mark.encode()
    files = encode_version(step.live)
    with desk.repository.file.transaction() as db:
        Worktrees(db).set_intent(
            desk.worktree.id,
            Intent(step.command, mark, step.head, step.commit, step.head_files, files, step.moves_branch),
        )
    plan = plan_move(desk.repository.forest, live, step.live)
    writing.apply(plan.target, plan.changes, contents=plan.contents)


def confirm(desk: Desk, step: Step, writing: Writing, *, time: int, forget: str | None = None) -> None:
    """The database has been moved: the working copy is there now. `forget`: a ref that has served its turn."""
    with desk.repository.file.transaction() as db:
        _arrive(db, desk, step, time)
        Worktrees(db).set_live(desk.worktree.id, None)
        if forget is not None:
            Refs(db).delete(forget, When(time, step.command))
    if writing.committed is None:
        return
    with desk.database.reading() as reading:
        if reading.mark == writing.committed:
            remember(desk, reading.mark.encode(), step.live, reading.pages(step.live.shape).map)


def _arrive(db: Connection, desk: Desk, step: Step | Intent, time: int) -> None:
    refs, worktrees = Refs(db), Worktrees(db)
    if step.moves_branch and step.commit and step.head.startswith(BRANCHES):
        found = refs.get(step.head)
        refs.move(step.head, step.commit, When(time, step.command), seen=found.target if found else None)
    worktrees.set_head(desk.worktree.id, step.head, step.commit, step.head_files)
    worktrees.set_intent(desk.worktree.id, None)


def settle(desk: Desk, now: int) -> tuple[Desk, str]:
    """Finish or drop what an interrupted command left behind; what was done about it, if anything."""
    intent = desk.worktree.intent
    if intent is None:
        return desk, ""
    before = desk.worktree.live
    with desk.database.reading() as reading:
        untouched = reading.mark.encode() == intent.mark
    done = not untouched and _reached(desk, intent, before)
    with desk.repository.file.transaction() as db:
        if done:
            _arrive(db, desk, intent, now)
        else:
            Worktrees(db).set_intent(desk.worktree.id, None)
    said = "finished" if done else "dropped"
    return desk.again(), f"{said} an interrupted `isovc {intent.command}`"


def _reached(desk: Desk, intent: Intent, before: Live | None) -> bool:
    """Whether the database holds what was intended, rather than what it held before; others may have written since."""
    live = look(desk)
    wanted = decode_version(intent.live_files)
    if before is None or same(live, wanted):
        return True
    return _distance(desk, wanted, live) < _distance(desk, decode_version(before.files), live)


def _distance(desk: Desk, old: Version, new: Version) -> int:
    counts = count_changes(desk.repository.forest, old, new).values()
    return sum(each.added + each.modified + each.removed for each in counts)


def keep_uncommitted(desk: Desk, history: GitHistory, live: Version, stamp: Stamp, *, under: str) -> CommitId | None:
    """Keep what is uncommitted as a commit of its own, which the branch does not know of; None: there is nothing."""
    if desk.worktree.commit is None or same(live, desk.head):
        return None
    with desk.repository.file.transaction() as db:
        message = f"Uncommitted changes on {desk.worktree.branch or desk.worktree.head[:12]}"
        made, time = write_commit(db, history, encode_version(live), (desk.worktree.commit,), message, stamp)
        refs = Refs(db)
        found = refs.get(under)
        refs.move(under, made, When(time, message), seen=found.target if found else None)
    return made


def kept_name(head: str) -> str:
    """The ref under which uncommitted changes of a head wait until somebody comes back to it."""
    return KEPT + (head.removeprefix("refs/") if head.startswith("refs/") else f"commits/{head}")
