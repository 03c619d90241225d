"""The rows of one table of three versions into one tree, whatever columns each of them has. What both left alone is not
read where the columns allow it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, TypeAlias

from isovc.encoding.orderkey import encode_keys
from isovc.model import Table
from isovc.snapshot.merging.deciding import Deciding, Open, Whole
from isovc.snapshot.merging.fitting import Fitting, fitting, has_to_be_there
from isovc.snapshot.merging.how import Side
from isovc.snapshot.merging.lineage import SIDES, Lineage
from isovc.snapshot.merging.rekeyed import rekeyed, settles_key
from isovc.snapshot.merging.settling import Settling, settling
from isovc.snapshot.values import is_large, named, with_large
from isovc.snapshot.version import Version
from isovc.store.protocol import ChunkWriter
from isovc.tree.build import build
from isovc.tree.diff import diff, differing_cells
from isovc.tree.edit import Edit, Replacement, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.leaf import Row
from isovc.tree.read import batches, get, scan

_AT_ONCE = 512  # rows that are looked at together: values of another type go through SQLite so many at a time


_LAST = b"\xff"  # behind every key: no class of values begins so
_END: tuple[bytes, Row | None] = (_LAST, None)


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of one version: its table, where they lie, how they fit."""

    table: Table
    root: Root
    fit: Fitting

    @property
    def width(self) -> int:
        """How many cells its rows have."""
        return len(self.table.cells)


_Keyed: TypeAlias = tuple[bytes, tuple[Row | None, Row | None, Row | None]]


@dataclass(frozen=True, slots=True)
class Steps:
    """What to do to a tree so that it holds the rows of all; None: to an empty one, in which every row is put."""

    start: Root | None
    steps: Iterator[Edit | Open]


def grown(
    forest: Forest, start: Root | None, edits: Iterable[Edit | Replacement], table: Table, writer: ChunkWriter
) -> Root:
    """The tree with these edits, or of the rows that they put where there is none."""
    key_width = len(table.key)
    if start is not None:
        return edit(forest, start.id, edits, width=len(table.cells), key_width=key_width, writer=writer)
    whole = (one.row for one in edits if isinstance(one, Edit) and one.row is not None)
    return build(forest, whole, key_width=key_width, writer=writer)


