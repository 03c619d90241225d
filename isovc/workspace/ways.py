"""Ways over operations: where refs, working copies and rows shall lead when operations are undone, done again or
reverted, or the state after one of them is restored. Only plans; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from isovc.errors import FileMoved, GoneOverAlone, NothingToRedo, NothingToUndo, NotThereThen, OutOfReach
from isovc.repo.deeds import Telling
from isovc.repo.operations import Logged, Operations, SnapshotId
from isovc.repo.past import live_after, standing_after
from isovc.repo.worktrees import Worktrees
from isovc.workspace.desk import Desk

Moves = Mapping[str, tuple[Any, Any]]  # by name, what is now and what shall be


@dataclass(frozen=True, slots=True)
class Way:
    """From where things stand to where they shall. `live`: what the database shall hold (None: what it holds). `left`:
    what it holds now if nobody has written since. `merging`: what was written since stays. `planted`: what the
    database of another working copy holds that comes back."""

    telling: Telling
    steps: tuple[Logged, ...]
    refs: Moves
    worktrees: Moves
    settings: Moves
    live: SnapshotId | None
    left: SnapshotId | None
    merging: bool = False
    planted: SnapshotId | None = None

    @property
    def verb(self) -> str:
        """What is done to its operations."""
        return self.telling.summary.partition(" ")[0]

    @property
    def last(self) -> Logged:
        """The operation where the way ends."""
        return self.steps[-1]


def plan_undo(desk: Desk, many: int) -> Way:
    """Back over so many operations of this working copy."""
    with desk.repository.file.reading() as db:
        steps = _last_steps(Operations(db), desk.worktree.id, many)
    _check_alike(steps)
    telling = Telling(
        f"undo {_listed(steps)}", undone=tuple(each.id for each in steps), below=steps[-1].operation.below
    )
    return _back(desk, steps, telling)


def plan_redo(desk: Desk, many: int) -> Way:
    """Forward again over so many of those that were undone last."""
    with desk.repository.file.reading() as db:
        waiting = _undone(Operations(db), desk.worktree.id)
    if len(waiting) < many:
        raise NothingToRedo(asked=many, possible=len(waiting))
    after = {step.id: held for step, held in waiting}
    steps = [step for step, _ in reversed(waiting[-many:])]
    _check_alike(steps)
    telling = Telling(f"redo {_listed(steps)}", redone=tuple(each.id for each in steps), below=steps[-1].id)
    here = str(desk.worktree.id)
    rows = [each for each in steps if _moves_rows(each, here)]
    return Way(
        telling,
        tuple(steps),
        _composed([each.operation.refs for each in steps]),
        _composed([each.operation.worktrees for each in steps]),
        _composed([each.operation.settings for each in steps]),
        live=after[steps[-1].id] if rows else None,
        left=_held(desk) if rows else None,
        planted=_planted(desk, steps[-1]),
    )


def plan_restore(desk: Desk, operation: str, *, before: bool) -> Way:
    """To the state after an operation, or before it: all names, and this working copy."""
    here = desk.worktree.id
    with desk.repository.file.reading() as db:
        operations = Operations(db)
        found = operations.find(operation)
        number = found.operation.number - before
        later = [each for each in operations.newest_first() if each.operation.number > number]
        standing = standing_after(db, here, number)
        if standing is None:
            raise NotThereThen(database=desk.worktree.database, operation=found.id)
        own = found.operation.live.get(str(here), (None, None))
        live = own[0] if before and own[0] else live_after(db, here, number)
        known = Worktrees(db).all()
    now = next(each.standing for each in known if each.id == here)
    standing = replace(standing, database=now.database)  # where its file lies is nothing that can be gone back over
    taken = {each.head for each in known if each.id != here}  # branches under the feet of others stay where they are
    refs = _composed([_turned(each.operation.refs) for each in later])
    where = "before" if before else "after"
    return Way(
        Telling(f"restore the state {where} {_listed([found])}"),
        (found,),
        {name: pair for name, pair in refs.items() if name not in taken},
        {str(here): (now, standing)},
        _from_here(desk, _composed([_turned(each.operation.settings) for each in later])),
        live=live,
        left=None,
    )


def plan_revert(desk: Desk, operation: str) -> Way:
    """One operation taken back, whatever came after it."""
    with desk.repository.file.reading() as db:
        found = Operations(db).find(operation)
    if found.operation.irreversible:
        raise OutOfReach(operation=found.id, command=found.operation.command)
    for before, after in found.operation.worktrees.values():
        if before and after and before.database != after.database:
            raise FileMoved(operation=found.id, database=after.database)
    return _back(desk, [found], Telling(f"revert {_listed([found])}"), merging=True)


# -- which operations --------------------------------------------------------------------------------------------------


def _last_steps(operations: Operations, worktree: int, many: int) -> list[Logged]:
    """The operations that undo goes over, the newest first."""
    steps: list[Logged] = []
    last = operations.last(worktree)
    at = last.next_undo if last else None
    while at is not None and len(steps) < many:
        step = operations.get(at)
        if step.operation.irreversible:
            raise OutOfReach(operation=step.id, command=step.operation.command)
        steps.append(step)
        at = step.operation.below
    if len(steps) < many:
        raise NothingToUndo(asked=many, possible=len(steps))
    return steps


def _undone(operations: Operations, worktree: int) -> list[tuple[Logged, SnapshotId | None]]:
    """What was undone and not done again, the last undone at the end, each with what the database held after it."""
    since: list[Logged] = []
    for logged in operations.newest_first(worktree=worktree):
        if not (logged.operation.undone or logged.operation.redone or logged.operation.passed_over):
            break
        since.append(logged)
    waiting: list[tuple[Logged, SnapshotId | None]] = []
    for logged in reversed(since):
        held = logged.operation.live.get(str(worktree), (None, None))[0]
        for undone in map(operations.get, logged.operation.undone):
            waiting.append((undone, held))
            held = undone.operation.live.get(str(worktree), (held, None))[0]
        if logged.operation.redone:
            del waiting[-len(logged.operation.redone) :]
    return waiting


def _check_alike(steps: Sequence[Logged]) -> None:
    """Files of working copies come and go one by one, and everything else in one transaction."""
    for at, step in enumerate(steps):
        if len(steps) > 1 and any(None in pair for pair in step.operation.worktrees.values()):
            raise GoneOverAlone(operation=step.id, command=step.operation.command, before=at)


def _back(desk: Desk, steps: Sequence[Logged], telling: Telling, *, merging: bool = False) -> Way:
    """Over these operations, the newest first."""
    here = str(desk.worktree.id)
    rows = [each for each in steps if _moves_rows(each, here)]
    return Way(
        telling,
        tuple(steps),
        _composed([_turned(each.operation.refs) for each in steps]),
        _composed([_turned(each.operation.worktrees) for each in steps]),
        _composed([_turned(each.operation.settings) for each in steps]),
        live=_before(desk, rows[-1]) if rows else None,
        left=(rows[0].operation.live[here][1] if merging else _held(desk)) if rows else None,
        merging=merging,
        planted=_planted(desk, steps[-1]),
    )


def _held(desk: Desk) -> SnapshotId | None:
    """What the database held when an operation saw it last."""
    with desk.repository.file.reading() as db:
        return live_after(db, desk.worktree.id, None)


def _before(desk: Desk, step: Logged) -> SnapshotId | None:
    """What the database held before an operation, or before it was done again."""
    here = str(desk.worktree.id)
    with desk.repository.file.reading() as db:
        for logged in Operations(db).newest_first(worktree=desk.worktree.id):
            if logged.id == step.id or logged.operation.redone[:1] == (step.id,):
                return logged.operation.live[here][0]
    return step.operation.live[here][0]


def _from_here(desk: Desk, settings: Moves) -> Moves:
    """To what settings were, from what they are now, whoever has set them."""
    now = desk.repository.settings.project
    return {key: (now.get(key), then) for key, (_, then) in settings.items() if now.get(key) != then}


def _moves_rows(step: Logged, here: str) -> bool:
    before, after = step.operation.live.get(here, (None, None))
    return before != after


def _planted(desk: Desk, step: Logged) -> SnapshotId | None:
    """What the database of another working copy held when it went, or came, last: when the operation was done, or
    when it was undone or done again."""
    here = str(desk.worktree.id)
    with desk.repository.file.reading() as db:
        for logged in Operations(db).newest_first(worktree=desk.worktree.id):
            told = logged.operation
            if step.id in (logged.id, *told.undone, *told.redone):
                for key, pair in told.live.items():
                    if key != here and None in pair:
                        return pair[0] or pair[1]
            if logged.id == step.id:
                break
    return None


def _turned(moves: Moves) -> Moves:
    return {name: (after, before) for name, (before, after) in moves.items()}


def _composed(steps: Sequence[Moves]) -> dict[str, tuple[Any, Any]]:
    """One move for several in a row."""
    whole: dict[str, tuple[Any, Any]] = {}
    for moves in steps:
        for name, (now, then) in moves.items():
            whole[name] = (whole.get(name, (now,))[0], then)
    return {name: pair for name, pair in whole.items() if pair[0] != pair[1]}


def _listed(steps: Sequence[Logged]) -> str:
    if len(steps) == 1:
        return f"{steps[0].operation.command} {steps[0].id[:12]} ({steps[0].operation.summary})"
    return ", ".join(f"{each.operation.command} {each.id[:12]}" for each in steps)
