"""The commit that wrote each cell of one row, or of all rows of a table. A merge wrote what neither side had; what a
side had, that side's commits wrote."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice

from isovc.encoding.digest import ChunkId
from isovc.encoding.orderkey import encode_key
from isovc.errors import NoSuchColumn, NoSuchRow, NoSuchTable
from isovc.formats.delta import key_columns
from isovc.formats.keys import called, meant
from isovc.model import Key, Table, Value
from isovc.progress import SILENT, Progress
from isovc.repo.commits import CommitEntry
from isovc.repo.graph import Node
from isovc.snapshot.values import with_large
from isovc.tree.leaf import Row
from isovc.tree.read import get, scan
from isovc.workspace.rows.ancestry import is_first_ancestor
from isovc.workspace.rows.finding import ENOUGH
from isovc.workspace.rows.homes import Home, home_of, name_before, named_alike
from isovc.workspace.rows.looking import AHEAD, Before, Looking, Step, looking
from isovc.workspace.rows.past import Past, Start

_FIRST = 256  # rows looked at together
_AT_ONCE = 16_384  # the most: 40 MB; a commit is opened once for all of them


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell and who wrote it; None: it is not committed yet."""

    table: str
    key: Key
    column: str
    value: Value
    entry: CommitEntry | None


@dataclass(frozen=True, slots=True)
class _View:
    """What the rows' table and their cells were called at some place of history; None: there was no such cell."""

    home: Home
    names: tuple[str | None, ...]

    def before(self, parent: Before) -> _View | None:
        """The same one version before; None: rows had no home there."""
        if parent.home is None:
            return None
        names = (None if name is None else name_before(parent.columns, name) for name in self.names)
        return _View(parent.home, tuple(names))


# by encoded key, the cells whose author is sought
_Sought = dict[bytes, list[int]]


def blame(
    past: Past,
    start: Start,
    table: str,
    key: str | Key | None = None,
    *,
    columns: Sequence[str] = (),
    where: str,
    progress: Progress = SILENT,
) -> Iterator[Cell]:
    """The cells by key, in the order of the columns. `where`: what people call the start."""
    shape = named_alike(start.version, table)
    if shape is None:
        raise NoSuchTable(table=table, known=sorted(start.version.shape.tables))
    root = start.version.roots[shape.name].id
    cells = _chosen(shape, columns)
    batches = _batches(past, shape, root, key, where)
    some = next(batches, [])  # a row that is not there is missed before much is done
    with looking(past, start, seconds=ENOUGH if key is not None else None, progress=progress) as look:
        if key is None:
            look.hold_all()
        written = _Writers(look, shape, some, cells).found()
    while some:
        for row in some:
            yield from _told(past, shape, row, cells, written)
        some = next(batches, [])
        written = _Writers(look, shape, some, cells).found()


def _batches(past: Past, shape: Table, root: ChunkId, key: str | Key | None, where: str) -> Iterator[list[Row]]:
    """The rows, few at first: somebody waits for the first page."""
    if key is not None:
        found = (get(past.forest, root, encode_key(one), width=len(shape.cells)) for one in meant(key, shape))
        row = next((row for row in found if row is not None), None)
        if row is None:
            raise NoSuchRow(table=shape.name, key=called(key), where=where, ever=False)
        yield [row]
        return
    rows = scan(past.forest, root, cells=range(len(shape.cells)))
    many = _FIRST
    while some := list(islice(rows, many)):
        yield some
        many = min(2 * many, _AT_ONCE)


def _chosen(table: Table, columns: Sequence[str]) -> list[int]:
    """Which cells are asked for. A rowid that is no column is none."""
    hidden = range(len(key_columns(table)), len(table.key))
    places = {name.lower(): at for at, name in enumerate(table.cells) if at not in hidden}
    for column in columns:
        if column.lower() not in places:
            raise NoSuchColumn(column=column, known=[table.cells[at] for at in places.values()])
    wanted = {column.lower() for column in columns} or places.keys()
    return [at for name, at in places.items() if name in wanted]


