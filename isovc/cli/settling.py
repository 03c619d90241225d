"""After an interruption: what was begun is finished or dropped. Loaded only when there is something to settle."""

from __future__ import annotations

from isovc.workspace.desk import Desk
from isovc.workspace.moving import settle


def settled(desk: Desk) -> tuple[Desk, str]:
    """The working copy as it is after that, and a line that says what was done."""
    return settle(desk)
