"""The version that two histories have in common. After a criss-cross there are several, and they are merged first."""

from __future__ import annotations

from collections.abc import Sequence

from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitIndex
from isovc.repo.repository import Repository
from isovc.repo.versions import version_of
from isovc.snapshot.how import How
from isovc.snapshot.merge import merge
from isovc.snapshot.version import Version

# what both sides have decided otherwise counts as it was before either did: so a later merge asks again unless both
# sides agree by now
_AS_BEFORE = How(prefer="base")


def common(repository: Repository, history: GitHistory, bases: Sequence[CommitId]) -> Version:
    """The version of these bases."""
    if not bases:
        return Version()
    version = version_of(history, bases[0])
    for at, other in enumerate(bases[1:], 1):
        with repository.file.reading() as db:
            index = CommitIndex(db)
            below = dict.fromkeys(each for one in bases[:at] for each in index.merge_bases(one, other))
        base = common(repository, history, tuple(below))
        version = merge(repository.forest, base, version, version_of(history, other), _AS_BEFORE).version
    return version
