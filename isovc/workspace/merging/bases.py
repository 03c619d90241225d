"""The version that two histories have in common, and theirs, in the numbers that our rows have. Several bases, after a
criss-cross, are merged first."""

from __future__ import annotations

from collections.abc import Sequence

from isovc.history import CommitId
from isovc.repo.commits import CommitIndex
from isovc.repo.merges import Task
from isovc.repo.versions import version_of
from isovc.snapshot.merging.how import How
from isovc.snapshot.merging.merge import merge
from isovc.snapshot.merging.row_names import Names
from isovc.snapshot.merging.translating import Translated, translated
from isovc.snapshot.numbering.numbers import SAME, composed, numberings
from isovc.snapshot.version import Version
from isovc.workspace.merging.numbering import Known, Lines, Stand

# what both sides have decided otherwise counts as it was before either did: so a later merge asks again unless both
# sides agree by now
_AS_BEFORE = How(prefer="base")


def in_numbers_of(lines: Lines, here: Stand, task: Task, known: Known = ()) -> Translated:
    """What the changes of a step were made to, and what came of them, in the numbers that rows have `here`."""
    if task.theirs is None or not task.bases:
        return Translated(common(lines, task.bases, ()).version, version_of(lines.history, task.theirs))
    theirs = lines.stand(task.theirs)
    base = common(lines, task.bases, (here, theirs))
    names = Names(
        lines.called(base, here, known),
        lines.called(base, theirs),
        touched=tuple(lines.touched(base, task.theirs)),
    )
    return translated(lines.repository.forest, base.version, here.version, theirs.version, names)


def common(lines: Lines, bases: Sequence[CommitId], sides: Sequence[Stand]) -> Stand:
    """The version of these bases. `sides`: those that have it in common."""
    if not bases:
        return Stand(Version())
    found = lines.stand(bases[0])
    for at, commit in enumerate(bases[1:], 1):
        with lines.repository.file.reading() as db:
            index = CommitIndex(db)
            below = dict.fromkeys(each for one in bases[:at] for each in index.merge_bases(one, commit))
        found = _both(lines, common(lines, tuple(below), sides), found, commit, sides)
    return found


def _both(lines: Lines, base: Stand, found: Stand, commit: CommitId, sides: Sequence[Stand]) -> Stand:
    other = lines.stand(commit)
    names = Names(
        lines.called(base, found),
        lines.called(base, other),
        _apart(lines, found, other, sides),
        tuple(lines.touched(base, commit)),
    )
    forest = lines.repository.forest
    said = translated(forest, base.version, found.version, other.version, names)
    merged = merge(forest, said.base, found.version, said.theirs, _AS_BEFORE)
    return Stand(merged.version, (*found.parts, (commit, numberings(composed(said.numbers, merged.renumbered)))))


def _apart(lines: Lines, one: Stand, other: Stand, sides: Sequence[Stand]) -> dict[str, frozenset[int]]:
    """Numbers that mean different rows here and there, since a side calls them differently."""
    found: dict[str, set[int]] = {}
    for side in sides:
        mine, theirs = lines.called(one, side), lines.called(other, side)
        for table in {*mine, *theirs}:
            first, second = mine.get(table, SAME), theirs.get(table, SAME)
            numbers = first.spoken_of() | second.spoken_of()
            found.setdefault(table, set()).update(n for n in numbers if first.there(n) != second.there(n))
    return {table: frozenset(numbers) for table, numbers in found.items() if numbers}
