"""For `--at-op`: the working copy as it was then. Loaded only when the past is looked at."""

from __future__ import annotations

from isovc.history.git_history import GitHistory
from isovc.workspace.desk import Desk
from isovc.workspace.looking_back import as_of


def looked_back(desk: Desk, operation: str) -> Desk:
    """The desk as it was after that operation."""
    with GitHistory(desk.repository.git_folder) as history:
        return as_of(desk, history, operation)
