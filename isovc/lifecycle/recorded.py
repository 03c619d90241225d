"""Is the log of the operations one unbroken chain, and can be brought back what it says? Trusts nothing in its rows."""

from __future__ import annotations

from collections.abc import Iterator

from isovc.encoding.digest import record_id
from isovc.encoding.values import encode
from isovc.errors import IsovcError
from isovc.history import CommitId
from isovc.lifecycle.damage import Damage
from isovc.repo.database import Database
from isovc.repo.operations import Operation, Standing, decode_operation
from isovc.repo.repository import Repository
from isovc.repo.worktrees import Files, unpack_files

_Row = tuple[object, ...]


def broken_links(repository: Repository) -> Iterator[Damage]:
    """What is wrong with the records, and with what says where names and working copies are."""
    refs: dict[str, CommitId | None] = {}
    places: dict[str, Standing | None] = {}
    previous: object = None
    number = 0
    try:
        with repository.file.reading() as db:
            listing = "SELECT number, id, worktree, ended, body FROM operation ORDER BY number"
            for row in db.execute(listing, ()):
                number += 1
                try:
                    operation = _record(row, number, previous)
                except IsovcError as error:
                    yield Damage(error.message)
                    number = row[0]
                else:
                    if operation is None:
                        yield Damage(f"record {row[0]} of the operation log is not what was written there")
                    else:
                        refs.update((name, pair[1]) for name, pair in operation.refs.items())
                        places.update((key, pair[1]) for key, pair in operation.worktrees.items())
                        yield from _snapshots_named(db, operation)
                previous = row[1].hex() if isinstance(row[1], bytes) else None
            yield from _ends(db, refs, places)
    except IsovcError as error:
        yield Damage(error.message)


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


def _record(row: _Row, number: int, previous: object) -> Operation | None:
    """The record, if it stands where it belongs and is what was written."""
    at, raw, worktree, ended, body = row
    if not isinstance(body, bytes) or record_id(body) != raw:
        return None
    operation = decode_operation(body)
    told = (operation.number, operation.previous, operation.worktree, operation.ended)
    return operation if told == (at, previous, worktree, ended) and at == number else None


def _snapshots_named(db: Database, operation: Operation) -> Iterator[Damage]:
    wanted = {each for pair in operation.live.values() for each in pair if each is not None}
    rows = db.execute("SELECT snapshot FROM operation_snapshot WHERE number = ?", (operation.number,))
    if wanted != {row[0].hex() if isinstance(row[0], bytes) else "" for row in rows}:
        yield Damage(f"record {operation.number} of the operation log and the list of its states differ")


def _ends(db: Database, refs: dict[str, CommitId | None], places: dict[str, Standing | None]) -> Iterator[Damage]:
    found: dict[str, object] = {}
    for name, target in db.execute("SELECT name, target FROM ref", ()):
        found[name] = target.hex() if isinstance(target, bytes) else target
    for name, target in refs.items():
        if found.get(name) != target:
            yield Damage(f"{name} is not where the operation log says that it was led to")
    stands: dict[str, object] = {}
    for key, *place in db.execute("SELECT id, database, head, head_commit FROM worktree", ()):
        commit = place[2].hex() if isinstance(place[2], bytes) else place[2]
        stands[str(key)] = (place[0], place[1], commit)
    for key, standing in places.items():
        last = None if standing is None else (standing.database, standing.head, standing.commit)
        if stands.get(key) != last:
            yield Damage(f"working copy {key} is not where the operation log says that it went")
