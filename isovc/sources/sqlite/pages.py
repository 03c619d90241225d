"""Finds changed rows by changed pages: fingerprints of the pages that hold a table's rows, and where they differ.

A b-tree cuts its keys into stretches, one a leaf page: the keys above one separator, up to and with the next. The
name of a stretch covers both separators, the leaf and every overflow page its cells reach. Two states cut the same
line of keys, so where a stretch of one is found in the other, its keys and rows are the same, wherever its page
has moved; and all that differs lies in the stretches of the new state that the old one does not have.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

from isovc.encoding.digest import fingerprint
from isovc.errors import NotCanonical
from isovc.model import Key, KeyKind, KeyRange, Shape, Table
from isovc.sources.sqlite.btree import Strange, Walk, walk_index, walk_table
from isovc.sources.sqlite.pagefile import PageFile, page_file
from isovc.sources.sqlite.prints import WIDTH, Prints, split
from isovc.sources.sqlite.record import key_of
from isovc.sources.sqlite.shape import index_columns, key_index
from isovc.sources.sqlite.snapshot import Snapshot

_STRANGE = (Strange, struct.error, IndexError, OverflowError)  # what a tree that is none gives
Named = tuple[int, bytes, bytes]  # what the rows of a table mean, names of its stretches, those of its key's index


@dataclass(frozen=True, slots=True)
class PageMap:
    """Fingerprints of one state of a database, to be kept until the next: for each table what its rows mean, the
    stretches of its rows, and those of its key's index where it has one."""

    tables: Mapping[str, Named] = field(default_factory=dict)

    _VERSION: ClassVar[int] = 2
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


class Pages:
    """The fingerprints of one snapshot. It ends with its snapshot.

    What costs most is to look into each leaf for cells that overflow; where the map of an earlier state is at hand,
    only leaves that it does not know are looked into. So a table's stretches are named when they are asked for.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        meanings: Mapping[str, int],
        walks: Mapping[str, tuple[Walk, ...]],
        prints: Prints | None,
        known: PageMap | None = None,
    ) -> None:
        self.tables = tables
        self.walks = walks  # of the rows, and of the key's index where there is one
        self._meanings = meanings
        self._prints = prints
        self._known = known.tables if known else {}
        self._named: dict[str, Named | None] = {}

    @property
    def map(self) -> PageMap:
        """What to keep until the next time."""
        found = {table: self.named(table, self._known.get(table)) for table in self.walks}
        return PageMap({table: named for table, named in found.items() if named})

    def named(self, table: str, before: Named | None) -> Named | None:
        """What a page map has about this table; None where its trees are not as the walk expects them."""
        if table not in self._named:
            self._named[table] = self._name(table, before)
        return self._named[table]

    def _name(self, table: str, before: Named | None) -> Named | None:
        if self._prints is None or table not in self.walks:
            return None
        old = before[1:] if before else (b"", b"")
        try:
            found = [self._prints.names(*each) for each in zip(self.walks[table], old, strict=False)]
        except _STRANGE:
            return None
        return self._meanings[table], found[0], b"".join(found[1:])


def no_pages(shape: Shape) -> Pages:
    """Nothing is known about any table."""
    return Pages(shape.tables, {}, {}, None)


def read_pages(snapshot: Snapshot, shape: Shape, known: PageMap | None) -> Pages:
    """Fingerprint every table that the walk knows; a table that is strange to it is left out."""
    connection = snapshot.connection
    file = page_file(snapshot)
    if file is None:
        return no_pages(shape)
    roots = dict(connection.execute("SELECT name, rootpage FROM main.sqlite_schema WHERE rootpage > 0"))
    walks: dict[str, tuple[Walk, ...]] = {}
    for name, table in shape.tables.items():
        with suppress(*_STRANGE):
            walks[name] = _walk(snapshot, file, shape, table, roots)
    texts = {each.name: each.sql for each in shape.objects if each.type == "table"}
    meanings = {
        name: fingerprint(f"{shape.encoding}\0{texts[name]}".encode("utf-8", "surrogateescape")) for name in walks
    }
    return Pages(shape.tables, meanings, walks, Prints(file), known)


def _walk(snapshot: Snapshot, file: PageFile, shape: Shape, table: Table, roots: Mapping[str, int]) -> tuple[Walk, ...]:
    connection = snapshot.connection
    if table.key_kind in (KeyKind.INTEGER, KeyKind.ROWID):
        return (walk_table(file, roots[table.name]),)
    index = key_index(connection, table.name)
    columns = index_columns(connection, index) if index else ()
    names = tuple(column.name for column in columns)
    wanted = table.key if table.key_kind is KeyKind.COLUMNS else table.key[:-1]
    is_plain = all(column.collation == "BINARY" and not column.descending for column in columns)
    if shape.encoding != "UTF-8" or names != wanted or not is_plain:
        raise Strange("the index is not in the order of the tree")
    if table.without_rowid:
        return (walk_index(file, roots[table.name]),)
    return walk_table(file, roots[table.name]), walk_index(file, roots[str(index)])


def find_changes(old: PageMap | None, new: Pages, table: Table) -> Changes:
    """Where the rows of a table may differ between the state of the old map and the new one."""
    before = old.tables.get(table.name) if old else None
    now = new.named(table.name, before)
    if before is None or now is None or before[0] != now[0] or new.tables.get(table.name) != table:
        return Everything()
    if before == now:
        return Unchanged()
    rows, *index = new.walks[table.name]
    places = _differing(before[1], now[1])
    if index:
        keys = _ranges(index[0], _differing(before[2], now[2]), table)
        return Changed(keys, _ranges(rows, places, table))
    return Changed(_ranges(rows, places, table))


def _differing(old: bytes, new: bytes) -> list[tuple[int, int]]:
    """Runs [first, last] of stretches that the old state did not have."""
    known = split(old)
    runs: list[tuple[int, int]] = []
    for place in range(len(new) // WIDTH):
        if new[place * WIDTH : (place + 1) * WIDTH] not in known:
            if runs and runs[-1][1] == place - 1:
                runs[-1] = (runs[-1][0], place)
            else:
                runs.append((place, place))
    return runs


def _ranges(walk: Walk, runs: list[tuple[int, int]], table: Table) -> tuple[KeyRange, ...]:
    def bound(place: int) -> Key | None:
        if not 0 <= place < len(walk.leaves) - 1:
            return None
        separator = walk.separator(place)
        return (separator,) if isinstance(separator, int) else key_of(separator, table)

    return tuple(KeyRange(bound(first - 1), bound(last)) for first, last in runs)
