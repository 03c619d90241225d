"""From what somebody names to a plan: for the working copy as it stands, or another branch. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isovc.errors import NoCommitsYet, NothingInRange
from isovc.history import CommitId
from isovc.repo.commits import CommitIndex
from isovc.repo.names import BRANCHES, TAGS
from isovc.repo.refs import Refs
from isovc.repo.revisions import Commit, parse_range
from isovc.workspace.desk import Desk
from isovc.workspace.merging.tasks import Plan, plan_merge, plan_picks, plan_rebase, plan_reverts


def merge_of(
    desk: Desk,
    theirs: Callable[[], Commit],
    *,
    name: str,
    into: str = "",
    message: str = "",
    forward: bool = True,
    holds: bool = False,
) -> Plan | None:
    """Bring what is called `name`. `into`: to this branch, not the one we are on; `theirs` is looked up after it."""
    branch, commit = desk.worktree.branch, desk.worktree.commit
    if into:
        with desk.repository.file.reading() as db:
            branch, commit = into, Refs(db).need(BRANCHES + into).target
    if commit is None:
        raise NoCommitsYet(branch=branch or desk.worktree.head)
    found = theirs()
    with desk.repository.file.reading() as db:
        return plan_merge(
            db,
            commit,
            found.id,
            name=name,
            what=_kind(found.ref or ""),
            branch=branch,
            message=message.strip(),
            forward=forward,
            holds=holds,
        )


def reverts_of(desk: Desk, commits: Callable[[], Sequence[CommitId]], *, mainline: int | None, holds: bool) -> Plan:
    """Take the changes of commits back."""
    here = _here(desk)
    meant = commits()
    with desk.repository.file.reading() as db:
        return plan_reverts(db, here, meant, mainline=mainline, holds=holds)


def picks_of(
    desk: Desk,
    commits: Callable[[], Sequence[CommitId]],
    *,
    mainline: int | None,
    says_origin: bool = False,
    holds: bool = False,
) -> Plan:
    """Make the changes of commits once more."""
    here = _here(desk)
    meant = commits()
    with desk.repository.file.reading() as db:
        return plan_picks(db, here, meant, mainline=mainline, says_origin=says_origin, holds=holds)


def rebase_of(desk: Desk, upstream: Callable[[], Commit], *, name: str) -> Plan | None:
    """Make what was done on this branch once more on what is called `name`."""
    here = _here(desk)
    there = upstream().id
    with desk.repository.file.reading() as db:
        return plan_rebase(db, here, there, name=name, branch=desk.worktree.branch)


def commits_meant(
    desk: Desk, words: Sequence[str], commit_of: Callable[[str], Commit], *, oldest_first: bool
) -> list[CommitId]:
    """The commits that revisions and ranges mean, in the order they are to be taken."""
    found: list[CommitId] = []
    for word in words:
        sides = parse_range(word)
        if sides is None:
            found.append(commit_of(word).id)
            continue
        without, tip = commit_of(sides[0]).id, commit_of(sides[1]).id
        with desk.repository.file.reading() as db:
            some = [entry.id for entry in CommitIndex(db).walk([tip], without=[without])]
        if not some:
            raise NothingInRange(text=word)
        found += reversed(some) if oldest_first else some
    return found


def _here(desk: Desk) -> CommitId:
    if desk.worktree.commit is None:
        raise NoCommitsYet(branch=desk.worktree.branch or desk.worktree.head)
    return desk.worktree.commit


def _kind(ref: str) -> str:
    return "branch" if ref.startswith(BRANCHES) else "tag" if ref.startswith(TAGS) else "commit"
