"""Who is at it, as the settings, git and the system tell. Knows the environment only by being told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from getpass import getuser
from socket import gethostname

from isovc.history import Identity
from isovc.history.git_history import GitHistory
from isovc.repo.settings import Settings


def author_of(
    settings: Settings, history: GitHistory | None, environment: Mapping[str, str], author: str | None = None
) -> Identity:
    """The name that commits carry: the one that was said; else name and mail are each told by the settings, the
    environment or git's own configuration, whichever says it first, and by the login where none of them does."""
    if author is not None:
        return Identity.parse(author)
    name = settings.text("user.name") or environment.get("GIT_AUTHOR_NAME", "").strip()
    email = settings.text("user.email") or environment.get("GIT_AUTHOR_EMAIL", "").strip()
    if history and not (name and email) and (from_git := history.git_identity()):
        name, email = name or from_git.name, email or from_git.email
    if name:
        return Identity(name, email)
    name = login()
    return Identity(name, email or f"{name.replace(' ', '-')}@{gethostname()}")


def login() -> str:
    """What the system calls who is at it."""
    try:
        return getuser()
    except (KeyError, OSError):  # a user the system has no name for, as in many a container
        return f"user {os.getuid()}"
