"""Every error isovc can raise, as one tree. Knows nothing of terminals.

The family decides the exit code. A class builds its own sentence from named fields and keeps the hint apart, so that
the command line, `--json` and a script all show the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import ClassVar


def _in_utc(time: int) -> str:
    """Microseconds since 1970 in words."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)).isoformat().replace("+00:00", "Z")


def printable(path: str) -> str:
    """A path as it can be shown and written as JSON: bytes that are no text, and line breaks, as escapes."""
    return path.encode("utf-8", "backslashreplace").decode().translate(_CONTROL)


_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


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

    def __init__(self, *, name: str, near: Sequence[str] = (), hint: str = "") -> None:
        self.name, self.near = name, tuple(near)
        meant = _did_you_mean([f"isovc {one}" for one in self.near])
        super().__init__(f"isovc has no command {name!r}", hint=hint or meant or "isovc --help")


class UnknownTopic(WrongUsage):
    """Help was asked for something that has none."""

    code = "unknown-topic"

    def __init__(self, *, name: str, topics: Sequence[str], near: Sequence[str] = ()) -> None:
        self.name, self.topics, self.near = name, tuple(topics), tuple(near)
        meant = _did_you_mean([f"isovc help {one}" for one in self.near])
        listed = f"topics: {', '.join(self.topics)}; commands: isovc --help"
        super().__init__(f"there is no command and no topic {name!r}", hint=meant or listed)


class PartnerGone(Refused):
    """A program that isovc wrote to ended. Not the reader of our own output: that one may leave when it likes."""

    code = "partner-gone"

    def __init__(self) -> None:
        super().__init__("a program that isovc was writing to ended too early", hint="look at what it said above")


class FolderTaken(Refused):
    """A folder was to be made new and is there already."""

    code = "folder-taken"

    def __init__(self, *, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder} is there already, and isovc puts nothing into it", hint="name a new folder")


class SampleFailed(Refused):
    """The program that works on the sample database could not."""

    code = "sample-failed"

    def __init__(self, *, database: Path, why: str) -> None:
        self.database, self.why = database, why
        super().__init__(f"the sample database {database} could not be changed: {why}")


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
        super().__init__(f"{path} does not exist", hint="bring it back from a copy: it holds the rows of all versions")


class StoreExists(Refused):
    """Something stands already where a new store.db should be made."""

    code = "store-exists"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(f"{path} exists already", hint="isovc status shows what is in a repository")


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
        super().__init__(f"the message cannot be kept: {why}", hint='isovc commit -m "what this version is about"')


# -- commits, refs and revisions ---------------------------------------------------------------------------------------


class CommitNotIndexed(Damage):
    """The index of the commits lacks one that something refers to."""

    code = "commit-not-indexed"

    def __init__(self, *, commit: str) -> None:
        self.commit = commit
        super().__init__(f"commit {commit[:12]} is not in the index of the commits", hint="isovc fsck")


class RowDamaged(Damage):
    """A row of store.db that is not what was written there."""

    code = "row-damaged"

    def __init__(self, *, row: str) -> None:
        self.row = row
        super().__init__(f"{row} in store.db is damaged", hint="isovc fsck")


class BadRefName(WrongUsage):
    """A name no branch or tag can have."""

    code = "bad-name"

    def __init__(self, *, what: str, name: str, why: str) -> None:
        self.what, self.name, self.why = what, name, why
        super().__init__(
            f"{name!r} cannot be the name of a {what}: {why}", hint="letters, digits, -, _ and a / between two words do"
        )


class RefExists(Refused):
    """There is a branch or tag of that name already."""

    code = "name-taken"

    def __init__(self, *, what: str, name: str) -> None:
        self.what, self.name = what, name
        super().__init__(f"there is a {what} {name} already", hint=f"isovc {what} lists all")


class RefInTheWay(Refused):
    """Names form folders in git: a and a/b cannot be there together."""

    code = "name-in-the-way"

    def __init__(self, *, what: str, name: str, other: str) -> None:
        self.what, self.name, self.other = what, name, other
        super().__init__(
            f"there cannot be a {what} {name} while there is a {what} {other}",
            hint=f"isovc {what} -d {other} removes it",
        )


class NoSuchRef(Refused):
    """There is no branch or tag of that name."""

    code = "no-such-name"

    def __init__(self, *, what: str, name: str, near: list[str], hint: str = "") -> None:
        self.what, self.name, self.near = what, name, near
        super().__init__(f"there is no {what} {name}", hint=_did_you_mean(near) or hint or f"isovc {what} lists all")


class NotABranch(Refused):
    """A version was named where only a branch will do."""

    code = "not-a-branch"

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"{name} is a version and no branch", hint=f"isovc switch --detach {name}")


class RefMoved(Busy):
    """A branch or tag is no longer where it was a moment ago."""

    code = "name-moved"

    def __init__(self, *, what: str, name: str) -> None:
        self.what, self.name = what, name
        super().__init__(f"{what} {name} was moved by another command meanwhile", hint="run the command again")


class BadRevision(WrongUsage):
    """Words that are no revision."""

    code = "bad-revision"

    def __init__(self, *, text: str, why: str) -> None:
        self.text, self.why = text, why
        super().__init__(f"{text!r} is not a revision: {why}", hint="isovc help revisions")


class NoSuchRevision(Refused):
    """A revision that leads nowhere."""

    code = "no-such-revision"

    def __init__(self, *, text: str, why: str = "", near: list[str] | None = None, hint: str = "") -> None:
        self.text, self.why, self.near = text, why, near or []
        because = f": {why}" if why else ""
        hint = hint or _did_you_mean(self.near) or "isovc log lists versions"
        super().__init__(f"there is no version {text}{because}", hint=hint)


class AmbiguousRevision(Refused):
    """A revision that could be several things."""

    code = "ambiguous-revision"

    def __init__(self, *, text: str, candidates: list[str]) -> None:
        self.text, self.candidates = text, candidates
        super().__init__(f"{text} could be any of: {', '.join(candidates)}", hint="write one of them")


class NoCommitsYet(Refused):
    """The branch has no commit."""

    code = "no-commits-yet"

    def __init__(self, *, branch: str) -> None:
        self.branch = branch
        super().__init__(f"branch {branch} has no commits yet", hint='isovc commit -m "first version"')


class BeforeHistory(Refused):
    """A time at which nothing was recorded yet."""

    code = "before-history"

    def __init__(self, *, text: str, asked: str, earliest: str, instead: str) -> None:
        self.text, self.asked, self.earliest, self.instead = text, asked, earliest, instead
        super().__init__(
            f"{text} asks for {asked}, before the history begins at {earliest}", hint=f"the earliest is {instead}"
        )


class NothingWatched(Refused):
    """A branch that no watcher ever saw the database on."""

    code = "nothing-watched"

    def __init__(self, *, head: str) -> None:
        self.head = head
        name = head.removeprefix("refs/heads/")
        super().__init__(f"nothing was recorded of the database on {name}", hint="isovc watch")


class NoSuchEntry(Refused):
    """A number that no recorded transaction has."""

    code = "no-such-entry"

    def __init__(self, *, number: int, first: int, last: int) -> None:
        self.number, self.first, self.last = number, first, last
        super().__init__(f"no recorded state has the number {number}", hint=f"they go from {first} to {last}")


