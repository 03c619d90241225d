"""What a virtual table holds, as rows under its own columns. Knows nothing of merging."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from isovc.errors import (
    DatabaseCorrupt,
    DatabaseFailed,
    MissingCollation,
    MissingFunction,
    MissingModule,
    RowRefused,
    ShapeNotReached,
)
from isovc.model import Column, KeyKind, Row, SchemaObject, Shape, Table
from isovc.snapshot.move import all_rows
from isovc.snapshot.values import without_large
from isovc.snapshot.version import Version
from isovc.snapshot.virtual.tables import BOXES, FTS5, FULL_TEXT, POLYGONS, NotMade, Thing, indexed, text_of
from isovc.sources.sqlite import Scratch, scratch
from isovc.sql import name as quoted
from isovc.tree.build import build
from isovc.tree.forest import Forest, Root

_REFUSED = (
    DatabaseCorrupt,
    DatabaseFailed,
    MissingCollation,
    MissingFunction,
    MissingModule,
    RowRefused,
    ShapeNotReached,
)


@contextmanager
def aside(like: Shape) -> Iterator[Scratch]:
    """A scratch database in which a module may refuse: then the virtual table cannot be made."""
    try:
        with scratch(like) as made:
            yield made
    except _REFUSED as error:
        raise NotMade(getattr(error, "why", "") or str(error.__cause__ or error)) from error


def columns_of(version: Version, thing: Thing) -> Table:
    """A virtual table that holds rows, as a table of these: with its own columns."""
    assert thing.definition is not None
    definition, name = thing.definition, thing.definition.name
    with aside(version.shape) as made:
        made.make(definition)
        columns = made.columns(name)
    if thing.module in BOXES:
        number = replace(columns[0], type="INTEGER", primary_key=1)
        return Table(name, (number, *columns[1:]), KeyKind.INTEGER)
    if thing.module in FULL_TEXT:
        cells = thing.stored[f"{name}_content"][0].cells
        # behind those that show: the language of a row, the locale of a value
        columns = (*columns, *(Column(cell) for cell in cells[1 + len(columns) :]))
    return Table(name, columns, KeyKind.ROWID)


def content(forest: Forest, version: Version, thing: Thing) -> tuple[Table, Root]:
    """Its rows: of a full-text table with text of its own, or of an R-Tree."""
    table = columns_of(version, thing)
    if thing.module in FULL_TEXT:
        return table, thing.stored[f"{table.name}_content"][1]
    with aside(version.shape) as made:
        enter(made, forest, version, thing)
        return table, kept(forest, table, made.rows(table))


def as_version(table: Table, root: Root) -> Version:
    """A version that holds just this table."""
    return Version(Shape(objects=(definition_of(table),), tables={table.name: table}), {table.name: root})


def definition_of(table: Table) -> SchemaObject:
    """How an ordinary table with these columns is defined."""
    columns = ", ".join(
        f"{quoted(column.name)} {column.type}{' PRIMARY KEY' if column.primary_key else ''}" for column in table.columns
    )
    without_rowid = " WITHOUT ROWID" if table.without_rowid else ""
    sql = f"CREATE TABLE {quoted(table.name)}({columns}){without_rowid}"
    return SchemaObject("table", table.name, table.name, sql)


def kept(forest: Forest, table: Table, rows: Iterable[list[Row]]) -> Root:
    """The tree of rows as a database gives them."""
    width = len(table.key)
    with forest.store.writing() as writer:
        return build(forest, without_large(rows, writer, key_width=width), key_width=width, writer=writer)


def enter(made: Scratch, forest: Forest, version: Version, thing: Thing) -> None:
    """Let the scratch database hold a virtual table as it is."""
    assert thing.definition is not None
    for each in sorted(thing.objects, key=lambda each: each.name):
        if each.name in thing.stored:
            lay(made, forest, version, each)
    made.enter(thing.definition)


def lay(made: Scratch, forest: Forest, version: Version, each: SchemaObject) -> None:
    """Let it hold a table of a version, or a view."""
    made.make(each)
    if each.type == "table":
        made.fill(version.shape.tables[each.name], all_rows(forest, version, each.name))


def lay_indexed(made: Scratch, forest: Forest, version: Version, definition: SchemaObject) -> None:
    """Let it hold what a full-text table indexes."""
    sources = indexed(version.shape, definition)
    if sources is None:
        raise NotMade("what it indexes is not rows of tables")
    for each in sources:
        lay(made, forest, version, each)


def is_in_step(forest: Forest, version: Version, thing: Thing) -> bool:
    """Whether a full-text table says the same as what it indexes. Some index only a part of it, by triggers or by hand,
    and nobody but them knows which."""
    assert thing.definition is not None
    with aside(version.shape) as made:
        lay_indexed(made, forest, version, thing.definition)
        enter(made, forest, version, thing)
        return made.is_in_step(thing.definition.name, ranked=thing.module == FTS5)


def kind_of(thing: Thing) -> Literal["rows", "index", ""]:
    """What can be merged of it: rows that it holds, or nothing of its own, since it indexes those of a table; empty: it
    holds what cannot be read back."""
    if thing.definition is None:
        return ""
    if thing.module not in FULL_TEXT:
        return "rows" if thing.module in BOXES or thing.module == POLYGONS else ""
    where = text_of(thing.definition, thing.stored)
    return "rows" if where == "own" else "index" if where == "elsewhere" else ""
