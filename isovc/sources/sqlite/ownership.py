"""Which tree each page of a file belongs to, and how one transaction moves pages between trees. Knows nothing of rows.

A page is reached by one pointer. What a transaction does to a tree shows in the inner pages that it wrote: a page that
they point to no more is gone from the tree with all below it, one that they point to now has come, and one that
changed its parent did neither. Whatever does not fit that is Strange, and the file is looked at from the begin.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from isovc.sources.sqlite.btree import Strange
from isovc.sources.sqlite.pagefile import INDEX_INTERIOR, INDEX_LEAF, TABLE_INTERIOR, TABLE_LEAF

Page = Callable[[int], bytes]
SCHEMA_ROOT = 1
_ROUNDS = 64  # of putting right what a page that changed its tree seemed to say; a handful is plenty
_LEAVES, _INNER = (TABLE_LEAF, INDEX_LEAF), (TABLE_INTERIOR, INDEX_INTERIOR)
_FAMILY = {TABLE_LEAF: 0, TABLE_INTERIOR: 0, INDEX_LEAF: 1, INDEX_INTERIOR: 1}


@dataclass(slots=True)
class Moved:
    """Pages of one tree that hold something else than before: those of the old state, those of the new one."""

    old: list[int] = field(default_factory=list)
    new: list[int] = field(default_factory=list)


class Ownership:
    """By page number the root page of the tree it belongs to; 0: none."""

    def __init__(self, page: Page, pages: int, roots: Iterable[int]) -> None:
        self._of = array("I", bytes(4 * (pages + 1)))
        for root in {SCHEMA_ROOT, *roots}:
            self._claim(page, root)

    def of(self, page: int) -> int:
        """The tree of a page."""
        return self._of[page] if page < len(self._of) else 0

    def owned(self) -> Iterator[int]:
        """Every page that belongs to a tree."""
        return (page for page, root in enumerate(self._of) if root)

    def follow(self, written: Iterable[int], before: Page, after: Page, pages: int) -> dict[int, Moved]:
        """Go on to the state behind a transaction that wrote these pages: by tree what changed in it."""
        dirty: dict[int, list[int]] = {}
        for page in written:
            if root := self.of(page):
                dirty.setdefault(root, []).append(page)
        found = {root: _moved(root, mine, before, after) for root, mine in dirty.items()}
        self._let(found, pages)
        return {root: moved for root, (moved, _, _) in found.items()}

    def _let(self, found: Mapping[int, tuple[Moved, set[int], set[int]]], pages: int) -> None:
        if len(self._of) <= pages:
            self._of.frombytes(bytes(4 * (pages + 1 - len(self._of))))
        for _, gone, _ in found.values():
            for page in gone:
                self._of[page] = 0
        for root, (_, _, come) in found.items():
            for page in come:
                if not 0 < page <= pages or self._of[page]:
                    raise Strange("two trees claim a page")
                self._of[page] = root

    def _claim(self, page: Page, root: int) -> None:
        """All pages of a tree; its leaves are not read."""
        level = [root]
        while level:
            for each in level:
                if not 0 < each < len(self._of) or self._of[each]:
                    raise Strange("two trees claim a page")
                self._of[each] = root
            if _kind(page(level[0]), level[0]) in _LEAVES:
                return
            level = [kid for each in level for kid in kids(page(each), each)]


def kids(page: bytes, number: int) -> list[int]:
    """The pages that an inner page points to; none where it is a leaf."""
    at = 100 if number == 1 else 0
    kind = page[at]
    if kind in _LEAVES:
        return []
    if kind not in _INNER:
        raise Strange(f"page {number} belongs to no tree")
    count = page[at + 3] << 8 | page[at + 4]
    cells = struct.unpack_from(f">{count}H", page, at + 12)
    found = [int.from_bytes(page[cell : cell + 4], "big") for cell in cells]
    found.append(int.from_bytes(page[at + 8 : at + 12], "big"))
    return found


def _kids_if_any(page: bytes, number: int) -> set[int]:
    """The same of a page that may belong to something else by now."""
    try:
        return set(kids(page, number))
    except (Strange, struct.error):
        return set()


def _kind(page: bytes, number: int) -> int:
    return page[100 if number == 1 else 0]


def _moved(root: int, dirty: list[int], before: Page, after: Page) -> tuple[Moved, set[int], set[int]]:
    """What changed in a tree, the pages it lost and those it got."""
    own = set(dirty)
    family = _FAMILY.get(_kind(before(dirty[0]), dirty[0]))
    if all(
        _kind(before(page), page) in _LEAVES and (_kind(after(page), page) == _kind(before(page), page))
        for page in dirty
    ):
        return Moved(dirty, dirty), set(), set()  # nearly always
    gone: set[int] = set()
    come: set[int] = set()
    for _ in range(_ROUNDS):
        lost, got = set[int](), set[int]()
        for page in own - gone:
            old, new = set(kids(before(page), page)), _kids_if_any(after(page), page)
            lost |= old - new
            got |= new - old
        for page in gone:
            lost.update(kids(before(page), page))
        for page in come:
            got.update(kids(after(page), page))
        if (lost - got, got - lost) == (gone, come):
            break
        gone, come = lost - got, got - lost
    else:
        raise Strange("a tree does not come to rest")
    if root in gone:
        raise Strange("a tree lost its root")
    moved = Moved(sorted(own | gone), sorted((own - gone) | come))
    if any(_FAMILY.get(_kind(after(page), page)) != family for page in moved.new):
        raise Strange("a tree of a table became one of an index")
    return moved, gone, come
