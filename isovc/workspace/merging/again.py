"""A merge done once more with what was decided since: definitions by their sides, rows that get other numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from isovc.encoding.orderkey import encode_key
from isovc.model import Row
from isovc.repo.merges import SETTLED, Contested, Merge, contested_in, contesting
from isovc.snapshot.merging.how import How
from isovc.snapshot.merging.merge import merge
from isovc.snapshot.rows import row_at, with_rows
from isovc.snapshot.version import Version, laid_out_like
from isovc.sources.sqlite import Writing
from isovc.tree.forest import Forest
from isovc.workspace.desk import Desk
from isovc.workspace.merging.choosing import Choice
from isovc.workspace.merging.putting import Put, put
from isovc.workspace.merging.telling import REFUSED, Sides, once
from isovc.workspace.merging.waiting import side


def _still_wrong(writing: Writing, sides: Sides, known: Iterable[Contested]) -> Iterator[Contested]:
    """What the database says by now of rows that point to nothing, views and triggers, where some were known."""
    kinds = {each.kind for each in known}
    if "foreign key" in kinds:
        yield from sides.broken(writing.broken_references())
    if "schema" in kinds:
        yield from sides.uncompiled(writing.uncompiled())


def decided(how: How, definitions: Sequence[Contested], rows: Sequence[Contested], choice: Choice) -> How:
    if choice.kind == "renumber":
        keys: dict[str, frozenset[bytes]] = {}
        for each in rows:
            assert each.key is not None
            keys[each.table] = keys.get(each.table, frozenset()) | {encode_key(each.key)}
        known = {table: some for table, some in how.renumber.items() if some is not None}
        more = {table: some | known.get(table, frozenset()) for table, some in keys.items()}
        return replace(how, renumber={**how.renumber, **more})
    assert choice.kind in ("base", "ours", "theirs")
    return replace(
        how, definitions={**how.definitions, **{each.place: choice.kind for each in definitions if each.place}}
    )


def merged_again(
    desk: Desk, writing: Writing, waiting: Merge, how: How, settled: Sequence[Contested], live: Version
) -> tuple[Merge, Put, Version]:
    """The same versions merged with what was decided, and what came of that alone: beside it, what was settled before
    and written since stays now and the next time."""
    forest = desk.repository.forest
    base, ours, theirs, before = (side(desk, waiting, name) for name in ("base", "ours", "theirs", "merged"))
    merged = merge(forest, base, ours, theirs, how)
    came = laid_out_like(merged.version, live)
    beside = merge(forest, before, live, came, How(prefer="ours"))
    done = put(desk.repository, writing, live, laid_out_like(beside.version, live))
    sides = Sides(forest, base, ours, theirs, came, how)
    found = [*sides.undecided(merged.conflicts), *sides.refused(done.refused)]
    found += [*sides.broken(done.broken), *sides.uncompiled(done.uncompiled)]
    known = {each.what: each for each in contested_in(forest, waiting)}
    # what was wrong already is no news to the database, but waits on while it is
    found += [each for each in _still_wrong(writing, sides, known.values()) if each.what in known]
    gone = {each.what: each for each in contested_in(forest, waiting, SETTLED)}
    next_id = 1 + max(each.id for each in (*known.values(), *gone.values()))
    contested = []
    for each in once(found):
        if each.what in known:
            contested.append(replace(each, id=known[each.what].id))
        elif each.what not in gone:
            contested.append(replace(each, id=next_id))
            next_id += 1
    # those that are being settled are to lie with the settled, though the merge does not speak of them any more
    there, settling = {each.id for each in contested}, {each.id for each in settled}
    contested += [each for each in known.values() if each.id in settling - there]
    ordered = sorted(contested, key=lambda each: each.id)
    conflicts = contesting(forest, ordered, waiting.conflicts.roots[SETTLED])
    return (
        replace(waiting, how=how, conflicts=conflicts, renumbered=merged.renumbered),
        done,
        _as_left(forest, came, done),
    )


def _as_left(forest: Forest, came: Version, done: Put) -> Version:
    """What a merge has left: what came, but for the rows that the database refused."""
    rows: dict[str, dict[bytes, Row | None]] = {}
    for each in done.refused:
        table = came.shape.tables[each.table]
        rows.setdefault(each.table, {})[encode_key(each.key)] = row_at(
            forest, done.version, each.table, each.key, table
        )
    return with_rows(forest, came, rows)


def with_refused(desk: Desk, version: Version, merged: Version, settled: Sequence[Contested]) -> Version:
    """What a merge has left, as if rows that were refused and are settled now had come: what stands there instead is a
    decision, which a merge done again keeps."""
    rows: dict[str, dict[bytes, Row | None]] = {}
    for each in settled:
        wanted, table = each.sides[2], version.shape.tables.get(each.table)
        if each.kind in REFUSED and each.key is not None and wanted is not None and table is not None:
            row = dict(zip(merged.shape.tables[each.table].cells, wanted, strict=True))
            rows.setdefault(each.table, {})[encode_key(each.key)] = tuple(row.get(cell) for cell in table.cells)
    return with_rows(desk.repository.forest, version, rows)
