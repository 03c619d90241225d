"""Settling what waits: rows and cells by a side or a value, definitions by a side, or as the database has it by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TypeAlias

from isovc.encoding.orderkey import encode_key
from isovc.errors import (
    AllSettled,
    ChoiceRefused,
    NoSuchColumn,
    NoSuchConflict,
    NothingEdited,
    OtherColumnSet,
    WholeRowWaits,
)
from isovc.formats.words import key_shown
from isovc.model import Row
from isovc.repo.deeds import Deed, Telling
from isovc.repo.merges import Contested, Merge, contested_in, settle
from isovc.snapshot.merging.merge import DROPS
from isovc.snapshot.rows import Rows, row_at, with_rows
from isovc.snapshot.values import row_without_large, with_large
from isovc.snapshot.version import FILES, Version
from isovc.snapshot.virtual.rows import reindexed, table_of
from isovc.sources.sqlite import Writing, twin
from isovc.tree.diff import differing_cells
from isovc.workspace.desk import Desk
from isovc.workspace.merging.again import decided, merged_again, with_refused
from isovc.workspace.merging.choosing import Choice, Which, chosen_rows, of_one_row
from isovc.workspace.merging.putting import Put, put
from isovc.workspace.merging.telling import REFUSED, definition_at, pointing
from isovc.workspace.merging.waiting import keep, need, side
from isovc.workspace.moving import Step, announce, changing, confirm
from isovc.workspace.status import Difference, difference

# kinds in which both sides spoke of a row as a whole: a value for a cell is no answer, unless somebody names the row
_WHOLE = frozenset({"add/add", "edit/delete", "delete/edit", *DROPS})

_Broken: TypeAlias = set[tuple[str, bytes, str | None, str]]  # table, key, column and what is wrong


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was settled, how many things wait now, and what moved in the database. `whole`: rows that values were not
    given to, because they wait as a whole and nobody named them."""

    settled: tuple[Contested, ...]
    waiting: Merge
    moved: Difference
    whole: tuple[Contested, ...] = ()


def resolve(desk: Desk, which: Which, choice: Choice, deed: Deed) -> Resolved:
    """Settle what is meant."""
    with changing(desk) as (desk, writing, live):
        waiting = need(desk)
        contested = list(contested_in(desk.repository.forest, waiting))
        which = which.among_all(contested)
        for column in choice.values:
            if which.column and column.lower() != which.column.lower():
                raise OtherColumnSet(named=which.column, column=column, place=str(replace(which, column="")))
        merged = side(desk, waiting, "merged")
        broken = _broken(writing, contested) if choice.kind == "as it is" else set()
        meant = of_one_row(which, list(_meant(desk, contested, which, choice, live, merged, broken)))
        whole = tuple(each for each in meant if choice.kind == "set" and not which.key and each.kind in _WHOLE)
        meant = [each for each in meant if each not in whole]
        if not meant and not waiting.open:
            raise AllSettled(command=waiting.command)
        if not meant and choice.kind == "as it is" and not which.table:
            raise NothingEdited(open=waiting.open)
        if not meant:
            _check_columns(contested, which, choice, merged)
            if whole:
                first = whole[0]
                key = key_shown(first.key or ())
                raise WholeRowWaits(table=first.table, key=key, kind=first.kind, many=len(whole))
            raise NoSuchConflict(what=str(which))
        versions: dict[str, Version] = {}
        definitions = [each for each in meant if each.key is None]
        rows = [each for each in meant if each.key is not None]
        done, settled = Put(live, (), (), ()), meant
        if choice.kind == "renumber":
            if rows and all(each.table == FILES for each in rows):
                raise NoSuchConflict(what=str(which))  # a path is no number that another could stand for
            rows = [each for each in rows if each.kind == "add/add" and each.table != FILES]
            settled = rows
        if choice.kind == "renumber" or (definitions and choice.kind != "as it is"):
            how = decided(waiting.how, definitions, rows, choice)
            known = {each.id: each for each in rows}
            waiting, done, versions["merged"] = merged_again(desk, writing, waiting, how, settled, live)
            contested = list(contested_in(desk.repository.forest, waiting))
            if choice.kind != "renumber":
                again = [each for each in contested if each.id in known]
                # in the columns that are chosen now, which may be more than those of before
                fresh = [each for each in again if each != known[each.id]]
                # whoever chose a definition chose its columns
                chosen = {each.table for each in definitions}
                rows = [
                    each for each in again if each not in fresh and not (each.kind in DROPS and each.table in chosen)
                ]
                if fresh:
                    done = _rows_put(desk, writing, done.version, versions["merged"], fresh, choice)
        if rows and choice.kind not in ("as it is", "renumber"):
            done = _rows_put(desk, writing, done.version, merged, rows, choice, named=bool(which.key))
        if choice.kind != "as it is":
            broken = _broken(writing, contested)
            _refuse_broken(settled, broken)
        done_ids = {each.id for each in settled}
        mended = [each for each in contested if each.id not in done_ids and _is_mended(each, broken)]
        settled_too = [*settled, *mended]
        waiting = settle(desk.repository.forest, waiting, settled_too)
        if any(each.kind in REFUSED for each in settled):
            versions["merged"] = with_refused(desk, versions.get("merged", merged), merged, settled)
        now = desk.worktree
        telling = Telling(f"resolve {len(settled)} conflict{'s' * (len(settled) != 1)} of {waiting.command}")
        step = Step(deed, telling, now.head, now.commit, now.files, done.version)
        intent = announce(desk, writing, live, step, lambda db: keep(db, waiting, versions))
        moved = difference(desk, live, done.version)
    confirm(desk, intent, writing, moved)
    return Resolved(tuple(settled), waiting, moved, whole)


