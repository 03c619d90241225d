"""Who is at it: the name that commits carry, and the present in the person's zone."""

from __future__ import annotations

import os
from datetime import datetime
from getpass import getuser
from socket import gethostname

from isovc.history import Identity
from isovc.history.git_history import GitHistory
from isovc.repo.moments import microseconds
from isovc.repo.settings import Settings
from isovc.workspace.committing import Stamp


def stamp(history: GitHistory, settings: Settings, author: str | None = None) -> Stamp:
    """From --author, the settings, the environment, git's own configuration or the login, whichever says it first."""
    now = present()
    offset = now.utcoffset()
    zone = int(offset.total_seconds() // 60) if offset else 0
    return Stamp(_author(history, settings, author), microseconds(now), zone)


def present() -> datetime:
    """Now, in the zone of this machine."""
    return datetime.now().astimezone()


def _author(history: GitHistory, settings: Settings, author: str | None) -> Identity:
    if author:
        return Identity.parse(author)
    for name, email in (
        (settings.text("user.name"), settings.text("user.email")),
        (os.environ.get("GIT_AUTHOR_NAME", ""), os.environ.get("GIT_AUTHOR_EMAIL", "")),
    ):
        if name:
            return Identity(name, email)
    return history.git_identity() or _login()


def _login() -> Identity:
    try:
        name = getuser()
    except (KeyError, OSError):  # a user the system has no name for, as in many a container
        name = f"user {os.getuid()}"
    return Identity(name, f"{name.replace(' ', '-')}@{gethostname()}")
