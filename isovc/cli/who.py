"""Who is at it: the name that commits carry, the present in the person's zone, and what the operation log may know."""

from __future__ import annotations

import os
import re
from datetime import datetime
from getpass import getuser
from socket import gethostname

from isovc.cli.here import Here
from isovc.cli.zone import LocalZone
from isovc.history import Identity
from isovc.history.git_history import GitHistory
from isovc.repo.deeds import HIDDEN, Deed, without_passwords
from isovc.repo.moments import microseconds
from isovc.repo.settings import Settings

_SECRET_OPTION = re.compile(r"--?[\w-]*(?:pass|secret|token|key)[\w-]*", re.IGNORECASE)


def deed(here: Here, settings: Settings, history: GitHistory | None = None, author: str | None = None) -> Deed:
    """The command at work. Its author is the one of --author; else name and mail are each told by the settings, the
    environment or git's own configuration, whichever says it first, and by the login where none of them does."""
    here.only_now()
    now = present()
    offset = now.utcoffset()
    return Deed(
        author=_author(history, settings, author),
        now=microseconds(now),
        zone=int(offset.total_seconds() // 60) if offset else 0,
        command=here.command,
        words=without_secrets(here.words),
        user=_user(),
        host=gethostname(),
    )


def present() -> datetime:
    """Now, in the zone of this machine."""
    return datetime.now(LocalZone())


def without_secrets(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words for a record that is kept for ever and shown to many."""
    told: list[str] = []
    for word in words:
        option, is_set, _ = word.partition("=")
        if told and _SECRET_OPTION.fullmatch(told[-1]):
            told.append(HIDDEN)
        elif is_set and _SECRET_OPTION.fullmatch(option):
            told.append(f"{option}={HIDDEN}")
        else:
            told.append(without_passwords(word))
    return tuple(told)


def _author(history: GitHistory | None, settings: Settings, author: str | None) -> Identity:
    if author is not None:
        return Identity.parse(author)
    name = settings.text("user.name") or os.environ.get("GIT_AUTHOR_NAME", "").strip()
    email = settings.text("user.email") or os.environ.get("GIT_AUTHOR_EMAIL", "").strip()
    if history and not (name and email) and (from_git := history.git_identity()):
        name, email = name or from_git.name, email or from_git.email
    if name:
        return Identity(name, email)
    name = _user()
    return Identity(name, email or f"{name.replace(' ', '-')}@{gethostname()}")


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # a user the system has no name for, as in many a container
        return f"user {os.getuid()}"
