"""Cleaning up after a command, when nobody is in the way. Loaded only when it pays; says nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from isovc.errors import IsovcError
from isovc.history.git_history import GitHistory
from isovc.lifecycle.gc import clean
from isovc.repo.deeds import Deed
from isovc.repo.repository import Repository

_SECONDS = 2.0  # somebody waits for it; what takes longer is left for `isovc gc`


def tidy(repository: Repository, deed: Callable[[GitHistory], Deed]) -> None:
    """Delete what nothing leads to. The command before it is done, so nothing that happens here is its failure."""
    try:
        with GitHistory(repository.git_folder) as history:
            clean(repository, history, replace(deed(history), command="gc", words=()), wait=0, seconds=_SECONDS)
    except IsovcError:
        pass  # others are at work, or there is more to it than fits into a moment: gc and fsck tell
