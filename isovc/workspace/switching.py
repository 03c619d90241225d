"""Going to another branch or commit: only what differs moves, and what is uncommitted stays where it belongs.

Uncommitted changes are kept on the branch they were made on, and come back with it; `carry` takes them along instead,
merged cell by cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from isovc.errors import BranchInUse, CannotCarry, Damage, ForeignKeysBroken, NoSuchTable, RowRefused, ShapeNotReached
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitIndex
from isovc.repo.deeds import Deed, Telling
from isovc.repo.merges import Merge
from isovc.repo.names import BRANCHES, TAGS, kept_name, short
from isovc.repo.refs import Refs
from isovc.repo.versions import files_of, version_of
from isovc.repo.worktrees import Worktrees
from isovc.snapshot.version import FILES, Version, decode_version, laid_out_like, same
from isovc.workspace.desk import Desk, path_of
from isovc.workspace.merging.carrying import carried, names_between
from isovc.workspace.merging.numbering import Lines
from isovc.workspace.merging.waiting import refuse_while_waiting, waiting_in
from isovc.workspace.moving import Step, changing, confirm, keep_uncommitted, move
from isovc.workspace.status import Difference, difference

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Switched:
    """What came of it."""

    head: str
    commit: CommitId | None
    moved: Difference  # in the database
    kept: CommitId | None  # what was uncommitted and stays on the branch that was left
    returned: bool  # changes that had been kept on the new branch are back
    waiting: CommitId | None  # such changes that could not come back, because they do not fit
    carried: bool
    left: CommitId | None  # a version that was left and that no branch or tag leads to


def switch(
    desk: Desk,
    history: GitHistory,
    head: str,
    commit: CommitId | None,
    deed: Deed,
    *,
    carry: bool = False,
    create: bool = False,
) -> Switched:
    """Go to a head: a branch by its full ref name, or a commit by its own id. `create`: the branch is made, too."""
    try:
        return _switch(desk, history, head, commit, deed, carry=carry, create=create, bring_back=True)
    except (RowRefused, ForeignKeysBroken, ShapeNotReached):
        if _kept_at(desk, head) is None:
            raise
    # what was kept there fits row by row, and the rows together break a rule of the database: it goes on waiting
    return _switch(desk, history, head, commit, deed, carry=carry, create=create, bring_back=False)


def _switch(
    desk: Desk,
    history: GitHistory,
    head: str,
    commit: CommitId | None,
    deed: Deed,
    *,
    carry: bool,
    create: bool,
    bring_back: bool,
) -> Switched:
    files = files_of(history, commit)
    target = decode_version(files)
    with changing(desk) as (desk, writing, live):
        refuse_while_waiting(desk)
        refuse_shared_branch(desk, head)
        refs: dict[str, CommitId | None] = {}
        if create:
            with desk.repository.file.reading() as db:
                Refs(db).check_new(head)
            refs |= {head: commit} if commit else {}
        dirty = not same(live, desk.head)
        stays = commit == desk.worktree.commit and (carry or head == desk.worktree.head)
        kept: CommitId | None = None
        waiting = None if create else _kept_at(desk, head)
        if stays:
            wanted = live
        elif dirty and carry:
            wanted = _carried(desk, history, live, target, commit)
        else:
            wanted = target
            here = kept_name(desk.worktree.head)
            kept = keep_uncommitted(desk, history, live, deed, before=_kept_at(desk, desk.worktree.head))
            if kept:
                refs[here] = kept
                waiting = kept if here == kept_name(head) else waiting
        found = waiting
        if bring_back and waiting is not None:
            wanted, waiting = _with_kept(desk, history, waiting, commit, wanted)
        returned = waiting != found
        if returned:
            refs[kept_name(head)] = waiting
        wanted = laid_out_like(wanted, live)
        # two versions made one may break a rule that each of them keeps
        merged = returned or (dirty and carry)
        left = _left_alone(desk, head, refs)
        telling = Telling(f"switch from {said(desk.worktree.head)} to {said(head)}")
        step = Step(deed, telling, head, commit, files, wanted, refs)
        intent = move(desk, writing, live, step, refuse_violations=merged)
        moved = difference(desk, live, wanted)
    confirm(desk, intent, writing, moved)
    return Switched(head, commit, moved, kept, returned, waiting, dirty and carry, left)


def refuse_shared_branch(desk: Desk, head: str, *, command: str = "") -> None:
    """Two working copies on one branch would move it under each other's feet. `command`: what helps, run there."""
    with desk.repository.file.reading() as db:
        others = [each for each in Worktrees(db).all() if each.head == head and each.id != desk.worktree.id]
    if others and head.startswith(BRANCHES):
        there = path_of(desk.repository, others[0].database)
        raise BranchInUse(branch=short(head), database=str(there), command=command)


def take_tables(desk: Desk, source: Version, tables: Sequence[str], deed: Deed, *, name: str) -> Difference:
    """Make some tables of the database as they are in another version, called `name`; everything else stays, and so
    does the head."""
    with changing(desk) as (desk, writing, live):
        wanted = laid_out_like(with_tables(live, source, tables), live)
        now = desk.worktree
        telling = Telling(f"take {', '.join(tables)} from {name}")
        step = Step(deed, telling, now.head, now.commit, now.files, wanted, merging=now.merging)
        intent = move(desk, writing, live, step)
        moved = difference(desk, live, wanted)
    confirm(desk, intent, writing, moved)
    return moved


