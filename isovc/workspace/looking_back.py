"""A working copy as it was after an operation: to be looked at, not to be changed."""

from __future__ import annotations

from dataclasses import replace

from isovc.errors import NotThereThen
from isovc.history.git_history import GitHistory
from isovc.repo.past import live_after, look_back, standing_after
from isovc.repo.snapshots import read_snapshot
from isovc.repo.versions import files_of
from isovc.snapshot.version import Version, decode_version
from isovc.workspace.desk import Desk


def as_of(desk: Desk, history: GitHistory, operation: str) -> Desk:
    """The same working copy then. Names are then where they were, for all who read in this thread."""
    db = desk.repository.file.connection()  # no transaction: what is laid over the tables must outlive it
    found = look_back(db, operation)
    number, here = found.operation.number, desk.worktree.id
    standing = standing_after(db, here, number)
    if standing is None:
        raise NotThereThen(database=desk.worktree.database, operation=found.id)
    files = files_of(history, standing.commit)

    def then() -> Version:
        held = live_after(db, here, number)
        return decode_version(read_snapshot(db, held) if held else files)

    past = replace(desk.worktree, head=standing.head, commit=standing.commit, files=files, merging=standing.merging)
    return replace(desk, worktree=replace(past, live=None, intent=None), then=then)
