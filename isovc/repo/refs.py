"""Branches and tags in store.db, and where each of them has been. Knows nothing of git's files or of commits.

Names are full here (refs/heads/main). Each change writes its line of the log in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from isovc.errors import NoSuchRef, RefExists, RefInTheWay, RefMoved, RowDamaged
from isovc.history import CommitId
from isovc.repo.database import Database
from isovc.repo.names import BRANCHES, TAGS, check_name, near_names, short, what_is
from isovc.repo.seals import Total, sealer

REF = "name, target, message"  # as they stand in seals, and the next likewise
LINE = "name, seq, time, old, new, operation, origin, origin_seq, act"


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or tag. Only tags have a message, and few of them."""

    name: str
    target: CommitId
    message: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When (microseconds) and by which operation a ref is moved."""

    time: int
    operation: str


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a ref's log; None: there was, or is, no such ref."""

    time: int
    old: CommitId | None
    new: CommitId | None
    operation: str


@dataclass(frozen=True, slots=True)
class _Past:
    """A log that goes on in the log of another name, from this line of it backwards."""

    name: str
    seq: int


class Refs:
    """The tables ref and ref_log. Made for one transaction or one reading, and not kept longer. `act`: the number of
    the operation that moves them; `moved`: where what it moved was at first and is now."""

    def __init__(self, db: Database, *, act: int | None = None) -> None:
        self._db = db
        self._act = act
        self._seal = sealer()
        self._total = Total(db, "ref")
        self._lines_total = Total(db, "ref_log")
        self.moved: dict[str, tuple[CommitId | None, CommitId | None]] = {}

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, name: str) -> Ref | None:
        """One ref, if it is there. Words that are no text have none, and SQLite would not even be asked."""
        if name.encode(errors="ignore").decode() != name:
            return None
        row = self._db.execute(f"SELECT {REF}, seal FROM ref WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return self._ref(row)
        self._check_gone(name, self._newest(name))  # it may be its name that is damaged
        return None

    def need(self, name: str) -> Ref:
        """One ref that must be there."""
        found = self.get(name)
        if found is None:
            near = near_names(short(name), [short(ref.name) for ref in self.all(_kind(name))])
            raise NoSuchRef(what=what_is(name), name=short(name), near=near)
        return found

    def all(self, kind: str = "refs/") -> list[Ref]:
        """All refs whose full names begin so, in order; `kind` ends with /."""
        return [ref for ref in self._every() if ref.name.startswith(kind)]

    def log(self, name: str) -> Iterator[Move]:
        """Where a ref has been, newest move first; past its renaming, or its being a copy, on to where it came from."""
        found, newest = self.get(name), self._newest(name)
        if (found and found.target) != (newest and _commit(newest[4])):
            raise RowDamaged(row=f"the log of {short(name)}")
        past = _Past(name, newest[1]) if newest else None
        while past:
            expected, lines = past.seq, self._lines(past)
            past = None
            for _, seq, time, old, new, operation, origin, origin_seq, _ in lines:
                if seq != expected:
                    break
                yield Move(time, _commit(old), _commit(new), operation)
                expected -= 1
                if origin is not None:
                    past, expected = _Past(origin, origin_seq), 0
                    break
            if expected:  # there is no line 0
                raise RowDamaged(row=f"line {expected} of the log of {short(name)}")

    def been_since(self, time: int) -> set[CommitId]:
        """Where all refs have been that were moved at that time or later."""
        lines = (cells for cells, _ in self._every_line() if cells[2] >= time)
        return {CommitId(each.hex()) for cells in lines for each in cells[3:5] if each is not None}

    def after(self, act: int) -> tuple[dict[str, CommitId], list[bytes]]:
        """Where all refs led after the operation of this number, and the seals of the lines that tell so."""
        then: dict[str, CommitId | None] = {}
        seals = []
        for cells, seal in self._every_line():
            if (cells[-1] or 0) <= act:
                then[cells[0]] = _commit(cells[4])
                seals.append(seal)
        return {name: target for name, target in then.items() if target}, seals

    def check_new(self, name: str) -> None:
        """Refuse what could not be made under this name."""
        if name.startswith((BRANCHES, TAGS)):  # other kinds are named by us
            check_name(name)
        if self.get(name) is not None:
            raise RefExists(what=what_is(name), name=short(name))
        other = self._in_the_way(name)
        if other is not None:
            raise RefInTheWay(what=what_is(name), name=short(name), other=short(other))

    # -- writing -------------------------------------------------------------------------------------------------------

    def create(self, name: str, target: CommitId, stamp: Stamp, *, message: str = "") -> Ref:
        """A new branch or tag."""
        return self._create(Ref(name, target, message), stamp, None)

    def move(self, name: str, target: CommitId, stamp: Stamp, *, seen: CommitId | None) -> None:
        """Point a ref elsewhere, if it still is where the caller saw it; None: it was not there, and is made."""
        found = self.get(name)
        if (found and found.target) != seen:
            raise RefMoved(what=what_is(name), name=short(name))
        if found is None:
            self.create(name, target, stamp)
        else:
            raw, gone, seal = (
                bytes.fromhex(target),
                self._seal_of(found),
                self._seal_of(Ref(name, target, found.message)),
            )
            self._db.execute("UPDATE ref SET target = ?, seal = ? WHERE name = ?", (raw, seal, name))
            self._total.change(gone, seal)
            self._note(name, stamp, seen, target, None)

    def delete(self, name: str, stamp: Stamp) -> Ref:
        """Take a ref away; its log stays, so that it can come back."""
        gone = self.need(name)
        self._db.execute("DELETE FROM ref WHERE name = ?", (name,))
        self._total.change(self._seal_of(gone))
        self._note(name, stamp, gone.target, None, None)
        return gone

    def rename(self, name: str, new: str, stamp: Stamp) -> Ref:
        """Give a ref another name; its log goes with it."""
        past = _Past(name, self._last_seq(name))
        old = self.delete(name, stamp)  # first: a may become a/b
        return self._create(Ref(new, old.target, old.message), stamp, past)

    def copy(self, name: str, new: str, stamp: Stamp) -> Ref:
        """A second ref that leads where the first does, with the same past."""
        old = self.need(name)
        return self._create(Ref(new, old.target, old.message), stamp, _Past(name, self._last_seq(name)))

    # -- within --------------------------------------------------------------------------------------------------------

    def _create(self, ref: Ref, stamp: Stamp, past: _Past | None) -> Ref:
        self.check_new(ref.name)
        seal = self._seal_of(ref)
        self._db.execute(
            f"INSERT INTO ref({REF}, seal) VALUES(?, ?, ?, ?)",
            (ref.name, bytes.fromhex(ref.target), ref.message, seal),
        )
        self._total.change(seal)
        self._note(ref.name, stamp, None, ref.target, past)
        return ref

    def _in_the_way(self, name: str) -> str | None:
        """A ref that would have to be a folder for this one, or the other way round."""
        parts = short(name).split("/")
        above = (_kind(name) + "/".join(parts[:upto]) for upto in range(1, len(parts)))
        found = self._db.execute(
            "SELECT name FROM ref WHERE name >= ? AND name < ? LIMIT 1", _under(f"{name}/")
        ).fetchone()
        if found:
            return str(found[0])
        for line in self._newest_under(f"{name}/"):
            self._check_gone(line[0], line)
        return next((other for other in above if self.get(other) is not None), None)

    def _check_gone(self, name: str, newest: tuple[Any, ...] | None) -> None:
        """A ref that is not found has no log, or one that ends with its going. It is for its log to say so: to read all
        refs for each that is made takes as many steps as there are pairs of them."""
        if newest is not None and newest[4] is not None:
            raise RowDamaged(row=f"the row of {name}")

    def _note(self, name: str, stamp: Stamp, old: CommitId | None, new: CommitId | None, past: _Past | None) -> None:
        ids = [None if commit is None else bytes.fromhex(commit) for commit in (old, new)]
        origin = (past.name, past.seq) if past else (None, None)
        cells = (name, self._last_seq(name) + 1, stamp.time, *ids, stamp.operation, *origin, self._act)
        seal = self._seal(cells)
        self._db.execute(f"INSERT INTO ref_log({LINE}, seal) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*cells, seal))
        self._lines_total.change(seal)
        self.moved[name] = (self.moved.get(name, (old,))[0], new)

    def _last_seq(self, name: str) -> int:
        newest = self._newest(name)
        return newest[1] if newest else 0

    def _newest(self, name: str) -> tuple[Any, ...] | None:
        """The last line of a log."""
        row = self._db.execute(
            f"SELECT {LINE}, seal FROM ref_log WHERE name = ? ORDER BY seq DESC LIMIT 1", (name,)
        ).fetchone()
        return self._line(row) if row else None

    def _newest_under(self, prefix: str) -> Iterator[tuple[Any, ...]]:
        """The last line of each log whose name begins so; the cells of a row are those of its greatest `seq`."""
        listing = f"SELECT {LINE}, seal, max(seq) FROM ref_log WHERE name >= ? AND name < ? GROUP BY name"
        return (self._line(row[:-1]) for row in self._db.execute(listing, _under(prefix)))

    def _every_line(self) -> list[tuple[tuple[Any, ...], bytes]]:
        """All lines of all logs in order, with their seals."""
        rows = self._db.execute(f"SELECT {LINE}, seal FROM ref_log ORDER BY name, seq", ()).fetchall()
        lines = [(self._line(row), row[-1]) for row in rows]
        self._lines_total.check(seal for _, seal in lines)
        return lines

    def _lines(self, past: _Past) -> Iterator[tuple[Any, ...]]:
        """The lines of one name, newest first."""
        listing = f"SELECT {LINE}, seal FROM ref_log WHERE name = ? AND seq <= ? ORDER BY seq DESC"
        return map(self._line, self._db.execute(listing, (past.name, past.seq)))

    def _line(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        *cells, seal = row
        if self._seal(cells) != seal:
            raise RowDamaged(row=f"line {row[1]} of the log of {row[0]}")
        return row[:-1]

    def _every(self) -> list[Ref]:
        """All of them, in order: where one is missing nothing can be said of those that are there."""
        rows = self._db.execute(f"SELECT {REF}, seal FROM ref ORDER BY name", ()).fetchall()
        found = list(map(self._ref, rows))
        self._total.check(row[-1] for row in rows)
        return found

    def _seal_of(self, ref: Ref) -> bytes:
        return self._seal((ref.name, bytes.fromhex(ref.target), ref.message))

    def _ref(self, row: tuple[Any, ...]) -> Ref:
        *cells, seal = row
        if self._seal(cells) != seal:
            raise RowDamaged(row=f"the row of {row[0]}")
        name, target, message = cells
        return Ref(name, CommitId(target.hex()), message)


def _kind(name: str) -> str:
    return name.removesuffix(short(name)) or "refs/"


def _under(prefix: str) -> tuple[str, str]:
    """Bounds of the names that begin so: 0 is the character that follows /."""
    return prefix, prefix[:-1] + "0"


def _commit(raw: bytes | None) -> CommitId | None:
    return None if raw is None else CommitId(raw.hex())
