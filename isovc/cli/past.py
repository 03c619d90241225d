"""The past: the working copy after an operation, the version of a commit. Loaded only when somebody looks at it."""

from __future__ import annotations

from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.versions import version_of
from isovc.snapshot.version import Version
from isovc.workspace.desk import Desk
from isovc.workspace.looking_back import as_of


def looked_back(desk: Desk, operation: str) -> Desk:
    """The desk as it was after that operation."""
    with GitHistory(desk.repository.git_folder) as history:
        return as_of(desk, history, operation)


def version_then(desk: Desk, commit: CommitId) -> Version:
    """The version of a commit."""
    with GitHistory(desk.repository.git_folder) as history:
        return version_of(history, commit)