def _meant(
    desk: Desk,
    contested: Iterable[Contested],
    which: Which,
    choice: Choice,
    live: Version,
    merged: Version,
    broken: _Broken,
) -> Iterator[Contested]:
    known = {name.lower() for name in choice.values}
    for each in which.among(contested):
        if choice.kind == "set" and (each.key is None or (each.column and each.column.lower() not in known)):
            continue
        if (
            choice.kind == "as it is"
            and not which.table
            and not (_is_edited(desk, each, live, merged) or _is_mended(each, broken))
        ):
            continue  # who names nothing means what was edited
        yield each


def _check_columns(contested: Iterable[Contested], which: Which, choice: Choice, merged: Version) -> None:
    """Say so if somebody set a column that is not there."""
    tables = {each.table for each in which.among(contested) if each.key is not None}
    found = (table_of(merged, table) for table in sorted(tables))
    known = [cell for table in found if table is not None for cell in table.cells]
    for column in choice.values:
        if tables and column.lower() not in {cell.lower() for cell in known}:
            raise NoSuchColumn(column=column, known=known)


def _is_edited(desk: Desk, each: Contested, live: Version, merged: Version) -> bool:
    """Whether the database says something else by now than the merge left."""
    if each.key is None:
        return each.place is not None and definition_at(live, each.place) != definition_at(merged, each.place)
    table = table_of(merged, each.table)
    now, then = (row_at(desk.repository.forest, version, each.table, each.key, table) for version in (live, merged))
    return now is not then if now is None or then is None else bool(differing_cells(now, then))


# -- rows --------------------------------------------------------------------------------------------------------------


def _rows_put(
    desk: Desk,
    writing: Writing,
    held: Version,
    merged: Version,
    rows: Sequence[Contested],
    choice: Choice,
    *,
    named: bool = False,
) -> Put:
    forest = desk.repository.forest
    wanted = chosen_rows(forest, held, merged, rows, choice, named=named)
    if choice.kind == "set":
        wanted = _as_kept(desk, held, wanted)
    done = put(desk.repository, writing, held, reindexed(forest, held, with_rows(forest, held, wanted)))
    for refused in done.refused:
        raise ChoiceRefused(table=refused.table, key=key_shown(refused.key), why=refused.why)
    for broken in done.broken:
        raise ChoiceRefused(table=broken.child, key=key_shown(broken.key), why=pointing(broken)[1])
    return done


def _as_kept(desk: Desk, held: Version, rows: Rows) -> dict[str, dict[bytes, Row | None]]:
    """Rows with values that somebody typed, as their tables keep them."""
    kept: dict[str, dict[bytes, Row | None]] = {}
    store = desk.repository.forest.store
    with ExitStack() as stack:
        writer = stack.enter_context(store.writing())
        for name, some in rows.items():
            table = held.shape.tables.get(name)
            if table is None:  # a virtual one, whose module keeps them as it likes
                kept[name] = dict(some)
                continue
            sql = next(each.sql for each in held.shape.objects if (each.type, each.name) == ("table", name))
            there = stack.enter_context(twin(table, sql, held.shape.encoding, desk.database.path))
            whole = [with_large(store, row) for row in some.values() if row is not None]
            width = len(table.key)
            settled = {encode_key(row[:width]): row_without_large(row, writer, width) for row in there.settled(whole)}
            kept[name] = dict(settled)
    return kept


def _broken(writing: Writing, contested: Iterable[Contested]) -> _Broken:
    """What points to nothing now; asked only where something waits because it does."""
    if not any(each.kind == "foreign key" for each in contested):
        return set()
    return {(each.child, encode_key(each.key), *pointing(each)) for each in writing.broken_references()}


def _refuse_broken(settled: Sequence[Contested], broken: _Broken) -> None:
    """A side that still points to nothing settles nothing; whoever wants it so says it without naming a side."""
    for each in settled:
        if each.key is not None and each.kind == "foreign key" and not _is_mended(each, broken):
            raise ChoiceRefused(table=each.table, key=key_shown(each.key), why=each.why)


def _is_mended(each: Contested, broken: _Broken) -> bool:
    """Whether it pointed to nothing, and does not any more."""
    if each.kind != "foreign key" or each.key is None:
        return False
    return (each.table, encode_key(each.key), each.column, each.why) not in broken