class EntryThinned(Refused):
    """A recorded transaction that old ones were merged with, so that nobody knows what it was by itself."""

    code = "entry-thinned"

    def __init__(self, *, number: int, near: Sequence[int]) -> None:
        self.number, self.near = number, tuple(near)
        points = " and ".join(str(each) for each in self.near)
        super().__init__(
            f"transaction {number} is not kept by itself any more (watch.keep)", hint=f"the nearest that are: {points}"
        )


class TimelineBroken(Damage):
    """What was recorded does not lead from one whole version to the next."""

    code = "timeline-broken"

    def __init__(self, *, head: str, number: int, why: str) -> None:
        self.head, self.number, self.why = head, number, why
        name = head.removeprefix("refs/heads/")
        super().__init__(f"recorded state {number} of {name} cannot be trusted: {why}", hint="isovc fsck")


class AlreadyWatched(Busy):
    """Another watcher records this database."""

    code = "already-watched"

    def __init__(self, *, path: Path, pid: int | None) -> None:
        self.path, self.pid = path, pid
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"{path} is being watched already, by {who}", hint="isovc watch status")


class NotWatched(Refused):
    """No watcher records this database."""

    code = "not-watched"

    def __init__(self, *, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is not being watched", hint="isovc watch --daemon")


class WatcherFailed(Refused):
    """A watcher in the background ended before it had seen the database."""

    code = "watcher-failed"

    def __init__(self, *, path: Path, log: Path) -> None:
        self.path, self.log = path, log
        super().__init__(f"{path} is not being watched: the process ended at once", hint=f"tail {quote(str(log))}")


class BadInterval(WrongUsage):
    """Words that are no length of time to wait between two looks."""

    code = "bad-interval"

    def __init__(self, *, text: str, allowed: str) -> None:
        self.text, self.allowed = text, allowed
        super().__init__(f"{text!r} is no interval: {allowed}", hint="isovc watch --every 20ms")


class BadMoment(WrongUsage):
    """Words that are no point in time."""

    code = "bad-time"

    def __init__(self, *, text: str, why: str) -> None:
        self.text, self.why = text, why
        super().__init__(
            f"{text!r} is not a time: {why}",
            hint='write "2 hours ago", "yesterday 14:30", "2026-11-20 10:15" or "2026-11-20T10:15:00Z"',
        )


class ClockJumped(WrongUsage):
    """A local time that the clocks showed twice, or never, when they were put forward or back."""

    code = "clock-jumped"

    def __init__(self, *, text: str, twice: bool, first: str, second: str) -> None:
        self.text, self.twice, self.first, self.second = text, twice, first, second
        what = "was shown twice by the clocks" if twice else "was left out by the clocks"
        super().__init__(f"{text} {what}: it could mean {first} or {second}", hint="write one of the two")


def _did_you_mean(near: list[str]) -> str:
    return f"did you mean {' or '.join(near)}?" if near else ""


# -- settings ----------------------------------------------------------------------------------------------------------


class SettingsUnreadable(Refused):
    """A settings file that is not TOML, or not text."""

    code = "settings-unreadable"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path} cannot be read: {why}", hint="mend the file in an editor")


class NoSuchSetting(WrongUsage):
    """A key nothing listens to."""

    code = "no-such-setting"

    def __init__(self, *, key: str, near: list[str], place: str = "") -> None:
        self.key, self.near, self.place = key, near, place
        inside = f" (in {place})" if place else ""
        super().__init__(
            f"there is no setting {key}{inside}", hint=_did_you_mean(near) or "isovc config --list shows all settings"
        )


class BadSetting(WrongUsage):
    """A value a setting does not take."""

    code = "bad-setting"

    def __init__(self, *, key: str, value: str, allowed: str, place: str = "") -> None:
        self.key, self.value, self.allowed, self.place = key, value, allowed, place
        inside = f" (in {place})" if place else ""
        super().__init__(
            f"{key} cannot be {value}{inside}: it takes {allowed}",
            hint="mend the file in an editor" if place else "isovc config --list shows what every setting is now",
        )


class CannotRenumber(Refused):
    """Rows that were to get other numbers, and cannot."""

    code = "cannot-renumber"

    def __init__(self, *, table: str, why: str) -> None:
        self.table, self.why = table, why
        super().__init__(
            f"rows of {table} cannot get other numbers: {why}",
            hint="leave it out of --renumber and of isovc config merge.renumber",
        )


# -- live databases ----------------------------------------------------------------------------------------------------


class NoDatabase(Refused):
    """There is no file where a database was said to be."""

    code = "no-database"

    def __init__(self, *, path: object, is_new: bool = False) -> None:
        self.path, self.is_new = path, is_new
        again = f"isovc worktree add {quote(str(path))} BRANCH makes the file of a working copy again"
        first = "isovc makes none; your program does, or sqlite3"
        super().__init__(f"there is no database at {path}", hint=f"check the path; {first if is_new else again}")


class NotADatabase(Refused):
    """Something that is no SQLite database."""

    code = "not-a-database"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"{path} is not a SQLite database: {why}",
            hint="name the file that your program writes to; if this is where it was, move it away, and"
            f" isovc worktree add {quote(str(path))} BRANCH makes it again as it was committed",
        )


class DatabaseEncrypted(Refused):
    """A file that looks like an encrypted database."""

    code = "database-encrypted"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(
            f"{path} is not readable as SQLite: its bytes look encrypted",
            hint="decrypt it with the program it belongs to and put the plain copy under version control",
        )


class DatabaseExists(Refused):
    """A new database would overwrite a file."""

    code = "database-exists"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(f"{path} exists already", hint="choose another path, or move the file away first")


class DatabaseCorrupt(Damage):
    """SQLite itself says that the file is damaged."""

    code = "database-corrupt"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"the database {path} is damaged: {why}",
            hint="sqlite3 FILE .recover saves what can be read; isovc restore HEAD --into NEW.db writes it as it was"
            " committed, and with FILE moved away, isovc worktree add FILE BRANCH makes it again in its place",
        )


class DatabaseForbidden(Refused):
    """The system does not let us read the file, or write beside it."""

    code = "database-forbidden"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"{path} cannot be opened: {why}", hint="ask for read and write rights on the file and its folder"
        )


class DatabaseReadOnly(Refused):
    """A write into a file or folder that may only be read."""

    code = "database-read-only"

    def __init__(self, *, path: object, what: str) -> None:
        self.path, self.what = path, what
        super().__init__(f"{path} cannot be written: {what} is read-only", hint="chmod u+w on the file and its folder")


class DatabaseBusy(Busy):
    """Other programs have used the database for longer than we wait."""

    code = "database-busy"

    def __init__(self, *, path: object, seconds: float, who: tuple[str, ...]) -> None:
        self.path, self.seconds, self.who = path, seconds, who
        names = " and ".join(who) if who else "another program"
        super().__init__(
            f"{path} has been locked for more than {seconds:g} seconds by {names}",
            hint="end that program's transaction, then run the command again",
        )


class NoSpace(Refused):
    """The disk is full; the transaction was rolled back."""

    code = "no-space"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(
            f"there is no space left on the disk of {path}; nothing was changed", hint="free some space, then try again"
        )


class DiskTrouble(Refused):
    """The disk or file system gave an error."""

    code = "disk-trouble"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"the disk failed while {path} was used: {why}", hint="check the disk and the system's log")


