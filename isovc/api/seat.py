"""Where a script works, and how each call gets there: the repository opened, the deed named, everything closed behind.

Nothing stays open between two calls, so other programs, and other threads of the same one, come and go meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from socket import gethostname
from typing import TypeAlias

from isovc.errors import BadMoment, BadRevision
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.lifecycle.opening import opened
from isovc.lifecycle.tidying import tidy
from isovc.progress import Progress
from isovc.repo.deeds import Deed
from isovc.repo.moments import microseconds
from isovc.repo.person import author_of, login
from isovc.repo.place import Place
from isovc.repo.repository import Repository
from isovc.repo.revisions import Commit, Where, resolve_commit
from isovc.repo.settings import Settings
from isovc.repo.versions import version_of
from isovc.workspace.desk import Desk, sit_down
from isovc.workspace.mirroring import mirror
from isovc.workspace.moving import settle
from isovc.workspace.revisions import Revisions

Revision: TypeAlias = str | datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Who works. `author`: `Name <mail>`; None: as settings and git say. `settings`: the file of their own settings."""

    author: str | None
    settings: Path
    passphrase: str
    progress: Progress
    tell: Callable[[str], None]

    def deed(
        self, command: str, settings: Settings, history: GitHistory | None = None, *, author: str | None = None
    ) -> Deed:
        """A command at work."""
        return Deed(
            author=author_of(settings, history, {}, author or self.author),
            now=microseconds(datetime.now(UTC)),
            command=command,
            user=login(),
            host=gethostname(),
        )


@dataclass(frozen=True, slots=True)
class Work:
    """One call at work in a working copy."""

    desk: Desk
    history: GitHistory

    @property
    def where(self) -> Where:
        """What revisions are relative to. Times without a zone are meant in UTC."""
        return Where(self.desk.worktree.head, datetime.now(UTC))

    @property
    def revisions(self) -> Revisions:
        """What words mean here."""
        return Revisions(self.desk, self.where, partial(version_of, self.history))

    def commit(self, revision: Revision) -> Commit:
        """The commit that is meant; where a tag has the name of a branch, the branch."""
        with self.desk.repository.file.reading() as db:
            return resolve_commit(db, words(revision), self.where, branch_first=True)

    def commit_id(self, revision: Revision) -> CommitId:
        """The same without the name it was reached by."""
        return self.commit(revision).id


@dataclass(frozen=True, slots=True)
class Seat:
    """A place, and who works there."""

    place: Place
    person: Person

    @contextmanager
    def repository(self, *, alone: bool = False, tidies: bool = False) -> Iterator[Repository]:
        """The repository, whatever the state of its databases."""
        who = self.person
        behind = partial(self._tidy) if tidies else None
        with opened(self.place.folder, who.settings, passphrase=who.passphrase, alone=alone, tidy=behind) as repository:
            yield repository

    @contextmanager
    def looking(self, *, alone: bool = False, tidies: bool = False) -> Iterator[Work]:
        """At the working copy, with nothing left half-way."""
        with self.repository(alone=alone, tidies=tidies) as repository:
            desk = sit_down(repository, self.place)
            if desk.worktree.intent is not None:
                desk, said = settle(desk)
                self._tell(said)
            with GitHistory(repository.git_folder) as history:
                yield Work(desk, history)

    @contextmanager
    def doing(self, command: str, *, author: str | None = None) -> Iterator[tuple[Work, Deed]]:
        """The same for a call that changes something, which git's own tools shall see."""
        with self.looking(tidies=True) as work:
            settings = work.desk.repository.settings
            yield work, self.person.deed(command, settings, work.history, author=author)
            self._tell(mirror(work.desk.repository, work.history))

    def at(self, database: Path) -> Seat:
        """The same person at another working copy of the repository."""
        return replace(self, place=Place(self.place.folder, database))

    def _tidy(self, repository: Repository) -> None:
        tidy(repository, partial(self.person.deed, "gc", repository.settings))

    def _tell(self, said: str) -> None:
        if said:
            self.person.tell(said)


def words(revision: Revision) -> str:
    """A revision as it is written; a time means the current branch then."""
    if isinstance(revision, str):
        return revision
    if not isinstance(revision, datetime):
        raise BadRevision(text=repr(revision), why="it is neither text nor a datetime")
    return f"@{{{_aware(revision).isoformat()}}}"


def several(names: Sequence[str]) -> tuple[str, ...]:
    """Names as they are given; one that stands alone is a name too, and not its letters."""
    return (names,) if isinstance(names, str) else tuple(names)


def moment(time: datetime) -> int:
    """A time as it is kept."""
    return microseconds(_aware(time))


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise BadMoment(text=time.isoformat(), why="it says no zone, as datetime.now(UTC) does")
    return time.astimezone(UTC)
