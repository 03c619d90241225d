"""Who is at it: the name that commits carry, the present in the person's zone, and what the operation log may know."""

from __future__ import annotations

import os
import re
from datetime import datetime
from getpass import getuser
from socket import gethostname

from isovc.cli.here import Here
from isovc.errors import OnlyInThePresent
from isovc.history import Identity
from isovc.history.git_history import GitHistory
from isovc.repo.deeds import Deed
from isovc.repo.moments import microseconds
from isovc.repo.settings import Settings

_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]*@")  # a user and a password before the host
_SECRET_OPTION = re.compile(r"--?[\w-]*(?:pass|secret|token|key)[\w-]*", re.IGNORECASE)
_HIDDEN = "***"


def deed(here: Here, settings: Settings, history: GitHistory | None = None, author: str | None = None) -> Deed:
    """The command at work. Its author is told by --author, the settings, the environment, git's own configuration or
    the login, whichever says it first."""
    if here.at_op is not None:
        raise OnlyInThePresent(command=here.command)
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
    return datetime.now().astimezone()


def without_secrets(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words for a record that is kept for ever and shown to many."""
    told: list[str] = []
    for word in words:
        option, is_set, _ = word.partition("=")
        if told and _SECRET_OPTION.fullmatch(told[-1]):
            told.append(_HIDDEN)
        elif is_set and _SECRET_OPTION.fullmatch(option):
            told.append(f"{option}={_HIDDEN}")
        else:
            told.append(_IN_ADDRESS.sub(f"{_HIDDEN}@", word))
    return tuple(told)


def _author(history: GitHistory | None, settings: Settings, author: str | None) -> Identity:
    if author:
        return Identity.parse(author)
    for name, email in (
        (settings.text("user.name"), settings.text("user.email")),
        (os.environ.get("GIT_AUTHOR_NAME", ""), os.environ.get("GIT_AUTHOR_EMAIL", "")),
    ):
        if name:
            return Identity(name, email)
    return (history.git_identity() if history else None) or _login()


def _login() -> Identity:
    name = _user()
    return Identity(name, f"{name.replace(' ', '-')}@{gethostname()}")


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # a user the system has no name for, as in many a container
        return f"user {os.getuid()}"
