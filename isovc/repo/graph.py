"""The graph of the commits as small numbers: ways up, common ancestors, walks. Knows no messages and no refs.

Every commit has a time strictly greater than its parents' times, so a heap by time meets each commit after all its
children, and what is known of it then is final: one pass gives exact answers. Docs: docs/design/0005.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Any, NamedTuple

from isovc.errors import CommitNotIndexed, RowDamaged
from isovc.history import CommitId
from isovc.repo.database import Database
from isovc.repo.seals import sealer

_BLOCK = 256  # neighbours read together: history lies in the order of its numbers, one by one costs four times as much
_OURS, _THEIRS, _STALE = 1, 2, 4


class Node(NamedTuple):
    """The bones of a commit. `depth` counts first parents; `jump` is one of them, far up (0: there is none)."""

    number: int
    time: int
    generation: int
    depth: int
    jump: int
    parents: tuple[int, ...]
    id: CommitId

    def cells(self) -> tuple[int, int, int, int, int, str, bytes]:
        """The same as it lies in the table."""
        parents = " ".join(map(str, self.parents))
        return (self.number, self.time, self.generation, self.depth, self.jump, parents, bytes.fromhex(self.id))


BONES = "number, time, generation, depth, jump, parents, id"  # as they lie in the table, and in this order in a seal


class CommitGraph:
    """Reads the bones of commits, in blocks, and keeps them. Made for one transaction, and not kept longer. A row is
    looked at closely only when it is asked for."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._nodes: dict[int, Node] = {}
        self._rows: dict[int, tuple[Any, ...]] = {}  # read, and not asked for yet
        self._blocks: set[int] = set()
        self._seal = sealer()

    def keep(self, node: Node) -> None:
        """Remember a commit that was just entered."""
        self._nodes[node.number] = node

    def forget(self) -> None:
        """The table was emptied."""
        self._nodes.clear()
        self._rows.clear()
        self._blocks.clear()

    def newest(self) -> Node | None:
        """The one entered last; None: there is none."""
        number = self._db.execute("SELECT max(number) FROM commit_entry").fetchone()[0]
        return None if number is None else self.node(number)

    def latest(self) -> Node | None:
        """The one with the latest time; None: there is none."""
        row = self._db.execute("SELECT number FROM commit_entry ORDER BY time DESC LIMIT 1").fetchone()
        return None if row is None else self.node(row[0])

    def number(self, commit: CommitId) -> int | None:
        """The number of a commit; None: it is not in the index."""
        row = self._db.execute("SELECT number FROM commit_entry WHERE id = ?", (bytes.fromhex(commit),)).fetchone()
        return None if row is None else int(row[0])

    def numbers(self) -> dict[bytes, int]:
        """All there are, by the bytes of their ids."""
        return dict(self._db.execute("SELECT id, number FROM commit_entry", ()))

    def node_of(self, commit: CommitId) -> Node:
        """The bones of a commit."""
        number = self.number(commit)
        if number is None:
            raise CommitNotIndexed(commit=commit)
        node = self.node(number)
        if node.id != commit:
            raise RowDamaged(row=f"the entry of commit {commit[:12]}")
        return node

    def node(self, number: int) -> Node:
        """The bones of the commit with this number."""
        found = self._nodes.get(number)
        if found is None:
            block = number // _BLOCK
            if block not in self._blocks:
                rows = self._db.execute(
                    f"SELECT {BONES}, seal FROM commit_entry WHERE number BETWEEN ? AND ?",
                    (block * _BLOCK, (block + 1) * _BLOCK - 1),
                )
                self._rows |= {row[0]: row for row in rows}
                self._blocks.add(block)
            if number not in self._rows:
                raise CommitNotIndexed(commit=f"number {number}")
            found = self._nodes[number] = self._whole(self._rows.pop(number))
        return found

    def _whole(self, row: tuple[Any, ...]) -> Node:
        number, time, generation, depth, jump, parents, raw, seal = row
        if self._seal(row[:-1]) != seal:
            whose = raw.hex()[:12] if isinstance(raw, bytes) and raw else f"number {number}"
            raise RowDamaged(row=f"the entry of commit {whose}")
        return Node(number, time, generation, depth, jump, tuple(map(int, parents.split())), CommitId(raw.hex()))

    def up(self, node: Node, depth: int) -> Node:
        """The first parent, or parent of one, at this depth: about 2 log2(depth) steps."""
        while node.depth > depth:
            far = self.node(node.jump)
            node = far if far.depth >= depth else self.node(node.parents[0])
        return node

    def is_ancestor(self, goal: Node, top: Node) -> bool:
        """Whether `top` is `goal` or descends from it."""
        if top.depth >= goal.depth and self.up(top, goal.depth).number == goal.number:
            return True
        seen, waiting = {top.number}, [top]
        while waiting:
            for parent in map(self.node, waiting.pop().parents):
                if parent.number == goal.number:
                    return True
                if parent.generation > goal.generation and parent.time > goal.time and parent.number not in seen:
                    seen.add(parent.number)
                    waiting.append(parent)
        return False

    def merge_bases(self, ours: Node, theirs: Node) -> list[Node]:
        """The common ancestors that no other common ancestor descends from, newest first."""
        marks: dict[int, int] = {}
        heap: list[tuple[int, int]] = []
        fresh = 0  # in the heap and not stale: when none is left, nothing more can be found

        def mark(number: int, flags: int) -> None:
            nonlocal fresh
            before = marks.get(number, 0)
            after = marks[number] = before | flags
            if not before:
                heappush(heap, (-self.node(number).time, number))
            fresh += (not after & _STALE) - bool(before and not before & _STALE)

        mark(ours.number, _OURS)
        mark(theirs.number, _THEIRS)
        found = []
        while fresh:
            number = heappop(heap)[1]
            flags = marks[number]  # final: all children are later, so they were here before
            if not flags & _STALE:
                fresh -= 1
                if flags == _OURS | _THEIRS:
                    found.append(number)
                    flags |= _STALE
            for parent in self.node(number).parents:
                mark(parent, flags)
        return [self.node(number) for number in found]


class Walk:
    """Numbers, newest first. A commit's mark is final when it is met, since its children were met before."""

    def __init__(self, graph: CommitGraph, tips: Iterable[Node], without: Iterable[Node]) -> None:
        self._graph = graph
        self._heap: list[tuple[int, int]] = []
        self._hidden: dict[int, bool] = {}
        self._wanted = 0  # in the heap and not hidden
        for node in tips:
            self._push(node.number, hidden=False)
        for node in without:
            self._push(node.number, hidden=True)

    def __iter__(self) -> Iterator[int]:
        while self._wanted:
            number = heappop(self._heap)[1]
            hidden = self._hidden[number]
            self._wanted -= not hidden
            for parent in self._graph.node(number).parents:
                self._push(parent, hidden=hidden)
            if not hidden:
                yield number

    def rest(self) -> list[int]:
        """What waits, once the walk was left: the tips of all that was not met yet."""
        return [number for _, number in sorted(self._heap) if not self._hidden[number]]

    def _push(self, number: int, *, hidden: bool) -> None:
        before = self._hidden.get(number)
        if before is None:
            heappush(self._heap, (-self._graph.node(number).time, number))
            self._wanted += not hidden
        elif hidden and not before:
            self._wanted -= 1
        self._hidden[number] = hidden or bool(before)
