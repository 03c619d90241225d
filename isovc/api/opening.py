"""How a script comes in: at a database that is under version control, or by bringing one under it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from isovc.api.repo import Repo
from isovc.api.seat import Person, Seat
from isovc.lifecycle.opening import opened
from isovc.progress import SILENT, Progress
from isovc.repo.place import Place, find
from isovc.repo.settings import Settings
from isovc.repo.signing import signer_of
from isovc.workspace.desk import sit_down
from isovc.workspace.starting import start

_NOWHERE = Path(os.devnull)  # settings that say nothing


def _untold(said: str) -> None:
    """Whoever does not ask is told nothing."""


def open(  # noqa: A001 - it is called isovc.open
    path: str | Path = ".",
    *,
    author: str | None = None,
    settings: str | Path | None = None,
    passphrase: str = "",
    progress: Progress = SILENT,
    tell: Callable[[str], None] = _untold,
) -> Repo:
    """The database at `path`, or the main one of the repository that a folder lies in.

    author: `Name <mail>`; else as the settings, git's configuration and the login say. settings: a file of one's own
    settings, as `isovc config --global` writes it; the environment is not looked at. passphrase: opens the key that
    signs. tell: is given what people should know and no result says, as `print` would show it.
    """
    person = Person(author, Path(settings) if settings is not None else _NOWHERE, passphrase, progress, tell)
    place = find(Path(path))
    with opened(place.folder, person.settings, passphrase=passphrase) as repository:
        sit_down(repository, place)  # says what is wrong before anybody relies on it
    return Repo(Seat(place, person))


def init(
    path: str | Path,
    *,
    attachments: str | Path | None = None,
    author: str | None = None,
    settings: str | Path | None = None,
    passphrase: str = "",
    progress: Progress = SILENT,
    tell: Callable[[str], None] = _untold,
) -> Repo:
    """Put a database under version control, and a folder of files beside it. Nothing is added to the database, and
    nothing is committed yet."""
    person = Person(author, Path(settings) if settings is not None else _NOWHERE, passphrase, progress, tell)
    database, files = Path(path).absolute(), Path(attachments).absolute() if attachments is not None else None
    said = Settings.read(person.settings, _NOWHERE)
    sign = signer_of(said, database.parent, passphrase)
    folder = start(database, person.deed("init", said), sign=sign, attachments=files)
    return Repo(Seat(Place(folder, database), person))
