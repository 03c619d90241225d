"""Which commits may have touched a row: out of the index, which is brought forward on the way, and for what it does not
hold yet by looking at each commit. Says too many rather than too few, and of any branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from time import monotonic

from isovc.errors import Damage
from isovc.history import CommitId
from isovc.progress import SILENT, Progress
from isovc.repo.graph import CommitGraph, Node
from isovc.tree.touched import changed_keys
from isovc.workspace.rows.keeping import keep, load
from isovc.workspace.rows.past import Past
from isovc.workspace.rows.segment import EVERY_TABLE, Noted, segment
from isovc.workspace.rows.touching import Touch

ENOUGH = 2.0  # seconds that a question about one row spends on the index: what is left is looked at without it

_FOLDER = "rows"  # in the cache of a repository
_BULK = 16_384  # rows that one commit changed in a table: from there on it counts for any row of it
_AT_ONCE = 1024  # commits written together
_UNREADABLE = Touch(frozenset([EVERY_TABLE]), (), ())  # told to whoever comes to it; others need not stumble over it


class Finder:
    """What is known of all commits. Made for one question. `seconds`: for the index; None: until it holds them all."""

    def __init__(
        self, past: Past, graph: CommitGraph, cache: Path, *, seconds: float | None, progress: Progress = SILENT
    ) -> None:
        self._past = past
        self._known = graph.numbers()
        self._segments = list(load(cache / _FOLDER).values())
        self._looked_at: dict[bytes, Touch] = {}
        held = {commit for each in self._segments for commit in each.commits}
        missing = [number for commit, number in self._known.items() if commit not in held]
        if missing:
            # the newest first: people ask of them most
            nodes = [graph.node(number) for number in sorted(missing, reverse=True)]
            done = self._index(graph, cache / _FOLDER, nodes, seconds, progress)
            for node in nodes[done:]:
                self._looked_at.setdefault(bytes.fromhex(node.id), _seen(past, graph, node))

    def tables(self, table: str) -> tuple[set[str], set[int]]:
        """All that a table may have been called, and the numbers of the commits in which it was renamed."""
        turns = [
            (number, old, new) for commit, old, new in self._turns() if (number := self._known.get(commit)) is not None
        ]
        names, size = {table}, 0
        while len(names) > size:
            size = len(names)
            names |= {name for _, *both in turns if names.intersection(both) for name in both}
        return names, {number for number, old, new in turns if old in names or new in names}

    def touching(self, tables: Iterable[str], key: bytes) -> set[int]:
        """The numbers of the commits that may have touched a row."""
        tables = list(tables)
        found = {commit for each in self._segments for commit in each.touching(tables, key)}
        forest = self._past.forest
        for commit, touched in self._looked_at.items():
            try:
                if not any(touched.may_change(forest, table, key) for table in (*tables, EVERY_TABLE)):
                    continue
            except Damage:  # told to whoever comes to it
                pass
            found.add(commit)
        return self._numbers(found)

    def made_or_dropped(self, name: str) -> set[int]:
        """The numbers of the commits that touched a table of this name as a whole, however its letters are written."""
        found: set[bytes] = set()
        for each in self._segments:
            found.update(each.touching_whole([table for table in each.whole if table.lower() == name.lower()]))
        for commit, touched in self._looked_at.items():
            if any(table.lower() == name.lower() for table in touched.whole):
                found.add(commit)
        return self._numbers(found)

    def _numbers(self, commits: Iterable[bytes]) -> set[int]:
        """Of those that are still there."""
        return {number for commit in commits if (number := self._known.get(commit)) is not None}

    def _turns(self) -> Iterator[tuple[bytes, str, str]]:
        for each in self._segments:
            yield from ((each.commits[place], old, new) for place, old, new in each.turns)
        for commit, touched in self._looked_at.items():
            yield from ((commit, old, new) for old, new in touched.turns)

    def _index(
        self, graph: CommitGraph, folder: Path, nodes: Sequence[Node], seconds: float | None, progress: Progress
    ) -> int:
        """Take commits into the index, as many as there is time for; how many."""
        end = None if seconds is None else monotonic() + seconds
        waiting = iter(nodes)
        done = 0
        with progress.task("Indexing the history of rows", total=len(nodes), unit="versions") as task:
            while done < len(nodes) and (end is None or monotonic() < end):
                noted: list[Noted] = []
                for node in islice(waiting, _AT_ONCE):
                    done += 1
                    task.advance()
                    try:
                        noted.append(_noted(self._past, graph, node))
                    except Damage:
                        self._looked_at[bytes.fromhex(node.id)] = _UNREADABLE
                    if end is not None and monotonic() > end:
                        break
                self._segments.append(segment(noted))
                keep(folder, self._segments[-1], self._known.keys())
        return done


def _touch(past: Past, graph: CommitGraph, node: Node) -> Touch:
    """What a commit touched of its first parent: what it has from there it did not do itself, and whoever looks for the
    author of a cell goes there. Renames count against every parent."""
    parents: list[CommitId | None] = [graph.node(parent).id for parent in node.parents]
    first, *others = [past.touch(parent, node.id) for parent in parents or [None]]
    turns = (*first.turns, *(turn for other in others for turn in other.turns))
    return Touch(first.whole | {name for turn in turns for name in turn}, turns, first.trees)


def _seen(past: Past, graph: CommitGraph, node: Node) -> Touch:
    with suppress(Damage):
        return _touch(past, graph, node)
    return _UNREADABLE


def _noted(past: Past, graph: CommitGraph, node: Node) -> Noted:
    found = _touch(past, graph, node)
    whole = set(found.whole)
    rows: list[tuple[str, bytes]] = []
    for each in found.trees:
        changed = changed_keys(past.forest, each.old, each.new, width=each.width)
        keys = list(islice(changed, _BULK + 1))
        if len(keys) > _BULK:
            whole.add(each.table)
        else:
            rows.extend((each.table, key) for key in keys)
    return Noted(bytes.fromhex(node.id), whole, found.turns, rows)
