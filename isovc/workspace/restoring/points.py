"""Which recorded state is meant by a time, a number or a revision, and how far it misses what was asked. Changes
nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import sleep, time_ns

from isovc.errors import BadMoment, NotCovered
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitIndex
from isovc.repo.entries import Entry
from isovc.repo.moments import parse_moment
from isovc.repo.rebuilding import version_at
from isovc.repo.timeline import Line, Timelines
from isovc.repo.versions import version_of
from isovc.snapshot.version import Version
from isovc.workspace.desk import Desk
from isovc.workspace.watching.watchers import watcher_of

_WRITING = 0.5  # seconds in which a watcher has written down what it has seen, on a machine that is busy


@dataclass(frozen=True, slots=True)
class Moment:
    """A recorded state: a transaction by its number, or a commit. Times are microseconds since 1970."""

    time: int
    number: int | None = None
    commit: CommitId | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"transaction {self.number}" if self.number is not None else f"commit {(self.commit or '')[:12]}"


@dataclass(frozen=True, slots=True)
class Point:
    """What was asked, what was found, and what came next. `asked`: a time, where one was asked for. `read`: the whole
    version, rebuilt and proven by its roots."""

    asked: int | None
    found: Moment
    following: Moment | None
    read: Callable[[], Version]

    @property
    def has_files(self) -> bool:
        """Whether it tells of files too, as commits do."""
        return self.found.commit is not None

    @property
    def early(self) -> float | None:
        """By how many milliseconds it misses the time that was asked for."""
        return None if self.asked is None else (self.asked - self.found.time) / 1000


def at_time(desk: Desk, history: GitHistory, time: int) -> Point:
    """The state that was in force then: of the recorded transactions, where these reach so far back, else of the
    commits."""
    watched_until = _watched_until(desk, time)
    line = _line(desk)
    with desk.repository.file.reading() as db:
        found = Timelines(db).entry_at(line, time) if line else None
    if line is None or found is None:
        return _commit_at(desk, history, time, line)
    following = found.following
    until = following.since if following and (following.is_gap or following.is_late) else None
    if following is None:
        until = max(line.seen, line.time, watched_until)
    if until is not None and time > until:
        near = [_moment(found.entry), *([_moment(following)] if following else [])]
        raise NotCovered(asked=time, why="nobody watched the database then", near=_near(near))
    return _of_entry(desk, line, found.entry, following, time)


def at_transaction(desk: Desk, number: int) -> Point:
    """The state after a recorded transaction."""
    line = _line(desk)
    with desk.repository.file.reading() as db:
        timelines = Timelines(db)
        line = line or timelines.get(desk.worktree.id, desk.worktree.head)
        entry = timelines.entry(line, number)
        following = next(timelines.entries(line, entry.number, line.next), None)
    return _of_entry(desk, line, entry, following, None)


def at_commit(desk: Desk, history: GitHistory, commit: CommitId) -> Point:
    """A committed version."""
    with desk.repository.file.reading() as db:
        time = CommitIndex(db).get(commit).time
    return Point(None, Moment(time, commit=commit), None, lambda: version_of(history, commit))


def at_words(desk: Desk, history: GitHistory, text: str, now: datetime, commit_of: Callable[[str], CommitId]) -> Point:
    """What somebody means who may mean a time or a revision. `now`: in the zone that times without one are meant in."""
    try:
        return at_time(desk, history, parse_moment(text, now=now))
    except BadMoment:
        if text[:1].isdigit() or " " in text:  # it was meant as a time
            raise
    return at_commit(desk, history, commit_of(text))


def _commit_at(desk: Desk, history: GitHistory, time: int, line: Line | None) -> Point:
    here = desk.worktree.commit
    with desk.repository.file.reading() as db:
        index = CommitIndex(db)
        found = index.as_of(here, time) if here else None
        oldest = index.first(here) if here else None
        began = _moment(Timelines(db).first(line)) if line else None
        if found is None or here is None:
            near = [each for each in (oldest and Moment(oldest.time, commit=oldest.id), began) if each]
            raise NotCovered(asked=time, why="nothing had been kept by then", near=_near(near))
        following = index.after(found, here)
        moment = Moment(index.get(found).time, commit=found)
        if following is None and time > max(moment.time, time_ns() // 1000):
            raise NotCovered(asked=time, why="that time is still to come", near=_near([moment]))
    later = [Moment(following.time, commit=following.id)] if following else []
    later += [began] if began else []
    after = min(later, key=lambda each: each.time, default=None)
    return Point(time, moment, after, lambda: version_of(history, found))


def _of_entry(desk: Desk, line: Line, entry: Entry, following: Entry | None, asked: int | None) -> Point:
    after = None if following is None else _moment(following)
    return Point(asked, _moment(entry), after, lambda: version_at(desk.repository, line, entry))


def _watched_until(desk: Desk, time: int) -> int:
    """Until when a watcher at work has written down all it saw (0: none is at work): it is given the moment it needs
    for what has only just happened."""
    watcher = watcher_of(desk)
    if watcher is None or not watcher.ready:
        return 0
    needs = int((_WRITING + 2 * watcher.every) * 1_000_000)
    now = time_ns() // 1000
    if now - needs < time <= now:
        sleep((time + needs - now) / 1_000_000)
        now = time + needs
    return now - needs


def _line(desk: Desk) -> Line | None:
    with desk.repository.file.reading() as db:
        return Timelines(db).find(desk.worktree.id, desk.worktree.head)


def _near(moments: Sequence[Moment]) -> list[tuple[str, int]]:
    return [(each.name, each.time) for each in moments]


def _moment(entry: Entry) -> Moment:
    return Moment(entry.time, number=entry.number)
