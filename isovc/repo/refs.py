"""Branches and tags in store.db, and where each of them has been. Knows nothing of git's files or of commits.

Names are full here (refs/heads/main). Each change writes its line of the log in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isovc.errors import NoSuchRef, RefExists, RefInTheWay, RefMoved
from isovc.history import CommitId
from isovc.repo.database import Database
from isovc.repo.names import BRANCHES, TAGS, check_name, near_names, short, what_is


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
        self.moved: dict[str, tuple[CommitId | None, CommitId | None]] = {}

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, name: str) -> Ref | None:
        """One ref, if it is there. Words that are no text have none, and SQLite would not even be asked."""
        if name.encode(errors="ignore").decode() != name:
            return None
        row = self._db.execute("SELECT name, target, message FROM ref WHERE name = ?", (name,)).fetchone()
        return None if row is None else Ref(row[0], CommitId(row[1].hex()), row[2])

    def need(self, name: str) -> Ref:
        """One ref that must be there."""
        found = self.get(name)
        if found is None:
            near = near_names(short(name), [short(ref.name) for ref in self.all(_kind(name))])
            raise NoSuchRef(what=what_is(name), name=short(name), near=near)
        return found

    def all(self, kind: str = "refs/") -> list[Ref]:
        """All refs whose full names begin so, in order; `kind` ends with /."""
        rows = self._db.execute(
            "SELECT name, target, message FROM ref WHERE name >= ? AND name < ? ORDER BY name", _under(kind)
        )
        return [Ref(name, CommitId(target.hex()), message) for name, target, message in rows]

    def log(self, name: str) -> Iterator[Move]:
        """Where a ref has been, newest move first; past its renaming, or its being a copy, on to where it came from."""
        past: _Past | None = _Past(name, self._last_seq(name))
        while past:
            rows = self._db.execute(
                "SELECT time, old, new, operation, origin, origin_seq FROM ref_log WHERE name = ? AND seq <= ?"
                " ORDER BY seq DESC",
                (past.name, past.seq),
            )
            past = None
            for time, old, new, operation, origin, seq in rows:
                yield Move(time, _commit(old), _commit(new), operation)
                if origin is not None:
                    past = _Past(origin, seq)
                    break

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
            self._db.execute("UPDATE ref SET target = ? WHERE name = ?", (bytes.fromhex(target), name))
            self._note(name, stamp, seen, target, None)

    def delete(self, name: str, stamp: Stamp) -> Ref:
        """Take a ref away; its log stays, so that it can come back."""
        gone = self.need(name)
        self._db.execute("DELETE FROM ref WHERE name = ?", (name,))
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
        self._db.execute(
            "INSERT INTO ref(name, target, message) VALUES(?, ?, ?)", (ref.name, bytes.fromhex(ref.target), ref.message)
        )
        self._note(ref.name, stamp, None, ref.target, past)
        return ref

    def _in_the_way(self, name: str) -> str | None:
        """A ref that would have to be a folder for this one, or the other way round."""
        parts = short(name).split("/")
        above = (_kind(name) + "/".join(parts[:upto]) for upto in range(1, len(parts)))
        below = self._db.execute("SELECT name FROM ref WHERE name >= ? AND name < ? LIMIT 1", _under(f"{name}/"))
        found = below.fetchone()
        return found[0] if found else next((other for other in above if self.get(other) is not None), None)

    def _note(self, name: str, stamp: Stamp, old: CommitId | None, new: CommitId | None, past: _Past | None) -> None:
        ids = [None if commit is None else bytes.fromhex(commit) for commit in (old, new)]
        origin = (past.name, past.seq) if past else (None, None)
        self._db.execute(
            "INSERT INTO ref_log(name, seq, time, old, new, operation, origin, origin_seq, act)"
            " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (name, self._last_seq(name) + 1, stamp.time, *ids, stamp.operation, *origin, self._act),
        )
        self.moved[name] = (self.moved.get(name, (old,))[0], new)

    def _last_seq(self, name: str) -> int:
        return int(self._db.execute("SELECT coalesce(max(seq), 0) FROM ref_log WHERE name = ?", (name,)).fetchone()[0])


def _kind(name: str) -> str:
    return name.removesuffix(short(name)) or "refs/"


def _under(prefix: str) -> tuple[str, str]:
    """Bounds of the names that begin so: 0 is the character that follows /."""
    return prefix, prefix[:-1] + "0"


def _commit(raw: bytes | None) -> CommitId | None:
    return None if raw is None else CommitId(raw.hex())