class MissingCollation(Refused):
    """A collation that only the user's own program defines."""

    code = "missing-collation"

    def __init__(self, *, path: object, collation: str, table: str = "") -> None:
        self.path, self.collation, self.table = path, collation, table
        of = f"the table {table} of {path}" if table else f"{path}"
        super().__init__(
            f"{of} needs the collation {collation}, which only the program it belongs to has",
            hint="declare the column with BINARY, NOCASE or RTRIM to keep it under version control",
        )


class MissingFunction(Refused):
    """A function that only the user's own program defines."""

    code = "missing-function"

    def __init__(self, *, path: object, function: str) -> None:
        self.path, self.function = path, function
        super().__init__(
            f"{path} needs the function {function}, which only the program it belongs to has",
            hint="an index, CHECK or generated column uses it: let that program make the change, or drop the object",
        )


class MissingModule(Refused):
    """A virtual table whose module only the user's own program has."""

    code = "missing-module"

    def __init__(self, *, path: object, table: str, module: str) -> None:
        self.path, self.table, self.module = path, table, module
        super().__init__(
            f"the virtual table {table} of {path} needs the module {module}, which only the program it belongs to has",
            hint="its definition and its stored tables are kept; what the module keeps elsewhere is not",
        )


class CannotComeBack(Refused):
    """A table that can be read, and that only the user's own program could make again or write to."""

    code = "cannot-come-back"

    def __init__(self, *, path: object, table: str, what: str) -> None:
        self.path, self.table, self.what = path, table, what
        super().__init__(
            f"the table {table} of {path} needs the {what}, which only the program it belongs to has:"
            " it is kept, but isovc cannot make it again or change its rows",
            hint=f"declare {table} and its indexes without that {what.split(maxsplit=1)[0]}",
        )


class RowidsNotKept(Refused):
    """A full-text index that goes by the rowids of a table which has a key of another kind."""

    code = "rowids-not-kept"

    def __init__(self, *, path: object, table: str, content: str) -> None:
        self.path, self.table, self.content = path, table, content
        super().__init__(
            f"the full-text table {table} of {path} finds rows of {content} by their rowid, and rowids of {content}"
            " are not kept because its PRIMARY KEY is no INTEGER PRIMARY KEY",
            hint=f"after a switch, INSERT INTO {table}({table}) VALUES('rebuild') makes the index again",
        )


class RowidHidden(Refused):
    """A table without a usable key: its rowid cannot be named."""

    code = "rowid-hidden"

    def __init__(self, *, path: object, table: str) -> None:
        self.path, self.table = path, table
        super().__init__(
            f"the table {table} of {path} has columns called rowid, _rowid_ and oid and no key of its own,"
            " so its rows cannot be named",
            hint=f"rename one of the three columns of {table}, or give it a PRIMARY KEY",
        )


class NameUnreadable(Refused):
    """A name or definition in the schema that is no text."""

    code = "name-unreadable"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(
            f"a name or definition in the schema of {path} is not valid Unicode text",
            hint="rename that table or column",
        )


class ShapeNotReached(Refused):
    """The database could not be given a definition; the transaction was rolled back. `type` and `name`: which one, as
    in sqlite_schema."""

    code = "shape-not-reached"

    def __init__(self, *, path: object, type: str, name: str, why: str) -> None:  # noqa: A002  # its name there
        self.path, self.type, self.name, self.why = path, type, name, why
        super().__init__(
            f"the {type} {name} of {path} cannot be made as it was: {why}; nothing was changed",
            hint="drop or change it, or bring back what it needs, then run the command again",
        )


class RowRefused(Refused):
    """The database does not take a row; the transaction was rolled back."""

    code = "row-refused"

    def __init__(self, *, path: object, table: str, why: str, breaks_rule: bool = False) -> None:
        self.path, self.table, self.why = path, table, why
        super().__init__(
            f"{f'the table {table} of {path}' if table else path} does not take a row: {why}; nothing was changed",
            hint="rows break a rule of the table, by themselves or with those they come to: change them or the rule"
            if breaks_rule
            else "isovc status says whether the database was changed meanwhile",
        )


class ForeignKeysBroken(Refused):
    """Rows would point to rows that are not there; the transaction was rolled back."""

    code = "foreign-keys-broken"

    def __init__(self, *, path: object, table: str, parent: str, rows: int) -> None:
        self.path, self.table, self.parent, self.rows = path, table, parent, rows
        super().__init__(
            f"{rows} rows of {table} would point to rows of {parent} that are not there; nothing was changed in {path}",
            hint=f"bring back the rows of {parent}, or change the rows of {table} along with them",
        )


class DatabaseFailed(Refused):
    """Anything else SQLite says."""

    code = "database-failed"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"SQLite cannot do this with {path}: {why}")


# -- trees -------------------------------------------------------------------------------------------------------------


class RowsUnreadable(Damage):
    """A chunk of a tree is missing or damaged, so a stretch of its rows cannot be read; the others can."""

    code = "rows-unreadable"

    def __init__(self, *, chunk: bytes, last_key: bytes, upto: str, rows: int, why: str) -> None:
        self.chunk, self.last_key, self.rows, self.why = chunk, last_key, rows, why
        many = f"the {rows} row{'s' * (rows != 1)} that end with key {upto}" if rows else "a tree"
        super().__init__(f"{many} cannot be read: {why}", hint="isovc fsck")


class WorkerDied(Refused):
    """A process that shared the work ended before it was done: killed, most likely for want of memory."""

    code = "worker-died"

    def __init__(self) -> None:
        super().__init__(
            "a process that shared the work ended early; nothing was changed",
            hint="see whether memory is short, then run the command again",
        )


class NotSorted(Refused):
    """Rows or edits were given out of order, or the same key twice."""

    code = "not-sorted"

    def __init__(self, *, what: str, key: str) -> None:
        self.what, self.key = what, key
        super().__init__(f"{what} are not in order: {key} comes twice or too late")


# -- repositories and working copies -----------------------------------------------------------------------------------


class NoRepository(Refused):
    """No folder from here upwards holds a repository."""

    code = "no-repository"

    def __init__(self, *, folder: object) -> None:
        self.folder = folder
        super().__init__(
            f"{folder} is not in a repository of isovc, nor is any folder above it",
            hint="isovc init DATABASE makes one; --repo names another",
        )


class RepositoryExists(Refused):
    """A repository stands there already."""

    code = "repository-exists"

    def __init__(self, *, folder: object) -> None:
        self.folder = folder
        super().__init__(
            f"{folder} is a repository already",
            hint="isovc status shows it; one folder holds one, so another database needs a folder of its own",
        )


class PointerBroken(Damage):
    """The file that leads from a worktree to its repository makes no sense."""

    code = "pointer-broken"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(f"{path} does not say where its repository is", hint="isovc --repo FOLDER -C DB names both")


class NotAWorktree(Refused):
    """A database that the repository does not know."""

    code = "not-a-worktree"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(
            f"{path} is not a working copy of this repository", hint="isovc worktree list shows those that are"
        )


class WorktreeGone(Refused):
    """A working copy that another command removed meanwhile."""

    code = "worktree-gone"

    def __init__(self, *, number: int) -> None:
        self.number = number
        super().__init__(
            f"working copy {number} was removed by another command meanwhile",
            hint="isovc worktree list shows those that are",
        )


