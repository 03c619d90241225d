"""A new repository, made whole or not at all. Knows nothing of live databases."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from isovc.disk import fsync_folder, write_durably
from isovc.encoding.signing import Sign
from isovc.errors import NoPermission, RepositoryExists
from isovc.history.git_history import GitHistory
from isovc.repo.acting import Act
from isovc.repo.deeds import Deed, Telling
from isovc.repo.names import BRANCHES
from isovc.repo.place import FOLDER
from isovc.repo.settings import EMPTY_FILE, Plain, write_setting
from isovc.repo.worktrees import Files
from isovc.store import StoreFile

FIRST_BRANCH = "main"
_NONE: Mapping[str, Plain] = {}
_UNFINISHED = f"{FOLDER}.new-"


def make(
    beside: Path, files: Files, deed: Deed, *, sign: Sign | None = None, settings: Mapping[str, Plain] = _NONE
) -> Path:
    """Make the repository of a database, with nothing committed: its head holds `files`, the empty version."""
    folder = beside.with_name(FOLDER)
    if folder.exists():
        raise RepositoryExists(folder=folder)
    _clear_away(folder)
    try:
        building = Path(mkdtemp(prefix=_UNFINISHED, dir=folder.parent))
    except PermissionError:
        raise NoPermission(path=folder, deed="make") from None
    building.chmod(0o777 & ~_umask())
    held = _hold(building)
    try:
        store = StoreFile.create(building / "store.db")
        try:
            with store.transaction() as db:
                act = Act(db, deed, 1, sign)
                act.worktrees.add(beside.name, BRANCHES + FIRST_BRANCH, None, files)
                act.record(Telling(f"put {beside.name} under version control", passed_over=True))
        finally:
            store.close()
        GitHistory.create(building / "git").close()
        write_durably(building / "config.toml", EMPTY_FILE.encode())
        for key, value in settings.items():
            write_setting(building / "config.toml", key, value)
        (building / "cache").mkdir()
        fsync_folder(building)
        try:
            building.rename(folder)
        except OSError:
            raise RepositoryExists(folder=folder) from None
        fsync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    finally:
        os.close(held)
    return folder


def _clear_away(folder: Path) -> None:
    """Take away what an interrupted one left: nobody holds it any more."""
    for left in folder.parent.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            held = _hold(left)
            shutil.rmtree(left, ignore_errors=True)
            os.close(held)


def _hold(building: Path) -> int:
    """A kernel lock on a folder, which ends with this process however it ends."""
    held = os.open(building, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(held)
        raise
    return held


def _umask() -> int:
    """The folder shall have the mode that any new folder of this person has. The system tells the mask by a change."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
