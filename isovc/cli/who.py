"""Who is at it: the name that commits carry, the present in the person's zone, and what the operation log may know."""

from __future__ import annotations

import os
import re
from datetime import datetime
from socket import gethostname

from isovc.cli.here import Here
from isovc.cli.zone import LocalZone
from isovc.history.git_history import GitHistory
from isovc.repo.deeds import HIDDEN, Deed, without_passwords
from isovc.repo.moments import microseconds
from isovc.repo.person import author_of, login
from isovc.repo.settings import Settings

_SECRET_OPTION = re.compile(r"--?[\w-]*(?:pass|secret|token|key)[\w-]*", re.IGNORECASE)


def deed(here: Here, settings: Settings, history: GitHistory | None = None, author: str | None = None) -> Deed:
    """The command at work. `author`: the one of --author."""
    here.only_now()
    now = present()
    offset = now.utcoffset()
    return Deed(
        author=author_of(settings, history, os.environ, author),
        now=microseconds(now),
        zone=int(offset.total_seconds() // 60) if offset else 0,
        command=here.command,
        words=without_secrets(here.words),
        user=login(),
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