class RowMerge:
    """The rows of one table on their way into the merged one."""

    def __init__(self, forest: Forest, versions: Sequence[Version], each: Lineage, new: Table) -> None:
        self._forest = forest
        self._new = new
        self.writer: ChunkWriter | None = None  # for large values; there is one while steps are taken
        self._encoding = versions[1].shape.encoding
        tables = [version.shape.tables.get(name or "") for version, name in zip(versions, each.own, strict=True)]
        self.sources: list[Source | None] = [
            None
            if table is None
            else Source(table, version.roots[table.name], fitting(table, each, at, new, tables[0]))
            for at, (table, version) in enumerate(zip(tables, versions, strict=True))
        ]

    def is_plain(self) -> bool:
        """Whether all three have the columns of the merged table, so that their trees can be merged as they are."""
        sides = [source for source in self.sources[1:] if source is not None]
        if any(self._asks_more_than(source) for source in sides):
            return False
        return all(self._is_whole(source) for source in self.sources if source is not None)

    def of_the_only_one(self) -> Root | None:
        """The rows of the side that alone changed the table, if that is the merged one; None: it is not as simple."""
        was, mine, other = self.sources
        for still, changed in ((mine, other), (other, mine)):
            if still and was and changed and self._is_whole(changed) and _untouched(was, still):
                return changed.root
        return None

    def _is_whole(self, source: Source) -> bool:
        return (
            source.fit.same_key and source.fit.places == tuple(range(len(self._new.cells))) and not source.fit.retyped
        )

    def of_one(self, side: Side, stack: ExitStack) -> Steps:
        """The rows of one side alone."""
        at = SIDES.index(side)
        self.sources = [self.sources[at] if place == at else None for place in range(3)]
        source = self.sources[at]
        assert source is not None
        if source.fit.stands and not self._asks_more_than(source):
            return Steps(source.root, iter(()))
        return self._anew(stack)

    def of_all(self, stack: ExitStack) -> Steps:
        """The rows of both sides."""
        was, mine, other = self.sources
        assert mine is not None and other is not None
        if was is None or not (was.fit.same_key and mine.fit.same_key and other.fit.same_key):
            return self._anew(stack)
        for source, changed in ((mine, 2), (other, 1)):
            if not was.fit.has <= source.fit.has:
                continue  # a column that it dropped has come back, in every row
            if source.fit.stands and not self._asks_more_than(source):
                return Steps(source.root, self._decided(self._changes(was, source, changed), stack))
        return self._anew(stack)

    def _asks_more_than(self, source: Source) -> bool:
        """Whether the merged table refuses a NULL that this one may have."""
        had = {source.fit.places[at] for at in has_to_be_there(source.table)}
        return not has_to_be_there(self._new) <= had

    # -- what changed, brought to rows that stay -----------------------------------------------------------------------

    def _changes(self, was: Source, there: Source, changed: int) -> Iterator[_Keyed]:
        """The rows that one side changed, each with what stands on the other."""
        source = self.sources[changed]
        assert source is not None
        for key, before, after in self._differing(was, source, there):
            row = get(self._forest, there.root.id, key, width=there.width)
            yield key, (before, after, row) if changed == 1 else (before, row, after)

    def _differing(self, was: Source, source: Source, there: Source) -> Iterator[tuple[bytes, Row | None, Row | None]]:
        shared = min(was.width, source.width)
        # trees cannot tell a NULL that somebody put into a new column from the default that rows have there
        by_default = any(
            value is not None
            for cell in source.fit.has - was.fit.has
            for value in (
                was.fit.fresh[cell],
                *(fit.came[cell][1] for fit in (source.fit, there.fit) if cell in fit.came),
            )
        )
        if _labels(was)[:shared] == _labels(source)[:shared] and not by_default:
            width = max(was.width, source.width)
            for change in diff(self._forest, was.root.id, source.root.id, width=width):
                before, after = change.before, change.after
                yield change.key, before and before[: was.width], after and after[: source.width]
            return
        for key, (before, after, _) in _side_by_side(self._keyed(was), self._keyed(source), iter(())):
            yield key, before, after

    # -- all rows ------------------------------------------------------------------------------------------------------

    def _anew(self, stack: ExitStack) -> Steps:
        conflicts: list[Open] = []
        readers = [self._reader(source, at, conflicts) for at, source in enumerate(self.sources)]
        rows = _side_by_side(readers[0], readers[1], readers[2])
        return Steps(None, chain(self._decided(rows, stack), conflicts))

    def _reader(self, source: Source | None, at: int, conflicts: list[Open]) -> Iterator[tuple[bytes, Row]]:
        """The rows of a version in the order of the merged table's key."""
        if source is None:
            return iter(())
        if source.fit.same_key:
            return self._keyed(source)
        rows = scan(self._forest, source.root.id, cells=range(source.width))
        with ExitStack() as stack:
            settles = settles_key(self._new, source.fit)
            settle = self._settling(range(len(self._new.key)), stack) if settles else None
            found, told = rekeyed(self._forest, self._new, source.fit, rows, settle, at)
        conflicts += told
        return found

    def _keyed(self, source: Source) -> Iterator[tuple[bytes, Row]]:
        width = len(source.table.key)
        for rows in batches(self._forest, source.root.id, cells=range(source.width)):
            yield from zip(encode_keys(list(zip(*rows, strict=True))[:width]), rows, strict=True)

    # -- one row after the other ---------------------------------------------------------------------------------------

    def _decided(self, rows: Iterable[_Keyed], stack: ExitStack) -> Iterator[Edit | Open]:
        fits = [source.fit if source else None for source in self.sources]
        any_one = fits[1] or fits[2] or fits[0]
        assert any_one is not None
        three = fits[0], fits[1] or any_one, fits[2] or any_one
        deciding = Deciding(three, self._new.cells, has_to_be_there(self._new))
        cells = sorted({cell for fit in fits if fit is not None for cell in fit.retyped})
        settle = self._settling(cells, stack) if cells else None
        left = iter(rows)
        while some := list(islice(left, _AT_ONCE)):
            sides = [self._whole([rows[at] for _, rows in some], fits[at], settle) for at in range(3)]
            for at, (key, _) in enumerate(some):
                found = deciding.decide(key, sides[0][at], sides[1][at], sides[2][at])
                yield found if isinstance(found, Open) else Edit(key, found)

    def _settling(self, cells: Iterable[int], stack: ExitStack) -> Settling:
        declared = {column.name for column in self._new.columns}
        chosen = [cell for cell in cells if self._new.cells[cell] in declared]
        return stack.enter_context(settling(self._new, chosen, self._encoding))

    def _whole(
        self, rows: Sequence[Row | None], fit: Fitting | None, settle: Settling | None
    ) -> Sequence[Whole | None]:
        if fit is None:
            return [None] * len(rows)
        if settle is None or not fit.retyped:
            return [None if row is None else Whole(row, fit.row(row)) for row in rows]
        there = [row for row in rows if row is not None]
        fitted = [fit.row(row) for row in there]
        found = settle.settled([with_large(self._forest.store, row) for row in fitted])
        whole = iter(
            Whole(own, self._named(before, after), refused)
            for own, before, (after, refused) in zip(there, fitted, found, strict=True)
        )
        return [None if row is None else next(whole) for row in rows]

    def _named(self, before: Row, after: Row) -> Row:
        """Large values by their names again; those that were not touched keep theirs."""
        cells: list[Any] = list(before)
        given = with_large(self._forest.store, before)
        for at in differing_cells(given, after):
            value = after[at]
            cells[at] = named(value, self.writer) if self.writer and is_large(value) else value
        return tuple(cells)


def _untouched(was: Source, source: Source) -> bool:
    return source.root.id == was.root.id and replace(source.table, name="") == replace(was.table, name="")


def _labels(source: Source) -> list[object]:
    """Where the cells of a version go; dropped ones by their names."""
    gone = {place: label for label, (place, _) in source.fit.lost.items()}
    return [gone.get(at) if to is None else to for at, to in enumerate(source.fit.places)]


def _side_by_side(
    base: Iterator[tuple[bytes, Row]], ours: Iterator[tuple[bytes, Row]], theirs: Iterator[tuple[bytes, Row]]
) -> Iterator[_Keyed]:
    """All rows by key."""
    sides = (base, ours, theirs)
    heads = [next(side, _END) for side in sides]
    while True:
        keys = [head[0] for head in heads]
        key = min(keys)
        if key == _LAST:
            return
        one, two, three = (head[1] if head[0] == key else None for head in heads)
        yield key, (one, two, three)
        for at in range(3):
            if keys[at] == key:
                heads[at] = next(sides[at], _END)