class WhichDatabase(WrongUsage):
    """init was not told which database, and the folder does not answer it."""

    code = "which-database"

    def __init__(self, *, folder: object, found: tuple[str, ...]) -> None:
        self.folder, self.found = folder, found
        if found:
            what, hint = f"{len(found)} databases lie in {folder}: {', '.join(found[:5])}", quote(found[0])
        else:
            what, hint = f"nothing in {folder} has the name of a database", "FILE, whatever its name ends in"
        super().__init__(what, hint=f"isovc init {hint}")


class NothingToCommit(Refused):
    """The database is as its commit has it."""

    code = "nothing-to-commit"

    def __init__(self, *, branch: str) -> None:
        self.branch = branch
        super().__init__(
            f"nothing has changed since the last commit on {branch}", hint="--allow-empty makes a commit all the same"
        )


class HeadMoved(Busy):
    """Another command moved the branch or the working copy meanwhile."""

    code = "head-moved"

    def __init__(self, *, head: str) -> None:
        self.head = head
        branch = head.removeprefix("refs/heads/")
        what = f"branch {branch}" if branch != head else f"the working copy at {head[:12]}"
        super().__init__(f"{what} was moved by another command meanwhile", hint="run the command again")


class CannotCarry(Refused):
    """Uncommitted changes do not fit where they should be taken."""

    code = "cannot-carry"

    def __init__(self, *, tables: list[str], rows: int) -> None:
        self.tables, self.rows = tables, rows
        super().__init__(
            f"the uncommitted changes do not fit there: {rows} conflicts in {', '.join(tables)}",
            hint="commit them first, or switch without --carry: they stay on their branch",
        )


class NothingToStash(Refused):
    """Nothing is uncommitted."""

    code = "nothing-to-stash"

    def __init__(self) -> None:
        super().__init__("nothing is uncommitted, so there is nothing to put aside", hint="isovc status")


class NoSuchStash(Refused):
    """A number that no entry of the stash has."""

    code = "no-such-stash"

    def __init__(self, *, number: int, many: int) -> None:
        self.number, self.many = number, many
        super().__init__(
            f"the stash has no entry {number}: the last is {many - 1}" if many else "nothing is put aside",
            hint="isovc stash list" if many else "isovc stash push puts uncommitted changes aside",
        )


class NoSuchTable(Refused):
    """A table that no version in question has."""

    code = "no-such-table"

    def __init__(self, *, table: str, known: list[str]) -> None:
        self.table, self.known = table, known
        tables = f"tables: {', '.join(known[:10])}" if known else "that version has no tables at all"
        super().__init__(f"there is no table {table!r}", hint=tables)


class BranchInUse(Refused):
    """A branch that another working copy is on. `command`: what does there what was wanted; empty: nothing does."""

    code = "branch-in-use"

    def __init__(self, *, branch: str, database: str, command: str = "") -> None:
        self.branch, self.database, self.command = branch, database, command
        there = f"isovc -C {quote(database)} {command} does it there"
        super().__init__(
            f"branch {branch} is checked out in {database}",
            hint=there if command else f"isovc worktree add PATH -c NEW {quote(branch)}",
        )


class BranchStoodOn(Refused):
    """A branch shall go, and a working copy is on it."""

    code = "branch-in-use"

    def __init__(self, *, branch: str, database: Path) -> None:
        self.branch, self.database = branch, database
        super().__init__(
            f"branch {branch} is checked out in {database}",
            hint=f"isovc -C {quote(str(database))} switch ANOTHER leaves it",
        )


class NotMerged(Refused):
    """A branch whose versions would be out of reach without it."""

    code = "not-merged"

    def __init__(self, *, branch: str) -> None:
        self.branch = branch
        super().__init__(
            f"branch {branch} has versions that no other branch or tag leads to", hint=f"isovc branch -D {branch}"
        )


class KeptThere(Refused):
    """A branch on which uncommitted changes wait."""

    code = "kept-there"

    def __init__(self, *, branch: str, commit: str) -> None:
        self.branch, self.commit = branch, commit
        super().__init__(
            f"uncommitted changes wait on branch {branch} ({commit[:12]})",
            hint=f"isovc switch {branch} brings them back; isovc branch -D {branch} drops them",
        )


class OptionsClash(WrongUsage):
    """Options that cannot be meant together."""

    code = "options-clash"

    def __init__(self, *, options: tuple[str, ...]) -> None:
        self.options = options
        super().__init__(f"{' and '.join(options)} cannot be meant together", hint="choose one of them")


class NameMissing(WrongUsage):
    """An option needs a name that was not typed."""

    code = "name-missing"

    def __init__(self, *, option: str, what: str) -> None:
        self.option, self.what = option, what
        super().__init__(f"{option} needs the name of a {what}", hint=f"isovc {what} lists all")


class WordMissing(WrongUsage):
    """A word that the command cannot do without."""

    def __init__(self, *, word: str, hint: str) -> None:
        self.word = word
        super().__init__(f"{word} is missing", hint=hint)


class BadAssignment(WrongUsage):
    """What stands behind --set is no assignment."""

    code = "bad-assignment"

    def __init__(self, *, text: str) -> None:
        self.text = text
        super().__init__(f"{text!r} sets nothing", hint="--set COLUMN=VALUE, as in --set title='new title'")


class OptionMissing(WrongUsage):
    """A word that makes sense with an option only."""

    code = "option-missing"

    def __init__(self, *, word: str, option: str, hint: str) -> None:
        self.word, self.option = word, option
        super().__init__(f"{word!r} makes sense with {option} only", hint=hint)


