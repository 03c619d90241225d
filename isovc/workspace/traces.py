"""What an operation did to the database beside which it was typed."""

from __future__ import annotations

from isovc.errors import SnapshotForgotten
from isovc.repo.operations import Logged
from isovc.repo.snapshots import read_snapshot
from isovc.snapshot.version import Version, decode_version
from isovc.workspace.desk import Desk
from isovc.workspace.status import Difference, difference


def trace(desk: Desk, logged: Logged) -> Difference | None:
    """How the rows moved; None: that has been cleaned up."""
    found = Difference({}, (), ())
    for before, after in logged.operation.live.values():
        if before != after:
            try:
                with desk.repository.file.reading() as db:
                    old, new = (
                        decode_version(read_snapshot(db, each)) if each else Version() for each in (before, after)
                    )
            except SnapshotForgotten:
                return None
            found = difference(desk, old, new)
    return found
