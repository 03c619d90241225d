"""A database comes under version control. Nothing is added to it, and nothing is committed yet."""

from __future__ import annotations

import os
from pathlib import Path

from isovc.encoding.signing import Sign
from isovc.errors import NoDatabase, WhichDatabase
from isovc.repo.deeds import Deed
from isovc.repo.making import make
from isovc.repo.settings import Plain
from isovc.snapshot.version import Version, encode_version
from isovc.sources.sqlite import Database
from isovc.workspace.attachments import check_folder
from isovc.workspace.desk import check_text

_ENDINGS = (".db", ".sqlite", ".sqlite3", ".db3")


def only_database(folder: Path) -> Path:
    """The one database of a folder."""
    found = sorted(each for each in folder.iterdir() if each.suffix in _ENDINGS and each.is_file())
    if len(found) != 1:
        raise WhichDatabase(folder=folder, found=tuple(each.name for each in found))
    return found[0]


def start(database: Path, deed: Deed, *, sign: Sign | None = None, attachments: Path | None = None) -> Path:
    """Make the repository beside a database, and of a folder of files; where it lies."""
    check_text(database.absolute())
    if not os.path.lexists(database):
        raise NoDatabase(path=database, is_new=True)
    settings: dict[str, Plain] = {}
    if attachments is not None:
        check_text(attachments.absolute())
        settings = {"attachments": os.path.relpath(attachments.absolute(), database.absolute().parent)}
        check_folder(attachments)
    with Database(database).reading() as reading:
        reading.shape()  # refuses what cannot be read before anything is made
    return make(database, encode_version(Version()), deed, sign=sign, settings=settings)
