"""Fingerprints of all pages of a file, and names for the stretches that its trees cut. Knows nothing of tables or rows.

A stretch is named by its leaf, the separators on both sides and the overflow chains that its cells reach. Each of them
is 128 bits that hardly two of a kind share, and a stretch's name is all of them with XOR.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator

from isovc.encoding.digest import fingerprint_bytes
from isovc.sources.sqlite.btree import Strange, Walk
from isovc.sources.sqlite.pagefile import (
    INDEX_INTERIOR,
    INDEX_LEAF,
    TABLE_INTERIOR,
    TABLE_LEAF,
    PageFile,
    local_bytes,
    most_local,
    varint,
)

WIDTH = 16  # bytes of a fingerprint
_FIRST, _LAST = (int.from_bytes(fingerprint_bytes(end), "big") for end in (b"no lower bound", b"no upper bound"))
_TREE_KINDS = bytes((TABLE_LEAF, INDEX_LEAF, TABLE_INTERIOR, INDEX_INTERIOR))
_CLEAR_KINDS = INDEX_INTERIOR << 24  # pages: the link of an overflow page in a larger file may begin like a tree's page


class Prints:
    """The fingerprints of one snapshot. Lists are by page number, which counts from 1."""

    def __init__(self, file: PageFile) -> None:
        self._file = file
        prints = array("Q", bytes(WIDTH))
        self._links = bytearray(4 * (file.count + 1))  # the first four bytes of each page: an overflow page's next
        size = file.page_size
        for first, slab in file.slabs():
            pages = memoryview(slab)
            prints.frombytes(b"".join([fingerprint_bytes(pages[at : at + size]) for at in range(0, len(slab), size)]))
            end = first + len(slab) // size
            for byte in range(4):
                self._links[4 * first + byte : 4 * end : 4] = slab[byte::size]
        self._halves = prints[0::2], prints[1::2]
        self._kinds = bytes(self._links[::4])
        # page 1 begins with SQLite's name, the place before it is not there
        others = len(self._kinds.translate(None, _TREE_KINDS)) - 2
        self._may_overflow = others > 0 or file.count >= _CLEAR_KINDS

    def names(self, walk: Walk, old: bytes) -> bytes:
        """The name of every stretch, 16 bytes each; a leaf that had one of the old names is not looked into again."""
        leaves = walk.leaves
        if bytes(map(self._kinds.__getitem__, leaves)).count(walk.kind) != len(leaves):
            raise Strange(f"not all leaves are of kind {walk.kind}")
        own = array("Q", bytes(WIDTH * len(leaves)))
        own[0::2], own[1::2] = (array("Q", map(half.__getitem__, leaves)) for half in self._halves)
        mixed = int.from_bytes(own.tobytes(), "big") ^ int.from_bytes(walk.between, "big")
        mixed ^= _FIRST << 8 * WIDTH * (len(leaves) - 1) ^ _LAST
        names = mixed.to_bytes(WIDTH * len(leaves), "big")
        return names if names == old or not self._may_overflow else self._with_chains(names, walk, old)

    def _with_chains(self, names: bytes, walk: Walk, old: bytes) -> bytes:
        """A name that is known without chains belongs to the same leaf, which has no chains then."""
        known, whole = split(old), bytearray(names)
        for place, leaf in enumerate(walk.leaves):
            name = names[WIDTH * place : WIDTH * (place + 1)]
            if name not in known and (heads := chain_heads(self._file.page(leaf), self._file.usable)):
                chains = fingerprint_bytes(b"".join(self._chains(heads)))
                mixed = int.from_bytes(name, "big") ^ int.from_bytes(chains, "big")
                whole[WIDTH * place : WIDTH * (place + 1)] = mixed.to_bytes(WIDTH, "big")
        return bytes(whole)

    def _chains(self, heads: tuple[int, ...]) -> Iterator[bytes]:
        count, links = self._file.count, self._links
        high, low = self._halves
        for number in heads:
            for _ in range(count):  # a damaged chain may run in a circle
                if not 0 < number <= count:
                    break
                yield struct.pack("=QQ", high[number], low[number])
                number = int.from_bytes(links[4 * number : 4 * number + 4], "big")


def split(names: bytes) -> frozenset[bytes]:
    """Every name by itself."""
    return frozenset([names[at : at + WIDTH] for at in range(0, len(names), WIDTH)])


def chain_heads(page: bytes, usable: int) -> tuple[int, ...]:
    """The first overflow page of every cell of a leaf that has one."""
    try:
        pointers = struct.unpack_from(f">{page[3] << 8 | page[4]}H", page, 8)
        most = most_local(usable, is_table=page[0] == TABLE_LEAF)
        short = min(most, 0x7F)  # a first byte up to this is the whole length of a cell
        if max(map(page.__getitem__, pointers), default=0) <= short:
            return ()
        longer = 0x80 + min(most >> 7, 0x80)  # a first byte below this, with one more to come, is a length that fits
        return tuple(
            head
            for at in pointers
            if (first := page[at]) > short and not (0x80 <= first < longer and page[at + 1] < 0x80)
            if (head := _head(page, at, usable))
        )
    except (IndexError, struct.error):
        return ()  # damaged: SQLite will say so when its rows are read


def _head(page: bytes, cell: int, usable: int) -> int:
    is_table = page[0] == TABLE_LEAF
    payload, at = varint(page, cell)
    if is_table:
        _, at = varint(page, at)
    local = local_bytes(payload, usable, is_table=is_table)
    return 0 if local == payload else int.from_bytes(page[at + local : at + local + 4], "big")
