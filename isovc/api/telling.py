"""What the rooms below know, as the records of the front door. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from isovc.api import records
from isovc.formats.delta import Definition, RowPatch
from isovc.formats.files import FileDelta
from isovc.repo.commits import CommitEntry
from isovc.repo.merges import Contested, Merge
from isovc.repo.moments import from_microseconds
from isovc.repo.names import BRANCHES, short
from isovc.repo.operations import Logged
from isovc.snapshot.compare import Counts
from isovc.snapshot.files import File
from isovc.snapshot.version import FILES
from isovc.workspace.committing import Committed
from isovc.workspace.merging.bringing import Brought
from isovc.workspace.merging.listing import Side
from isovc.workspace.restoring.doing import Restored
from isovc.workspace.rows.blame import Cell
from isovc.workspace.rows.changes import Event
from isovc.workspace.stashing import Stashed
from isovc.workspace.status import Difference, Status, definitions
from isovc.workspace.switching import Switched
from isovc.workspace.undoing import Gone

_SECOND = 1_000_000_000  # nanoseconds


def commit(entry: CommitEntry) -> records.Commit:
    """A version of the index."""
    return records.Commit(entry.id, entry.parents, entry.author, from_microseconds(entry.time), entry.message)


def made(found: Committed, entry: CommitEntry, warnings: Sequence[str]) -> records.Made:
    """A version just made."""
    return records.Made(
        entry.id,
        entry.parents,
        entry.author,
        from_microseconds(entry.time),
        entry.message,
        branch=found.branch,
        tables=tables(found.difference),
        files=found.difference.tables.get(FILES, Counts()),
        warnings=tuple(warnings),
    )


def tables(found: Difference) -> dict[str, Counts]:
    """Rows of the database that differ, counted."""
    return {name: counts for name, counts in found.tables.items() if name != FILES}


def status(found: Status, warnings: Sequence[str]) -> records.Status:
    """Where a working copy stands."""
    return records.Status(
        branch=found.branch,
        commit=found.commit,
        tables=tables(found.difference),
        schema=tuple(
            records.Definition(each.op, each.type, each.name, each.table) for each in definitions(found.difference)
        ),
        files=tuple(records.FileChange(op, path) for op, path in found.files),
        waiting=waits(found.merging),
        elsewhere=found.elsewhere,
        warnings=tuple(warnings),
    )


def waits(merge: Merge | None) -> records.Waits | None:
    """What waits."""
    return None if merge is None else records.Waits(merge.command, merge.task.name, merge.open)


def moved(came: Switched) -> records.Moved:
    """Where somebody went."""
    return records.Moved(
        branch=short(came.head) if came.head.startswith(BRANCHES) else None,
        commit=came.commit,
        tables=tables(came.moved),
        kept=came.kept,
        returned=came.returned,
        waiting=came.waiting,
        carried=came.carried,
        left=came.left,
    )


def change(found: RowPatch) -> records.Change:
    """A row that differs."""
    return records.Change(found.table, found.key, found.before, found.after, found.op)


def definition(found: Definition) -> records.Definition:
    """A definition that differs."""
    return records.Definition(found.op, found.type, found.name, found.table)


def file_change(found: FileDelta) -> records.FileChange:
    """A file that differs."""
    was = found.before.path if found.op == "renamed" and found.before else None
    return records.FileChange(found.op, found.path, was)


def event(found: Event) -> records.Event:
    """A change of a row."""
    by = commit(found.entry) if found.entry else None
    return records.Event(by, found.table, found.key, found.before, found.after, found.op)


def cell(found: Cell) -> records.Cell:
    """A cell and who wrote it."""
    by = commit(found.entry) if found.entry else None
    return records.Cell(found.table, found.key, found.column, found.value, by)


def merged(found: Brought) -> records.Merged:
    """What a merge came to."""
    return records.Merged(
        branch=found.standing.branch,
        commit=found.standing.commit,
        made=found.made,
        tables=tables(found.moved),
        waiting=waits(found.waiting),
        renumbered=found.numbers,
    )


def conflict(found: Contested, sides: Sequence[Side]) -> records.Conflict:
    """One thing that waits."""
    base, ours, theirs = (each if each is None or isinstance(each, Mapping) else each[0] for each in sides)
    about = (found.id, found.table, found.key, found.column, found.kind, found.why)
    return records.Conflict(*about, base=base, ours=ours, theirs=theirs)


def operation(found: Logged) -> records.Operation:
    """One command."""
    said = found.operation
    return records.Operation(found.id, from_microseconds(said.begun), said.command, said.summary, found.undo_of)


def gone(found: Gone) -> records.Gone:
    """A way over operations."""
    over = tuple(step.operation.summary for step in found.way.steps)
    standing = found.standing
    return records.Gone(over, standing.branch, standing.commit, tables(found.moved), tables(found.since))


def restored(found: Restored) -> records.Restored:
    """A state brought back."""
    state = found.point.found
    return records.Restored(
        from_microseconds(state.time),
        transaction=state.number,
        source=state.commit,
        tables=tables(found.moved),
        rows=found.proof.rows,
        commit=found.commit,
    )


def stashed(found: Stashed) -> records.Stashed:
    """What was put aside."""
    entry = found.entry
    return records.Stashed(found.number, entry.id, entry.parents[0], from_microseconds(entry.time), entry.message)


def file(found: File) -> records.File:
    """A file of a version."""
    time = datetime.fromtimestamp(found.mtime / _SECOND, UTC)
    return records.File(found.path, found.size, found.mode, time, found.media, found.content.id.hex())
