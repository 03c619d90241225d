"""Which version do these words mean? Parsing gives a small tree, resolving looks it up. Changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from isovc.errors import (
    AmbiguousRevision,
    BadMoment,
    BadRevision,
    BeforeHistory,
    NoCommitsYet,
    NoSuchRevision,
)
from isovc.history import CommitId
from isovc.repo.commits import CommitIndex
from isovc.repo.database import Database
from isovc.repo.moments import from_microseconds, parse_moment
from isovc.repo.names import BRANCHES, PUT_ASIDE, STASH, TAGS, WORDS, near_names, short
from isovc.repo.refs import Refs

_HEX = re.compile(r"[0-9a-f]{4,40}")
_STEP = re.compile(r"(?:[~^][0-9]{0,9}|@\{[^{}]*\})\Z")
_NO_NAME = re.compile(r"[\x00-\x20\x7f\ud800-\udfff~^:?*\[\\]|\.\.|@\{")
_COUNT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; `ref` is the full name it was reached by, if it was by one."""

    id: CommitId
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """The live database."""


@dataclass(frozen=True, slots=True)
class Empty:
    """The version without anything."""


Found: TypeAlias = Commit | Work | Empty


@dataclass(frozen=True, slots=True)
class Words:
    """A name (empty: HEAD) and what is done to it, step by step."""

    name: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        return self.name + "".join(self.steps)


@dataclass(frozen=True, slots=True)
class Where:
    """What revisions are relative to."""

    head: str  # full ref name or commit id
    now: datetime  # in the person's zone


def parse(text: str) -> Words:
    """Take a revision apart."""
    steps: list[str] = []
    rest = text
    while found := _last_step(rest):
        steps.insert(0, found)
        rest = rest[: len(rest) - len(found)]
    if not rest and not steps:
        raise BadRevision(text=text, why="it is empty")
    if not rest and not steps[0].startswith("@{"):
        raise BadRevision(text=text, why=f"{steps[0]} stands behind nothing")
    if _NO_NAME.search(rest):
        raise BadRevision(text=text, why=f"no name is written like {rest!r}")
    return Words(rest, tuple(steps))


def parse_range(text: str) -> tuple[str, str, bool] | None:
    """`A..B` and `A...B` (then True) as their two sides; None: it is a single revision."""
    inside = re.sub(r"@\{[^{}]*\}", lambda found: "x" * len(found[0]), text)
    for dots in ("...", ".."):
        at = inside.find(dots)
        if at >= 0:
            return text[:at] or "HEAD", text[at + len(dots) :] or "HEAD", dots == "..."
    return None


def resolve(db: Database, text: str, where: Where, *, branch_first: bool = False) -> Found:
    """What a revision means now. A name that a tag and a branch share is the tag's, or with `branch_first` the
    branch's."""
    words = parse(text)
    if words.name in ("WORK", "EMPTY"):
        if words.steps:
            raise BadRevision(text=text, why=f"{words.name} has no history")
        return Work() if words.name == "WORK" else Empty()
    kinds = (BRANCHES, TAGS) if branch_first else (TAGS, BRANCHES)
    refs, known = Refs(db), 0
    if words.name == PUT_ASIDE and not any(refs.get(kind + words.name) for kind in kinds):
        found, known = _put_aside(refs, words, text)
    else:
        found = _start(db, words.name or "HEAD", where, text, kinds)
    for place, step in list(enumerate(words.steps))[known:]:
        found = _step(db, found, step, where, text, str(Words(words.name, words.steps[:place])))
    return found


def resolve_commit(db: Database, text: str, where: Where, *, branch_first: bool = False) -> Commit:
    """The same where only a commit will do."""
    found = resolve(db, text, where, branch_first=branch_first)
    if not isinstance(found, Commit):
        raise BadRevision(text=text, why="a commit is needed here")
    return found


def shared_name(db: Database, text: str) -> str | None:
    """The name in a revision, if a tag and a branch are both called so."""
    name = parse(text).name
    refs = Refs(db)
    return name if name and refs.get(TAGS + name) and refs.get(BRANCHES + name) else None


