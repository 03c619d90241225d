"""A merged version into the database, inside its transaction, and what the database says to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from isovc.encoding.orderkey import encode_key
from isovc.errors import ShapeNotReached
from isovc.repo.repository import Repository
from isovc.snapshot.merging.own_rows import with_own_rows
from isovc.snapshot.move import plan_move
from isovc.snapshot.rows import Rows, row_at, with_rows
from isovc.snapshot.version import Version
from isovc.snapshot.virtual.rows import reindexed
from isovc.sources.sqlite import Broken, Refusal, Writing
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row as Cells


@dataclass(frozen=True, slots=True)
class Put:
    """What the database holds now: the version it was given, but for rows that it refuses, which are as they were.
    `broken`: rows that point to nothing since; `uncompiled`: views and triggers that cannot work since."""

    version: Version
    refused: tuple[Refusal, ...]
    broken: tuple[Broken, ...]
    uncompiled: tuple[tuple[str, str, str], ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong with it."""
        return not (self.refused or self.broken or self.uncompiled)


class _NotNew(Exception):
    """Something is wrong, and may have been before."""


class _InAnew(Exception):
    """A table that is made anew refuses rows."""


def put(repository: Repository, writing: Writing, held: Version, wanted: Version) -> Put:
    """Make the database, which holds `held`, this version."""
    with suppress(_NotNew), writing.attempt():
        done = _put(repository, writing, held, wanted)
        if done.broken or done.uncompiled:
            raise _NotNew
        return done
    # what was wrong before is nobody's news: that is looked for only where something is wrong now
    broken, uncompiled = set(writing.broken_references()), {each[:2] for each in writing.uncompiled()}
    done = _put(repository, writing, held, wanted)
    return replace(
        done,
        broken=tuple(each for each in done.broken if each not in broken),
        uncompiled=tuple(each for each in done.uncompiled if each[:2] not in uncompiled),
    )


def _put(repository: Repository, writing: Writing, held: Version, wanted: Version) -> Put:
    plan = plan_move(repository.forest, held, wanted, repository.tally)
    refused: list[Refusal] = []
    with suppress(ShapeNotReached, _InAnew), writing.attempt():
        writing.apply(plan.target, plan.changes, contents=plan.contents, refused=refused)
        if any(each.table in plan.contents for each in refused):
            raise _InAnew
        return _left(repository, writing, held, wanted, refused)
    # A table that is made anew asks its rows in the order of their keys, and cannot tell which were there before. So
    # these come first, in its new columns, and then what changes.
    own = with_own_rows(repository.forest, held, wanted, plan.contents)
    refused.clear()
    anew = plan.contents.keys()
    for start, end in ((held, own), (own, wanted)):
        plan = plan_move(repository.forest, start, end, repository.tally)
        writing.apply(plan.target, plan.changes, contents=plan.contents, refused=refused)
        for each in refused if start is held else ():
            if each.table in anew:  # what is there already does not fit the new definition
                raise ShapeNotReached(path=writing.path, type="table", name=each.table, why=each.why)
    return _left(repository, writing, own, wanted, refused)


def _left(repository: Repository, writing: Writing, held: Version, wanted: Version, refused: Sequence[Refusal]) -> Put:
    """What the database holds now."""
    version = wanted
    if refused:
        without = with_rows(repository.forest, wanted, _as_before(repository.forest, held, wanted, refused))
        version = reindexed(repository.forest, wanted, without)
        if version is not without:
            plan = plan_move(repository.forest, without, version)
            writing.apply(plan.target, plan.changes, contents=plan.contents)
    return Put(version, tuple(refused), tuple(writing.broken_references()), tuple(writing.uncompiled()))


def _as_before(forest: Forest, held: Version, wanted: Version, refused: Iterable[Refusal]) -> Rows:
    rows: dict[str, dict[bytes, Cells | None]] = {}
    for each in refused:
        table = wanted.shape.tables[each.table]
        rows.setdefault(each.table, {})[encode_key(each.key)] = row_at(forest, held, each.table, each.key, table)
    return rows
