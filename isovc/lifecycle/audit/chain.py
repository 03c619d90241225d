"""Records checked one after another: is each what was written, and does it follow from the one before it? Knows no
database and no file; trusts nothing that it is given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from isovc.encoding.digest import record_id
from isovc.encoding.signing import PublicKey, can_check, is_genuine, key_of
from isovc.errors import OperationDamaged, SigningNotInstalled
from isovc.repo.operations import Operation, OperationId, decode_operation, encode_operation


@dataclass(frozen=True, slots=True)
class Columns:
    """What a table repeats beside a record; states by their hex."""

    number: object
    worktree: object
    ended: object
    snapshots: frozenset[str]


@dataclass(frozen=True, slots=True)
class Found:
    """A record as it was found; `columns` only where a table repeats some of it."""

    id: object
    body: object
    signature: object
    columns: Columns | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with which record. The number is None where the log as a whole is wrong."""

    number: int | None
    id: str
    why: str

    @property
    def sentence(self) -> str:
        """In words."""
        named = f" ({self.id[:12]})" if self.id else ""
        which = "the operation log" if self.number is None else f"record {self.number}{named} of the operation log"
        return f"{which}: {self.why}"


@dataclass(frozen=True, slots=True)
class Demands:
    """What is demanded beyond an unbroken chain. `head`: a record that must be in it. `keys`: who may have signed, in
    which case all from the first signed record on must be, or from number `signed_from` on. `partial`: records may be
    missing, because somebody chose from them."""

    head: OperationId | None = None
    keys: Collection[PublicKey] | None = None
    signed_from: int | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Audited:
    """What a check found."""

    records: int
    head: str
    signed: int
    first_signed: int | None
    signatures_checked: bool
    faults: tuple[Fault, ...]


class Chain:
    """The chain as far as it was followed."""

    def __init__(self, demands: Demands) -> None:
        if demands.keys is not None and not can_check():
            raise SigningNotInstalled
        self._demands = demands
        self._checks = can_check()
        self._records = 0
        self._last = 0
        self._id: str | None = None
        self._head_seen = demands.head is None
        self._signed = 0
        self._first_signed: int | None = None

    def follow(self, found: Found) -> Operation | Fault:
        """The next record, if it is whole and in its place."""
        columns, expected = found.columns, self._last + 1
        place = columns.number if columns and isinstance(columns.number, int) else expected
        name = found.id.hex() if isinstance(found.id, bytes) else ""
        if not isinstance(found.body, bytes) or record_id(found.body) != found.id:
            return Fault(place, name, "its content is not what its id says")
        try:
            operation = decode_operation(found.body)
            is_canonical = encode_operation(operation) == found.body
        except (OperationDamaged, ValueError, TypeError) as error:
            return Fault(place, name, f"it cannot be read: {getattr(error, 'why', error)}")
        why = self._misplaced(operation, columns)
        if not is_canonical:
            why = "it is written in another form than ours"
        elif columns and not why:
            why = _disagreeing(operation, columns)
        if why:
            return Fault(place, name, why)
        if operation.number != expected and not (self._demands.partial and operation.number > expected):
            return Fault(expected, str(operation.previous or ""), "it is missing")
        if operation.number == expected and operation.previous != self._id:
            before = self._id[:12] if self._id else "none"
            told = str(operation.previous or "none")[:12]
            return Fault(place, name, f"the record before it is {told} as it says, and {before} as it stands")
        why = self._signature(operation.number, found.body, found.signature)
        if why:
            return Fault(operation.number, name, why)
        self._records, self._last, self._id = self._records + 1, operation.number, name
        self._head_seen = self._head_seen or name == self._demands.head
        return operation

    def end(self) -> Fault | None:
        """What can be said only when all records have been followed."""
        demands = self._demands
        if not self._head_seen:
            return Fault(
                None, str(demands.head), f"record {demands.head} is not in it: it was cut off, or written anew"
            )
        if demands.keys is not None and not self._signed and self._records:
            return Fault(None, "", "no record is signed")
        return None

    def audited(self, *faults: Fault) -> Audited:
        """So far."""
        return Audited(self._records, self._id or "", self._signed, self._first_signed, self._checks, faults)

    def _misplaced(self, operation: Operation, columns: Columns | None) -> str:
        if columns and columns.number != operation.number:
            return f"it says that it is number {operation.number}"
        if operation.number <= self._last:
            return f"it says that it is number {operation.number}, and stands behind number {self._last}"
        return ""

    def _signature(self, number: int, body: bytes, signature: object) -> str:
        demands = self._demands
        if signature is None:
            begun = self._first_signed is not None if demands.signed_from is None else number >= demands.signed_from
            return "it is not signed" if demands.keys is not None and begun else ""
        key = key_of(signature) if isinstance(signature, bytes) else None
        if key is None or not isinstance(signature, bytes):
            return "its signature has no form that is known here"
        if self._checks and not is_genuine(body, signature):
            return "its signature does not fit it"
        if demands.keys is not None and key not in demands.keys:
            return f"it is signed with another key ({key.hex()})"
        self._signed += 1
        self._first_signed = self._first_signed or number
        return ""


def _disagreeing(operation: Operation, columns: Columns) -> str:
    for name, told, said in (
        ("worktree", columns.worktree, operation.worktree),
        ("ended", columns.ended, operation.ended),
    ):
        if type(told) is not type(said) or told != said:
            return f"it says {name} {said}, and {told!r} stands beside it"
    spoken_of = {each for pair in operation.live.values() for each in pair if each is not None}
    merging = {each.merging for pair in operation.worktrees.values() for each in pair if each and each.merging}
    # a merge speaks of others in its turn
    fits = columns.snapshots >= spoken_of | merging if merging else columns.snapshots == spoken_of
    return "" if fits else "it speaks of other states than are listed for it"
