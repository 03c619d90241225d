"""Walks one b-tree from its root down to the numbers of its leaves. Knows nothing of tables, and of rows only keys."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from isovc.encoding.digest import fingerprint_bytes
from isovc.sources.sqlite.pagefile import (
    INDEX_INTERIOR,
    INDEX_LEAF,
    TABLE_INTERIOR,
    TABLE_LEAF,
    PageFile,
    local_bytes,
    varint,
)

_SIGN = 1 << 63
_DEEPEST = 40  # levels: SQLite itself gives up at 20
_LONGEST_CELL = 13  # bytes of a cell in an inner page of a table
_WORD = struct.Struct(">Q")


class Strange(Exception):  # it never leaves this room
    """The tree is not as this walk expects it."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The leaves of one tree in order, and what stands between two of them."""

    kind: int  # the type byte that every leaf has
    leaves: Sequence[int]
    separator: Callable[[int], int | bytes]  # what stands behind a leaf but the last: a rowid, or a record of an index
    between: bytes  # 16 bytes a leaf, made from both its separators and from nothing else


def walk_table(file: PageFile, root: int) -> Walk:
    """The tree of a table with rowids: a separator is the largest rowid that may stand in the leaf before it."""
    level, rowids = array("Q", [root]), array("q")
    for _ in range(_descents(file, root, TABLE_INTERIOR, TABLE_LEAF)):
        children, between = array("Q"), array("q")
        for place, number in enumerate(level):
            _read_inner(file.page(number), number, children, between)
            between.extend(rowids[place : place + 1])
        level, rowids = children, between
    _check_numbers(file, level)
    pairs = array("q", bytes(16 * len(level)))
    pairs[2::2] = pairs[1:-1:2] = rowids
    return Walk(TABLE_LEAF, level, rowids.__getitem__, pairs.tobytes())


def _read_inner(page: bytes, number: int, children: array[int], rowids: array[int]) -> None:
    """Written out by hand: it runs once for every leaf of a file."""
    cells = _cells(page, number, TABLE_INTERIOR)
    page += bytes(_LONGEST_CELL)
    word_at, add_child, add_rowid = _WORD.unpack_from, children.append, rowids.append
    for at in cells:
        # four bytes of a child's number, then a varint, of which this sees the first four bytes
        (word,) = word_at(page, at)
        add_child(word >> 32)
        if not word & 0x80000000:
            add_rowid(word >> 24 & 0x7F)
        elif not word & 0x800000:
            add_rowid(word >> 17 & 0x3F80 | word >> 16 & 0x7F)
        elif not word & 0x8000:
            add_rowid(word >> 10 & 0x1FC000 | word >> 9 & 0x3F80 | word >> 8 & 0x7F)
        else:
            rowid = varint(page, at + 4)[0]
            add_rowid(rowid - (rowid & _SIGN) * 2)
    add_child(int.from_bytes(page[8:12], "big"))


def walk_index(file: PageFile, root: int) -> Walk:
    """The tree of an index, or of a table WITHOUT ROWID; inner pages hold entries too, each one ends a stretch."""
    level, names, places = [root], list[bytes](), list[tuple[int, int]]()
    for _ in range(_descents(file, root, INDEX_INTERIOR, INDEX_LEAF)):
        children: list[int] = []
        between: list[bytes] = []
        inside: list[tuple[int, int]] = []
        for place, number in enumerate(level):
            page = file.page(number)
            for cell in _cells(page, number, INDEX_INTERIOR):
                children.append(int.from_bytes(page[cell : cell + 4], "big"))
                between.append(fingerprint_bytes(_record(file, page, cell)))
                inside.append((number, cell))
            children.append(int.from_bytes(page[8:12], "big"))
            between += names[place : place + 1]
            inside += places[place : place + 1]
        level, names, places = children, between, inside
    _check_numbers(file, level)
    lower = array("Q", bytes(16) + b"".join(names))
    upper = array("Q", b"".join(names) + bytes(16))
    pairs = array("Q", lower)
    # the halves of one change places, so that a separator is not the same on both sides
    pairs[0::2] = array("Q", map(int.__xor__, lower[0::2], upper[1::2]))
    pairs[1::2] = array("Q", map(int.__xor__, lower[1::2], upper[0::2]))

    def record(place: int) -> bytes:
        # read again, because keys may be long and few of them are looked at
        number, cell = places[place]
        return _record(file, file.page(number), cell)

    return Walk(INDEX_LEAF, level, record, pairs.tobytes())


def _descents(file: PageFile, root: int, interior: int, leaf: int) -> int:
    """How many levels of inner pages there are: a b-tree is equally deep everywhere."""
    number = root
    for depth in range(_DEEPEST):
        page = file.page(number) if 1 < number <= file.count else bytes(12)
        if page[0] == leaf:
            return depth
        if page[0] != interior:
            break
        number = int.from_bytes(page[8:12], "big")
    raise Strange("no b-tree of this kind")


def _check_numbers(file: PageFile, leaves: Sequence[int]) -> None:
    if min(leaves) < 1 or max(leaves) > file.count:
        raise Strange("a leaf lies outside of the file")


def _cells(page: bytes, number: int, kind: int) -> tuple[int, ...]:
    if page[0] != kind:
        raise Strange(f"page {number} is not of kind {kind}")
    return struct.unpack_from(f">{page[3] << 8 | page[4]}H", page, 12)


def _record(file: PageFile, page: bytes, cell: int) -> bytes:
    """The whole record of a cell of an inner page, its overflow chain included."""
    size, at = varint(page, cell + 4)
    local = local_bytes(size, file.usable, is_table=False)
    parts = [page[at : at + local]]
    missing = size - local
    head = int.from_bytes(page[at + local : at + local + 4], "big")
    for part in file.chain(head) if missing else ():
        parts.append(part)
        missing -= len(part)
        if missing <= 0:
            break
    if missing > 0:
        raise Strange("an overflow chain is cut short")
    return b"".join(parts)[:size]
