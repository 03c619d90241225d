"""Every change of one row, or of all rows of a table, the newest first, each told of the commit that made it: a merge
is told of what neither side had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import islice

from isovc.encoding.orderkey import encode_key
from isovc.errors import NoSuchRow
from isovc.formats.delta import namer
from isovc.formats.keys import called, meant
from isovc.model import Key, Value
from isovc.progress import SILENT, Progress
from isovc.repo.commits import CommitEntry
from isovc.snapshot.delta import aligned
from isovc.snapshot.values import with_large
from isovc.snapshot.version import Version
from isovc.tree.forest import Forest
from isovc.tree.read import scan
from isovc.tree.touched import changed_keys
from isovc.workspace.rows.finding import ENOUGH
from isovc.workspace.rows.homes import Cells, Home, home_of, is_own, table_at
from isovc.workspace.rows.looking import Before, Looking, Step, looking
from isovc.workspace.rows.past import Past, Start

_AT_ONCE = 256  # rows looked at together


@dataclass(frozen=True, slots=True)
class Event:
    """One change of a row. `entry`: the commit that made it; None: it is not committed yet. `named_by`: the cells of
    the key. `columns`: those that were renamed with it, old name to new."""

    entry: CommitEntry | None
    table: str
    named_by: tuple[str, ...]
    key: Key
    before: Mapping[str, Value] | None
    after: Mapping[str, Value] | None
    columns: Mapping[str, str]

    @property
    def op(self) -> str:
        """added, modified or removed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "modified"


@dataclass(frozen=True, slots=True)
class _Change:
    """The same as trees hold it: large values are not fetched before somebody takes the event."""

    step: Step
    parent: Before | None  # the first version before that had the row
    was: Cells | None
    row: Cells | None

    def event(self, past: Past) -> Event:
        """The event."""
        home, cells = self.step.home, self.row
        if cells is None and self.parent is not None and self.parent.home is not None:
            home, cells = self.parent.home, self.was
        assert cells is not None
        return Event(
            self.step.entry,
            self.step.home.table,
            home.key,
            tuple(cells[name] for name in home.key),
            None if self.parent is None else _whole(past, self.parent.version, self.parent.home, self.was),
            _whole(past, self.step.version, self.step.home, self.row),
            self.parent.columns if self.parent else {},
        )


def history_of_row(
    past: Past, start: Start, table: str, key: str | Key, *, where: str, progress: Progress = SILENT
) -> Iterator[Event]:
    """The changes of the row that `key` means. `where`: what people call the start."""
    with looking(past, start, seconds=ENOUGH, progress=progress) as look:
        shape = look.table(table)
        ways = (_changes(look, home_of(shape), encode_key(one)) for one in meant(key, shape))
        found = next(filter(None, map(list, ways)), None)
    if found is None:
        raise NoSuchRow(table=shape.name, key=called(key), where=where, ever=True)
    return (each.event(past) for each in found)


def history_of_table(past: Past, start: Start, table: str, *, progress: Progress = SILENT) -> Iterator[Event]:
    """The changes of all rows, commit by commit, and in each by key."""
    with looking(past, start, seconds=ENOUGH, progress=progress) as look:
        home, held = home_of(look.table(table)), look.hold_all()
    for step in look.steps(home, lambda _: held):
        keys = _touched(past.forest, step)
        while some := list(islice(keys, _AT_ONCE)):
            yield from (each.event(past) for each in _made(past.forest, step, some))


def _changes(look: Looking, home: Home, key: bytes) -> Iterator[_Change]:
    for step in look.steps(home, lambda names: look.touching(names, key), key=key):
        yield from _made(look.past.forest, step, [key])


def _made(forest: Forest, step: Step, keys: list[bytes]) -> Iterator[_Change]:
    """What a version did to some rows by itself."""
    rows = step.rows(forest, keys)
    sides = [parent.sides(forest, keys) for parent in step.parents]
    for key in keys:
        row, there = rows[key], [side[key] for side in sides]
        if not is_own(row, there):
            continue
        at = next((at for at, side in enumerate(there) if side.row is not None), None)
        if at is not None:
            yield _Change(step, step.parents[at], there[at].row, row)
        elif row is not None:
            yield _Change(step, None, None, row)


def _whole(past: Past, version: Version, home: Home | None, row: Cells | None) -> dict[str, Value] | None:
    """A row by column, with large values whole, as far as they are wanted."""
    table = table_at(version, home) if home else None
    if table is None or row is None:
        return None
    return namer(table)(with_large(past.forest.store, tuple(row.values()), upto=past.upto))


def _touched(forest: Forest, step: Step) -> Iterator[bytes]:
    """The rows that differ from the first parent's, and maybe more: what is as it was there is no work of this one."""
    parent = step.parents[0]
    old = table_at(parent.version, parent.home) if parent.home else None
    new = table_at(step.version, step.home)
    sides = [(each, version) for each, version in ((old, parent.version), (new, step.version)) if each is not None]
    roots = [version.roots[each.name].id for each, version in sides]
    if old is not None and new is not None and aligned(old, new, parent.columns):
        width = max(len(old.cells), len(new.cells))
        return changed_keys(forest, roots[0], roots[1], width=width) if roots[0] != roots[1] else iter(())
    keys: Iterable[bytes] = ()
    for (each, _), root in zip(sides, roots, strict=True):
        keys = _merged(keys, (encode_key(row) for row in scan(forest, root, cells=range(len(each.key)))))
    return iter(keys)


def _merged(one: Iterable[bytes], other: Iterable[bytes]) -> Iterator[bytes]:
    """Two lists of keys as one, in order, each key once."""
    last = None
    for key in merge(one, other):
        if key != last:
            yield key
        last = key
