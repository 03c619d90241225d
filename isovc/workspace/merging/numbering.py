"""What the rows of one commit are called in another one: merges on the way may have given them other numbers. Only
reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitIndex
from isovc.repo.repository import Repository
from isovc.repo.versions import numbers_of, version_of
from isovc.snapshot.merging.lineage import kin
from isovc.snapshot.merging.row_names import rows_there
from isovc.snapshot.numbering.numbers import SAME, Numbering, Numberings, Numbers, numberings
from isovc.snapshot.version import Version

Known: TypeAlias = Sequence[tuple[CommitId, Numbers]]  # commits, and what their rows are called where one is


@dataclass(frozen=True, slots=True)
class Stand:
    """A version, and the commits it stands for, each with what its rows are called here."""

    version: Version
    parts: tuple[tuple[CommitId, Numberings], ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """A commit whose rows are known in two others."""

    commit: CommitId
    one: Numberings
    other: Numberings


@dataclass
class Lines:
    """The lines of a history, asked again and again."""

    repository: Repository
    history: GitHistory
    _versions: dict[CommitId, Version] = field(default_factory=dict)

    def version(self, commit: CommitId) -> Version:
        """The version of a commit."""
        if commit not in self._versions:
            self._versions[commit] = version_of(self.history, commit)
        return self._versions[commit]

    def stand(self, commit: CommitId) -> Stand:
        """A commit by itself."""
        return Stand(self.version(commit), ((commit, {}),))

    def called(self, start: Stand, goal: Stand, known: Known = ()) -> Numberings:
        """What the rows of `start` are called in `goal`. `known`: what is known of other commits there already."""
        parts = [_Part(commit, here, self._way(commit, goal, known)) for commit, here in start.parts]
        if len(parts) == 1 and not parts[0].one:
            return parts[0].other
        return self._through(parts, start.version)

    def touched(self, start: Stand, goal: CommitId) -> Iterator[tuple[Version, Version]]:
        """What was brought into the line to `goal` by merges that gave rows other numbers: from what, to what."""
        for commit, _ in start.parts:
            for merge, parent in self._joins(commit, goal) or self._joins(goal, commit) or ():
                if self._told(merge, parent):
                    with self.repository.file.reading() as db:
                        index = CommitIndex(db)
                        below = index.merge_bases(index.get(merge).parents[0], parent)
                    yield from ((self.version(each), self.version(parent)) for each in below)

    def _way(self, commit: CommitId, goal: Stand, known: Known) -> Numberings:
        """From a commit to what came of it, or the other way round, or by what both came from."""
        for tip, there in goal.parts:
            if (along := self._along(commit, tip)) is not None:
                return self._chained(commit, along, tip, there)
        tip, there = goal.parts[0]
        if (along := self._along(tip, commit)) is not None:
            names = self._names(tip, self.version(commit), along)
            turned = {names[table]: each.turned() for table, each in along.items() if table in names}
            return self._chained(commit, turned, tip, there)
        # what is known holds what was found out for it: one long look at each commit of a line is enough
        parts = [*(list(self._known(commit, known)) or self._picked(commit, tip)), *self._below(commit, tip)]
        return self._chained(commit, self._through(parts, self.version(commit)), tip, there)

    def _along(self, old: CommitId, new: CommitId) -> Numberings | None:
        """From a commit to one that descends from it; None: it does not."""
        joins = self._joins(old, new)
        if joins is None:
            return None
        found: Numberings = {}
        for merge, parent in joins:
            if numbers := self._told(merge, parent):
                found = self._chained(old, found, parent, numberings(numbers))
        return found

    def _joins(self, old: CommitId, new: CommitId) -> list[tuple[CommitId, CommitId]] | None:
        with self.repository.file.reading() as db:
            return CommitIndex(db).joins(old, new)

    def _told(self, merge: CommitId, parent: CommitId) -> Numbers:
        told = numbers_of(self.history, merge)
        return told[1] if told is not None and told[0] == parent else {}

    # -- where neither descends from the other -------------------------------------------------------------------------

    def _known(self, commit: CommitId, known: Known) -> Iterator[_Part]:
        """By what has been brought already from the same line, the last first."""
        for source, numbers in reversed(known):
            if (along := self._along(source, commit)) is not None:
                yield _Part(source, along, numberings(numbers))

    def _picked(self, commit: CommitId, tip: CommitId) -> Iterator[_Part]:
        """The same where other commands have done it: a commit that was made once more, with other numbers."""
        with self.repository.file.reading() as db:
            entries = list(CommitIndex(db).walk([tip], without=[commit]))
        for entry in entries:
            told = numbers_of(self.history, entry.id) if len(entry.parents) == 1 else None
            if told is None or self._joins(told[0], tip) is not None:
                continue
            along, after = self._along(told[0], commit), self._along(entry.id, tip)
            if along is not None and after is not None:
                yield _Part(told[0], along, self._chained(told[0], numberings(told[1]), entry.id, after))

    def _below(self, commit: CommitId, tip: CommitId) -> Iterator[_Part]:
        with self.repository.file.reading() as db:
            below = CommitIndex(db).merge_bases(commit, tip)
        for each in below:
            one, other = self._along(each, commit), self._along(each, tip)
            if one is not None and other is not None:
                yield _Part(each, one, other)

    def _through(self, parts: Sequence[_Part], start: Version) -> Numberings:
        """From `start` to where rows are called otherwise, through what either came from. What comes first counts."""
        found: dict[str, dict[int, int | None]] = {}
        for part in parts:
            tables = {**part.one, **part.other}
            names = self._names(part.commit, start, tables)
            for table in tables:
                one, other = part.one.get(table, SAME), part.other.get(table, SAME)
                if table not in names:
                    continue
                spoken = one.spoken_of() | other.spoken_of()
                for number in sorted(rows_there(self.repository.forest, self.version(part.commit), table, spoken)):
                    if (here := one.there(number)) is not None:
                        found.setdefault(names[table], {}).setdefault(here, other.there(number))
        return {table: Numbering.of(some) for table, some in found.items()}

    # -- tables by other names -----------------------------------------------------------------------------------------

    def _chained(self, start: CommitId, first: Numberings, middle: CommitId, second: Numberings) -> Numberings:
        """One after the other, by the names that tables have where it starts."""
        if not second:
            return first
        names = self._names(start, self.version(middle), {}, wanted=second)
        return {
            table: first.get(table, SAME).then(second.get(name, SAME))
            for table, name in names.items()
            if table in first or name in second
        }

    def _names(
        self,
        start: CommitId,
        there: Version,
        tables: Mapping[str, object],
        *,
        wanted: Mapping[str, object] | None = None,
    ) -> dict[str, str]:
        """What tables of a commit are called in another version."""
        here = self.version(start)
        if {*tables, *(wanted or {})} <= here.shape.tables.keys() & there.shape.tables.keys():
            return {name: name for name in here.shape.tables.keys() & there.shape.tables.keys()}
        return {old: new for old, (new, _) in kin(self.repository.forest, here, there).items()}
