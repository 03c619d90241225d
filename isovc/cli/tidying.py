"""Cleaning up after a command, in the name of whoever typed it. Loaded only when it pays."""

from __future__ import annotations

from isovc.cli.here import Here
from isovc.cli.who import deed
from isovc.lifecycle.tidying import tidy as clean_up
from isovc.repo.repository import Repository


def tidy(here: Here, repository: Repository) -> None:
    """Delete what nothing leads to."""
    clean_up(repository, lambda history: deed(here, repository.settings, history))
