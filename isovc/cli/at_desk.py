"""What most commands begin with: the working copy they are about, settled if an interrupted command left it
half-way."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

from isovc.cli.here import Here
from isovc.lifecycle.opening import opened
from isovc.repo.place import Place, find, named
from isovc.repo.repository import Repository
from isovc.workspace.desk import Desk, sit_down


def profile() -> Path:
    """The person's own settings."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "isovc" / "config.toml"


def passphrase() -> str:
    """What opens the key that signs, if it is locked. From the environment alone: others see what is typed."""
    return os.environ.get("ISOVC_KEY_PASSPHRASE", "")


def place_of(here: Here) -> Place:
    """The repository that was named, or the one this folder lies in, and the database one stands beside."""
    return named(here.repo, here.folder) if here.repo else find(here.folder)


@contextmanager
def at_desk(here: Here, *, alone: bool = False, tidies: bool = False) -> Iterator[Desk]:
    """The working copy that the command is about. `alone`: the command itself waits for the others to finish.
    `tidies`: it may leave something to clean up."""
    with at_repository(here, alone=alone, tidies=tidies) as (repository, place):
        yield seated(here, repository, place)


@contextmanager
def at_repository(here: Here, *, alone: bool = False, tidies: bool = False) -> Iterator[tuple[Repository, Place]]:
    """The same without a working copy: for what must go on where that cannot be read."""
    place = place_of(here)
    # rows are short-lived, plain and hold no cycles: looking for some among a million of them doubles the time
    gc.freeze()
    gc.disable()
    with opened(
        place.folder, profile(), passphrase=passphrase(), alone=alone, tidy=partial(_tidy, here) if tidies else None
    ) as repository:
        yield repository, place


def _tidy(here: Here, repository: Repository) -> None:
    import_module("isovc.cli.tidying").tidy(here, repository)


def seated(here: Here, repository: Repository, place: Place) -> Desk:
    """At the working copy, with nothing left half-way."""
    desk = sit_down(repository, place)
    if desk.worktree.intent is not None:  # rare, and git takes a tenth of a second to load
        desk, said = import_module("isovc.cli.settling").settled(desk)
        here.screen.say_if(said)
    if here.at_op is not None:
        desk = import_module("isovc.cli.past").looked_back(desk, here.at_op)
    return desk
