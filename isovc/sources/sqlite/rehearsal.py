"""Definitions tried out in memory: which of them SQLite takes together, and what becomes of them when tables and
columns are renamed. Knows nothing of rows or versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import apsw

from isovc.errors import IsovcError
from isovc.model import SchemaObject, Table
from isovc.sources.sqlite.order import Place
from isovc.sources.sqlite.schema_table import add_virtual, create, free_name
from isovc.sources.sqlite.shape import kind_of, read_objects, read_shape
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sources.sqlite.twin import beside
from isovc.sources.sqlite.uncompiled import uncompiled
from isovc.sql import event_of, folded, name

_NOWHERE = Path(":memory:")
_ORDER = ("table", "virtual", "view", "index", "trigger")  # views first: triggers may stand on them
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BROKEN = re.compile(r"error in (view|trigger|index) (.*?)(?: after rename)?: ", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The tables that came out, and what SQLite does not take: `absent` are definitions that cannot be there at all,
    `broken` views and triggers that can, but that nobody could use. Each with what SQLite says."""

    tables: Mapping[str, Table]
    absent: Mapping[Place, str]
    broken: Mapping[Place, str]


@dataclass(frozen=True, slots=True)
class Renaming:
    """A table that gets another name, or whose columns do: old names to new."""

    old: str
    new: str
    columns: Mapping[str, str] = field(default_factory=dict)


def rehearse(objects: Sequence[SchemaObject], encoding: str) -> Rehearsal:
    """What comes of these definitions in an empty database."""
    absent: dict[Place, str] = {}
    with _in_memory(encoding) as snapshot:
        made = list(_create_all(snapshot, objects, absent))
        found = set(read_objects(snapshot.connection))
        for each in made:
            if each not in found:
                absent[each.type, each.name] = "its text came out different"
        broken = {(kind, label): why for kind, label, why in uncompiled(snapshot.connection)}
        tables = read_shape(snapshot.connection).tables
    broken.update(_without_columns(made, tables))
    return Rehearsal(tables, absent, broken)


def renamed_objects(
    objects: Sequence[SchemaObject], renamings: Sequence[Renaming], encoding: str
) -> tuple[SchemaObject, ...]:
    """The definitions as SQLite rewrites them when tables and columns get other names. What it does not take stays as
    it is."""
    absent: dict[Place, str] = {}
    with _in_memory(encoding) as snapshot:
        connection = snapshot.connection
        made = list(_create_all(snapshot, objects, absent))
        # first all aside, then all to where they shall be: names may go round
        second: list[tuple[str, str]] = []
        for each in renamings:
            table = each.old
            if each.new != each.old:
                table = free_name(connection)
                _alter(connection, each.old, f"RENAME TO {_said(table)}")
            for old, new in each.columns.items():
                aside = f"isovc_aside_{len(second)}"
                _alter(connection, table, f"RENAME COLUMN {name(old)} TO {aside}")
                second.append((table, f"RENAME COLUMN {aside} TO {_said(new)}"))
            if table != each.old:
                second.append((table, f"RENAME TO {_said(each.new)}"))
        for table, step in second:
            _alter(connection, table, step)
        found = {(each.type, each.name): each for each in read_objects(connection)}
    names = {each.old: each.new for each in renamings}
    there = set(made)
    whole = []
    for one in objects:
        new = names.get(one.name, one.name) if one.type == "table" else one.name
        kept = replace(one, table=names.get(one.table, one.table))
        whole.append(found.get((one.type, new), kept) if one in there else kept)
    return tuple(whole)


@contextmanager
def _in_memory(encoding: str) -> Iterator[Snapshot]:
    with beside(_NOWHERE, encoding) as snapshot:
        # here a rename shall rewrite and check views and triggers
        snapshot.connection.config(apsw.SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 0)
        yield snapshot


def _create_all(
    snapshot: Snapshot, objects: Iterable[SchemaObject], absent: dict[Place, str]
) -> Iterator[SchemaObject]:
    by_kind: dict[str, list[SchemaObject]] = {}
    for each in objects:
        by_kind.setdefault(kind_of(each), []).append(each)
    for kind in _ORDER:
        for each in sorted(by_kind.get(kind, ()), key=lambda each: not each.name.lower().startswith("sqlite_")):
            try:
                if kind == "virtual":
                    add_virtual(snapshot, [each])
                else:
                    create(snapshot, each)
            except (apsw.Error, IsovcError) as error:
                absent[each.type, each.name] = getattr(error, "why", str(error))
            else:
                yield each


def _without_columns(objects: Iterable[SchemaObject], tables: Mapping[str, Table]) -> Iterator[tuple[Place, str]]:
    """Triggers that wait for a change of columns that are not there: nothing ever compiles them."""
    for each in objects:
        if each.type == "trigger" and each.table in tables:
            there = {folded(column.name) for column in tables[each.table].columns}
            gone = [column for column in event_of(each.sql)[1] if folded(column) not in there]
            if gone:
                yield (each.type, each.name), f"no such column: {gone[0]}"


def _alter(connection: apsw.Connection, table: str, step: str) -> None:
    """One ALTER TABLE. Views and triggers that nobody can use stand in its way: they go, and keep their texts."""
    while True:
        try:
            connection.execute(f"ALTER TABLE main.{name(table)} {step}")
        except apsw.SQLError as error:
            found = _BROKEN.match(str(error))
            if not found:
                return
            with suppress(apsw.Error):
                connection.execute(f"DROP {found[1].upper()} main.{name(found[2])}")
                continue
            return
        else:
            return


def _said(label: str) -> str:
    """A name as people write it in ALTER: SQLite keeps the quotes."""
    return label if _PLAIN.fullmatch(label) and label.upper() not in apsw.keywords else name(label)
