"""A version with a patch applied: every row and definition it speaks of must be as it says, or nothing is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from isovc.encoding.orderkey import encode_key
from isovc.errors import NoSuchColumn, PatchDoesNotFit
from isovc.formats.delta import Definition, RowPatch, same
from isovc.formats.reading import Patch
from isovc.model import Row, SchemaObject, Shape, Table, Value
from isovc.snapshot.delta import aligned, same_key
from isovc.snapshot.values import row_without_large, with_large
from isovc.snapshot.version import Version, pragmas_said
from isovc.sources.sqlite import shape_of, twin
from isovc.store.protocol import ChunkWriter
from isovc.tree.build import build
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.read import get, scan

_NAMED = 5  # places that do not fit, told before giving up
_FEW = 32  # a table has so many rows for each that changes: then looking rows up is quicker than reading all of them
_AT_ONCE = 512  # rows that go through the twin of a table together


@dataclass
class _Misfits:
    """Where a patch does not fit; the first few end it."""

    patch: Patch
    places: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        self.places.append(place)
        if len(self.places) == _NAMED:
            raise PatchDoesNotFit(patch=self.patch.name, places=self.places, more=True)

    def check(self) -> None:
        if self.places:
            raise PatchDoesNotFit(patch=self.patch.name, places=self.places)


def patched(forest: Forest, live: Version, patch: Patch, path: Path) -> Version:
    """The version that comes out. `path`: the database that an error is about."""
    misfits = _Misfits(patch)
    shape = _shape(live.shape, patch.definitions, misfits, path)
    renames = {each.name: each for each in patch.definitions if each.type == "table"}
    texts = {each.name: each.sql for each in shape.objects if each.type == "table"}
    roots: dict[str, Root] = {}
    with forest.store.writing() as writer:
        for name, table in shape.tables.items():
            said = renames.get(name)
            source = said.was if said and said.was else name
            step = _Step(forest, live, live.shape.tables.get(source), table, said.columns if said else {}, misfits)
            roots[name] = _root(step, patch, texts[name], shape.encoding, path, writer)
        kept = {each.was or each.name for each in patch.definitions if each.after is not None} | shape.tables.keys()
        for name in live.shape.tables.keys() - kept:
            _check_all_gone(_Step(forest, live, live.shape.tables[name], None, {}, misfits), patch)
        for name in patch.tables.keys() - shape.tables.keys() - live.shape.tables.keys():
            misfits.add(f"there is no table {name}")
        misfits.check()
    return Version(shape, roots)


# -- definitions -------------------------------------------------------------------------------------------------------


def _shape(live: Shape, definitions: Iterable[Definition], misfits: _Misfits, path: Path) -> Shape:
    objects = {(each.type, each.name): each for each in live.objects}
    pragmas = dict(live.pragmas)
    tables_change = False
    for each in definitions:
        if each.type == "pragma":
            if pragmas_said(live).get(each.name, 0) != each.before or each.name not in live.pragmas:
                misfits.add(f"the pragma {each.name} is {pragmas.get(each.name, 'not known')}, not {each.before}")
            pragmas[each.name] = int(each.after or 0)
            continue
        tables_change = tables_change or each.type == "table"
        _define(objects, each, misfits)
    for one in objects.values():
        if one.type in ("index", "trigger") and not {("table", one.table), ("view", one.table)} & objects.keys():
            misfits.add(f"the {one.type} {one.name} stands on {one.table}, which would not be there")
    misfits.check()  # what does not fit may be no shape at all
    whole = tuple(objects.values())
    if not tables_change:
        return replace(live, objects=whole, pragmas=pragmas)
    return replace(shape_of(whole, live, path), pragmas=pragmas)


def _define(objects: dict[tuple[str, str], SchemaObject], each: Definition, misfits: _Misfits) -> None:
    old, new = (each.type, each.was or each.name), (each.type, each.name)
    there = objects.get(old)
    if each.before is None and there is not None:
        misfits.add(f"there is a {each.type} {each.name} already")
    elif each.before is not None and there is None:
        misfits.add(f"there is no {each.type} {old[1]}")
    elif there is not None and there.sql != each.before:
        misfits.add(f"the {each.type} {old[1]} is defined otherwise")
    elif new != old and new in objects:
        misfits.add(f"there is a {each.type} {each.name} already")
    if each.after is None:
        objects.pop(old, None)
        return
    made = SchemaObject(each.type, each.name, each.table or each.name, str(each.after))
    if old in objects and old != new:
        renamed = {new if place == old else place: one for place, one in objects.items()}
        objects.clear()
        objects.update(renamed)
    objects[new] = made


# -- rows --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Step:
    """One table from what is there to what shall be."""

    forest: Forest
    live: Version
    before: Table | None
    after: Table | None
    columns: Mapping[str, str]
    misfits: _Misfits

    @property
    def root(self) -> Root:
        assert self.before is not None
        return self.live.roots[self.before.name]

    def found(self, patch: Patch) -> Iterator[tuple[bytes, RowPatch, Row | None]]:
        """Each row of the patch with what is there under its key."""
        table = self.after or self.before
        assert table is not None
        rows = patch.rows(table.name)
        if self.before is None:
            yield from ((key, row, None) for key, row in rows)
            return
        many = patch.tables.get(table.name, 0) * _FEW > self.root.rows
        find = self._reading() if many else self._looking()
        for key, row in rows:
            there = find(key)
            yield key, row, None if there is None else with_large(self.forest.store, there)

    def _looking(self) -> Callable[[bytes], Row | None]:
        assert self.before is not None
        width = len(self.before.cells)
        return lambda key: get(self.forest, self.root.id, key, width=width)

    def _reading(self) -> Callable[[bytes], Row | None]:
        everything = self.all_rows()
        one = next(everything, None)

        def find(key: bytes) -> Row | None:
            nonlocal one
            while one is not None and one[0] < key:
                one = next(everything, None)
            return one[1] if one is not None and one[0] == key else None

        return find

    def all_rows(self) -> Iterator[tuple[bytes, Row]]:
        """Every row there is, as trees hold them."""
        assert self.before is not None
        width = len(self.before.key)
        for row in scan(self.forest, self.root.id, cells=range(len(self.before.cells))):
            yield encode_key(row[:width]), row

    def fits(self, change: RowPatch, there: Row | None) -> bool:
        """Whether the row is as the patch says; tells where it is not."""
        table = change.table
        place = f"{table} {', '.join(map(repr, change.key))}"
        if change.before is None:
            if there is not None:
                self.misfits.add(f"the row {place} is there already")
            return there is None
        if there is None or self.before is None:
            self.misfits.add(f"the row {place} is not there")
            return False
        cells = dict(zip(self.before.cells, there, strict=True))
        for column, value in change.before.items():
            if column not in cells and value is None and _has(self.after, column):
                continue  # it comes with this patch, and is NULL until then
            if column not in cells:
                raise self._no_column(change, column, self.before)
            if not same(cells[column], value):
                self.misfits.add(f"{column} of the row {place} is another")
                return False
        return True

    def _no_column(self, change: RowPatch, column: str, table: Table) -> NoSuchColumn:
        patch, name = self.misfits.patch, (self.after or table).name
        line = patch.line_of(name, encode_key(change.key), column)
        known = [each.name for each in table.columns if each.name in table.cells]
        return NoSuchColumn(column=column, known=known, table=table.name, place=f"line {line} of {patch.name}")

    def mapped(self, row: Row | None) -> Row:
        """A row in the cells of the new table."""
        assert self.after is not None
        if row is None or self.before is None:
            return (None,) * len(self.after.cells)
        cells = {self.columns.get(name, name): value for name, value in zip(self.before.cells, row, strict=True)}
        return tuple(cells.get(name) for name in self.after.cells)

    def made(self, change: RowPatch, there: Row | None) -> Row:
        """The row that comes out."""
        assert self.after is not None and change.after is not None
        table = self.after
        row = list(self.mapped(there))
        for at, value in enumerate(change.key[: len(table.key)]):
            row[at] = value
        declared = {column.name for column in table.columns}
        for column, value in change.after.items():
            if column not in declared and value is None and _has(self.before, column):
                continue  # it goes with this patch
            if column not in declared or column not in table.cells:
                raise self._no_column(change, column, table)
            row[table.cells.index(column)] = value
        lacking = [cell for cell in table.cells[len(table.key) :] if cell in declared and cell not in change.after]
        if there is None and lacking:
            self.misfits.add(f"the row {table.name} {', '.join(map(repr, change.key))} is new and says no {lacking[0]}")
        if len(change.key) != len(table.key) or encode_key(row[: len(table.key)]) != encode_key(change.key):
            self.misfits.add(f"the row {table.name} {', '.join(map(repr, change.key))} does not have the key it says")
        return tuple(row)


def _root(step: _Step, patch: Patch, sql: str, encoding: str, path: Path, writer: ChunkWriter) -> Root:
    before, after = step.before, step.after
    assert after is not None
    width, key_width = len(after.cells), len(after.key)
    changes = patch.tables.get(after.name, 0)
    if before is not None and aligned(before, after, step.columns) and len(before.cells) <= width:
        if not changes:
            return step.root
        with ExitStack() as stack:
            edits = _edits(step, patch, sql, encoding, path, stack, writer)
            return edit(step.forest, step.root.id, edits, width=width, key_width=key_width, writer=writer)
    with ExitStack() as stack:
        edits = _edits(step, patch, sql, encoding, path, stack, writer)
        return build(step.forest, _rows(step, edits, patch), key_width=key_width, writer=writer)


def _rows(step: _Step, edits: Iterator[Edit], patch: Patch) -> Iterator[Row]:
    """All rows of a table that is made anew: those that stay, in the new cells, with the edits among them."""
    before, after = step.before, step.after
    stay: Iterator[tuple[bytes, Row]] = iter(())
    if before is not None and after is not None and same_key(before, after, step.columns):
        stay = step.all_rows()
    elif before is not None:
        _check_all_gone(step, patch)
    one = next(stay, None)
    for key, row in edits:
        while one is not None and one[0] < key:
            yield step.mapped(one[1])
            one = next(stay, None)
        if one is not None and one[0] == key:
            one = next(stay, None)
        if row is not None:
            yield row
    while one is not None:
        yield step.mapped(one[1])
        one = next(stay, None)


def _check_all_gone(step: _Step, patch: Patch) -> None:
    """A table that goes, or whose key is another one: the patch must know every row that is there."""
    table = step.after or step.before
    assert table is not None and step.before is not None
    known = 0
    for _, change, there in step.found(patch):
        if change.before is not None:
            known += step.fits(replace(change, after=None), there)
    if known < step.root.rows:
        step.misfits.add(f"{step.root.rows - known} rows of {step.before.name} are not in the patch and would be lost")


def _edits(
    step: _Step, patch: Patch, sql: str, encoding: str, path: Path, stack: ExitStack, writer: ChunkWriter
) -> Iterator[Edit]:
    """What changes in the tree, in the order of the keys. What SQLite makes of values is what is entered."""
    after = step.after
    assert after is not None
    same_rows = step.before is None or same_key(step.before, after, step.columns)
    changes = (each for each in step.found(patch) if same_rows or each[1].after is not None)
    like = None
    while some := list(islice(changes, _AT_ONCE)):
        like = like or stack.enter_context(twin(after, sql, encoding, path))
        wanted: dict[bytes, Row | None] = {}
        for key, change, there in some:
            if not same_rows:
                change, there = replace(change, before=None), None
            if step.fits(change, there):
                wanted[key] = None if change.after is None else step.made(change, there)
        step.misfits.check()
        settled = {
            encode_key(row[: len(after.key)]): row
            for row in like.settled(row for row in wanted.values() if row is not None)
        }
        for key, row in wanted.items():
            if row is not None and key not in settled:
                step.misfits.add(
                    f"the key of {after.name} {', '.join(map(_said, row[: len(after.key)]))} is kept otherwise"
                )
            yield Edit(key, None if row is None else row_without_large(settled.get(key, row), writer, len(after.key)))


def _has(table: Table | None, column: str) -> bool:
    return table is not None and column in table.cells


def _said(value: Value) -> str:
    return "NULL" if value is None else repr(value)
