"""Going to another branch or commit: only what differs moves, and what is uncommitted stays where it belongs.

Uncommitted changes are kept on the branch they were made on, and come back with it; `carry` takes them along instead,
merged cell by cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from isovc.errors import BranchInUse, CannotCarry, NoSuchTable
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.names import BRANCHES, short
from isovc.repo.refs import Refs
from isovc.repo.versions import files_of
from isovc.repo.worktrees import Worktrees
from isovc.snapshot.merge import merge
from isovc.snapshot.version import Version, decode_version
from isovc.workspace.capturing import look_at
from isovc.workspace.committing import Stamp
from isovc.workspace.desk import Desk
from isovc.workspace.moving import Step, confirm, keep_uncommitted, kept_name, move
from isovc.workspace.status import Difference, difference, same

_T = TypeVar("_T")

_DISCARDED = "refs/kept/discarded"  # what the last `reset --hard` took away; its log has those before


@dataclass(frozen=True, slots=True)
class Switched:
    """What came of it."""

    head: str
    commit: CommitId | None
    moved: Difference  # in the database
    kept: CommitId | None  # what was uncommitted and stays on the branch that was left
    returned: bool  # changes that had been kept on the new branch are back
    waiting: CommitId | None  # they could not come back: the branch has moved, and they do not fit
    carried: bool


def switch(
    desk: Desk, history: GitHistory, head: str, commit: CommitId | None, stamp: Stamp, *, carry: bool = False
) -> Switched:
    """Go to a head: a branch by its full ref name, or a commit by its own id."""
    files = files_of(history, commit)
    target = decode_version(files)
    with desk.database.writing() as writing:
        live = look_at(desk, writing)
        desk = desk.again()
        _refuse_shared_branch(desk, head)
        dirty = not same(live, desk.head)
        kept = waiting = None
        returned = False
        wanted = target
        if commit == desk.worktree.commit and (carry or head == desk.worktree.head):
            wanted = live
        elif dirty and carry:
            wanted = _carried(desk, live, target)
        else:
            kept = keep_uncommitted(desk, history, live, stamp, under=kept_name(desk.worktree.head))
            wanted, waiting = _with_kept(desk, history, head, commit, target)
            returned = waiting is None and wanted is not target
        moved = difference(desk, live, wanted)
        step = Step("switch", head, commit, files, wanted)
        move(desk, writing, live, step)
    confirm(desk, step, writing, time=stamp.now, forget=kept_name(head) if returned else None)
    return Switched(head, commit, moved, kept, returned, waiting, dirty and carry)


def _refuse_shared_branch(desk: Desk, head: str) -> None:
    """Two working copies on one branch would move it under each other's feet."""
    with desk.repository.file.reading() as db:
        others = [each for each in Worktrees(db).all() if each.head == head and each.id != desk.worktree.id]
    if others and head.startswith(BRANCHES):
        raise BranchInUse(branch=short(head), database=others[0].database)


def take_tables(desk: Desk, source: Version, tables: Sequence[str], stamp: Stamp) -> Difference:
    """Make some tables of the database as they are in another version; everything else stays, and so does the head."""
    with desk.database.writing() as writing:
        live = look_at(desk, writing)
        desk = desk.again()
        wanted = _with_tables(live, source, tables)
        moved = difference(desk, live, wanted)
        step = Step("checkout", desk.worktree.head, desk.worktree.commit, desk.worktree.files, wanted)
        move(desk, writing, live, step)
    confirm(desk, step, writing, time=stamp.now)
    return moved


def _carried(desk: Desk, live: Version, target: Version) -> Version:
    merged = merge(desk.repository.forest, desk.head, target, live)
    if merged.conflicts:
        raise CannotCarry(tables=sorted({each.table for each in merged.conflicts}), rows=len(merged.conflicts))
    return merged.version


def _with_kept(
    desk: Desk, history: GitHistory, head: str, commit: CommitId | None, target: Version
) -> tuple[Version, CommitId | None]:
    """What the database shall hold at a head where changes may have been kept; and them, if they do not fit any
    more."""
    with desk.repository.file.reading() as db:
        found = Refs(db).get(kept_name(head))
    if found is None:
        return target, None
    kept = found.target
    base = history.read_commit(kept).parents[0]
    changed = decode_version(files_of(history, kept))
    if base == commit:
        return changed, None
    merged = merge(desk.repository.forest, decode_version(files_of(history, base)), target, changed)
    return (target, kept) if merged.conflicts else (merged.version, None)


def _with_tables(live: Version, source: Version, tables: Sequence[str]) -> Version:
    """The live version with some tables, and what hangs on them, as the source has them."""
    known = {*source.shape.tables, *live.shape.tables, *(each.name for each in source.shape.objects)}
    for table in tables:
        if table not in known:
            raise NoSuchTable(table=table, known=sorted(known))
    chosen = {*tables, *(t.name for v in (live, source) for t in v.shape.tables.values() if t.shadow_of in tables)}
    taken = [each for each in source.shape.objects if each.table in chosen]
    kept = [each for each in live.shape.objects if each.table not in chosen]
    # tables before all that may speak of them
    objects = sorted([*kept, *taken], key=lambda each: each.type != "table")
    shape = replace(live.shape, objects=tuple(objects), tables=_with(live.shape.tables, source.shape.tables, chosen))
    return Version(shape, _with(live.roots, source.roots, chosen), live.attachments)


def _with(live: Mapping[str, _T], source: Mapping[str, _T], chosen: set[str]) -> dict[str, _T]:
    kept = {name: value for name, value in live.items() if name not in chosen}
    return {**kept, **{name: value for name, value in source.items() if name in chosen}}


def reset(
    desk: Desk, history: GitHistory, commit: CommitId, stamp: Stamp, *, hard: bool
) -> tuple[CommitId | None, Difference]:
    """Let the branch begin at another commit. The database stays as it is, or with `hard` becomes that version too;
    what was uncommitted is then kept as a commit, which is given back."""
    files = files_of(history, commit)
    target = decode_version(files)
    with desk.database.writing() as writing:
        live = look_at(desk, writing)
        desk = desk.again()
        kept = keep_uncommitted(desk, history, live, stamp, under=_DISCARDED) if hard else None
        wanted = target if hard else live
        moved = difference(desk, live, wanted)
        head = desk.worktree.head if desk.worktree.branch else commit
        step = Step("reset", head, commit, files, wanted, moves_branch=True)
        move(desk, writing, live, step)
    confirm(desk, step, writing, time=stamp.now)
    return kept, moved
