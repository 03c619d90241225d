"""Which changes a command brings, in which order, and what each commit of it will say. Only plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from isovc.errors import MainlineNeeded, NoMainline, NothingInCommon
from isovc.history import CommitId
from isovc.repo.commits import CommitEntry, CommitIndex
from isovc.repo.database import Database
from isovc.repo.merges import Task

_MAIN = ("main", "master")  # merging into these goes without saying
_ID = 12  # digits of an id in a message's first line
_WORDS = 32  # characters of one, where it stands before a value


@dataclass(frozen=True, slots=True)
class Plan:
    """What a command brings. `start`: the commit that the changes are brought to. `commits`: each step ends with one.
    `holds`: the last one waits for somebody to make it. `drops`: a ref that goes at the end. `keeps_author`: of what is
    brought."""

    command: str
    telling: str
    start: CommitId | None
    tasks: tuple[Task, ...]
    commits: bool = True
    holds: bool = False
    drops: str = ""
    ours: str = ""  # what our side is called; nothing: as the branch


def plan_merge(
    db: Database,
    here: CommitId,
    theirs: CommitId,
    *,
    name: str,
    what: str,
    branch: str | None,
    message: str = "",
    forward: bool = True,
    holds: bool = False,
) -> Plan | None:
    """Everything of another version that is not here; None: there is nothing. `forward`: where nothing was done here
    since, the branch just goes there."""
    index = CommitIndex(db)
    bases = index.merge_bases(here, theirs)
    if theirs in bases:
        return None
    into = "" if branch is None or branch in _MAIN else f" into {branch}"
    telling = f"merge {name} into {branch or here[:_ID]}"
    if here in bases and forward and not holds:
        return Plan("merge", telling, theirs, ())
    if not bases:
        raise NothingInCommon(name=name)
    said = message or f"Merge {what} '{name}'{into}"
    return Plan("merge", telling, here, (Task(name, bases, theirs, said, parents=(theirs,)),), holds=holds)


def plan_reverts(
    db: Database, here: CommitId, commits: Sequence[CommitId], *, mainline: int | None, holds: bool = False
) -> Plan:
    """The changes of commits taken back, one by one."""
    index = CommitIndex(db)
    tasks = []
    for entry in map(index.get, commits):
        before = _before(index, entry, mainline)
        name = f"before {entry.id[:_ID]} {_subject(entry)}"
        tasks.append(Task(name, (entry.id,), before, _revert_message(entry, before)))
    return Plan("revert", f"revert {_listed(commits)}", here, tuple(tasks), holds=holds)


def plan_picks(
    db: Database,
    here: CommitId,
    commits: Sequence[CommitId],
    *,
    mainline: int | None,
    says_origin: bool = False,
    holds: bool = False,
) -> Plan:
    """The changes of commits made once more, here."""
    index = CommitIndex(db)
    tasks = [_again(index, entry, mainline, says_origin=says_origin) for entry in map(index.get, commits)]
    return Plan("cherry-pick", f"cherry-pick {_listed(commits)}", here, tuple(tasks), holds=holds)


def plan_rebase(db: Database, here: CommitId, upstream: CommitId, *, name: str, branch: str | None) -> Plan | None:
    """What was done here since, made once more on another version; None: it stands there already. Merges are left
    out: what they brought is there, or is brought by itself."""
    index = CommitIndex(db)
    own = [entry for entry in index.walk([here], without=[upstream]) if len(entry.parents) < 2]
    if index.is_ancestor(upstream, here) and _is_line(index, here, upstream):
        return None
    tasks = [_again(index, entry, None) for entry in reversed(own)]
    return Plan("rebase", f"rebase {branch or here[:_ID]} onto {name}", upstream, tuple(tasks), ours=name)


def _is_line(index: CommitIndex, tip: CommitId, goal: CommitId) -> bool:
    """Whether nothing but single steps lead from one to the other."""
    while tip != goal:
        parents = index.get(tip).parents
        if len(parents) != 1:
            return False
        tip = parents[0]
    return True


def _again(index: CommitIndex, entry: CommitEntry, mainline: int | None, *, says_origin: bool = False) -> Task:
    before = _before(index, entry, mainline)
    message = entry.message
    if says_origin:
        message = f"{message.rstrip()}\n\n(cherry picked from commit {entry.id})"
    name = f"{entry.id[:_ID]} {_subject(entry)}"
    return Task(name, (before,) if before else (), entry.id, message, entry.author)


def _before(index: CommitIndex, entry: CommitEntry, mainline: int | None) -> CommitId | None:
    """The version that a commit changed; of a merge the parent with this number, from 1."""
    if len(entry.parents) > 1 and mainline is None:
        parents = [(parent, _subject(index.get(parent))) for parent in entry.parents]
        raise MainlineNeeded(commit=entry.id, parents=parents)
    if mainline is not None and len(entry.parents) < max(2, mainline):
        raise NoMainline(commit=entry.id, number=mainline, parents=len(entry.parents))
    return entry.parents[(mainline or 1) - 1] if entry.parents else None


def _revert_message(entry: CommitEntry, before: CommitId | None) -> str:
    reversing = f", reversing changes made to {before}" if len(entry.parents) > 1 else ""
    first = entry.message.strip().splitlines()[0] if entry.message.strip() else ""
    return f'Revert "{first}"\n\nThis reverts commit {entry.id}{reversing}.'


def _subject(entry: CommitEntry) -> str:
    """The first words of its message."""
    return shorten(entry.message.strip().partition("\n")[0], _WORDS, placeholder="...")


def _listed(commits: Sequence[CommitId]) -> str:
    return ", ".join(each[:_ID] for each in commits)
