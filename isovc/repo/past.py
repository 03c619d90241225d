"""store.db as it was after an operation: views that lie over its tables in one connection, so that whoever reads there
sees the past and cannot write to it."""

from __future__ import annotations

from collections.abc import Mapping

from isovc.repo.database import Database
from isovc.repo.operations import Logged, Operations, SnapshotId, Standing
from isovc.repo.refs import Refs
from isovc.repo.seals import sealer, together
from isovc.repo.settings import Plain

# names without a schema mean a view of the connection's own before a table of the file
_VIEWS = """
CREATE TEMP TABLE ref_then(name TEXT PRIMARY KEY, target BLOB, message TEXT, seal BLOB) WITHOUT ROWID;
CREATE TEMP VIEW ref AS SELECT * FROM ref_then;
CREATE TEMP VIEW total AS
    SELECT 'operation' AS name, {number} AS value
    UNION ALL SELECT 'ref', x'{refs}'
    UNION ALL SELECT 'ref_log', x'{lines}'
    UNION ALL SELECT name, value FROM main.total WHERE name = 'worktree';
CREATE TEMP VIEW ref_log AS SELECT * FROM main.ref_log WHERE coalesce(act, 0) <= {number};
CREATE TEMP VIEW operation AS SELECT * FROM main.operation WHERE number <= {number};
"""


def look_back(db: Database, text: str) -> Logged:
    """Let this connection see what there was after the operation that `text` means."""
    found = Operations(db).find(text)
    number = found.operation.number
    targets, lines = Refs(db).after(number)
    then = [(name, bytes.fromhex(target), "") for name, target in targets.items()]
    seals = list(map(sealer(), then))
    views = _VIEWS.format(number=number, refs=together(seals).hex(), lines=together(lines).hex())
    for statement in views.split(";\n"):
        db.execute(statement, ())
    sealed = [(*cells, each) for cells, each in zip(then, seals, strict=True)]
    db.executemany("INSERT INTO ref_then VALUES(?, ?, ?, ?)", sealed)
    return found


def standing_after(db: Database, worktree: int, number: int) -> Standing | None:
    """Where a working copy stood after operation `number`; None: it was not there, or nothing is known."""
    for logged in Operations(db).about(worktree, upto=number):
        pair = logged.operation.worktrees.get(str(worktree))
        if pair is not None:
            return pair[1]
    return None


def live_after(db: Database, worktree: int, number: int | None) -> SnapshotId | None:
    """What its database held after operation `number` (None: the newest), as far as operations saw it."""
    for logged in Operations(db).about(worktree, upto=number):
        pair = logged.operation.live.get(str(worktree))
        if pair is not None:
            return pair[1]
    return None


def standings(db: Database) -> list[Standing]:
    """All working copies there were, where one looks back."""
    found: dict[str, Standing | None] = {}
    for logged in Operations(db).newest_first():
        for key, (_, after) in logged.operation.worktrees.items():
            found.setdefault(key, after)
    return [each for _, each in sorted(found.items(), key=lambda item: int(item[0])) if each is not None]


def settings_after(db: Database, now: Mapping[str, Plain], text: str) -> dict[str, Plain]:
    """What a repository's own settings were after the operation that `text` means."""
    operations = Operations(db)
    number = operations.find(text).operation.number
    then = dict(now)
    for logged in operations.newest_first():
        if logged.operation.number <= number:
            break
        for key, (before, _) in logged.operation.settings.items():
            then.pop(key, None)
            if before is not None:
                then[key] = before
    return then
