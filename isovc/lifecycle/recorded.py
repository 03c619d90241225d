"""Can be brought back what the operations speak of? Trusts nothing in its rows. The log itself is checked elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from isovc.errors import RowDamaged
from isovc.repo.repository import Repository
from isovc.repo.snapshots import unpack_snapshot
from isovc.repo.worktrees import Files


def kept_states(repository: Repository) -> Iterator[tuple[str, Files | None]]:
    """The versions of live databases that operations speak of, each with a name for it; None: it cannot be read."""
    with repository.file.reading() as db:
        for raw, packed in db.execute("SELECT id, files FROM snapshot", ()):
            try:
                files: Files | None = unpack_snapshot(raw, packed)
            except RowDamaged:
                files = None  # told by the caller, as what it is
            yield f"state {raw.hex()[:12] if isinstance(raw, bytes) else raw} in the operation log", files
