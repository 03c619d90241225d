"""Uncommitted changes put aside and brought back, as `repo.stash`."""

from __future__ import annotations

from isovc.api import records, telling
from isovc.api.seat import Seat
from isovc.workspace.choices import how_of
from isovc.workspace.merging.bringing import bring
from isovc.workspace.stashing import drop, plan_pop, push, stashed


class Stash:
    """What was put aside in a repository."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    def push(self, message: str = "") -> str:
        """Put what is uncommitted aside; the version that holds it. The database is then as it was committed last."""
        with self._seat.doing("stash push") as (work, by):
            made, _ = push(work.desk, work.history, message.strip(), by)
            return made

    def list(self) -> list[records.Stashed]:
        """What was put aside, the newest first."""
        with self._seat.looking() as work:
            return [telling.stashed(each) for each in stashed(work.desk)]

    def pop(self, number: int = 0) -> records.Merged:
        """Bring changes back, merged cell by cell with what is in the database, and take them out of the stash."""
        return self._bring("stash pop", number, keep=False)

    def apply(self, number: int = 0) -> records.Merged:
        """The same, and leave them in the stash."""
        return self._bring("stash apply", number, keep=True)

    def drop(self, number: int = 0) -> None:
        """Take changes out of the stash without bringing them back."""
        with self._seat.doing("stash drop") as (work, by):
            drop(work.desk, number, by)

    def _bring(self, command: str, number: int, *, keep: bool) -> records.Merged:
        with self._seat.doing(command) as (work, by):
            _, plan = plan_pop(work.desk, number, keep=keep)
            how = how_of(work.desk.repository.settings)
            return telling.merged(bring(work.desk, work.history, plan, how, by))
