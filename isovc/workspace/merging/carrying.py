"""Uncommitted changes brought to another version than they were made on. They keep the numbers of their rows, or do not
fit."""

from __future__ import annotations

from dataclasses import dataclass

from isovc.history import CommitId
from isovc.snapshot.merging.merge import merge
from isovc.snapshot.merging.row_names import Names
from isovc.snapshot.merging.translating import translated
from isovc.snapshot.version import Version
from isovc.workspace.merging.numbering import Lines


@dataclass(frozen=True, slots=True)
class Carried:
    """What comes out, and in which tables how many things do not fit."""

    version: Version
    tables: tuple[str, ...]
    many: int


def names_between(lines: Lines, old: CommitId | None, new: CommitId | None) -> Names:
    """What the rows of one commit are called in another one."""
    if old is None or new is None or old == new:
        return Names()
    return Names(lines.called(lines.stand(old), lines.stand(new)))


def carried(lines: Lines, was: Version, held: Version, there: Version, names: Names) -> Carried:
    """What `held` has made of `was`, made of `there`."""
    forest = lines.repository.forest
    said = translated(forest, was, there, held, names)
    merged = merge(forest, said.base, there, said.theirs)
    tables = {*(each.table for each in merged.conflicts), *said.given}
    many = len(merged.conflicts) + sum(map(len, said.given.values()))
    return Carried(merged.version, tuple(sorted(tables)), many)
