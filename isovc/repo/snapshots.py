"""Versions that live databases held when an operation began or ended, by the BLAKE3 of their files."""

from __future__ import annotations

from collections.abc import Iterable

from isovc.encoding.digest import record_id
from isovc.encoding.values import encode
from isovc.errors import IsovcError, RowDamaged, SnapshotForgotten
from isovc.repo.database import Database
from isovc.repo.operations import SnapshotId
from isovc.repo.worktrees import Files, pack_files, unpack_files

_SINCE = "SELECT snapshot FROM operation_snapshot JOIN operation USING(number) WHERE ended >= ?"


def keep_snapshot(db: Database, files: Files) -> SnapshotId:
    """Keep the files of a version; its id. The same version is kept once."""
    raw = _id(files)
    if db.execute("SELECT 1 FROM snapshot WHERE id = ?", (raw,)).fetchone() is None:
        db.execute("INSERT INTO snapshot(id, files) VALUES(?, ?)", (raw, pack_files(files)))
    return SnapshotId(raw.hex())


def kept_since(db: Database, time: int) -> list[Files]:
    """All that operations speak of which ended at that time or later."""
    return [
        unpack_snapshot(*row) for row in db.execute(f"SELECT id, files FROM snapshot WHERE id IN ({_SINCE})", (time,))
    ]


def forget_snapshots(db: Database, before: int, besides: Iterable[SnapshotId] = ()) -> int:
    """Let go of what only operations before that time speak of; how many. `besides`: what is kept all the same."""
    known = db.execute("SELECT count(*) FROM snapshot", ()).fetchone()[0]
    kept = [bytes.fromhex(each) for each in besides]
    marks = ", ".join("?" * len(kept))
    db.execute(f"DELETE FROM snapshot WHERE id NOT IN ({_SINCE}) AND id NOT IN ({marks})", (before, *kept))
    left: int = db.execute("SELECT count(*) FROM snapshot", ()).fetchone()[0]
    return int(known - left)


def read_snapshot(db: Database, snapshot: SnapshotId) -> Files:
    """The files again, unless gc has let go of them."""
    row = db.execute("SELECT id, files FROM snapshot WHERE id = ?", (bytes.fromhex(snapshot),)).fetchone()
    if row is None:
        raise SnapshotForgotten(snapshot=snapshot)
    return unpack_snapshot(*row)


def unpack_snapshot(raw: object, packed: object) -> Files:
    """A row of the table as the files of a version; what was altered is never shown."""
    try:
        if isinstance(raw, bytes) and isinstance(packed, bytes) and _id(files := unpack_files(packed)) == raw:
            return files
    except (IsovcError, ValueError, TypeError):
        pass
    raise RowDamaged(row=f"state {raw.hex()[:12] if isinstance(raw, bytes) else raw}")


def _id(files: Files) -> bytes:
    return record_id(encode([part for name in sorted(files) for part in (name, files[name])]))