def _told(
    past: Past, table: Table, row: Row, cells: Sequence[int], written: Mapping[tuple[bytes, int], CommitEntry | None]
) -> Iterator[Cell]:
    width = len(table.key)
    key = encode_key(row[:width])
    values = with_large(past.forest.store, tuple(row[at] for at in cells), upto=past.upto)
    for at, value in zip(cells, values, strict=True):
        yield Cell(table.name, row[:width], table.cells[at], value, written[key, at])


class _Writers:
    """Goes back from some rows, from commit to commit, until somebody has written each cell."""

    def __init__(self, look: Looking, table: Table, rows: Sequence[Row], cells: Sequence[int]) -> None:
        width = len(table.key)
        self._look = look
        self._rows = {encode_key(row[:width]): row for row in rows}
        self._cells = cells
        self._view = _View(home_of(table), table.cells)
        self._names: dict[str, set[str]] = {}
        self._fetched: set[int] = set()
        self._touching: dict[tuple[str, bytes], list[Node]] = {}
        self._waiting: dict[tuple[int, _View], _Sought] = {}
        self._order: list[tuple[int, int]] = []
        self._written: dict[tuple[bytes, int], CommitEntry | None] = {}

    def found(self) -> Mapping[tuple[bytes, int], CommitEntry | None]:
        """By key and cell."""
        look, sought, view = self._look, {key: list(self._cells) for key in self._rows}, self._view
        if not look.start.is_committed:
            self._pass(look.uncommitted(view.home), view, sought, [look.top])
        else:
            self._send(look.top, view, sought)
        while self._order:
            number = heappop(self._order)[1]
            for place in [place for place in self._waiting if place[0] == number]:
                some = self._waiting.pop(place)
                node = look.graph.node(number)
                step = look.step(node, place[1].home)
                self._pass(step, place[1], some, [look.graph.node(parent) for parent in node.parents])
        return self._written

    def _pass(self, step: Step, view: _View, sought: _Sought, nodes: Sequence[Node | None]) -> None:
        """What this version wrote is its own; the rest goes to the first version before that had it."""
        forest = self._look.past.forest
        sides = [parent.sides(forest, list(sought)) for parent in step.parents]
        views = [view.before(parent) for parent in step.parents]
        onward: list[_Sought] = [{} for _ in sides]
        for key, cells in sought.items():
            row = self._rows[key]
            for cell in cells:
                for side, there, further in zip(sides, views, onward, strict=True):
                    if there is not None and side[key].had(there.names[cell], row[cell]):
                        further.setdefault(key, []).append(cell)
                        break
                else:
                    self._written[key, cell] = step.entry
        for node, there, further in zip(nodes, views, onward, strict=False):
            if further and there is not None:
                self._send(node, there, further)

    def _send(self, node: Node | None, view: _View, sought: _Sought) -> None:
        """Each row to the next commit that may have touched it: up first parents, as what nobody touched is there as it
        is here, and at the latest to where they end."""
        assert node is not None  # there are rows, so there is a commit that has them
        for key, cells in sought.items():
            goal = self._next(node, view.home.table, key)
            place = (goal.number, view)
            if place not in self._waiting:
                self._waiting[place] = {}
                heappush(self._order, (-goal.time, goal.number))
            self._waiting[place].setdefault(key, []).extend(cells)

    def _next(self, node: Node, table: str, key: bytes) -> Node:
        graph = self._look.graph
        touching = self._touching.get((table, key))
        if touching is None:
            if table not in self._names:
                self._names[table] = self._look.finder.tables(table)[0]
            found = map(graph.node, self._look.touching(self._names[table], key))
            touching = self._touching[table, key] = sorted(found, key=_deepest_first)
        begin = bisect_left(touching, -node.depth, key=_deepest_first)
        on_the_way = (each for each in islice(touching, begin, None) if is_first_ancestor(graph, each, node))
        goal = next(on_the_way, None) or graph.up(node, 0)
        if len(self._rows) == 1 and goal.number not in self._fetched:
            self._look.go_ahead(ahead := touching[begin:][:AHEAD], self._names[table], key)
            self._fetched.update(each.number for each in (goal, *ahead))
        return goal


def _deepest_first(node: Node) -> int:
    return -node.depth
