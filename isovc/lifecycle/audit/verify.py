"""Was anything removed from the operation log of a repository, reordered or altered? And do the names and the working
copies stand where it says? Changes nothing, and holds no more than one record at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from isovc.errors import IsovcError
from isovc.lifecycle.audit.chain import Audited, Chain, Columns, Demands, Fault, Found
from isovc.lifecycle.damage import Damage
from isovc.progress import SILENT, Progress
from isovc.repo.database import Database
from isovc.repo.operations import Operation, Standing
from isovc.repo.repository import Repository

# `main.`: what is looked back at lies over these tables, and the check is of all there is. Text is asked for as bytes:
# where anything may stand there may be some that is none.
_RECORDS = (
    "SELECT number, iif(typeof(id) = 'blob', id, NULL), iif(typeof(worktree) = 'integer', worktree, NULL),"
    " iif(typeof(ended) = 'integer', ended, NULL), iif(typeof(body) = 'blob', body, NULL),"
    " iif(typeof(signature) IN ('blob', 'null'), signature, 0) FROM main.operation ORDER BY number"
)
_STATES = (
    "SELECT number, CAST(snapshot AS BLOB) FROM main.operation_snapshot WHERE typeof(number) = 'integer'"
    " ORDER BY number, snapshot"
)
_MOVES = (
    "SELECT act, CAST(name AS BLOB), CAST(old AS BLOB), CAST(new AS BLOB) FROM main.ref_log"
    " WHERE typeof(act) = 'integer' ORDER BY act, name, seq"
)
_REFS = "SELECT CAST(name AS BLOB), CAST(target AS BLOB) FROM main.ref"
_PLACES = "SELECT id, CAST(database AS BLOB), CAST(head AS BLOB), CAST(head_commit AS BLOB) FROM main.worktree"

Place = tuple[object, object, object]  # database, head, commit


def verify(repository: Repository, demands: Demands | None = None, *, progress: Progress = SILENT) -> Audited:
    """Follow the chain to the first bad record, and, where it is whole, compare it with what it has led to."""
    chain, ends = Chain(demands or Demands()), _Ends()
    with repository.file.reading() as db:
        states = _Beside(db.execute(_STATES, ()))
        moves = _Beside(db.execute(_MOVES, ()))
        many = db.execute("SELECT count(*) FROM main.operation", ()).fetchone()[0]
        number = 0
        with progress.task("Checking operations", total=many, unit="records") as task:
            for number, raw, worktree, ended, body, signature in db.execute(_RECORDS, ()):
                listed = frozenset(_hex(row[1]) or "" for row in states.of(number))
                operation = chain.follow(Found(raw, body, signature, Columns(number, worktree, ended, listed)))
                if isinstance(operation, Fault):
                    return chain.audited(operation)
                ends.go_on(operation, str(raw.hex()), moves.of(number))
                task.advance()
        # whoever cuts the log rarely cuts all that speaks of it
        for beside, what in ((states, "the list of states"), (moves, "the log of a branch or tag")):
            if beside.stray is not None:
                return chain.audited(Fault(beside.stray, "", f"{what} speaks of it, and it is not there"))
        faults = [fault for fault in [chain.end()] if fault] or [*ends.faults, *ends.disagreements(db)]
    return chain.audited(*faults)


def damages_of_the_log(repository: Repository, progress: Progress = SILENT) -> list[Damage]:
    """The same for the check of all."""
    try:
        return [Damage(each.sentence) for each in verify(repository, progress=progress).faults]
    except IsovcError as error:
        return [Damage(error.message)]


class _Beside:
    """Rows that begin with the number of an operation, in order, read along with the operations."""

    def __init__(self, rows: Any) -> None:
        self._rows = iter(rows)
        self._next: Sequence[Any] | None = next(self._rows, None)
        self._stray: int | None = None

    def of(self, number: int) -> list[Sequence[Any]]:
        """Those of this operation."""
        found: list[Sequence[Any]] = []
        while self._next is not None and self._next[0] <= number:
            if self._next[0] == number:
                found.append(self._next)
            elif self._stray is None:
                self._stray = self._next[0]
            self._next = next(self._rows, None)
        return found

    @property
    def stray(self) -> int | None:
        """A number of which rows speak and that was not asked for."""
        return self._stray if self._stray is not None or self._next is None else int(self._next[0])


class _Ends:
    """Where all moves together have led."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._refs: dict[str, object] = {}
        self._places: dict[str, Place | None] = {}
        self._movers: dict[str, tuple[int, str]] = {}  # of names and working copies: who moved them last
        self._from_the_beginning = False

    def go_on(self, operation: Operation, name: str, logged: list[Sequence[Any]]) -> None:
        """One operation further. `logged`: what the logs of the names say that it moved."""
        number = operation.number
        if number == 1:  # made with the repository, and not when a repository of old was brought up to date
            self._from_the_beginning = operation.worktrees.get("1", (1, 1))[0] is None
        moved: dict[str, tuple[object, object]] = {}
        for _, raw, old, new in logged:
            ref = _text(raw)
            moved[ref] = (moved.get(ref, (_hex(old),))[0], _hex(new))
        if {ref: pair for ref, pair in moved.items() if pair[0] != pair[1]} != dict(operation.refs):
            self.faults.append(Fault(number, name, "the logs of branches and tags say that it moved others"))
        for ref, (old, new) in operation.refs.items():
            self._follow(self._refs, ref, old, new, (number, name))
        for key, pair in operation.worktrees.items():
            before, after = map(_place, pair)
            self._follow(self._places, key, before, after, (number, name))

    def disagreements(self, db: Database) -> Iterator[Fault]:
        """Where names and working copies stand elsewhere."""
        refs = {_text(name): _hex(target) for name, target in db.execute(_REFS, ())}
        rows = db.execute(_PLACES, ())
        places = {str(key): (_text(database), _text(head), _hex(commit)) for key, database, head, commit in rows}
        ends: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("", self._refs, refs),
            ("working copy ", self._places, places),
        ]
        for what, told, found in ends:
            for key in sorted({*told, *(found if self._from_the_beginning else ())}):
                if told.get(key) != found.get(key):
                    number, name = self._movers.get(key, (None, ""))
                    yield Fault(number, name, f"{what}{key} stands where no operation has led it")

    def _follow(self, ends: dict[str, Any], key: str, before: object, after: object, mover: tuple[int, str]) -> None:
        if (key in ends or self._from_the_beginning) and ends.get(key) != before:
            self.faults.append(Fault(*mover, f"it found {key} elsewhere than the operation before it left it"))
        ends[key] = after
        self._movers[key] = mover


def _place(standing: Standing | None) -> Place | None:
    return None if standing is None else (standing.database, standing.head, standing.commit)


def _text(raw: object) -> str:
    """As a record has it, with lone surrogates for what is no text."""
    return raw.decode(errors="surrogateescape") if isinstance(raw, bytes) else ""


def _hex(raw: object) -> str | None:
    return raw.hex() if isinstance(raw, bytes) else None