class RepositoryBusy(Busy):
    """Other commands are at work, and one of ours needs a moment alone."""

    code = "repository-busy"

    def __init__(self, *, folder: object, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        super().__init__(
            f"other isovc commands have been at work in {folder} for more than {seconds:g} seconds",
            hint="run the command again when they have finished",
        )


class AlreadyCleaning(Busy):
    """Another sweep is on."""

    code = "already-cleaning"

    def __init__(self, *, folder: object) -> None:
        self.folder = folder
        super().__init__(f"another isovc gc is at work in {folder}", hint="it does what this one would have done")


class CleaningTooLong(Busy):
    """A sweep that was given some seconds only needs more to find out what is needed."""

    code = "cleaning-too-long"

    def __init__(self, *, folder: object, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        super().__init__(
            f"looking through {folder} takes more than {seconds:g} seconds", hint="isovc gc takes its time"
        )


class PathTaken(Refused):
    """Something stands where a new file shall be."""

    code = "path-taken"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(f"{path} is there already", hint="name a file that is not there yet")


class PathReserved(Refused):
    """A new database would be taken for a part of another one."""

    code = "path-reserved"

    def __init__(self, *, path: object, beside: str) -> None:
        self.path, self.beside = path, beside
        super().__init__(
            f"{path} has the name that SQLite gives to what it writes beside {beside}", hint="name another file"
        )


class FolderMissing(Refused):
    """A file shall be made in a folder that is not there."""

    code = "folder-missing"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(f"there is no folder {path}", hint=f"mkdir -p {quote(str(path))}")


class PathNotText(Refused):
    """A path with bytes that are no text: SQLite takes only names that are."""

    code = "path-not-text"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(f"{path} holds bytes that are no text, and SQLite cannot use it", hint="rename it")


class FolderOfAnother(Refused):
    """A worktree in the folder of another repository would be taken for one of that."""

    code = "folder-of-another"

    def __init__(self, *, folder: object, repository: object) -> None:
        self.folder, self.repository = folder, repository
        super().__init__(f"{folder} belongs to the repository {repository}", hint="name a file in another folder")


class LastWorktree(Refused):
    """The database that the repository was made for."""

    code = "last-worktree"

    def __init__(self, *, path: object) -> None:
        self.path = path
        super().__init__(f"{path} is the database the repository was made for", hint="only added worktrees can go")


class InsideRepository(Refused):
    """A database would lie among the repository's own files."""

    code = "inside-repository"

    def __init__(self, *, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} lies inside a repository", hint="name a place beside it")


class WorkingCopyThere(Refused):
    """A file would be written where a database of ours lies."""

    code = "working-copy-there"

    def __init__(self, *, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is a working copy, and is not written over", hint="name another file")


class AlreadyThere(Refused):
    """A database that is a working copy already."""

    code = "already-there"

    def __init__(self, *, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is a working copy already", hint="isovc worktree list")


class WhichWorktree(Refused):
    """Which working copy a database is, is not clear."""

    code = "which-worktree"

    def __init__(self, *, path: Path, gone: tuple[str, ...]) -> None:
        self.path, self.gone = path, gone
        several = f"{path} could be any of the working copies whose files are gone: {', '.join(gone)}"
        super().__init__(
            several if gone else f"no working copy has lost its file, so {path} is none of them",
            hint=f"isovc worktree repair {path} {gone[0]}" if gone else f"isovc worktree add {path} makes a new one",
        )


class NoWorktrees(Damage):
    """A repository that has forgotten its databases."""

    code = "no-worktrees"

    def __init__(self, *, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder} knows of no working copy any more", hint="isovc fsck")


# -- restoring ---------------------------------------------------------------------------------------------------------


class NotCovered(Refused):
    """Nobody recorded what the database held at that time."""

    code = "not-covered"

    def __init__(self, *, asked: int, why: str, near: Sequence[tuple[str, int]]) -> None:
        self.asked, self.why, self.near = asked, why, tuple(near)
        points = ", ".join(f"{name} of {_in_utc(time)}" for name, time in self.near)
        super().__init__(
            f"what the database held at {_in_utc(asked)} is not known: {why}",
            hint=f"the nearest that is: {points}" if points else "isovc coverage shows what is recorded",
        )


class NotAsRecorded(Damage):
    """A version that was rebuilt to be restored is not what it should be."""

    code = "not-as-recorded"

    def __init__(self, *, what: str, why: str) -> None:
        self.what, self.why = what, why
        super().__init__(f"{what} was rebuilt and does not hold: {why}; nothing was changed", hint="isovc fsck")


class OtherColumnsThen(Refused):
    """Single rows of a table that has other columns now."""

    code = "other-columns-then"

    def __init__(self, *, table: str) -> None:
        self.table = table
        super().__init__(
            f"the table {table} had other columns then, so single rows of it do not fit",
            hint=f"isovc restore -t {quote(table)} brings back the whole table; --into a file brings back everything",
        )


# -- merges ------------------------------------------------------------------------------------------------------------


class NothingInCommon(Refused):
    """Two histories that never were one."""

    code = "nothing-in-common"

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name} has no version in common with this branch, so nobody can say what changed",
            hint=f"isovc checkout {name} -t TABLE takes single tables from it",
        )


class MainlineNeeded(Refused):
    """The changes of a merge depend on the side one looks from. `parents`: ids, each with the words of its message."""

    code = "mainline-needed"

    def __init__(self, *, commit: str, parents: Sequence[tuple[str, str]]) -> None:
        self.commit, self.parents = commit, tuple(parents)
        sides = [f"-m {number} against {parent[:12]} ({said})" for number, (parent, said) in enumerate(parents, 1)]
        sides[0] += ", the branch it was made on"
        super().__init__(
            f"commit {commit[:12]} is a merge of {len(parents)} versions, and from each of them it changed something"
            " else",
            hint="; ".join(sides),
        )


class NoMainline(Refused):
    """A commit has no parent of that number."""

    code = "no-mainline"

    def __init__(self, *, commit: str, number: int, parents: int) -> None:
        self.commit, self.number, self.parents = commit, number, parents
        what = "is no merge" if parents < 2 else f"has {parents} parents"
        super().__init__(
            f"commit {commit[:12]} {what}, so -m {number} means nothing there", hint=f"isovc show {commit[:12]}"
        )


class ConflictsWait(Waiting):
    """Something must be settled first."""

    code = "conflicts-wait"

    def __init__(self, *, command: str, open: int) -> None:  # noqa: A002 - what it is
        self.command, self.open = command, open
        what = f"{open:,} conflict{'s' * (open != 1)} wait{'s' * (open == 1)}" if open else "it waits to be finished"
        then = "isovc conflicts lists them, isovc resolve settles them; " if open else ""
        super().__init__(
            f"a {command} is under way here: {what}",
            hint=f"{then}isovc {command} --continue or --abort ends it",
        )


class ConflictsElsewhere(Waiting):
    """A branch that nobody has checked out has no database in which conflicts could wait."""

    code = "conflicts-elsewhere"

    def __init__(self, *, branch: str, name: str, open: int) -> None:  # noqa: A002 - what it is
        self.branch, self.name, self.open = branch, name, open
        super().__init__(
            f"{name} has {open:,} conflict{'s' * (open != 1)} with {branch}, and nobody has that branch checked out",
            hint=f"isovc switch {quote(branch)}, then isovc merge {quote(name)}",
        )


class NothingUnderWay(Refused):
    """No merge, revert, cherry-pick, rebase or stash pop waits."""

    code = "nothing-under-way"

    def __init__(self, *, what: str = "merge") -> None:
        self.what = what
        super().__init__(f"no {what} is under way in this working copy", hint="isovc status")


class HomeMoved(Refused):
    """The branch that a rebase goes back to is not where it was when the rebase began."""

    code = "home-moved"

    def __init__(self, *, branch: str, command: str, is_gone: bool) -> None:
        self.branch, self.command, self.is_gone = branch, command, is_gone
        what = "is gone" if is_gone else "has gone on"
        super().__init__(
            f"branch {branch} {what} since this {command} began, and it would be led elsewhere",
            hint=f"isovc branch NAME HEAD keeps what is done so far; isovc {command} --abort gives it up",
        )


class BranchWaitedFor(Refused):
    """A branch that a rebase will lead elsewhere at its end."""

    code = "branch-waited-for"

    def __init__(self, *, branch: str, command: str, database: str) -> None:
        self.branch, self.command, self.database = branch, command, database
        super().__init__(
            f"a {command} of branch {branch} is under way in {database}",
            hint=f"isovc {command} --continue or --abort ends it",
        )


class NothingInRange(Refused):
    """A range holds no commits."""

    code = "nothing-in-range"

    def __init__(self, *, text: str) -> None:
        self.text = text
        super().__init__(f"{text} holds no commits", hint=f"isovc log {text} shows what a range holds")


class NoSuchFile(Refused):
    """A file that a version does not have."""

    code = "no-such-file"

    def __init__(self, *, path: str, revision: str, near: Sequence[str]) -> None:
        self.path, self.revision, self.near = path, revision, near
        hint = f"did you mean {near[0]}?" if near else f"isovc ls {revision} lists its files"
        super().__init__(f"{revision} has no file {path!r}", hint=hint)


class NotByValue(Refused):
    """A file was to be settled by values of its row."""

    code = "not-by-value"

    def __init__(self, *, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path} is a file, which no value settles",
            hint=f"write the file and say isovc resolve files/ {path}, or take a side with --ours or --theirs",
        )


class NoRefs(Refused):
    """Nobody has said which columns name files."""

    code = "no-refs"

    def __init__(self) -> None:
        super().__init__(
            "no column is known to name files", hint="isovc config attachment-refs TABLE.COLUMN says which one does"
        )


class AttachmentsGone(Refused):
    """The folder of files is not where it was."""

    code = "attachments-gone"

    def __init__(self, *, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            f"the folder {folder} is not there, and its files are part of the version that is checked out",
            hint=f"put it back; or mkdir {quote(str(folder))}, and then isovc checkout HEAD -t files/ writes its "
            "files again and isovc commit says that they are gone; isovc config attachments DIR names another folder",
        )


class FilesWritten(Refused):
    """Another program wrote files while a command was about to."""

    code = "files-written"

    def __init__(self, *, folder: Path, paths: tuple[str, ...]) -> None:
        self.folder = folder
        self.paths = paths
        more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
        super().__init__(
            f"another program wrote {paths[0]}{more} in {folder} meanwhile, so nothing was changed",
            hint="try again when it is done",
        )


class NothingEdited(Refused):
    """Nobody has edited a row that waits."""

    code = "nothing-edited"

    def __init__(self, *, open: int) -> None:  # noqa: A002 - what it is
        self.open = open
        super().__init__(
            f"none of the {open:,} rows that wait has been edited since"
            if open != 1
            else "the row that waits has not been edited since",
            hint="isovc resolve --ours, --theirs or --base settles them; isovc conflicts lists them",
        )


class OtherUnderWay(Refused):
    """Another command's work is to be continued."""

    code = "other-under-way"

    def __init__(self, *, asked: str, command: str, option: str) -> None:
        self.asked, self.command, self.option = asked, command, option
        super().__init__(f"a {command} is under way, and no {asked}", hint=f"isovc {command} {option}")


class UncommittedInTheWay(Refused):
    """Uncommitted changes touch what would change."""

    code = "uncommitted-in-the-way"

    def __init__(self, *, command: str, tables: Sequence[str] = ()) -> None:
        self.command, self.tables = command, tuple(tables)
        where = f" in {', '.join(tables)}" if tables else ""
        super().__init__(
            f"uncommitted changes{where} are in the way of this {command}",
            hint="isovc commit or isovc stash push first",
        )


class NoSuchConflict(Refused):
    """Nothing that waits is meant."""

    code = "no-such-conflict"

    def __init__(self, *, what: str) -> None:
        self.what = what
        super().__init__(f"nothing waits at {what}", hint="isovc conflicts lists all that does")


class AmbiguousKey(Refused):
    """Words for one row that could be several of those that wait."""

    code = "ambiguous-key"

    def __init__(self, *, table: str, text: str, keys: Sequence[str]) -> None:
        self.table, self.text, self.keys = table, text, tuple(keys)
        super().__init__(
            f"{text!r} can be several rows of {table}: {'; '.join(keys)}",
            hint="isovc conflicts shows their keys with quotes, or name one as a JSON list",
        )


class WholeRowWaits(Refused):
    """Values were given for cells, and rows wait that both sides spoke of as a whole."""

    code = "whole-row-waits"

    def __init__(self, *, table: str, key: str, kind: str, many: int) -> None:
        self.table, self.key, self.kind, self.many = table, key, kind, many
        others = f", and so do{'es' * (many == 2)} {many - 1} more" if many > 1 else ""
        super().__init__(
            f"the row {key} of {table} waits as a whole ({kind}){others}: --set settles cells, and rows that are named",
            hint=f"isovc resolve {quote(table)} {quote(key)} --set COL=VAL keeps the row with this value;"
            " --ours or --theirs takes a side",
        )


class OtherColumnSet(WrongUsage):
    """The conflict of one column was named, and a value for another one was given."""

    code = "other-column-set"

    def __init__(self, *, named: str, column: str, place: str) -> None:
        self.named, self.column, self.place = named, column, place
        super().__init__(
            f"only the conflict of column {named} is meant, and --set says what column {column} shall be",
            hint=f"isovc resolve {quote(f'{place}:{column}')} --set {quote(column)}=VAL settles that one",
        )


class AllSettled(Refused):
    """Nothing waits any more."""

    code = "all-settled"

    def __init__(self, *, command: str) -> None:
        self.command = command
        super().__init__("all conflicts are settled", hint=f"isovc {command} --continue finishes it")


class ChoiceRefused(Refused):
    """The database does not take what was chosen."""

    code = "choice-refused"

    def __init__(self, *, table: str, key: str, why: str) -> None:
        self.table, self.key, self.why = table, key, why
        super().__init__(
            f"the database does not take that for {table}:{key}: {why}",
            hint="choose another side or --set COLUMN=VALUE, or edit the database and say isovc resolve",
        )


class NoSide(Refused):
    """That side has nothing to choose."""

    code = "no-side"

    def __init__(self, *, what: str, side: str) -> None:
        self.what, self.side = what, side
        super().__init__(f"{what} cannot be settled by --{side}", hint="isovc conflicts shows what each side has")


class KeyIsKept(Refused):
    """A value was typed for a column that names the row."""

    code = "key-is-kept"

    def __init__(self, *, table: str, column: str) -> None:
        self.table, self.column = table, column
        super().__init__(
            f"{column} is part of the key of {table}, and a row keeps its key",
            hint="isovc resolve --renumber gives theirs another number; or edit the database and say isovc resolve",
        )


# -- operations --------------------------------------------------------------------------------------------------------


class NoSuchOperation(Refused):
    """An operation that is not in the log."""

    code = "no-such-operation"

    def __init__(self, *, text: str) -> None:
        self.text = text
        super().__init__(f"there is no operation {text}", hint="isovc op log lists them")


class AmbiguousOperation(Refused):
    """The beginning of an id that several operations share."""

    code = "ambiguous-operation"

    def __init__(self, *, text: str, candidates: list[str]) -> None:
        self.text, self.candidates = text, candidates
        super().__init__(
            f"{text} could be any of the operations {', '.join(candidates)}", hint="write more of the one that is meant"
        )


class OperationDamaged(Damage):
    """A record of the operation log that cannot be read."""

    code = "operation-damaged"

    def __init__(self, *, number: int | None, why: str) -> None:
        self.number, self.why = number, why
        which = "a record" if number is None else f"record {number}"
        super().__init__(f"{which} of the operation log cannot be read: {why}", hint="isovc audit verify")


class SnapshotForgotten(Refused):
    """Data that an operation began or ended with, and that gc has let go of."""

    code = "forgotten"

    def __init__(self, *, snapshot: str) -> None:
        self.snapshot = snapshot
        super().__init__(
            f"what the database held then ({snapshot[:12]}) was cleaned up after the time of undo",
            hint="commits stay: isovc log; isovc config gc.undo_days sets how long the rest is kept",
        )


class NothingToUndo(Refused):
    """No operation of this working copy is left to go back over."""

    code = "nothing-to-undo"

    def __init__(self, *, asked: int, possible: int) -> None:
        self.asked, self.possible = asked, possible
        many = f"operation{'s' * (possible != 1)}"
        several = f"only {possible} {many} of this working copy can be undone, not {asked}"
        super().__init__(several if possible else "there is nothing to undo here", hint="isovc op log")


class NothingToRedo(Refused):
    """Nothing was undone, or something was done since."""

    code = "nothing-to-redo"

    def __init__(self, *, asked: int, possible: int) -> None:
        self.asked, self.possible = asked, possible
        several = f"only {possible} operation{'s' * (possible != 1)} can be done again, not {asked}"
        super().__init__(
            several if possible else "there is nothing to redo: nothing was undone last", hint="isovc op log"
        )


class FileMoved(Refused):
    """An operation that only noted where a file lies."""

    code = "file-moved"

    def __init__(self, *, operation: str, database: str) -> None:
        self.operation, self.database = operation, database
        super().__init__(
            f"operation {operation[:12]} only noted that its file now lies at {database}, and moved nothing",
            hint="move the file back and type: isovc worktree repair PATH",
        )


class NothingDiffers(Refused):
    """A way back that leads where one is already."""

    code = "nothing-differs"

    def __init__(self, *, what: str) -> None:
        self.what = what
        super().__init__(f"everything is as it would be, so there is nothing to do to {what}", hint="isovc op log")


class GoneOverAlone(Refused):
    """An operation that cannot be gone over together with others."""

    code = "gone-over-alone"

    def __init__(self, *, operation: str, command: str, before: int) -> None:
        self.operation, self.command, self.before = operation, command, before
        super().__init__(
            f"`isovc {command}` ({operation[:12]}) made or removed a file, and is gone over by itself",
            hint=f"first with -n {before}, then one by one" if before else "go over it without -n first",
        )


class OutOfReach(Refused):
    """An operation whose effects lie where undo cannot reach."""

    code = "irreversible"

    def __init__(self, *, operation: str, command: str) -> None:
        self.operation, self.command = operation, command
        super().__init__(
            f"`isovc {command}` ({operation[:12]}) cannot be undone: it had effects outside of this repository",
            hint=f"isovc op show {operation[:12]}",
        )


class MovedSince(Refused):
    """What an operation left behind has been changed by another one since."""

    code = "moved-since"

    def __init__(self, *, what: str, operation: str, by: str) -> None:
        self.what, self.operation, self.by = what, operation, by
        later = f" by operation {by[:12]}" if by else ""
        super().__init__(
            f"{what} has been moved{later} since operation {operation[:12]}",
            hint=f"isovc op show {by[:12]}" if by else "isovc op log",
        )


class MovedAnother(Refused):
    """An operation that moved another working copy can be taken back only beside that one."""

    code = "moved-another"

    def __init__(self, *, operation: str, database: str) -> None:
        self.operation, self.database = operation, database
        super().__init__(
            f"operation {operation[:12]} moved the working copy {database}, and can be taken back only there",
            hint=f"isovc -C {quote(database)} op revert {operation[:12]}",
        )


class DoesNotFitBack(Refused):
    """Rows that were changed after an operation stand in the way of taking it back."""

    code = "does-not-fit"

    def __init__(self, *, operation: str, tables: list[str], rows: int) -> None:
        self.operation, self.tables, self.rows = operation, tables, rows
        super().__init__(
            f"operation {operation[:12]} cannot be taken back by itself: {rows} of its rows in {', '.join(tables)} "
            "were changed after it",
            hint=f"isovc op restore --before {operation[:12]} goes back to the whole state before it",
        )


class OnlyInThePresent(WrongUsage):
    """A command that changes something was asked to do so in the past."""

    code = "only-in-the-present"

    def __init__(self, *, command: str) -> None:
        self.command = command
        super().__init__(
            f"`isovc {command}` is about the present, and --at-op only looks at the past",
            hint="leave out --at-op; isovc op restore ID goes back there",
        )


class NotThereThen(Refused):
    """A working copy that was not there yet, or not any more, at a point of the operation log."""

    code = "not-there-then"

    def __init__(self, *, database: str, operation: str) -> None:
        self.database, self.operation = database, operation
        super().__init__(
            f"{database} was no working copy at operation {operation[:12]}", hint="isovc op log lists operations"
        )


# -- the audit ---------------------------------------------------------------------------------------------------------


class SigningNotInstalled(Refused):
    """Signatures need a library that is not there."""

    code = "signing-not-installed"

    def __init__(self) -> None:
        super().__init__("signatures need the library cryptography", hint="pip install 'isovc[sign]'")


class KeyUnusable(Refused):
    """The file of a key that cannot be used."""

    code = "key-unusable"

    def __init__(self, *, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"the key {path} cannot be used: {why}",
            hint="isovc config audit.key FILE names another, --unset ends signing; ISOVC_KEY_PASSPHRASE unlocks one",
        )


class BadHead(WrongUsage):
    """A head to compare with that is no whole id."""

    code = "bad-head"

    def __init__(self, *, text: str) -> None:
        self.text = text
        super().__init__(
            f"{text!r} is not the id of an operation: 64 hex digits, because a part of one is easy to forge",
            hint="isovc audit head prints it",
        )


# -- differences and patches -------------------------------------------------------------------------------------------


class BadCondition(WrongUsage):
    """A condition for rows that SQLite does not take. `table`: the one that was named; empty: it works in none."""

    code = "bad-condition"

    def __init__(self, *, condition: str, why: str, table: str = "") -> None:
        self.condition, self.why, self.table = condition, why, table
        super().__init__(
            f"the condition {condition!r} does not work in {f'the table {table}' if table else 'any table'}: {why}",
            hint="it is an SQL expression over the columns of a table, like \"price > 10 AND name LIKE 'A%'\"",
        )


class NoSuchColumn(Refused):
    """A column that no table in question has. `place`: where it was named, in words."""

    code = "no-such-column"

    def __init__(self, *, column: str, known: Sequence[str], table: str = "", place: str = "") -> None:
        self.column, self.known, self.table, self.place = column, tuple(known), table, place
        super().__init__(
            f"{f'{place}: ' if place else ''}there is no column {column!r}{f' in the table {table}' if table else ''}",
            hint=f"columns: {', '.join(self.known[:10])}" if self.known else "",
        )


class NoSuchRow(Refused):
    """A row that was not there at any time in question."""

    code = "no-such-row"

    def __init__(self, *, table: str, key: str, where: str, ever: bool) -> None:
        self.table, self.key, self.where, self.ever = table, key, where, ever
        message = (
            f"{table} had no row {key} at any time up to {where}" if ever else f"{table} has no row {key} in {where}"
        )
        hint = "text stands letter for letter as in the row, or in quotes: 'abc'; between the columns of a key a comma"
        super().__init__(message, hint=hint if ever else f"isovc history {quote(table)} {quote(key)}")


class BadKey(WrongUsage):
    """Words that cannot name a row of a table."""

    code = "bad-key"

    def __init__(self, *, table: str, text: str, columns: Sequence[str]) -> None:
        self.table, self.text, self.columns = table, text, tuple(columns)
        super().__init__(
            f"{text!r} names no row of {table}, whose key is {', '.join(self.columns)}",
            hint="a whole number, 'text' in quotes or bare, x'00ff'; a comma between the columns of a key: 1,abc",
        )


class NoPatch(Refused):
    """Something given to `apply` that is no patch, or not any more."""

    code = "no-patch"

    def __init__(self, *, patch: str, why: str, line: int = 0) -> None:
        self.patch, self.why, self.line = patch, why, line
        where = f"line {line} of {patch}" if line else patch
        super().__init__(
            f"{where} is no patch: {why}",
            hint="isovc diff --format jsonl and isovc diff --format sql write patches: isovc help patches",
        )


class PatchDoesNotFit(Refused):
    """A patch whose rows or definitions are not those of the database."""

    code = "patch-does-not-fit"

    def __init__(self, *, patch: str, places: Sequence[str], more: bool = False) -> None:
        self.patch, self.places = patch, tuple(places)
        others = " and more" if more else ""
        super().__init__(
            f"{patch} does not fit the database, nothing was changed: {'; '.join(self.places)}{others}",
            hint="isovc checkout the version it was made from, or make the patch anew with isovc diff",
        )


# -- questions in SQL --------------------------------------------------------------------------------------------------


class BadQuery(WrongUsage):
    """A query that SQLite does not take, or cannot answer."""

    code = "bad-query"

    def __init__(self, *, why: str, table: str = "", hint: str = "") -> None:
        self.why, self.table = why, table
        super().__init__(
            f"the query does not work: {why}",
            hint=hint or "isovc sql 'SELECT name, rows FROM tables' shows what there is",
        )


class OnlyReads(WrongUsage):
    """SQL that would change something."""

    code = "only-reads"

    def __init__(self, *, what: str) -> None:
        self.what = what
        super().__init__(
            f"a query only reads here: {what} is refused",
            hint="change the database with a tool of your own, then isovc commit",
        )


class SeveralStatements(WrongUsage):
    """More than one statement where the answer is one document."""

    code = "several-statements"

    def __init__(self, *, form: str) -> None:
        self.form = form
        super().__init__(f"{form} is for one statement, and several were given", hint="ask them one by one")


class BadOrder(WrongUsage):
    """A line in the shell that begins with a dot and is none of ours."""

    code = "bad-order"

    def __init__(self, *, order: str, known: Sequence[str]) -> None:
        self.order, self.known = order, tuple(known)
        super().__init__(f"the shell does not know {order}", hint=f"{', '.join(self.known)}; .help explains them")


class BadParameter(WrongUsage):
    """A parameter of a query without a value, or a value without a parameter."""

    code = "bad-parameter"

    def __init__(self, *, name: str, why: str) -> None:
        self.name, self.why = name, why
        which = f"the parameter {name!r}" if name else "the parameters"
        super().__init__(f"{which} cannot be used: {why}", hint="isovc sql 'SELECT :x' -p x=5")


class NoTableThere(Refused):
    """A table that the version which is asked does not have."""

    code = "no-such-table"

    def __init__(self, *, table: str, at: str, near: Sequence[str] = (), elsewhere: str = "") -> None:
        self.table, self.at, self.near, self.elsewhere = table, at, tuple(near), elsewhere
        hint = "isovc sql 'SELECT name FROM tables' lists what there is"
        if self.near:
            hint = f"did you mean {' or '.join(self.near)}?"
        if elsewhere:
            hint = (
                f"{elsewhere} has it: --at {elsewhere}"
                if elsewhere != "WORK"
                else "the database has it now: leave --at out"
            )
        super().__init__(f"there is no table {table!r} in {at}", hint=hint)


class ParquetNotInstalled(Refused):
    """A form of output that needs a library nobody installed."""

    code = "parquet-not-installed"

    def __init__(self) -> None:
        super().__init__("Parquet files need the library pyarrow", hint="pip install 'isovc[parquet]'")


class ValueHasNoPlace(Refused):
    """A value that the form of output cannot hold as it is."""

    code = "value-has-no-place"

    def __init__(self, *, what: str, form: str) -> None:
        self.what, self.form = what, form
        super().__init__(
            f"{what} has no place in {form}", hint="--json and --csv hold everything, or CAST it in the query"
        )


# -- folders of files --------------------------------------------------------------------------------------------------


class FolderGone(Refused):
    """The folder of the attachments is not there, or is no folder."""

    code = "folder-gone"

    def __init__(self, *, folder: Path, why: str) -> None:
        self.folder, self.why = folder, why
        super().__init__(
            f"the folder of attachments {folder} {why}", hint=f"bring it back, or: mkdir -p {quote(str(folder))}"
        )


class FileVanished(Refused):
    """A file that was there a moment ago."""

    code = "file-vanished"

    def __init__(self, *, path: str) -> None:
        self.path = path
        super().__init__(
            f"{printable(path)} went away, or became something else, while it was read", hint="run the command again"
        )


class FileUnreadable(Refused):
    """A file or folder among the attachments that we may not read."""

    code = "file-unreadable"

    def __init__(self, *, path: str) -> None:
        self.path = path
        super().__init__(
            f"no permission to read the attachment {printable(path)}",
            hint="check its owner and mode, or name it in .isovcignore",
        )


class FileRefused(Refused):
    """A file that the file system does not take."""

    code = "file-refused"

    def __init__(self, *, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{printable(path)} cannot be written here: {why}", hint="use a folder on another file system")


class PathLeavesFolder(Refused):
    """A path that leads out of the folder of attachments, or is kept for isovc."""

    code = "path-leaves-folder"

    def __init__(self, *, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"{printable(path)} cannot be a path among the attachments: {why}", hint="nothing was written; rename it"
        )


class PathInTheWay(Refused):
    """Something that would be lost stands where a file or folder shall be."""

    code = "path-in-the-way"

    def __init__(self, *, path: str, why: str, needed_for: str = "") -> None:
        self.path, self.why, self.needed_for = path, why, needed_for
        needed = f" of the attachment {printable(needed_for)}" if needed_for else ""
        super().__init__(
            f"{printable(path)} is in the way{needed}: {why}",
            hint="move it elsewhere and run the command again",
        )


class PathsCollide(Refused):
    """Paths that would be one file on this file system."""

    code = "paths-collide"

    def __init__(self, *, paths: Sequence[str]) -> None:
        self.paths = tuple(paths)
        super().__init__(
            f"{' and '.join(printable(path) for path in self.paths)} would be one file on this file system",
            hint="rename one of them, or use a file system that tells them apart",
        )


class FolderBusy(Busy):
    """Another process puts files into the folder."""

    code = "folder-busy"

    def __init__(self, *, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            f"another isovc command puts files into {folder}",
            hint="run the command again when the other one has finished",
        )


class BadIgnorePattern(Refused):
    """A line of .isovcignore that is no pattern."""

    code = "bad-ignore-pattern"

    def __init__(self, *, path: str, line: int, text: str) -> None:
        self.path, self.line, self.text = path, line, text
        super().__init__(
            f"line {line} of {printable(path)} is no pattern: {text!r}", hint="patterns are written as in .gitignore"
        )
