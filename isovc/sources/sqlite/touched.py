"""Which rows one transaction touched, seen from the pages that it wrote. Knows no values: SQL tells them.

Between two states a tree holds the same cells wherever none of its pages was written. So the cells of its pages that
hold something else than before, old ones against new ones, differ in just the rows that were touched. A value that
overflows may be written in place, without its leaf: such pages are looked for by themselves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from isovc.model import Key, KeyKind, Shape, Table
from isovc.sources.sqlite.btree import Strange
from isovc.sources.sqlite.ownership import SCHEMA_ROOT, Moved, Ownership, Page
from isovc.sources.sqlite.pagefile import INDEX_INTERIOR, INDEX_LEAF, TABLE_LEAF, local_bytes, varint
from isovc.sources.sqlite.prints import chain_heads
from isovc.sources.sqlite.record import key_of
from isovc.sources.sqlite.shape import index_columns, key_index
from isovc.sources.sqlite.snapshot import Snapshot

_HEADER = 100  # bytes of page 1 that say what the file is
_PENDING = 1 << 30  # the byte that SQLite locks: its page holds nothing
# bytes of the header that a transaction changes without changing what the database holds: counters, size, free pages
_FREE = ((24, 40), (92, 100))
_STRANGE = (struct.error, IndexError)


@dataclass(slots=True)
class Touched:
    """Rows of one table: those that are gone or other than before, and those that are new or other. By rowid, or by
    key where a table has none."""

    old: set[Key] = field(default_factory=set)
    new: set[Key] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Tree:
    table: Table
    usable: bool  # without a rowid: the key can be told from an entry


class Finder:
    """Finds them from one transaction to the next, as long as the shape stays."""

    def __init__(self, snapshot: Snapshot, shape: Shape, page: Page, pages: int) -> None:
        connection = snapshot.connection
        roots = dict(connection.execute("SELECT name, rootpage FROM main.sqlite_schema WHERE rootpage > 0"))
        self._trees = {roots[name]: _tree(snapshot, shape, table) for name, table in shape.tables.items()}
        try:
            self._owners = Ownership(page, pages, roots.values())
        except _STRANGE as error:
            raise Strange(str(error)) from None
        self._usable = int(connection.pragma("page_size")) - page(1)[20]
        self._moves_pages = bool(shape.pragmas.get("auto_vacuum"))

    def find(self, written: Sequence[int], before: Page, after: Page, pages: int) -> dict[str, Touched]:
        """The rows by table. Raises Strange where the whole is to be looked at; then no transaction can follow."""
        try:
            return self._find([page for page in written if page <= pages], before, after, pages)
        except _STRANGE as error:
            raise Strange(str(error)) from None

    def _find(self, written: list[int], before: Page, after: Page, pages: int) -> dict[str, Touched]:
        if 1 in written and not _same_header(before(1), after(1)):
            raise Strange("the shape is another")
        if any(page != 1 and self._owners.of(page) == SCHEMA_ROOT for page in written):
            raise Strange("the schema was written")
        moved = self._owners.follow(written, before, after, pages)
        loose = {page for page in written if not self._owners.of(page)}
        if loose:
            loose -= set(_unused(after, pages, moves_pages=self._moves_pages, size=len(after(1))))
        found: dict[str, Touched] = {}
        explained: set[int] = set()
        for root, pair in moved.items():
            in_place = self._with_chains(pair.new, after, loose, explained) if loose else {}
            self._compare(root, pair, in_place, before, after, found)
        if loose - explained:
            for root, leaves in self._leaves_of(loose - explained, after).items():
                in_place = self._with_chains(leaves, after, loose, explained)
                self._compare(root, Moved(leaves, leaves), in_place, before, after, found)
        return found

    def _compare(
        self,
        root: int,
        moved: Moved,
        in_place: Mapping[int, set[int]],
        before: Page,
        after: Page,
        found: dict[str, Touched],
    ) -> None:
        tree = self._trees.get(root)
        if tree is None:
            return
        touched = found.setdefault(tree.table.name, Touched())
        if tree.table.without_rowid:
            self._compare_records(tree, moved, in_place, before, after, touched)
            return
        old, new = _by_rowid(moved.old, before, self._usable), _by_rowid(moved.new, after, self._usable)
        written = {rowid for page, cells in in_place.items() for rowid in _rowids_at(after(page), cells)}
        touched.old |= {(rowid,) for rowid, cell in old.items() if new.get(rowid) != cell or rowid in written}
        touched.new |= {(rowid,) for rowid, cell in new.items() if old.get(rowid) != cell or rowid in written}

    def _compare_records(
        self,
        tree: _Tree,
        moved: Moved,
        in_place: Mapping[int, set[int]],
        before: Page,
        after: Page,
        touched: Touched,
    ) -> None:
        old, new = _entries(moved.old, before, self._usable), _entries(moved.new, after, self._usable)
        gone, come = old.keys() - new.keys(), new.keys() - old.keys()
        if (gone or come or in_place) and not tree.usable:
            raise Strange("the key of an entry cannot be told")
        for page, cells in in_place.items():
            come |= {entry for entry, (at_page, at) in new.items() if at_page == page and at in cells}
        gone |= come & old.keys()  # the end of its key may be another
        touched.old |= {self._key(tree.table, before, *old[entry]) for entry in gone}
        touched.new |= {self._key(tree.table, after, *new[entry]) for entry in come}

    def _key(self, table: Table, page: Page, number: int, at: int) -> Key:
        content = page(number)
        size, start = varint(content, at + (4 if content[0] == INDEX_INTERIOR else 0))
        local = local_bytes(size, self._usable, is_table=False)
        parts = [content[start : start + local]]
        if local < size:
            head = int.from_bytes(content[start + local : start + local + 4], "big")
            parts += (page(each)[4 : self._usable] for each in _chain(page, head))
        return key_of(b"".join(parts)[:size], table)

    def _with_chains(
        self, leaves: Sequence[int], page: Page, wanted: set[int], explained: set[int]
    ) -> dict[int, set[int]]:
        """Cells of leaves, by page and place, of which an overflow page is among the wanted ones."""
        found: dict[int, set[int]] = {}
        for leaf in leaves:
            content = page(leaf)
            if content[0] not in (TABLE_LEAF, INDEX_LEAF):
                continue
            for at in _cells(content):
                for head in chain_heads(_only(content, at), self._usable):
                    if hit := wanted.intersection(_chain(page, head)):
                        explained |= hit
                        found.setdefault(leaf, set()).add(at)
        return found

    def _leaves_of(self, wanted: set[int], page: Page) -> dict[int, list[int]]:
        """The leaves whose cells overflow into these pages. Every leaf is looked into, which is why nothing else may
        explain the pages before."""
        found: dict[int, list[int]] = {}
        explained: set[int] = set()
        for number in self._owners.owned():
            root = self._owners.of(number)
            content = page(number)
            if content[0] in (TABLE_LEAF, INDEX_LEAF) and (heads := chain_heads(content, self._usable)):
                for head in heads:
                    if hit := wanted.intersection(_chain(page, head)):
                        explained |= hit
                        found.setdefault(root, []).append(number)
        if wanted - explained:
            raise Strange("a page was written that belongs to nothing")
        return {root: sorted(set(leaves)) for root, leaves in found.items()}


def _tree(snapshot: Snapshot, shape: Shape, table: Table) -> _Tree:
    if not table.without_rowid:
        return _Tree(table, usable=True)
    index = key_index(snapshot.connection, table.name)
    names = tuple(column.name for column in index_columns(snapshot.connection, index)) if index else ()
    return _Tree(table, usable=shape.encoding == "UTF-8" and names == table.key and table.key_kind is KeyKind.COLUMNS)


def _same_header(old: bytes, new: bytes) -> bool:
    kept = bytearray(old[:_HEADER]), bytearray(new[:_HEADER])
    for first, last in _FREE:
        for each in kept:
            each[first:last] = bytes(last - first)
    return kept[0] == kept[1] and old[_HEADER:] == new[_HEADER:]


def _unused(page: Page, pages: int, *, moves_pages: bool, size: int) -> Iterator[int]:
    """Pages that belong to no tree and hold no value: free ones, and those that say where pages are pointed to."""
    head, usable = page(1), size - page(1)[20]
    yield _PENDING // size + 1
    if moves_pages:
        entries = usable // 5
        yield from range(2, pages + 1, entries + 1)
        yield _PENDING // size + 2
    trunk = int.from_bytes(head[32:36], "big")
    for _ in range(pages):
        if not 0 < trunk <= pages:
            return
        yield trunk
        content = page(trunk)
        count = min(int.from_bytes(content[4:8], "big"), usable // 4 - 2)
        yield from struct.unpack_from(f">{count}I", content, 8)
        trunk = int.from_bytes(content[:4], "big")


def _chain(page: Page, head: int) -> Iterator[int]:
    seen: set[int] = set()
    while head and head not in seen:
        seen.add(head)
        yield head
        head = int.from_bytes(page(head)[:4], "big")


def _cells(page: bytes) -> tuple[int, ...]:
    return struct.unpack_from(f">{page[3] << 8 | page[4]}H", page, 12 if page[0] == INDEX_INTERIOR else 8)


def _only(page: bytes, at: int) -> bytes:
    """The page as if it had this one cell."""
    return page[:3] + b"\0\1" + page[5:8] + at.to_bytes(2, "big") + page[10:]


def _by_rowid(pages: Sequence[int], page: Page, usable: int) -> dict[int, bytes]:
    """The cells of the leaves among these pages."""
    found: dict[int, bytes] = {}
    for number in pages:
        content = page(number)
        if content[0] != TABLE_LEAF:
            continue
        for at in _cells(content):
            size, start = varint(content, at)
            rowid, start = varint(content, start)
            local = local_bytes(size, usable, is_table=True)
            found[rowid - (rowid >> 63 << 64)] = content[at : start + local + (4 if local < size else 0)]
    return found


def _rowids_at(page: bytes, cells: set[int]) -> Iterator[int]:
    for at in cells:
        rowid, _ = varint(page, varint(page, at)[1])
        yield rowid - (rowid >> 63 << 64)


def _entries(pages: Sequence[int], page: Page, usable: int) -> dict[bytes, tuple[int, int]]:
    """The entries of pages of a table without rowids, and where they stand."""
    found: dict[bytes, tuple[int, int]] = {}
    for number in pages:
        content = page(number)
        if content[0] not in (INDEX_LEAF, INDEX_INTERIOR):
            continue
        for at in _cells(content):
            size, start = varint(content, at + (4 if content[0] == INDEX_INTERIOR else 0))
            local = local_bytes(size, usable, is_table=False)
            end = start + local + (4 if local < size else 0)
            found[content[start:end]] = (number, at)
    return found
