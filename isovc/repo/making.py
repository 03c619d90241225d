"""A new repository, made whole or not at all. Knows nothing of live databases."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from isovc.encoding.signing import Sign
from isovc.errors import NoPermission, RepositoryExists
from isovc.history.git_history import GitHistory
from isovc.repo.acting import Act
from isovc.repo.deeds import Deed, Telling
from isovc.repo.names import BRANCHES
from isovc.repo.place import FOLDER
from isovc.repo.settings import EMPTY_FILE
from isovc.repo.worktrees import Files
from isovc.store import StoreFile

FIRST_BRANCH = "main"


def make(beside: Path, files: Files, deed: Deed, *, sign: Sign | None = None) -> Path:
    """Make the repository of a database, with nothing committed: its head holds `files`, the empty version."""
    folder = beside.with_name(FOLDER)
    if folder.exists():
        raise RepositoryExists(folder=folder)
    building = folder.with_name(f"{FOLDER}.{os.getpid()}")
    try:
        building.mkdir()
    except PermissionError:
        raise NoPermission(path=folder, deed="make") from None
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
        (building / "config.toml").write_text(EMPTY_FILE, encoding="utf-8")
        (building / "cache").mkdir()
        try:
            building.rename(folder)
        except OSError:
            raise RepositoryExists(folder=folder) from None
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return folder
