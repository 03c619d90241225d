"""The index of the commits in store.db: who descends from whom, and what `log` shows, without opening git.

Knows nothing of refs, and git only for being rebuilt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from isovc.errors import RowDamaged
from isovc.history import CommitId, CommitObject
from isovc.repo.database import Database
from isovc.repo.graph import BONES, CommitGraph, Node, Walk
from isovc.repo.seals import sealer

_BATCH = 200  # entries read with one statement; SQLite allows more, a page of `log` is smaller
CANDIDATES = 10  # an ambiguous prefix names so many


@dataclass(frozen=True, slots=True)
class CommitEntry:
    """One commit as `log` shows it. `time`: microseconds, strictly later than every parent's."""

    id: CommitId
    parents: tuple[CommitId, ...]
    time: int
    generation: int  # length of the longest way to a commit without parents, from 1
    author: str
    message: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some entries, newest first, and where the next page starts: no `rest`, no next page."""

    entries: tuple[CommitEntry, ...]
    rest: tuple[CommitId, ...]


class CommitReader(Protocol):
    """What rebuilding needs of the git history."""

    def read_commit(self, commit: CommitId) -> CommitObject: ...


class CommitIndex:
    """The table commit_entry. Made for one transaction or one reading, and not kept longer. `graph`: what is known of
    the same one already."""

    def __init__(self, db: Database, graph: CommitGraph | None = None) -> None:
        self._db = db
        self._graph = graph or CommitGraph(db)
        self._seal = sealer()

    # -- writing -------------------------------------------------------------------------------------------------------

    def next_time(self, now: int) -> int:
        """The time for a new commit: now, or just after the newest commit if the clock was set back."""
        latest = self._graph.latest()
        return now if latest is None else max(now, latest.time + 1)

    def add(self, commit: CommitId, parents: Sequence[CommitId], time: int, author: str, message: str) -> None:
        """Enter a commit after its parents. One from elsewhere whose clock lies is entered just after them."""
        if self._graph.number(commit) is not None:
            return
        above = [self._graph.node_of(parent) for parent in parents]
        generation = 1 + max((node.generation for node in above), default=0)
        time = max([time, *(node.time + 1 for node in above)])
        depth = above[0].depth + 1 if above else 0
        newest = self._graph.newest()
        number = newest.number + 1 if newest else 1
        jump = self._jump_for(above[0]) if above else 0
        node = Node(number, time, generation, depth, jump, tuple(node.number for node in above), commit)
        bones, words = node.cells(), (author, message)
        self._db.execute(
            f"INSERT INTO commit_entry({BONES}, author, message, seal, words_seal)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*bones, *words, self._seal(bones), self._seal((bones[-1], *words))),
        )
        self._graph.keep(node)

    def rebuild(self, history: CommitReader, tips: Iterable[CommitId]) -> int:
        """Make the index again from git, for everything these lead to. Gives the number of commits."""
        self._db.execute("DELETE FROM commit_entry", ())
        self._graph.forget()
        done: set[CommitId] = set()
        read: dict[CommitId, CommitObject] = {}
        waiting = list(tips)
        while waiting:
            commit = waiting[-1]
            if commit not in read and commit not in done:
                read[commit] = history.read_commit(commit)
            missing = [] if commit in done else [parent for parent in read[commit].parents if parent not in done]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if commit not in done:
                found = read.pop(commit)
                self.add(commit, found.parents, found.committed, str(found.author), found.message)
                done.add(commit)
        return len(done)

    # -- single commits ------------------------------------------------------------------------------------------------

    def __contains__(self, commit: CommitId) -> bool:
        return self._graph.number(commit) is not None

    def get(self, commit: CommitId) -> CommitEntry:
        """What is known of this commit."""
        return self._entries([self._graph.node_of(commit).number])[0]

    def find(self, prefix: str) -> tuple[CommitId, ...]:
        """The first few commits whose id begins so, in order of their ids."""
        low, high = bytes.fromhex(prefix.ljust(40, "0")), bytes.fromhex(prefix.ljust(40, "f"))
        rows = self._db.execute(
            "SELECT id FROM commit_entry WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?", (low, high, CANDIDATES)
        )
        return tuple(CommitId(row[0].hex()) for row in rows)

    # -- along first parents, in log2(n) steps -------------------------------------------------------------------------

    def ancestor(self, commit: CommitId, steps: int) -> CommitId | None:
        """The commit so many first parents up; None: history is shorter."""
        node = self._graph.node_of(commit)
        return None if steps > node.depth else self._graph.up(node, node.depth - steps).id

    def as_of(self, commit: CommitId, time: int) -> CommitId | None:
        """The newest commit at or before this time, from this one up first parents; None: history begins later."""
        node = self._graph.node_of(commit)
        while node.time > time:
            if not node.parents:
                return None
            far = self._graph.node(node.jump)
            node = far if far.time > time else self._graph.node(node.parents[0])
        return node.id

    def after(self, old: CommitId, tip: CommitId) -> CommitEntry | None:
        """The next one behind `old` on the way of first parents that leads up to `tip`; None: it is `tip`."""
        below, above = self._graph.node_of(old), self._graph.node_of(tip)
        return None if above.depth <= below.depth else self._entries([self._graph.up(above, below.depth + 1).number])[0]

    def first(self, commit: CommitId) -> CommitEntry:
        """Where the first parents of this commit end."""
        return self._entries([self._graph.up(self._graph.node_of(commit), 0).number])[0]

    # -- along all parents ---------------------------------------------------------------------------------------------

    def log(self, tips: Iterable[CommitId], *, without: Iterable[CommitId] = (), limit: int) -> LogPage:
        """A page of what these lead to and `without` does not, newest first. `rest` are the tips of the next page."""
        walk = self._walk(tips, without)
        entries = self._entries(list(islice(walk, limit)))
        rest = walk.rest()
        return LogPage(tuple(entries), tuple(self._graph.node(number).id for number in rest))

    def walk(self, tips: Iterable[CommitId], *, without: Iterable[CommitId] = ()) -> Iterator[CommitEntry]:
        """All of it, one by one, read in batches."""
        numbers = iter(self._walk(tips, without))
        while batch := list(islice(numbers, _BATCH)):
            yield from self._entries(batch)

    def is_ancestor(self, old: CommitId, new: CommitId) -> bool:
        """Whether `new` is `old` or descends from it."""
        return self._graph.is_ancestor(self._graph.node_of(old), self._graph.node_of(new))

    def merge_bases(self, ours: CommitId, theirs: CommitId) -> tuple[CommitId, ...]:
        """The common ancestors that no other common ancestor descends from, newest first: two after a criss-cross."""
        bases = self._graph.merge_bases(self._graph.node_of(ours), self._graph.node_of(theirs))
        return tuple(node.id for node in bases)

    def joins(self, old: CommitId, new: CommitId) -> list[tuple[CommitId, CommitId]] | None:
        """The merges through which `old` came to be in `new` by another than their first parent, oldest first, each
        with that parent; None: it is not in it. Where it came by several ways, the first parent counts."""
        goal, tip = self._graph.node_of(old).number, self._graph.node_of(new).number
        came: dict[int, int] = {goal: goal}
        for number in reversed(list(self._walk([new], [old]))):
            parent = next((each for each in self._graph.node(number).parents if each in came), None)
            if parent is not None:
                came[number] = parent
        if tip not in came:
            return None
        found: list[tuple[CommitId, CommitId]] = []
        while tip != goal:
            node, parent = self._graph.node(tip), came[tip]
            if parent != node.parents[0]:
                found.append((node.id, self._graph.node(parent).id))
            tip = parent
        return found[::-1]

    def _walk(self, tips: Iterable[CommitId], without: Iterable[CommitId]) -> Walk:
        node = self._graph.node_of
        return Walk(self._graph, map(node, tips), map(node, without))

    # -- within --------------------------------------------------------------------------------------------------------

    def _jump_for(self, parent: Node) -> int:
        """Skew-binary jump pointers: any depth is reached in about 2 log2(depth) steps, for one number a commit."""
        far = self._graph.node(parent.jump) if parent.jump else parent
        further = self._graph.node(far.jump) if far.jump else far
        return further.number if parent.depth - far.depth == far.depth - further.depth else parent.number

    def _entries(self, numbers: Sequence[int]) -> list[CommitEntry]:
        rows = self._rows(numbers)
        entries = []
        for node in map(self._graph.node, numbers):
            author, message, seal = rows.get(node.number, (None, None, None))
            if self._seal((bytes.fromhex(node.id), author, message)) != seal:
                raise RowDamaged(row=f"the entry of commit {node.id[:12]}")
            parents = tuple(self._graph.node(parent).id for parent in node.parents)
            entries.append(CommitEntry(node.id, parents, node.time, node.generation, author, message))
        return entries

    def _rows(self, numbers: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        found: dict[int, tuple[Any, ...]] = {}
        wanted = iter(numbers)
        while batch := list(islice(wanted, _BATCH)):
            marks = ", ".join("?" * len(batch))
            listing = f"SELECT number, author, message, words_seal FROM commit_entry WHERE number IN ({marks})"
            found.update((row[0], row[1:]) for row in self._db.execute(listing, batch))
        return found
