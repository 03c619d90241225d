"""Recording what happens in a live database until somebody says stop. Knows how to begin again, not how to look.

What is read is in store.db before the database's log may lose it, so a watcher that was killed goes on where it was;
until then its companion keeps the log.
What it could not see, it says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from isovc.errors import Busy, DatabaseForbidden, NoDatabase
from isovc.repo.entries import Entry, Kind
from isovc.sources.sqlite import LogLost, following
from isovc.workspace.desk import Desk
from isovc.workspace.watching.file import FileWatch
from isovc.workspace.watching.log import LogWatch
from isovc.workspace.watching.recording import Recorder
from isovc.workspace.watching.watchers import names_file

_AGAIN = 0.5  # seconds to wait before the database is looked for again

GAPS = {
    Kind.GAP: "something may have happened that was not seen",
    Kind.REPLACED: "another file was put in the place of the database",
    Kind.SEEN: "several transactions were seen as one: the database is not in WAL mode",
}


@dataclass(slots=True)
class Tally:
    """What a watcher has done so far."""

    transactions: int = 0
    gaps: int = 0
    last: int = 0  # the time of the last entry, in microseconds since 1970


class Watch:
    """One watcher at work, until `stop` is set. `say` is told in words what people should know, `tell` when the
    database was looked at first, and whenever something was recorded."""

    def __init__(
        self,
        desk: Desk,
        *,
        every: float,
        stop: threading.Event,
        say: Callable[[str], None],
        tell: Callable[[Tally], None],
    ) -> None:
        self._desk = desk
        self._every = every
        self._stop = stop
        self._say = say
        self._tell = tell
        self._tally = Tally()
        self._said = ""

    def run(self) -> None:
        """Record."""
        while not self._stop.is_set():
            try:
                self._once()
            except LogLost:
                self._say_once("the log of the database is gone; looking at it anew")
            except (Busy, NoDatabase, DatabaseForbidden) as error:
                self._say_once(f"{error.message}; trying again")
                self._stop.wait(_AGAIN)

    def _once(self) -> None:
        """Record until the file is another one, or keeps its changes in another way."""
        desk = self._desk = self._desk.again()
        recorder = Recorder(desk.repository, desk.worktree.id)
        path, seconds = desk.database.path, desk.database.busy_seconds
        with following(path, busy_seconds=seconds, names=names_file(desk)) as followed:
            if followed is not None:
                LogWatch(desk, recorder, followed, every=self._every, recorded=self._recorded).run(self._stop)
        if followed is None:
            FileWatch(desk, recorder, every=self._every, recorded=self._recorded).run(self._stop)

    def _recorded(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._tally.transactions += entry.transactions or 0
            self._tally.last = entry.time
            if entry.is_gap:
                self._tally.gaps += 1
                if entry.kind is not Kind.SEEN:
                    self._say(GAPS[entry.kind])
        self._said = ""
        self._tell(self._tally)

    def _say_once(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._say(text)
