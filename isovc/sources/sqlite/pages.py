"""Finds changed rows by changed pages: fingerprints of the pages that hold a table's rows, and where they differ.

A b-tree cuts its keys into stretches, one a leaf page: the keys above one separator, up to and with the next. The
print of a stretch covers both separators, the leaf and every overflow page its cells reach. Two states cut the same
line of keys, so where a stretch of one is found in the other, its keys and rows are the same, wherever its page
has moved; and all that differs lies in the stretches of the new state that the old one does not have.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from isovc.encoding.digest import fingerprint
from isovc.errors import NotCanonical
from isovc.model import Key, KeyKind, KeyRange, Shape, Table
from isovc.sources.sqlite.btree import Strange, Stretches, row_stretches, walk_index, walk_table
from isovc.sources.sqlite.pagefile import PageFile, read_file
from isovc.sources.sqlite.record import key_of
from isovc.sources.sqlite.shape import index_columns, key_index
from isovc.sources.sqlite.snapshot import Snapshot

_WIDTH = 16  # bytes of a fingerprint


@dataclass(frozen=True, slots=True)
class PageMap:
    """Fingerprints of one state of a database, to be kept until the next: for each table what its rows mean, the
    stretches of its rows, and those of its key's index where it has one."""

    tables: Mapping[str, tuple[int, bytes, bytes]] = field(default_factory=dict)

    _VERSION: ClassVar[int] = 1
    _HEAD: ClassVar[struct.Struct] = struct.Struct(">H16sQQ")

    def encode(self) -> bytes:
        """Bytes to keep between commands."""
        parts = [bytes([self._VERSION])]
        for table, (meaning, rows, index) in self.tables.items():
            label = table.encode("utf-8", "surrogateescape")
            if len(label) < 1 << 16:
                parts += [
                    self._HEAD.pack(len(label), meaning.to_bytes(16, "big"), len(rows), len(index)),
                    label,
                    rows,
                    index,
                ]
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> PageMap:
        """The map that gave these bytes."""
        if data[:1] != bytes([cls._VERSION]):
            raise NotCanonical(what="a page map", why="it has another version")
        tables, at = {}, 1
        try:
            while at < len(data):
                label, meaning, rows, index = cls._HEAD.unpack_from(data, at)
                at += cls._HEAD.size
                ends = [at + label, at + label + rows, at + label + rows + index]
                name = data[at : ends[0]].decode("utf-8", "surrogateescape")
                tables[name] = (int.from_bytes(meaning, "big"), data[ends[0] : ends[1]], data[ends[1] : ends[2]])
                at = ends[2]
        except struct.error:
            at = -1
        if at != len(data):
            raise NotCanonical(what="a page map", why="it is cut short")
        return cls(tables)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The table holds what it held."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Whatever differs lies in here: all rows of `ranges` are to be read again, and what the last state had there
    and is gone was removed. Rows at `rowids` (ranges of the rowid, where that is not the key) are new or modified."""

    ranges: tuple[KeyRange, ...]
    rowids: tuple[KeyRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Everything:
    """It cannot be told: the whole table is to be read."""


Changes = Unchanged | Changed | Everything


@dataclass(frozen=True, slots=True)
class Pages:
    """The map of one snapshot, with what is needed to say where its stretches lie. It ends with its snapshot."""

    map: PageMap
    rows: Mapping[str, Stretches] = field(default_factory=dict)
    indexes: Mapping[str, Stretches] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)


def no_pages(shape: Shape) -> Pages:
    """Nothing is known about any table."""
    return Pages(PageMap(), tables=shape.tables)


def read_pages(snapshot: Snapshot, shape: Shape) -> Pages:
    """Fingerprint every table that the walk knows; a table that is strange to it is left out."""
    connection = snapshot.connection
    with read_file(snapshot) as file:
        if file is None:
            return no_pages(shape)
        roots = dict(connection.execute("SELECT name, rootpage FROM main.sqlite_schema WHERE rootpage > 0"))
        texts = {each.name: each.sql for each in shape.objects if each.type == "table"}
        found: dict[str, tuple[int, bytes, bytes]] = {}
        rows, indexes = {}, {}
        for name, table in shape.tables.items():
            try:
                by_row, by_key = _stretches(snapshot, file, shape, table, roots)
            except (Strange, struct.error, IndexError):
                continue
            meaning = fingerprint(f"{shape.encoding}\0{texts[name]}".encode("utf-8", "surrogateescape"))
            found[name] = (meaning, by_row.joined, by_key.joined if by_key else b"")
            rows[name] = by_row
            if by_key:
                indexes[name] = by_key
        return Pages(PageMap(found), rows, indexes, shape.tables)


def _stretches(
    snapshot: Snapshot, file: PageFile, shape: Shape, table: Table, roots: Mapping[str, int]
) -> tuple[Stretches, Stretches | None]:
    connection = snapshot.connection
    if table.key_kind in (KeyKind.INTEGER, KeyKind.ROWID):
        return row_stretches(file, *walk_table(file, roots[table.name])), None
    index = key_index(connection, table.name)
    columns = index_columns(connection, index) if index else ()
    names = tuple(column.name for column in columns)
    wanted = table.key if table.key_kind is KeyKind.COLUMNS else table.key[:-1]
    is_plain = all(column.collation == "BINARY" and not column.descending for column in columns)
    if shape.encoding != "UTF-8" or names != wanted or not is_plain:
        raise Strange("the index is not in the order of the tree")
    if table.without_rowid:
        return walk_index(file, roots[table.name]), None
    return row_stretches(file, *walk_table(file, roots[table.name])), walk_index(file, roots[str(index)])


def find_changes(old: PageMap | None, new: Pages, table: Table) -> Changes:
    """Where the rows of a table may differ between the state of the old map and the new one."""
    before = old.tables.get(table.name) if old else None
    now = new.map.tables.get(table.name)
    if before is None or now is None or before[0] != now[0] or new.tables.get(table.name) != table:
        return Everything()
    if before == now:
        return Unchanged()
    rows = _differing(before[1], new.rows[table.name])
    if table.name in new.indexes:
        ranges = _differing(before[2], new.indexes[table.name])
        return Changed(_ranges(new.indexes[table.name], ranges, table), _rowid_ranges(new.rows[table.name], rows))
    if table.without_rowid:
        return Changed(_ranges(new.rows[table.name], rows, table))
    return Changed(_rowid_ranges(new.rows[table.name], rows))


def _differing(old: bytes, new: Stretches) -> list[tuple[int, int]]:
    """Runs [first, last] of stretches that the old state did not have."""
    known = {old[i : i + _WIDTH] for i in range(0, len(old), _WIDTH)}
    runs: list[tuple[int, int]] = []
    for place, stretch in enumerate(new.ids):
        if stretch not in known:
            if runs and runs[-1][1] == place - 1:
                runs[-1] = (runs[-1][0], place)
            else:
                runs.append((place, place))
    return runs


def _rowid_ranges(stretches: Stretches, runs: list[tuple[int, int]]) -> tuple[KeyRange, ...]:
    bounds: list[Key | None] = [None, *((int(each),) for each in stretches.separators), None]
    return tuple(KeyRange(bounds[first], bounds[last + 1]) for first, last in runs)


def _ranges(stretches: Stretches, runs: list[tuple[int, int]], table: Table) -> tuple[KeyRange, ...]:
    def bound(place: int) -> Key | None:
        inside = 0 <= place < len(stretches.separators)
        return key_of(bytes(stretches.separators[place]), table) if inside else None

    return tuple(KeyRange(bound(first - 1), bound(last)) for first, last in runs)
