"""Do the names agree: refs with their logs, with the working copies, with what was shown to git?

What was shown to git last may be older than what holds here, because a stopped command shows nothing. It is never
newer: a name that git has at a commit which was never its own here tells of a commit that was made, and is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from isovc.errors import IsovcError
from isovc.history import CommitId
from isovc.history.mirror import shown_head, shown_refs
from isovc.lifecycle.damage import Damage
from isovc.repo.database import Database
from isovc.repo.repository import Repository
from isovc.repo.worktrees import Worktrees

_ID = 20  # bytes of a commit's id
_HEX = re.compile("[0-9a-f]{40}")
_COMMITTED = "commit: "  # how the log tells of a new commit


@dataclass(slots=True)
class _Names:
    """The refs and where they have been."""

    targets: dict[str, bytes] = field(default_factory=dict)
    newest: dict[str, bytes | None] = field(default_factory=dict)
    been: dict[str, set[bytes | None]] = field(default_factory=dict)


def disagreements(repository: Repository, times: dict[CommitId, int]) -> Iterator[Damage]:
    """All that does not fit. `times`: of all commits that are known."""
    names = _Names()
    try:
        with repository.file.reading() as db:
            yield from _refs(db, names, times)
            yield from _logs(db, names, times)
            heads = [(each.head, each.commit) for each in Worktrees(db).all()]
    except IsovcError as error:
        yield Damage(error.message)
        return
    yield from _last_moves(names)
    for head, commit in heads:
        target = names.targets.get(head)
        if (target.hex() if target else None) != commit if head.startswith("refs/") else head != commit:
            yield Damage(f"a working copy on {head} is at {(commit or 'no commit')[:12]}, and that leads elsewhere")
    yield from _shown(repository, names, times, {head for head, _ in heads})


def leading(repository: Repository) -> Iterator[CommitId]:
    """Every commit that a name leads to, here or in git."""
    shown = (commit.decode(errors="replace") for commit in shown_refs(repository.git_folder).values())
    yield from (CommitId(commit) for commit in shown if _HEX.fullmatch(commit))
    try:
        with repository.file.reading() as db:
            yield from (CommitId(row[0].hex()) for row in db.execute("SELECT target FROM ref") if _is_id(row[0]))
    except IsovcError:
        pass  # told where the names are looked at


def _last_moves(names: _Names) -> Iterator[Damage]:
    for name in sorted(names.targets.keys() | names.newest.keys()):
        target, newest = names.targets.get(name), names.newest.get(name)
        if target != newest:
            ends = [each.hex()[:12] if each else "no commit" for each in (target, newest)]
            yield Damage(f"{name} leads to {ends[0]}, and its log says to {ends[1]}", _commit(target))


def _refs(db: Database, names: _Names, times: dict[CommitId, int]) -> Iterator[Damage]:
    for name, target, message in db.execute("SELECT name, target, message FROM ref", ()):
        if not _is_name(name) or not _is_id(target) or not isinstance(message, str):
            yield Damage(f"the name {name!r} makes no sense")
            continue
        names.targets[name] = target
        if target.hex() not in times:
            yield Damage(f"{name} leads to commit {target.hex()[:12]}, which is not known", _commit(target))


def _logs(db: Database, names: _Names, times: dict[CommitId, int]) -> Iterator[Damage]:
    listing = "SELECT name, seq, time, old, new, operation, origin, origin_seq FROM ref_log ORDER BY name, seq"
    before, last = "", 0
    for name, seq, time, old, new, operation, origin, origin_seq in db.execute(listing, ()):
        sensible = _is_name(name) and all(each is None or _is_id(each) for each in (old, new))
        sensible = sensible and isinstance(time, int) and isinstance(operation, str)
        sensible = sensible and (isinstance(origin, str), isinstance(origin_seq, int)) in ((True, True), (False, False))
        if name != before:
            before, last = name, 0
        if not sensible or seq != last + 1 or old != names.newest.get(name):
            yield Damage(f"line {seq} of the log of {name} does not follow from what is before it")
        elif operation.startswith(_COMMITTED) and times.get(_commit(new) or CommitId(""), time) != time:
            yield Damage(f"line {seq} of the log of {name} has another time than the commit it tells of", _commit(new))
        last = seq if isinstance(seq, int) else last
        names.newest[name] = new
        names.been.setdefault(name, set()).update((old, new))


def _shown(repository: Repository, names: _Names, times: dict[CommitId, int], heads: set[str]) -> Iterator[Damage]:
    folder = repository.git_folder
    for raw_name, raw_commit in shown_refs(folder).items():
        name, commit = raw_name.decode(errors="replace"), raw_commit.decode(errors="replace")
        if commit not in {each.hex() for each in names.been.get(name, set()) if isinstance(each, bytes)}:
            yield Damage(f"git knows {name} at {commit[:12]}, where it has never been here")
    head = shown_head(folder)
    if head not in heads and head not in names.been and head not in times:
        yield Damage(f"git's HEAD is {head or 'empty'}, which is not known here")


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.startswith("refs/")


def _is_id(raw: Any) -> bool:
    return isinstance(raw, bytes) and len(raw) == _ID


def _commit(raw: bytes | None) -> CommitId | None:
    return CommitId(raw.hex()) if isinstance(raw, bytes) else None
