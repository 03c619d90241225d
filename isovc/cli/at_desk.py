"""What most commands begin with: the working copy they are about, settled if an interrupted command left it
half-way."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path

from isovc.cli.here import Here
from isovc.repo.place import find, named
from isovc.repo.presence import present
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.workspace.desk import Desk, sit_down


def profile() -> Path:
    """The person's own settings."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "isovc" / "config.toml"


@contextmanager
def at_desk(here: Here, *, alone: bool = False) -> Iterator[Desk]:
    """The working copy that the command is about. `alone`: the command itself waits for the others to finish."""
    place = named(here.repo) if here.repo else find(here.folder)
    # rows are short-lived, plain and hold no cycles: looking for some among a million of them doubles the time
    gc.freeze()
    gc.disable()
    settings = Settings.read(profile(), place.folder / "config.toml")
    company = nullcontext() if alone else present(place.folder)
    with company, Repository(place.folder, settings) as repository:
        desk = sit_down(repository, place)
        if desk.worktree.intent is not None:  # rare, and git takes a tenth of a second to load
            desk, said = import_module("isovc.cli.settling").settled(desk)
            here.screen.say_if(said)
        yield desk
