"""One question about rows: where it begins, and the versions on the way back that may say something about them, each
beside those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice

from isovc.encoding.digest import ChunkId
from isovc.errors import Damage, NoSuchTable
from isovc.history import CommitId
from isovc.model import Table
from isovc.progress import SILENT, Progress
from isovc.repo.commits import CommitEntry, CommitIndex
from isovc.repo.graph import CommitGraph, Node, Walk
from isovc.snapshot.renames import Pair
from isovc.snapshot.version import Version
from isovc.tree.forest import Forest
from isovc.tree.touched import go_down
from isovc.workspace.rows.ancestry import homes_by_commit, leading_to
from isovc.workspace.rows.finding import Finder
from isovc.workspace.rows.homes import Cells, Home, Side, before, named_alike, pairs_between, rows_in
from isovc.workspace.rows.past import Past, Start

AHEAD = 32  # commits whose rows are fetched together: half a MB, at most 20


@dataclass(frozen=True, slots=True)
class Before:
    """A version that another was made from. `home`: where the rows lived in it; `columns`: renamed since, old name to
    new."""

    version: Version
    home: Home | None
    columns: Mapping[str, str]

    def sides(self, forest: Forest, keys: Sequence[bytes]) -> dict[bytes, Side]:
        """What it has of some rows."""
        found = rows_in(forest, self.version, self.home, keys)
        return {key: Side(row, self.columns) for key, row in found.items()}


@dataclass(frozen=True, slots=True)
class Step:
    """One version on the way. `entry` None: it is not committed yet."""

    entry: CommitEntry | None
    version: Version
    home: Home
    parents: tuple[Before, ...]

    def rows(self, forest: Forest, keys: Sequence[bytes]) -> dict[bytes, Cells | None]:
        """What it has of some rows."""
        return rows_in(forest, self.version, self.home, keys)


class Looking:
    """Made inside one reading of store.db. With `hold_all` it can be kept longer: all that leads to the start is held
    then, and nothing else is looked at."""

    def __init__(self, past: Past, graph: CommitGraph, finder: Finder, start: Start) -> None:
        self.past = past
        self.graph = graph
        self.finder = finder
        self.start = start
        self.top = graph.node_of(start.commit) if start.commit else None
        self._held: Set[int] | None = None

    def hold_all(self) -> Set[int]:
        """Hold all commits that lead to the start; their numbers."""
        self._held = set(Walk(self.graph, [self.top] if self.top else [], []))
        return self._held

    def touching(self, tables: Iterable[str], key: bytes) -> Set[int]:
        """The numbers of the commits that may have touched a row."""
        found = self.finder.touching(tables, key)
        return found if self._held is None else found & self._held

    def table(self, name: str) -> Table:
        """The table that somebody means: of the start, or one that was dropped or renamed on the way to it."""
        found, tried = named_alike(self.start.version, name), set[str]()
        called = name
        while found is None and called not in tried:
            tried.add(called)
            was, became = self._gone(called)
            if was is None:
                break
            if became is None:
                found = was
            else:
                called = became.name
                found = named_alike(self.start.version, called)
        if found is None:
            raise NoSuchTable(table=name, known=sorted(self.start.version.shape.tables))
        return found

    def _gone(self, name: str) -> tuple[Table | None, Table | None]:
        """The table of this name that was there last, and what it became."""
        for node in leading_to(self.graph, self.top, self.finder.made_or_dropped(name)) if self.top else ():
            for each in self.parents_of(node):
                was = named_alike(self.past.version(each), name)
                if was is not None:
                    pairs = self.past.pairs(each, node.id)
                    return was, next((pair.after for pair in pairs if pair.before == was), None)
        return None, None

    def parents_of(self, node: Node) -> list[CommitId | None]:
        """The commits before one; before the first there is the empty version."""
        return [self.graph.node(parent).id for parent in node.parents] or [None]

    def steps(
        self, home: Home, choose: Callable[[set[str]], Iterable[int]], *, key: bytes | None = None
    ) -> Iterator[Step]:
        """The versions to look at, the newest first. `choose`: which commits they are, given the names of the table.
        `key`: the only row that is looked for in them."""
        here: Home | None = home
        if not self.start.is_committed:
            step = self.uncommitted(home)
            yield step
            here = step.parents[0].home
        if self.top is None or here is None:
            return
        names, turned = self.finder.tables(here.table)
        homes = homes_by_commit(self.past, self.graph, self.top, here, choose(names), turned)
        waiting = iter(homes.items())
        while some := list(islice(waiting, AHEAD)):
            nodes = [self.graph.node(number) for number, _ in some]
            if key is not None:
                self.go_ahead(nodes, names, key)
            for node, (_, there) in zip(nodes, some, strict=True):
                for each in sorted(there, key=repr):
                    yield self.step(node, each)

    def go_ahead(self, nodes: Iterable[Node], names: Iterable[str], key: bytes) -> None:
        """Fetch at once what looking for a row in some commits, and in those before them, will need."""
        names = list(names)
        roots: list[ChunkId] = []
        # what is damaged is told to whoever comes to it
        with suppress(Damage):
            for node in islice(nodes, AHEAD):
                for version in map(self.past.version, (node.id, self.parents_of(node)[0])):
                    roots.extend(version.roots[name].id for name in names if name in version.roots)
            go_down(self.past.forest, roots, key)

    def step(self, node: Node, home: Home) -> Step:
        """One commit."""
        parents = tuple(
            _before(self.past.version(each), self.past.pairs(each, node.id), home) for each in self.parents_of(node)
        )
        with self.past.repository.file.reading() as db:
            entry = CommitIndex(db, self.graph).get(node.id)
        return Step(entry, self.past.version(node.id), home, parents)

    def uncommitted(self, home: Home) -> Step:
        """The database as it is."""
        version, below = self.start.version, self.past.version(self.start.commit)
        found = pairs_between(self.past.forest, below, version)
        return Step(None, version, home, (_before(below, found, home),))


@contextmanager
def looking(past: Past, start: Start, *, seconds: float | None, progress: Progress = SILENT) -> Iterator[Looking]:
    """Look back from somewhere. `seconds`: for the index."""
    with past.repository.file.reading() as db:
        graph = CommitGraph(db)
        finder = Finder(past, graph, past.repository.cache, seconds=seconds, progress=progress)
        yield Looking(past, graph, finder, start)


def _before(version: Version, found: Sequence[Pair], home: Home) -> Before:
    return Before(version, *before(found, home))
