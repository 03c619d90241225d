"""Every error isovc can raise, as one tree. Knows nothing of terminals.

The family decides the exit code. A class builds its own sentence from named fields and keeps the hint apart, so that
the command line, `--json` and a script all show the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class IsovcError(Exception):
    """Something isovc can explain. `message` is one sentence, `hint` is the command or deed that helps."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


# -- the families, one an exit code ------------------------------------------------------------------------------------


class Refused(IsovcError):
    """The command was understood and nothing was changed."""

    code = "refused"
    exit_code = 1


class WrongUsage(IsovcError):
    """The words of the command do not make sense together."""

    code = "usage"
    exit_code = 2


class Waiting(IsovcError):
    """Conflicts or violations wait for a person."""

    code = "waiting"
    exit_code = 3


class Damage(IsovcError):
    """Something stored is not what was stored."""

    code = "damage"
    exit_code = 4


class Busy(IsovcError):
    """Another process holds what is needed."""

    code = "busy"
    exit_code = 5


class Interrupted(IsovcError):
    """The person pressed Ctrl-C."""

    code = "interrupted"
    exit_code = 130


# -- values and bytes --------------------------------------------------------------------------------------------------


class NotCanonical(Damage):
    """Bytes that no encoder of ours can have written."""

    code = "not-canonical"

    def __init__(self, *, what: str, why: str) -> None:
        self.what, self.why = what, why
        super().__init__(f"{what} cannot be read: {why}", hint="isovc fsck")


class NotStorable(Refused):
    """A value that SQLite itself could not hold."""

    code = "not-storable"

    def __init__(self, *, what: str, why: str) -> None:
        self.what, self.why = what, why
        super().__init__(f"{what} cannot be stored: {why}")


# -- the chunk store ---------------------------------------------------------------------------------------------------


class ChunkMissing(Damage):
    """A chunk that something refers to is not in the store."""

    code = "chunk-missing"

    def __init__(self, *, chunk: bytes, needed_by: str = "") -> None:
        self.chunk, self.needed_by = chunk, needed_by
        needed = f", needed by {needed_by}" if needed_by else ""
        super().__init__(f"chunk {chunk.hex()[:12]} is missing{needed}", hint="isovc fsck")


class ChunkDamaged(Damage):
    """A chunk whose bytes do not give its id."""

    code = "chunk-damaged"

    def __init__(self, *, chunk: bytes, place: str, why: str) -> None:
        self.chunk, self.place, self.why = chunk, place, why
        super().__init__(f"chunk {chunk.hex()[:12]} at {place} is damaged: {why}", hint="isovc fsck")


# -- the command line --------------------------------------------------------------------------------------------------


class NoCommand(WrongUsage):
    """Only options were typed."""

    def __init__(self) -> None:
        super().__init__("no command was given", hint="isovc --help")


class UnknownCommand(WrongUsage):
    """A command that isovc does not have."""

    code = "unknown-command"

    def __init__(self, *, name: str, near: Sequence[str] = ()) -> None:
        self.name, self.near = name, tuple(near)
        hint = "did you mean " + " or ".join(f"isovc {one}" for one in self.near) + "?" if self.near else "isovc --help"
        super().__init__(f"isovc has no command {name!r}", hint=hint)


class UnknownTopic(WrongUsage):
    """Help was asked for something that has none."""

    code = "unknown-topic"

    def __init__(self, *, name: str, topics: Sequence[str]) -> None:
        self.name, self.topics = name, tuple(topics)
        super().__init__(f"there is no command and no topic {name!r}", hint=f"topics: {', '.join(self.topics)}")


class NotConfirmed(Refused):
    """A question whose answer had to be yes was not answered so."""

    code = "not-confirmed"

    def __init__(self, *, question: str, asked: bool) -> None:
        self.question, self.asked = question, asked
        why = "the answer was no" if asked else "nobody can answer here"
        super().__init__(f"not done, because {why}: {question}", hint="" if asked else "--yes answers yes")
