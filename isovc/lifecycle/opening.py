"""A repository opened for one command: settings read anew, others told that somebody is at work, cleaned up behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from isovc.lifecycle.paying import pays
from isovc.repo.presence import present
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings


@contextmanager
def opened(
    folder: Path,
    person: Path,
    *,
    passphrase: str = "",
    alone: bool = False,
    tidy: Callable[[Repository], None] | None = None,
) -> Iterator[Repository]:
    """The repository in `folder`, for somebody whose own settings are in `person`. `alone`: the command itself waits
    for the others to finish. `tidy`: cleans up after it, and is called when it pays."""
    settings = Settings.read(person, folder / "config.toml")
    company = nullcontext() if alone else present(folder)
    with Repository(folder, settings, passphrase=passphrase) as repository:
        with company:
            yield repository
        if tidy is not None and settings.get("gc.auto") and pays(repository):
            tidy(repository)
