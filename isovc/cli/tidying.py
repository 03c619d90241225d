"""Cleaning up after a command, when it pays and nobody is in the way. Loaded only then; says nothing."""

from __future__ import annotations

from dataclasses import replace

from isovc.cli.here import Here
from isovc.cli.who import deed
from isovc.errors import IsovcError
from isovc.history.git_history import GitHistory
from isovc.lifecycle.gc import clean
from isovc.repo.repository import Repository

_SECONDS = 2.0  # a person waits for it; what takes longer is left for `isovc gc`


def tidy(here: Here, repository: Repository) -> None:
    """Delete what nothing leads to. The command before it is done, so nothing that happens here is its failure."""
    try:
        with GitHistory(repository.git_folder) as history:
            by = replace(deed(here, repository.settings, history), command="gc", words=())
            clean(repository, history, by, wait=0, seconds=_SECONDS)
    except IsovcError:
        pass  # others are at work, or there is more to it than fits into a moment: gc and fsck tell
