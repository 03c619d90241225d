"""Settings that a command has decided on and config.toml may not say yet.

The decision is made in the transaction that records the operation; the file is written after it. Whoever finds a
decision writes the file, so that a command which was killed between the two has done all of it or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from isovc.errors import IsovcError, RowDamaged
from isovc.repo.database import Database
from isovc.repo.repository import Repository
from isovc.repo.settings import Plain, write_setting

_FACT = "decided_settings"


def decide(db: Database, changes: Mapping[str, Plain | None]) -> None:
    """These settings shall be so; None: the default."""
    db.execute("INSERT OR REPLACE INTO fact(name, value) VALUES(?, ?)", (_FACT, json.dumps({**decided(db), **changes})))


def decided(db: Database) -> dict[str, Plain | None]:
    """What config.toml does not say yet."""
    row = db.execute("SELECT value FROM fact WHERE name = ?", (_FACT,)).fetchone()
    try:
        found: object = json.loads(row[0]) if row else {}
    except (TypeError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise RowDamaged(row="what was decided on settings")
    return found


def write_decided(repository: Repository) -> None:
    """Let config.toml say it. Where it cannot be written now, whoever comes next tries again: no command fails for
    what another one has decided."""
    with repository.file.reading() as db:
        changes = decided(db)
    if not changes:
        return
    for key, value in changes.items():  # they hold, whatever becomes of the file
        repository.settings = repository.settings.changed(key, value)
    try:
        for key, value in changes.items():
            write_setting(repository.folder / "config.toml", key, value)
    except (IsovcError, OSError):
        return
    with repository.file.transaction() as db:
        if decided(db) == changes:
            db.execute("DELETE FROM fact WHERE name = ?", (_FACT,))
