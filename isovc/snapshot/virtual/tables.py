"""Which tables of a version belong to a virtual table, what it keeps there and what it indexes. Reads definitions;
knows nothing of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from isovc.model import ROWID_NAMES, KeyKind, SchemaObject, Shape, Table
from isovc.snapshot.version import Version
from isovc.sql import folded, mentioned, module_of, options_of
from isovc.tree.forest import Root

FTS5 = "fts5"
FULL_TEXT = frozenset({"fts3", "fts4", FTS5})
BOXES = frozenset({"rtree", "rtree_i32"})
POLYGONS = "geopoly"
_KNOWN = FULL_TEXT | BOXES | {POLYGONS}
_KEEP_NOTHING = frozenset({"fts5vocab", "fts4aux", "fts3tokenize", "dbstat"})


class NotMade(Exception):
    """Why a virtual table cannot be made of what both sides hold. It never leaves this room."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A virtual table with the tables in which its module keeps what it holds, as one version has them. None of these
    need be there: a table of such a name may be older than the virtual table."""

    definition: SchemaObject | None
    objects: frozenset[SchemaObject]  # its own definition too
    stored: Mapping[str, tuple[Table, Root]]

    @property
    def module(self) -> str:
        """What makes it, in lower case."""
        return module_of(self.definition.sql).lower() if self.definition else ""


def things_of(versions: Iterable[Version]) -> dict[str, frozenset[str]]:
    """By virtual table of any of the versions, its own name and the tables it keeps in any of them."""
    every = tuple(versions)
    owners: dict[str, str] = {}
    for version in every:
        virtual = _virtual(version.shape)
        unknown = [name for name, module in virtual.items() if module not in _KNOWN]
        for name in virtual:
            owners.setdefault(name, name)
        for table in version.shape.tables.values():
            owner = table.shadow_of or _named_after(table.name, unknown)
            if owner in virtual:
                owners.setdefault(table.name, owner)
    return {
        name: frozenset(t for t, owner in owners.items() if owner == name) for name in dict.fromkeys(owners.values())
    }


def thing(version: Version, name: str, names: frozenset[str]) -> Thing | None:
    """A virtual table as a version has it; None: nothing of it is there."""
    objects = frozenset(each for each in version.shape.objects if each.table in names)
    stored = {
        table: (version.shape.tables[table], version.roots[table]) for table in sorted(names & version.roots.keys())
    }
    definition = next((each for each in objects if each.type == "table" and each.name == name), None)
    if not objects and not stored:
        return None
    return Thing(definition if name not in stored else None, objects, stored)


def text_of(definition: SchemaObject, stored: Iterable[str]) -> Literal["own", "elsewhere", "nowhere"]:
    """Where a full-text table has the text that it indexes."""
    options = options_of(definition.sql)
    if options.get("content"):
        return "elsewhere"
    kept = f"{definition.name}_content" in stored and "contentless_unindexed" not in options
    return "own" if kept and "content" not in options else "nowhere"


def indexed(shape: Shape, definition: SchemaObject) -> tuple[SchemaObject, ...] | None:
    """The table or view that a full-text table indexes, and all that a view is made of, tables first. None: it is not
    there, or it is more than rows of tables."""
    there = {folded(each.name): each for each in shape.objects if each.type in ("table", "view")}
    found: dict[str, SchemaObject] = {}
    open_names = [folded(options_of(definition.sql)["content"])]
    if open_names[0] not in there:
        return None
    while open_names:
        name = open_names.pop()
        if name in found or name not in there:
            continue
        each = found[name] = there[name]
        if each.type == "view":
            open_names += map(folded, mentioned(each.sql))
        elif each.name not in shape.tables:
            return None
    return tuple(sorted(found.values(), key=lambda each: (each.type, each.name)))


def keeps_rowids(shape: Shape, definition: SchemaObject, sources: Iterable[SchemaObject]) -> bool:
    """Whether the numbers by which a full-text table knows its rows are part of a version."""
    words = {folded(options_of(definition.sql).get("content_rowid", "rowid"))}
    tables = []
    for each in sources:
        if each.type == "view":
            words |= set(map(folded, mentioned(each.sql)))
        else:
            tables.append(shape.tables[each.name])
    return all(
        table.key_kind in (KeyKind.INTEGER, KeyKind.ROWID)
        or not words & set(ROWID_NAMES) - {folded(column.name) for column in table.columns}
        for table in tables
    )


def with_thing(version: Version, names: frozenset[str], found: Thing | None) -> Version:
    """The version with one virtual table as it is there, or without it. `names`: it and what it may keep."""
    objects = _with_definitions(version.shape.objects, names, found.objects if found else ())
    kept = found.stored if found else {}
    tables = {name: table for name, table in version.shape.tables.items() if name not in names}
    roots = {name: root for name, root in version.roots.items() if name not in names}
    tables |= {name: table for name, (table, _) in kept.items()}
    roots |= {name: root for name, (_, root) in kept.items()}
    return replace(version, shape=replace(version.shape, objects=objects, tables=tables), roots=roots)


def _with_definitions(
    objects: Iterable[SchemaObject], names: frozenset[str], standing: Iterable[SchemaObject]
) -> tuple[SchemaObject, ...]:
    """Definitions in which those that hang on these names are the standing ones, where there were such before."""
    new = {(each.type, each.name): each for each in sorted(standing, key=lambda each: (each.type, each.name))}
    kept = []
    for each in objects:
        place = each.type, each.name
        if place in new:
            kept.append(new.pop(place))
        elif each.table not in names:
            kept.append(each)
    return (*kept, *new.values())


def _virtual(shape: Shape) -> dict[str, str]:
    """Module by virtual table, of those that may keep something."""
    found = (each for each in shape.objects if each.type == "table" and each.name not in shape.tables)
    modules = {each.name: module_of(each.sql).lower() for each in found}
    return {name: module for name, module in modules.items() if module not in _KEEP_NOTHING}


def _named_after(table: str, virtual: list[str]) -> str:
    """Of modules that SQLite does not have nobody knows which tables are theirs, only how they are always named."""
    return max((each for each in virtual if folded(table).startswith(folded(each) + "_")), key=len, default="")
