"""What merging comes to, in plain dicts: a version is rows by table and key. Knows nothing of isovc."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

COLUMNS = {"t": ("k", "a", "b", "c"), "pair": ("p", "q", "r", "s")}
WIDTH = {"t": 1, "pair": 2}

Row = tuple[Any, ...]
Place = tuple[str, Row]  # table and key
Content = Mapping[Place, Row]


@dataclass(frozen=True)
class Conflict:
    """`column` None: the row as a whole."""

    table: str
    key: Row
    column: str | None
    kind: str
    sides: tuple[Row | None, Row | None, Row | None]

    def row(self, side: str) -> Row | None:
        return dict(zip(("base", "ours", "theirs"), self.sides, strict=True))[side]


def merged(
    base: Content, ours: Content, theirs: Content, prefer: str | None = None
) -> tuple[dict[Place, Row], frozenset[Conflict]]:
    """Cell by cell; where both sides spoke and not alike ours stands, or what `prefer` says."""
    result: dict[Place, Row] = {}
    conflicts: set[Conflict] = set()
    for place in {*base, *ours, *theirs}:
        was, mine, other = base.get(place), ours.get(place), theirs.get(place)
        row, contested = _row(place[0], was, mine, other)
        if contested and prefer:
            chosen = {"base": was, "ours": mine, "theirs": other}[prefer]
            if row is not None and chosen is not None and "" not in contested:
                cells = zip(COLUMNS[place[0]], row, chosen, strict=True)
                row = tuple(said if name in contested else cell for name, cell, said in cells)
            else:
                row = chosen
        elif contested:
            kind = (
                "add/add" if was is None else "delete/edit" if mine is None else "edit/delete" if other is None else ""
            )
            conflicts.update(
                Conflict(*place, column or None, kind or "edit/edit", (was, mine, other)) for column in contested
            )
        if row is not None:
            result[place] = row
    return result, frozenset(conflicts)


def _row(table: str, was: Row | None, mine: Row | None, other: Row | None) -> tuple[Row | None, list[str]]:
    """The row, and the columns that are contested; an empty name is the whole row."""
    if mine == other or other == was:
        return mine, []
    if mine == was:
        return other, []
    if was is None or mine is None or other is None:
        return mine, [""]
    row, contested = [], []
    for name, cell, first, second in zip(COLUMNS[table], was, mine, other, strict=True):
        row.append(second if first == cell else first)
        if first != second and cell not in (first, second):
            contested.append(name)
    return tuple(row), contested


@dataclass(frozen=True)
class Task:
    """The changes from `base` to `theirs`; `parents` of the version beside the tip."""

    base: Content
    theirs: Content
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """A merge that waits. `given`: what the database got when it stopped."""

    command: str
    task: Task
    todo: tuple[Task, ...]
    conflicts: frozenset[Conflict]
    given: Content
    home: str
    home_commit: str
    before: Content
    commits: bool = True
    prefer: str | None = None


@dataclass(frozen=True)
class State:
    """Everything that undo brings back. `head`: a branch, or a version by its id."""

    branches: Mapping[str, str]
    head: str
    live: Content
    stash: tuple[tuple[Content, Content], ...] = ()  # what it was put aside from, and what; the newest first
    waiting: Waiting | None = None

    @property
    def commit(self) -> str:
        return self.branches.get(self.head, self.head)

    def at(self, commit: str) -> State:
        """The same with the head there."""
        if self.head in self.branches:
            return replace(self, branches={**self.branches, self.head: commit})
        return replace(self, head=commit)


class InTheWay(Exception):
    """What is uncommitted and what would come touch the same."""


@dataclass
class Going:
    """A sequence at work: `current` is the last version, `held` what the database holds."""

    current: Content
    held: Content
    commits: bool = True
    prefer: str | None = None
    made: list[tuple[Content, tuple[str, ...]]] = field(default_factory=list)
    empty: int = 0

    def go_to(self, there: Content) -> None:
        self.held, self.current = self._beside(there), there

    def go_through(self, tasks: Sequence[Task]) -> tuple[Task, tuple[Task, ...], frozenset[Conflict]] | None:
        """The step that waits, those behind it, and what is contested."""
        for at, task in enumerate(tasks, 1):
            came, contested = merged(task.base, self.current, task.theirs, self.prefer)
            if contested and self.commits and self.held != self.current:
                raise InTheWay
            if self.commits and not contested and not task.parents and came == self.current:
                self.empty += 1
                continue
            self.held = self._beside(came) if self.commits else came
            if contested:
                return task, tuple(tasks[at:]), contested
            self.current = came
            if self.commits:
                self.made.append((came, task.parents))
        return None

    def _beside(self, there: Content) -> Content:
        if self.held == self.current:
            return there
        came, contested = merged(self.current, self.held, there)
        if contested:
            raise InTheWay
        return came


def settled(live: Content, conflicts: Sequence[Conflict], side: str, values: Mapping[str, Any]) -> dict[Place, Row]:
    """The rows when these are settled by a side, or by values (`side` empty)."""
    rows = dict(live)
    for each in conflicts:
        place, names = (each.table, each.key), COLUMNS[each.table]
        now = rows.pop(place, None)
        if side:
            row = each.row(side)
            if row is not None and now is not None and each.column is not None:
                at = names.index(each.column)
                row = (*now[:at], row[at], *now[at + 1 :])
        else:
            row = now or next(each.row(one) for one in ("theirs", "ours", "base") if each.row(one) is not None)
            assert row is not None
            row = tuple(values.get(name, cell) for name, cell in zip(names, row, strict=True))
        if row is not None:
            rows[place] = row
    return rows


# -- history -----------------------------------------------------------------------------------------------------------


def ancestors(parents: Mapping[str, Sequence[str]], tip: str) -> set[str]:
    found, left = set[str](), [tip]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left.extend(parents[one])
    return found


def merge_bases(parents: Mapping[str, Sequence[str]], one: str, other: str) -> set[str]:
    """Common ancestors that no other common ancestor descends from."""
    common = ancestors(parents, one) & ancestors(parents, other)
    below = {each for tip in common for each in ancestors(parents, tip) if each != tip}
    return common - below


def in_common(contents: Mapping[str, Content], parents: Mapping[str, Sequence[str]], bases: Sequence[str]) -> Content:
    """The version of several bases: merged, and where they differ as it was before."""
    if not bases:
        return {}
    version = contents[bases[0]]
    for at, other in enumerate(bases[1:], 1):
        below = dict.fromkeys(each for one in bases[:at] for each in sorted(merge_bases(parents, one, other)))
        version, _ = merged(in_common(contents, parents, tuple(below)), version, contents[other], "base")
    return version


def edited(waiting: Waiting, live: Content) -> Iterator[Conflict]:
    """What waits and is not in the database any more as the merge left it."""
    for each in waiting.conflicts:
        if waiting.given.get((each.table, each.key)) != live.get((each.table, each.key)):
            yield each
