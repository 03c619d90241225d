"""The operation log: one record a command, each naming the one before it. Knows what a record says, not how to undo it.

A record is canonical JSON, and its id the BLAKE3 of these bytes: any tool can check the chain in an export.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import chain
from operator import attrgetter
from typing import Any, NewType

from isovc.encoding.digest import record_id
from isovc.encoding.signing import Sign
from isovc.errors import AmbiguousOperation, NoSuchOperation, OperationDamaged
from isovc.history import CommitId
from isovc.repo.database import Database
from isovc.repo.names import BRANCHES

OperationId = NewType("OperationId", str)  # 64 hex
SnapshotId = NewType("SnapshotId", str)  # 64 hex

FORMAT = 1  # of the record; it stands in each of them
_SHORTEST = 4  # hex digits of an id that are looked up
_CANDIDATES = 10  # an ambiguous prefix names so many
_PAGE = 256  # records read with one statement

Move = tuple[CommitId | None, CommitId | None]
Live = tuple[SnapshotId | None, SnapshotId | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a working copy stands: its database as the repository names it, its head, and the commit there. `merging`:
    the state of the merge that waits for a person in it, if one does."""

    database: str
    head: str
    commit: CommitId | None
    merging: SnapshotId | None = None

    @property
    def branch(self) -> str | None:
        """The branch it is on; None: detached."""
        return self.head.removeprefix(BRANCHES) if self.head.startswith(BRANCHES) else None


@dataclass(frozen=True, slots=True)
class Operation:
    """What one command did. Pairs are before and after; None: it was, or is, not there. `live`, `worktrees` are by the
    number of the working copy; `refs` holds only what moved. `below` is what undo comes to after this one: `undone` and
    `redone` operations step over others."""

    number: int
    previous: OperationId | None
    command: str
    words: tuple[str, ...]
    summary: str
    author: str
    user: str
    host: str
    begun: int
    ended: int
    worktree: int
    database: str
    refs: Mapping[str, Move] = field(default_factory=dict)
    worktrees: Mapping[str, tuple[Standing | None, Standing | None]] = field(default_factory=dict)
    live: Mapping[str, Live] = field(default_factory=dict)
    tables: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    settings: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    undone: tuple[OperationId, ...] = ()
    redone: tuple[OperationId, ...] = ()
    below: OperationId | None = None
    passed_over: bool = False  # undo does not stop here: there is nothing to bring back
    irreversible: bool = False  # undo stops here for good: the effects lie where isovc cannot reach them


@dataclass(frozen=True, slots=True)
class Logged:
    """A record in the log."""

    id: OperationId
    operation: Operation

    @property
    def undo_of(self) -> OperationId | None:
        """The operation whose beginning this one went back to."""
        return self.operation.undone[-1] if self.operation.undone else None

    @property
    def next_undo(self) -> OperationId | None:
        """What undo would undo if this one is the last."""
        stepped = self.operation.undone or self.operation.redone or self.operation.passed_over
        return self.operation.below if stepped else self.id


def encode_operation(operation: Operation) -> bytes:
    """The record as bytes: one form only, so that the id depends on what it says alone."""
    said = dict(zip(_FIELDS, _VALUES(operation), strict=True))
    return _CANONICAL.encode({"format": FORMAT, **said}).encode("ascii")


def decode_operation(body: bytes) -> Operation:
    """The record again."""
    try:
        said: dict[str, Any] = json.loads(body.decode("ascii"))  # of bytes it would look for their encoding first
        if said.pop("format") != FORMAT:
            raise OperationDamaged(number=said.get("number"), why="it is of a format that this isovc does not know")
        for name in _PAIRS:
            said[name] = {key: tuple(pair) for key, pair in said[name].items()}
        for name in ("words", "undone", "redone"):
            said[name] = tuple(said[name])
        said["worktrees"] = {
            key: tuple(None if each is None else Standing(**each) for each in pair)
            for key, pair in said["worktrees"].items()
        }
        operation = Operation(**said)
        if not _is_sensible(operation):
            raise OperationDamaged(number=None, why="it holds something of another kind than it should")
        return operation
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise OperationDamaged(number=None, why=str(error)) from None


_HEX = {digits: re.compile(f"[0-9a-f]{{{digits}}}").fullmatch for digits in (40, 64)}
_PAIRS = ("refs", "live", "tables", "settings")
_FIELDS = tuple(each.name for each in fields(Operation))
_VALUES = attrgetter(*_FIELDS)
# one object for all records: a check writes each of them again


def _said(standing: Standing) -> dict[str, str | None]:
    """A merge is spoken of only where there is one."""
    return {name: value for name, value in asdict(standing).items() if name != "merging" or value is not None}


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=_said)


def _is_sensible(told: Operation) -> bool:
    """Whether all of it is of the kind it should be. Nothing else is looked at: the id vouches for what it says."""
    pairs: list[Sequence[Any]] = [*told.refs.values(), *told.worktrees.values(), *told.live.values()]
    pairs += told.settings.values()
    triples: list[Sequence[Any]] = list(told.tables.values())
    standings = [each for each in chain.from_iterable(told.worktrees.values()) if each]
    texts = [told.command, told.summary, told.author, told.user, told.host, told.database, *told.words]
    flags = [told.passed_over, told.irreversible]
    numbers = [told.number, told.begun, told.ended, told.worktree, *chain.from_iterable(triples)]
    ids = [told.previous, told.below, *told.undone, *told.redone, *chain.from_iterable(told.live.values())]
    commits = [*chain.from_iterable(told.refs.values())]
    for each in standings:
        texts += each.database, each.head
        ids.append(each.merging)
        commits.append(each.commit)
    return (
        set(map(type, numbers)) == {int}
        and set(map(type, texts)) == {str}
        and set(map(type, flags)) == {bool}
        and set(map(len, pairs)) <= {2}
        and set(map(len, triples)) <= {3}
        and all(map(_HEX[64], [each for each in ids if each is not None]))
        and all(map(_HEX[40], [each for each in commits if each is not None]))
    )


