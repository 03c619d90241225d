"""The version of a commit, out of git."""

from __future__ import annotations

from isovc.errors import NotCanonical
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.worktrees import Files
from isovc.snapshot.numbering.numbers import NUMBERS_FILE, Numbers, decode_numbers
from isovc.snapshot.version import JSON_FILE, SQL_FILE, Version, decode_version, encode_version


def files_of(history: GitHistory, commit: CommitId | None) -> Files:
    """The files of a commit; those of the empty version before the first."""
    if commit is None:
        return encode_version(Version())
    files = history.read_files(commit, (JSON_FILE, SQL_FILE))
    if None in files.values():
        raise NotCanonical(what=f"commit {commit[:12]}", why="it was not made by isovc")
    return {name: data for name, data in files.items() if data is not None}


def version_of(history: GitHistory, commit: CommitId | None) -> Version:
    """The same as a version."""
    return decode_version(files_of(history, commit))


def numbers_of(history: GitHistory, commit: CommitId) -> tuple[CommitId, Numbers] | None:
    """A commit that a merge or the like brought rows from, and what numbers these got; None: they kept theirs."""
    data = history.read_file(commit, NUMBERS_FILE)
    if data is None:
        return None
    of, numbers = decode_numbers(data)
    return CommitId(of), numbers
