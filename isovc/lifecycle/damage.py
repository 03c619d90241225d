"""One thing that a check found. Knows nothing of how it was found."""

from __future__ import annotations

from dataclasses import dataclass

from isovc.history import CommitId


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong, and which commit and table it concerns. `remedy`: the command that helps, if one does."""

    what: str
    commit: CommitId | None = None
    table: str | None = None
    remedy: str = ""