class Operations:
    """The table operation. Made for one transaction or one reading, and not kept longer."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def last(self, worktree: int | None = None) -> Logged | None:
        """The newest record, of all or of one working copy."""
        return next(self.newest_first(worktree=worktree, batch=1), None)

    def newest_first(
        self, *, worktree: int | None = None, before: int | None = None, batch: int = _PAGE
    ) -> Iterator[Logged]:
        """Records from the newest on, or from the one before this number on."""
        at = before if before is not None else self._known() + 1
        chosen = "" if worktree is None else " AND worktree = ?"
        more = () if worktree is None else (worktree,)
        while True:
            rows = self._db.execute(
                f"SELECT number, id, body FROM operation WHERE number < ?{chosen} ORDER BY number DESC LIMIT ?",
                (at, *more, batch),
            ).fetchall()
            for number, raw, body in rows:
                if worktree is None and number != at - 1:
                    raise OperationDamaged(number=at - 1, why="it is missing")
                at = number
                yield logged(number, raw, body)
            if len(rows) < batch:
                if worktree is None and at > 1:
                    raise OperationDamaged(number=at - 1, why="it is missing")
                return

    def about(self, worktree: int, *, upto: int | None = None) -> Iterator[Logged]:
        """Records that speak of a working copy, the newest first, from this number on."""
        # looked for in the bytes first: of a hundred thousand records a handful may speak of it
        rows = self._db.execute(
            "SELECT number, id, body FROM operation WHERE number <= ? AND instr(body, ?) ORDER BY number DESC",
            (upto if upto is not None else 1 << 62, f'"{worktree}":['.encode()),
        )
        for row in rows:
            found = logged(*row)
            if {str(worktree)} & (found.operation.worktrees.keys() | found.operation.live.keys()):
                yield found

    def get(self, operation: OperationId) -> Logged:
        """The record with this id."""
        row = self._db.execute(
            "SELECT number, id, body FROM operation WHERE id = ?", (bytes.fromhex(operation),)
        ).fetchone()
        if row is None:
            raise NoSuchOperation(text=operation)
        return logged(*row)

    def find(self, text: str) -> Logged:
        """The record that a person means: the beginning of its id, `@` for the newest, `@~3` for three before it."""
        if text.startswith("@"):
            steps = text[1:].removeprefix("~")
            if text == "@" or (text[1] == "~" and steps.isdecimal() and len(steps) < 10):
                newest = self.newest_first()
                for _ in range(int(steps or 0)):
                    next(newest, None)
                found = next(newest, None)
                if found is not None:
                    return found
            raise NoSuchOperation(text=text)
        digits = text.lower()
        if not _SHORTEST <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
            raise NoSuchOperation(text=text)
        low, high = bytes.fromhex(digits.ljust(64, "0")), bytes.fromhex(digits.ljust(64, "f"))
        rows = self._db.execute(
            "SELECT number, id, body FROM operation WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
            (low, high, _CANDIDATES),
        ).fetchall()
        if not rows:
            raise NoSuchOperation(text=text)
        if len(rows) > 1:
            raise AmbiguousOperation(text=text, candidates=[row[1].hex()[:12] for row in rows])
        return logged(*rows[0])

    def _known(self) -> int:
        """The number of the last record: one that went missing at the end would leave no gap."""
        listing = "SELECT value, (SELECT coalesce(max(number), 0) FROM operation) FROM total WHERE name = 'operation'"
        known, last = self._db.execute(listing, ()).fetchone() or (None, 0)
        if type(known) is not int or known != last:
            raise OperationDamaged(number=last, why="it is the last one there is, and not the last one written")
        return known

    def append(self, operation: Operation, *, sign: Sign | None = None, needed: Iterable[SnapshotId] = ()) -> Logged:
        """Put a record behind the last one. `needed`: snapshots that are kept as long as those it speaks of."""
        body = encode_operation(operation)
        raw = record_id(body)
        self._db.execute(
            "INSERT INTO operation(number, id, worktree, ended, body, signature) VALUES(?, ?, ?, ?, ?, ?)",
            (operation.number, raw, operation.worktree, operation.ended, body, sign(body) if sign else None),
        )
        self._db.execute("UPDATE total SET value = ? WHERE name = 'operation'", (operation.number,))
        spoken_of = {each for pair in operation.live.values() for each in pair if each is not None} | set(needed)
        self._db.executemany(
            "INSERT INTO operation_snapshot(number, snapshot) VALUES(?, ?)",
            [(operation.number, bytes.fromhex(each)) for each in sorted(spoken_of)],
        )
        return Logged(OperationId(raw.hex()), operation)


def logged(number: int, raw: object, body: object) -> Logged:
    """A row of the table as what it says; what was altered is never shown."""
    if not isinstance(raw, bytes) or not isinstance(body, bytes) or record_id(body) != raw:
        raise OperationDamaged(number=number, why="its content is not what its id says")
    operation = decode_operation(body)
    if operation.number != number:
        raise OperationDamaged(number=number, why=f"it says that it is number {operation.number}")
    return Logged(OperationId(raw.hex()), operation)
