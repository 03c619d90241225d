"""Rows that point to rows which are not there. Knows nothing of changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from isovc.encoding.orderkey import encode_key
from isovc.errors import ForeignKeysBroken
from isovc.model import Key, KeyKind, Shape
from isovc.sources.sqlite.access import Access, access
from isovc.sources.sqlite.cells import exact, from_exact
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sql import folded, name

_MISMATCH = "foreign key mismatch"  # what SQLite says where no index keeps the parent's columns unique
Violation = tuple[Any, ...]  # child table, rowid (None in a table without), parent table, number of the constraint


def violations(connection: apsw.Connection) -> Counter[Violation]:
    """Every violation there is, and how often, because rows of tables without a rowid all look the same here."""
    return Counter(connection.execute("PRAGMA main.foreign_key_check"))


def check_new_violations(snapshot: Snapshot, before: Counter[Violation]) -> None:
    """Raise about the first pair of tables with a violation that was not there before."""
    new = violations(snapshot.connection) - before
    if new:
        child, _, parent, _ = next(iter(new))
        rows = sum(count for each, count in new.items() if (each[0], each[2]) == (child, parent))
        raise ForeignKeysBroken(path=snapshot.path, table=child, parent=parent, rows=rows)


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that points to one which is not there."""

    child: str
    key: Key
    parent: str  # as the constraint says it
    columns: tuple[str, ...]  # of the child


@dataclass(frozen=True, slots=True)
class _Constraint:
    parent: str
    columns: tuple[str, ...]
    to: tuple[str, ...]  # columns of the parent; empty: its PRIMARY KEY


def broken_references(connection: apsw.Connection, path: Path, shape: Shape) -> list[Broken]:
    """Each of them once, by child table, key, parent and columns.

    Where no index keeps the parent's columns unique, SQLite checks nothing and refuses the whole question: there the
    rows are compared here, if the parent is a table and has such columns at all.
    """
    found: dict[tuple[str, bytes, str, tuple[str, ...]], Broken] = {}
    for table in shape.tables.values():
        constraints = _constraints(connection, table.name)
        if constraints:
            way = access(connection, path, table)
            for constraint, key in _rows(connection, way, shape, constraints):
                broken = Broken(table.name, key, constraint.parent, constraint.columns)
                found[table.name, encode_key(key), constraint.parent, constraint.columns] = broken
    return [found[place] for place in sorted(found)]


def _constraints(connection: apsw.Connection, table: str) -> dict[int, _Constraint]:
    lines: dict[int, list[tuple[Any, ...]]] = {}
    listed: list[tuple[Any, ...]] = connection.execute(f"PRAGMA main.foreign_key_list({name(table)})").fetchall()
    for line in listed:
        lines.setdefault(line[0], []).append(line)
    found = {}
    for number, some in lines.items():
        some.sort(key=lambda line: int(line[1]))
        to = tuple(str(line[4]) for line in some if line[4] is not None)
        found[number] = _Constraint(str(some[0][2]), tuple(str(line[3]) for line in some), to)
    return found


def _rows(
    connection: apsw.Connection, way: Access, shape: Shape, constraints: dict[int, _Constraint]
) -> Iterator[tuple[_Constraint, Key]]:
    try:
        check = f"PRAGMA main.foreign_key_check({name(way.table.name)})"
        told: list[tuple[Any, ...]] = connection.execute(check).fetchall()
    except apsw.SQLError as error:
        if _MISMATCH not in str(error):
            raise
        by_query = set(constraints)
    else:
        by_query = {number for _, rowid, _, number in told if rowid is None or not way.rowid}
        rowids = ((number, rowid) for _, rowid, _, number in told if number not in by_query)
        for number, key in _by_rowid(connection, way, rowids):
            yield constraints[number], key
    for number in sorted(by_query):
        for key in _by_query(connection, way, shape, constraints[number]):
            yield constraints[number], key


def _by_rowid(connection: apsw.Connection, way: Access, told: Iterable[tuple[int, int]]) -> Iterator[tuple[int, Key]]:
    if way.table.key_kind in (KeyKind.INTEGER, KeyKind.ROWID):
        yield from ((number, (rowid,)) for number, rowid in told)
        return
    select = way.select(f"{way.rowid} = ?1", exactly=True, ordered=False, part=slice(len(way.key)))
    for number, rowid in told:
        for row in connection.execute(select, (rowid,)):
            yield number, from_exact(row, way.encoding)


def _by_query(connection: apsw.Connection, way: Access, shape: Shape, constraint: _Constraint) -> Iterator[Key]:
    """The rows as SQLite's own check finds them: with the parent's affinity and collation, no cell NULL."""
    cells = [f"{exact(each)} AS k{i}" for i, each in enumerate(way.key)]
    cells += [f"{name(each)} AS c{i}" for i, each in enumerate(constraint.columns)]
    some = " AND ".join(f"{name(each)} NOT NULL" for each in constraint.columns)
    keys = ", ".join(f"child.k{i}" for i in range(len(way.key)))
    sql = f"SELECT {keys} FROM (SELECT {', '.join(cells)} FROM main.{name(way.table.name)} WHERE {some}) AS child"
    parent = next((each for each in shape.tables.values() if folded(each.name) == folded(constraint.parent)), None)
    if parent is not None:
        primary = sorted((each for each in parent.columns if each.primary_key), key=lambda each: each.primary_key)
        to = constraint.to or tuple(each.name for each in primary)
        known = {folded(each.name) for each in parent.columns}
        if len(to) != len(constraint.columns) or not known.issuperset(map(folded, to)):
            return
        # a sign takes the affinity of the child's column away, and of two collations the left one counts; joined, not
        # looked up, because for a join SQLite makes an index by itself
        equal = " AND ".join(f"parent.{name(each)} = +child.c{i}" for i, each in enumerate(to))
        sql += f" LEFT JOIN main.{name(parent.name)} AS parent ON {equal} WHERE parent.{name(to[0])} IS NULL"
    elif any(folded(each.name) == folded(constraint.parent) for each in shape.objects):
        return  # a view or a virtual table
    for row in connection.execute(sql):
        yield from_exact(row, way.encoding)