def _last_step(text: str) -> str | None:
    found = _STEP.search(text)
    return found[0] if found else None


def _start(db: Database, name: str, where: Where, text: str, kinds: tuple[str, str]) -> Commit:
    refs = Refs(db)
    if name in ("HEAD", "@"):
        name = where.head
        if name.startswith("refs/") and refs.get(name) is None:
            raise NoCommitsYet(branch=short(name))
    for full in (name, *(kind + name for kind in kinds)) if not name.startswith("refs/") else (name,):
        if found := refs.get(full):
            return Commit(found.target, full)
    if _HEX.fullmatch(name.lower()):
        candidates = CommitIndex(db).find(name.lower())
        if len(candidates) > 1:
            raise AmbiguousRevision(text=name, candidates=[each[:12] for each in candidates])
        if candidates:
            return Commit(candidates[0])
    known = [short(each.name) for kind in (BRANCHES, TAGS) for each in refs.all(kind)]
    raise NoSuchRevision(text=text, near=near_names(name, [*known, *WORDS]))


def _put_aside(refs: Refs, words: Words, text: str) -> tuple[Commit, int]:
    """An entry of the stash, and how many steps said which: none is the newest."""
    entries = refs.all(STASH)
    said = words.steps[0][2:-1] if words.steps and words.steps[0].startswith("@{") else None
    if said is not None and not _COUNT.fullmatch(said):
        raise BadRevision(text=text, why=f"an entry of the stash has a number, like {PUT_ASIDE}@{{0}}")
    number = int(said or 0)
    if number >= len(entries):
        many = f"the stash holds {len(entries)}, counted from 0" if entries else "nothing is put aside"
        raise NoSuchRevision(text=text, why=many)
    return Commit(entries[-1 - number].target), int(said is not None)


def _step(db: Database, found: Commit, step: str, where: Where, text: str, before: str) -> Commit:
    if step.startswith("@{"):
        return _at(db, found, step[2:-1], where, text, before)
    index = CommitIndex(db)
    many = int(step[1:] or 1)
    if step[0] == "~":
        up = index.ancestor(found.id, many)
        if up is None:
            raise NoSuchRevision(text=text, why="history does not go back that far")
        return Commit(up)
    if many == 0:
        return found
    parents = index.get(found.id).parents
    if many > len(parents):
        raise NoSuchRevision(text=text, why=f"{found.id[:12]} has {len(parents)} parent{'s' * (len(parents) != 1)}")
    return Commit(parents[many - 1])


def _at(db: Database, found: Commit, words: str, where: Where, text: str, before: str) -> Commit:
    log = list(Refs(db).log(found.ref)) if found.ref else []
    index = CommitIndex(db)
    if _COUNT.fullmatch(words):
        if int(words) >= len(log):
            raise NoSuchRevision(text=text, why=f"it has moved {len(log)} times")
        target = log[int(words)].new
        if target is None:
            raise NoSuchRevision(text=text, why="it did not exist then")
        return _still_there(index, target, text)
    try:
        asked = parse_moment(words, now=where.now)
    except BadMoment as error:
        raise BadMoment(text=words, why=error.why) from None
    for move in log:
        if move.time <= asked and move.new is not None:
            return _still_there(index, move.new, text)
    earlier = index.as_of(found.id, asked)
    if earlier is None:
        first = index.first(found.id).time
        form = "seconds" if _said(asked, where, "seconds") != _said(first, where, "seconds") else "auto"
        raise BeforeHistory(
            text=text,
            asked=_said(asked, where, form),
            earliest=_said(first, where, form),
            instead=f"{before}@{{{_said(first, where)}}}",
        )
    return Commit(earlier)


def _still_there(index: CommitIndex, commit: CommitId, text: str) -> Commit:
    """The log of a name tells of commits that nothing leads to any more, and gc may have let go of."""
    if commit not in index:
        raise NoSuchRevision(text=text, why=f"{commit[:12]} was cleaned up by gc")
    return Commit(commit)


def _said(time: int, where: Where, form: str = "auto") -> str:
    return from_microseconds(time, where.now.tzinfo).isoformat(timespec=form)
