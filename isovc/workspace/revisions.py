"""Which version a question means: a revision, a time, the live database. Loads no git; whoever calls may."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from isovc.errors import BadMoment, BadRevision, NoSuchRevision
from isovc.history import CommitId
from isovc.repo.revisions import Commit, Found, Where, Work, resolve
from isovc.snapshot.version import Version
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk

_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]|\Z)|\d{1,2}:\d\d")  # nobody writes the begin of a revision so


@dataclass(frozen=True, slots=True)
class Revisions:
    """What words mean at this desk. `read` fetches the version of a commit out of git; it is asked only for those that
    are not checked out."""

    desk: Desk
    where: Where
    read: Callable[[CommitId], Version]

    def found(self, text: str) -> Found:
        """What a revision means, or a time: the current branch then."""
        with self.desk.repository.file.reading() as db:
            try:
                return resolve(db, text, self.where)
            except (BadRevision, NoSuchRevision) as no_revision:
                try:
                    return resolve(db, f"@{{{text}}}", self.where)
                except BadMoment as no_time:
                    raise (no_time if _TIME.match(text) else no_revision) from None
                except (BadRevision, NoSuchRevision):
                    raise no_revision from None

    def version(self, text: str) -> Version:
        """The version it means."""
        return self.version_of(self.found(text))

    def version_of(self, found: Found) -> Version:
        """The same once it is known what is meant."""
        if isinstance(found, Commit):
            return self.desk.head if found.id == self.desk.worktree.commit else self.read(found.id)
        return look(self.desk) if isinstance(found, Work) else Version()

    def commit(self, text: str) -> CommitId | None:
        """Where the history of a version begins; None: it has none."""
        found = self.found(text)
        if isinstance(found, Commit):
            return found.id
        return self.desk.worktree.commit if isinstance(found, Work) else None
