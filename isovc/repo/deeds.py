"""Who does what: a command at work, and what its record will say. Plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from isovc.history import Identity
from isovc.repo.operations import OperationId

_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]*@")  # a user and a password before the host
HIDDEN = "***"  # stands for what must not be kept


def without_passwords(text: str) -> str:
    """Text for a record that is kept for ever and shown to many."""
    return _IN_ADDRESS.sub(f"{HIDDEN}@", text)


@dataclass(frozen=True, slots=True)
class Deed:
    """A command at work: who does what, where, and since when (microseconds since 1970, minutes east of UTC). `words`
    are those that were typed, without what is secret in them."""

    author: Identity
    now: int
    zone: int = 0
    command: str = ""
    words: tuple[str, ...] = ()
    user: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """What a record says beside what moved. Its fields are those of Operation."""

    summary: str
    tables: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    undone: tuple[OperationId, ...] = ()
    redone: tuple[OperationId, ...] = ()
    below: OperationId | None = None
    settings: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    passed_over: bool = False
    irreversible: bool = False
