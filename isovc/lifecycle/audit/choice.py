"""Which operations somebody wants to see, and reading them in either order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from isovc.repo.database import Database
from isovc.repo.operations import Logged, Operation, Operations, logged


@dataclass(frozen=True, slots=True)
class Choice:
    """What must be true of an operation. Times are those when it began, both included. `user`: the login, or the author
    as a whole, by name or by address. `command`: also the first word of one of two. `most`: so many, the newest."""

    since: int | None = None
    until: int | None = None
    user: str = ""
    command: str = ""
    table: str = ""
    most: int | None = None

    def takes(self, operation: Operation) -> bool:
        """Whether it is one of them."""
        return (
            (self.since is None or operation.begun >= self.since)
            and (self.until is None or operation.begun <= self.until)
            and (not self.user or self.user in _names(operation))
            and (not self.command or self.command in (operation.command, operation.command.partition(" ")[0]))
            and (not self.table or self.table in operation.tables)
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """A record with what it is made of."""

    logged: Logged
    body: bytes
    signature: bytes | None


def newest_first(db: Database, choice: Choice) -> Iterator[Logged]:
    """Those that were chosen, the newest first."""
    batch = 256 if choice.most is None else max(1, min(256, choice.most))
    found = Operations(db).newest_first(batch=batch)
    return islice((each for each in found if choice.takes(each.operation)), choice.most)


def oldest_first(db: Database, choice: Choice) -> Iterator[Kept]:
    """The same the other way round."""
    start = 1
    if choice.most is not None:
        chosen = deque(newest_first(db, choice), maxlen=1)
        if not chosen:
            return
        start = chosen[0].operation.number
    listing = "SELECT number, id, body, signature FROM operation WHERE number >= ? ORDER BY number"
    for number, raw, body, signature in db.execute(listing, (start,)):
        found = logged(number, raw, body)
        if choice.takes(found.operation):
            yield Kept(found, body, signature)


def _names(operation: Operation) -> tuple[str, ...]:
    name, _, address = operation.author.rpartition(" <")
    return operation.user, operation.author, name, address.removesuffix(">")
