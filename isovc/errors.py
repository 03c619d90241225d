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


class PartnerGone(Refused):
    """A program that isovc wrote to ended. Not the reader of our own output: that one may leave when it likes."""

    code = "partner-gone"

    def __init__(self) -> None:
        super().__init__("a program that isovc was writing to ended too early", hint="look at what it said above")


class NotConfirmed(Refused):
    """A question whose answer had to be yes was not answered so."""

    code = "not-confirmed"

    def __init__(self, *, question: str, asked: bool) -> None:
        self.question, self.asked = question, asked
        why = "the answer was no" if asked else "nobody can answer here"
        super().__init__(f"not done, because {why}: {question}", hint="" if asked else "--yes answers yes")


class NotOurs(Refused):
    """A file stands where store.db should be, and it is not one."""

    code = "not-ours"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path} is not a store of isovc: {why}", hint="check --repo, or restore the file from a copy")


class FormatTooNew(Refused):
    """Written by a newer isovc."""

    code = "format-too-new"

    def __init__(self, *, path: object, version: int, readable: int) -> None:
        self.path, self.version, self.readable = path, version, readable
        super().__init__(
            f"{path} has format {version}, and this isovc reads up to {readable}", hint="pip install --upgrade isovc"
        )


class StoreMissing(Refused):
    """There is no store.db where one is expected."""

    code = "store-missing"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(f"{path} does not exist", hint="isovc init makes a repository; --repo names another one")


class StoreDamaged(Damage):
    """SQLite itself cannot make sense of store.db."""

    code = "store-damaged"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path} is damaged: {why}", hint="isovc fsck tells what can still be read")


class StoreBusy(Busy):
    """Another process is writing to store.db, and went on for longer than we wait."""

    code = "store-busy"

    def __init__(self, *, path: object, seconds: float) -> None:
        self.path, self.seconds = path, seconds
        super().__init__(
            f"another isovc command has been writing to {path} for more than {seconds:g} seconds",
            hint="run the command again when the other one has finished",
        )


class DiskFull(Refused):
    """No space left where something had to be written."""

    code = "disk-full"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(f"there is no space left to write {path}", hint="free some space and run the command again")


class NoPermission(Refused):
    """The file system does not let us."""

    code = "no-permission"

    def __init__(self, *, path: object, deed: str) -> None:
        self.path, self.deed = path, deed
        super().__init__(f"no permission to {deed} {path}", hint="check the owner and mode of the file and its folder")


class DiskFailed(Damage):
    """The disk gave an error instead of the bytes."""

    code = "disk-failed"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"reading or writing {path} failed: {why}", hint="check the disk, then isovc fsck")


# -- the git history ---------------------------------------------------------------------------------------------------


class HistoryMissing(Damage):
    """There is no git repository where a repository of ours keeps its history."""

    code = "history-missing"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(f"{path} is not a git repository, so the history cannot be read", hint="isovc fsck")


class HistoryUnreadable(Damage):
    """libgit2 cannot open the history at all."""

    code = "history-unreadable"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"the history in {path} cannot be opened: {why}", hint="isovc fsck")


class GitObjectMissing(Damage):
    """A commit, or a part of one, is not in the history."""

    code = "git-object-missing"

    def __init__(self, *, name: str, needed_by: str = "") -> None:
        self.name, self.needed_by = name, needed_by
        needed = f", needed by {needed_by}" if needed_by else ""
        super().__init__(f"git object {name[:12]} is missing{needed}", hint="isovc fsck")


class GitObjectDamaged(Damage):
    """A git object whose bytes are not what its id says, or not of its kind."""

    code = "git-object-damaged"

    def __init__(self, *, name: str, why: str) -> None:
        self.name, self.why = name, why
        super().__init__(f"git object {name[:12]} is damaged: {why}", hint="isovc fsck")


class HistoryBusy(Busy):
    """Another process has been changing the history for longer than we wait."""

    code = "history-busy"

    def __init__(self, *, path: object, seconds: float) -> None:
        self.path, self.seconds = path, seconds
        super().__init__(
            f"another isovc command has been writing to {path} for more than {seconds:g} seconds",
            hint="run the command again when the other one has finished",
        )


class GitConfigUnreadable(Refused):
    """The person's own git configuration cannot be read."""

    code = "git-config-unreadable"

    def __init__(self, *, why: str) -> None:
        self.why = why
        super().__init__(f"git's configuration cannot be read: {why}", hint="git config --list says where it is wrong")


class BadIdentity(WrongUsage):
    """A name and mail address that no commit can hold."""

    code = "bad-identity"

    def __init__(self, *, text: str, why: str) -> None:
        self.text, self.why = text, why
        super().__init__(f"{text!r} cannot be an author: {why}", hint='write it as "Name <mail>"')


class BadMessage(WrongUsage):
    """A message that no commit can hold."""

    code = "bad-message"

    def __init__(self, *, why: str) -> None:
        self.why = why
        super().__init__(f"the message cannot be kept: {why}")
