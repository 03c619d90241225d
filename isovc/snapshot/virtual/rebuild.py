"""The stored tables of a virtual table, made by its own module of what it is to hold. Knows nothing of merging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain

from isovc.model import Shape, Table
from isovc.snapshot.move import all_rows
from isovc.snapshot.version import Version
from isovc.snapshot.virtual.content import aside, kept, lay_indexed
from isovc.snapshot.virtual.settings import Change, Rows, Settings
from isovc.snapshot.virtual.tables import FULL_TEXT, NotMade, Thing
from isovc.sources.sqlite import Scratch
from isovc.tree.forest import Forest, Root


def of_rows(forest: Forest, version: Version, like: Thing, table: Table, root: Root, settings: Settings) -> Thing:
    """One that holds these rows. `like`: with these definitions; `version`: in such a database."""
    if like.module in FULL_TEXT:
        return _full_text(forest, version, like, root, settings)
    assert like.definition is not None
    with aside(version.shape) as made:
        made.make(like.definition)
        tables = _stored(made, like)
        made.put(table, chain.from_iterable(_rows(forest, table, root)))
        return _read(forest, made, like, tables, {})


def of_what_it_indexes(forest: Forest, version: Version, like: Thing, settings: Settings) -> Thing:
    """An index of the table that it indexes, as a version has that."""
    return _full_text(forest, version, like, None, settings)


def _full_text(forest: Forest, version: Version, like: Thing, text: Root | None, settings: Settings) -> Thing:
    assert like.definition is not None
    name = like.definition.name
    with aside(version.shape) as made:
        if text is None:
            lay_indexed(made, forest, version, like.definition)
        made.make(like.definition)
        tables = _stored(made, like)
        for part, root in (("content", text), ("config", settings.config)):
            table = tables.get(f"{name}_{part}")
            if table is not None and root is not None:
                made.fill(table, _rows(forest, table, root))
        made.order(name, "rebuild")  # it reads its settings for that
        changed = {f"{name}_data": settings.counted, f"{name}_stat": settings.with_automerge}
        return _read(forest, made, like, tables, changed)


def _stored(made: Scratch, like: Thing) -> Mapping[str, Table]:
    tables = {table.name: table for table in made.stored(like.definition.name if like.definition else "")}
    there = {name: (table.key_kind, table.cells) for name, (table, _) in like.stored.items()}
    if there != {name: (table.key_kind, table.cells) for name, table in tables.items()}:
        raise NotMade("this SQLite keeps it in other tables")
    return tables


def _rows(forest: Forest, table: Table, root: Root) -> Rows:
    return all_rows(forest, Version(Shape(tables={table.name: table}), {table.name: root}), table.name)


def _read(
    forest: Forest, made: Scratch, like: Thing, tables: Mapping[str, Table], changed: Mapping[str, Change]
) -> Thing:
    found = {}
    for name, table in tables.items():
        rows = made.rows(table)
        found[name] = like.stored[name][0], kept(forest, table, changed[name](rows) if name in changed else rows)
    return replace(like, stored=found)
