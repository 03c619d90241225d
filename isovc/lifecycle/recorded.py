"""Can be brought back what the operations speak of? Trusts nothing in its rows. The log itself is checked elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from isovc.encoding.digest import record_id
from isovc.encoding.values import encode
from isovc.errors import IsovcError
from isovc.repo.repository import Repository
from isovc.repo.worktrees import Files, unpack_files


def kept_states(repository: Repository) -> Iterator[tuple[str, Files | None]]:
    """The versions of live databases that operations speak of, each with a name for it; None: it cannot be read."""
    with repository.file.reading() as db:
        for raw, packed in db.execute("SELECT id, files FROM snapshot", ()):
            files: Files | None = None
            try:
                files = unpack_files(packed)
                if record_id(encode([part for name in sorted(files) for part in (name, files[name])])) != raw:
                    files = None
            except (IsovcError, ValueError, TypeError):
                pass  # told by the caller, as what it is
            yield f"state {raw.hex()[:12] if isinstance(raw, bytes) else raw} in the operation log", files