def _carried(desk: Desk, history: GitHistory, live: Version, target: Version, commit: CommitId | None) -> Version:
    lines = Lines(desk.repository, history)
    found = carried(lines, desk.head, live, target, names_between(lines, desk.worktree.commit, commit))
    if found.many:
        raise CannotCarry(tables=list(found.tables), rows=found.many)
    return found.version


def _kept_at(desk: Desk, head: str) -> CommitId | None:
    """What was uncommitted when this head was left."""
    with desk.repository.file.reading() as db:
        found = Refs(db).get(kept_name(head))
    return found.target if found else None


def _with_kept(
    desk: Desk, history: GitHistory, kept: CommitId, commit: CommitId | None, wanted: Version
) -> tuple[Version, CommitId | None]:
    """A version with the changes that were kept at its head, the last kept first, and what of them still waits because
    it does not fit."""
    waiting: CommitId | None = kept
    lines = Lines(desk.repository, history)
    while waiting is not None:
        base, *before = history.read_commit(waiting).parents
        changed = version_of(history, waiting)
        if base == commit and waiting == kept and same(wanted, version_of(history, commit)):
            wanted = changed
        else:
            found = carried(lines, lines.version(base), changed, wanted, names_between(lines, base, commit))
            if found.many:
                break
            wanted = found.version
        waiting = next(iter(before), None)
    return wanted, waiting


def _left_alone(desk: Desk, head: str, refs: Mapping[str, CommitId | None]) -> CommitId | None:
    """The version that is left, if nothing but the working copy leads to it."""
    here = desk.worktree.commit
    if here is None or desk.worktree.branch is not None or head == desk.worktree.head:
        return None
    with desk.repository.file.reading() as db:
        index = CommitIndex(db)
        named = [ref.target for kind in (BRANCHES, TAGS) for ref in Refs(db).all(kind)]
        named += [target for name, target in refs.items() if target and name.startswith(BRANCHES)]
        return None if any(index.is_ancestor(here, each) for each in named) else here


def with_tables(live: Version, source: Version, tables: Sequence[str]) -> Version:
    """The live version with some tables, and what hangs on them, as the source has them. SQLite knows names whatever
    their case."""
    there = source if source.shape.objects else live  # to take a table from the empty version is to remove it
    known = {FILES, *(name.lower() for name in (*(each.name for each in there.shape.objects), *there.shape.tables))}
    for table in tables:
        if table.lower() not in known:
            raise NoSuchTable(table=table, known=sorted(source.shape.tables))
    named = {table.lower() for table in tables}
    every = [table for version in (live, source) for table in version.shape.tables.values()]
    chosen = {*named, *(each.name.lower() for each in every if each.shadow_of and each.shadow_of.lower() in named)}
    taken = {(each.type, each.name): each for each in source.shape.objects if each.table.lower() in chosen}
    # where they stood: the order of definitions is nobody's change
    objects = [
        taken.pop((each.type, each.name), None) if each.table.lower() in chosen else each for each in live.shape.objects
    ]
    objects += taken.values()
    whole = tuple(each for each in objects if each is not None)
    shape = replace(live.shape, objects=whole, tables=_with(live.shape.tables, source.shape.tables, chosen))
    return Version(shape, _with(live.roots, source.roots, chosen))


def _with(live: Mapping[str, _T], source: Mapping[str, _T], chosen: set[str]) -> dict[str, _T]:
    kept = {name: value for name, value in live.items() if name.lower() not in chosen}
    return {**kept, **{name: value for name, value in source.items() if name.lower() in chosen}}


@dataclass(frozen=True, slots=True)
class Reset:
    """What came of it. `overwritten`: something was uncommitted, which the operation keeps; so it does the merge that
    waited and `was_waiting`: it was given up. `given_up`: that merge, if it can be read."""

    overwritten: bool
    moved: Difference  # in the database
    was_waiting: bool
    given_up: Merge | None


def reset(desk: Desk, history: GitHistory, commit: CommitId, deed: Deed, *, hard: bool) -> Reset:
    """Let the branch begin at another commit. The database stays as it is, or with `hard` becomes that version too, and
    a merge that waits is given up."""
    files = files_of(history, commit)
    with changing(desk) as (desk, writing, live):
        if not hard:
            refuse_while_waiting(desk)
        waiting = _readable(desk)
        wanted = laid_out_like(decode_version(files), live) if hard else live
        refs: dict[str, CommitId | None] = {desk.worktree.head: commit} if desk.worktree.branch else {}
        head = desk.worktree.head if desk.worktree.branch else commit
        summary = f"reset {said(desk.worktree.head)} to {commit[:12]}{', database too' if hard else ''}"
        telling = Telling(f"{summary}, and give up {waiting.command} of {waiting.task.name}" if waiting else summary)
        overwritten = hard and not same(live, desk.head)
        intent = move(desk, writing, live, Step(deed, telling, head, commit, files, wanted, refs))
        moved = difference(desk, live, wanted)
    confirm(desk, intent, writing, moved)
    return Reset(overwritten, moved, desk.worktree.merging is not None, waiting)


def _readable(desk: Desk) -> Merge | None:
    """The merge that waits. One that is damaged can be given up like any other, and nobody else could."""
    try:
        return waiting_in(desk)
    except Damage:
        return None


def said(head: str) -> str:
    """A head in words."""
    return short(head) if head.startswith(BRANCHES) else head[:12]
