"""Walks one b-tree from its root and cuts it into stretches. Knows nothing of tables, and of rows only their bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from isovc.encoding.digest import fingerprint
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


class Strange(Exception):  # it never leaves this room
    """The tree is not as this walk expects it."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """The stretches of one tree in order: a fingerprint each, and what stands between two of them."""

    ids: tuple[bytes, ...]
    separators: Sequence[int | bytes]  # rowids, or records of an index; one fewer than stretches

    @property
    def joined(self) -> bytes:
        """All fingerprints as one byte string."""
        return b"".join(self.ids)


def walk_table(file: PageFile, root: int) -> tuple[list[int], list[int]]:
    """The leaves of a table's tree in order, and the largest rowid that may stand in each but the last."""
    level, rowids = [root], list[int]()
    for _ in range(_descents(file, root, TABLE_INTERIOR, TABLE_LEAF)):
        children: list[int] = []
        between: list[int] = []
        for place, number in enumerate(level):
            page = file.page(number)
            for cell in _cells(page, number, TABLE_INTERIOR):
                children.append(int.from_bytes(page[cell : cell + 4], "big"))
                rowid = varint(page, cell + 4)[0]
                between.append(rowid - (rowid & _SIGN) * 2)
            children.append(int.from_bytes(page[8:12], "big"))
            between += rowids[place : place + 1]
        level, rowids = children, between
    _check_leaves(file, level, TABLE_LEAF)
    return level, rowids


def row_stretches(file: PageFile, leaves: list[int], rowids: list[int]) -> Stretches:
    """The stretches of a table's tree."""
    packed = [struct.pack(">q", rowid) for rowid in rowids]
    return Stretches(_ids(file, leaves, packed), rowids)


def walk_index(file: PageFile, root: int) -> Stretches:
    """The stretches of an index, or of a table WITHOUT ROWID; inner pages hold entries too, each one ends a stretch."""
    level, records = [root], list[bytes]()
    for _ in range(_descents(file, root, INDEX_INTERIOR, INDEX_LEAF)):
        children: list[int] = []
        between: list[bytes] = []
        for place, number in enumerate(level):
            page = file.page(number)
            for cell in _cells(page, number, INDEX_INTERIOR):
                children.append(int.from_bytes(page[cell : cell + 4], "big"))
                between.append(_payload(file, page, cell + 4))
            children.append(int.from_bytes(page[8:12], "big"))
            between += records[place : place + 1]
        level, records = children, between
    _check_leaves(file, level, INDEX_LEAF)
    packed = [fingerprint(record).to_bytes(16, "big") for record in records]
    return Stretches(_ids(file, level, packed), records)


def _ids(file: PageFile, leaves: list[int], separators: list[bytes]) -> tuple[bytes, ...]:
    """A fingerprint a leaf, over both its separators, its page and the chains of its cells."""
    prints, spilled = file.prints, file.spilled
    ids = []
    for leaf, lower, upper in zip(leaves, [b"", *separators], [*separators, b"\0"], strict=True):
        content = prints[leaf].to_bytes(16, "big") + b"<" + lower + b"|" + upper
        if leaf in spilled:
            chains = (prints[page].to_bytes(16, "big") for head in spilled[leaf] for page in file.chain(head))
            content += b"".join(chains)
        ids.append(fingerprint(content).to_bytes(16, "big"))
    return tuple(ids)


def _descents(file: PageFile, root: int, interior: int, leaf: int) -> int:
    """How many levels of inner pages there are: a b-tree is equally deep everywhere."""
    number = root
    for depth in range(_DEEPEST):
        kind = file.kind(number) if 1 < number <= file.count else 0
        if kind == leaf:
            return depth
        if kind != interior:
            break
        page = file.page(number)
        number = int.from_bytes(page[8:12], "big")
    raise Strange("no b-tree of this kind")


def _cells(page: bytes, number: int, kind: int) -> tuple[int, ...]:
    if page[0] != kind:
        raise Strange(f"page {number} is not of kind {kind}")
    return struct.unpack_from(f">{page[3] << 8 | page[4]}H", page, 12)


def _check_leaves(file: PageFile, leaves: list[int], kind: int) -> None:
    if max(leaves) > file.count or min(leaves) < 1 or any(file.kind(leaf) != kind for leaf in leaves):
        raise Strange(f"not all leaves are of kind {kind}")


def _payload(file: PageFile, page: bytes, at: int) -> bytes:
    """The whole record of a cell of an index page, its overflow chain included."""
    size, at = varint(page, at)
    local = local_bytes(size, file.usable, is_table=False)
    parts = [page[at : at + local]]
    if local < size:
        head = int.from_bytes(page[at + local : at + local + 4], "big")
        parts += [file.page(number)[4 : file.usable] for number in file.chain(head)]
    record = b"".join(parts)[:size]
    if len(record) != size:
        raise Strange("an overflow chain is cut short")
    return record
