"""The versions of commits while somebody goes through them, and where one begins."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from isovc.formats.long_words import LONG
from isovc.history import CommitId
from isovc.repo.repository import Repository
from isovc.repo.revisions import Commit, Empty, Found
from isovc.snapshot.renames import Pair
from isovc.snapshot.version import Version
from isovc.tree.forest import Forest
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk
from isovc.workspace.rows.homes import pairs_between
from isovc.workspace.rows.touching import Touch, touch

_KEPT = 256  # versions: some kB each, and whoever goes back meets one as a commit and then as a parent

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Start:
    """A version that one looks back from. `commit`: which one it is, or if it is not committed yet, the one below."""

    version: Version
    commit: CommitId | None
    is_committed: bool = True


class Past:
    """Versions by commit (None: the empty one), and what became what from one to another. `read` fetches one.
    `for_people`: values that are long are not read, since little of them is shown."""

    def __init__(self, desk: Desk, read: Callable[[CommitId], Version], *, for_people: bool = False) -> None:
        self._desk = desk
        self.upto = LONG if for_people else None
        self._read = read
        self._versions: OrderedDict[CommitId | None, Version] = OrderedDict()
        self._pairs: OrderedDict[tuple[CommitId | None, CommitId], Sequence[Pair]] = OrderedDict()

    @property
    def repository(self) -> Repository:
        """Where everything is kept."""
        return self._desk.repository

    @property
    def forest(self) -> Forest:
        """Where the rows are."""
        return self._desk.repository.forest

    def start(self, meant: Found) -> Start:
        """Where somebody wants to begin."""
        if isinstance(meant, Commit):
            return Start(self.version(meant.id), meant.id)
        if isinstance(meant, Empty):
            return Start(Version(), None)
        return Start(look(self._desk), self._desk.worktree.commit, is_committed=False)

    def version(self, commit: CommitId | None) -> Version:
        """What a commit holds."""
        return _kept(self._versions, commit, lambda: Version() if commit is None else self._read(commit))

    def pairs(self, old: CommitId | None, new: CommitId) -> Sequence[Pair]:
        """Which table became which."""
        return _kept(self._pairs, (old, new), lambda: pairs_between(self.forest, self.version(old), self.version(new)))

    def touch(self, old: CommitId | None, new: CommitId) -> Touch:
        """What the newer one touched of the older one."""
        return touch(self.forest, self.version(old), self.version(new))


def _kept(kept: OrderedDict[_K, _V], key: _K, make: Callable[[], _V]) -> _V:
    found = kept.get(key)
    if found is None:
        found = kept[key] = make()
        if len(kept) > _KEPT:
            kept.popitem(last=False)
    else:
        kept.move_to_end(key)
    return found
