"""The merge that waits in a working copy, looked up."""

from __future__ import annotations

from isovc.errors import ConflictsWait, NothingUnderWay, OtherUnderWay
from isovc.repo.database import Database
from isovc.repo.merges import Merge, keep_merge, read_merge, read_needed, read_waiting
from isovc.repo.operations import SnapshotId
from isovc.repo.snapshots import keep_snapshot, read_snapshot
from isovc.snapshot.version import Version, decode_version, encode_version
from isovc.workspace.desk import Desk


def waiting_in(desk: Desk) -> Merge | None:
    """The merge that waits in a working copy."""
    if desk.worktree.merging is None:
        return None
    read = read_waiting if desk.then is None else read_merge  # what waited once may have been cleaned up since
    with desk.repository.file.reading() as db:
        return read(db, desk.worktree.merging)


def refuse_while_waiting(desk: Desk) -> None:
    """A merge that waits is to be ended before anything else goes on."""
    waiting = waiting_in(desk)
    if waiting is not None:
        raise ConflictsWait(command=waiting.command, open=waiting.open)


def need(desk: Desk, command: str = "", option: str = "") -> Merge:
    """The merge that waits. `command`: the one that is meant to have left it, where somebody said so."""
    waiting = waiting_in(desk)
    if waiting is None:
        raise NothingUnderWay(what=command or "merge")
    if command and waiting.command != command:
        raise OtherUnderWay(asked=command, command=waiting.command, option=option)
    return waiting


def side(desk: Desk, merge: Merge, name: str) -> Version:
    """One of its versions: base, ours, theirs, merged, before."""
    read = read_needed if desk.then is None else read_snapshot
    with desk.repository.file.reading() as db:
        return decode_version(read(db, merge.versions[name]))


def keep(db: Database, merge: Merge, versions: dict[str, Version]) -> SnapshotId:
    """Keep a merge with its versions; those it has already stay."""
    kept = {name: keep_snapshot(db, encode_version(version)) for name, version in versions.items()}
    return keep_merge(db, merge.with_versions(kept))
