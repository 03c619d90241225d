"""Which of some commits lead to one, and what a table was called in each of them. Looks at all of history only where
tables were renamed, or where a commit does not lie on the line of first parents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from isovc.repo.graph import CommitGraph, Node, Walk
from isovc.workspace.rows.homes import Home, before
from isovc.workspace.rows.past import Past


def leading_to(graph: CommitGraph, start: Node, numbers: Iterable[int]) -> list[Node]:
    """Those that do, the newest first."""
    found: list[Node] = []
    left: set[int] = set()
    here = start  # each step begins where the last one ended
    for node in sorted(map(graph.node, numbers), key=lambda node: -node.depth):
        if is_first_ancestor(graph, node, here):
            here = node
            found.append(node)
        elif node.time < start.time:
            left.add(node.number)
    if left:
        oldest = min(graph.node(number).time for number in left)
        for number in Walk(graph, [start], []):
            node = graph.node(number)
            if node.time < oldest:
                break
            if number in left:
                found.append(node)
                left.remove(number)
    return sorted(found, key=_newest_first)


def is_first_ancestor(graph: CommitGraph, node: Node, start: Node) -> bool:
    """Whether one comes to it by first parents alone."""
    return node.depth <= start.depth and graph.up(start, node.depth).number == node.number


def homes_by_commit(
    past: Past, graph: CommitGraph, start: Node, home: Home, numbers: Iterable[int], turned: Set[int]
) -> Mapping[int, set[Home]]:
    """Where the rows lived in each of some commits that lead to one, the newest first. `turned`: the commits in which
    that changed."""
    if not turned:
        return {node.number: {home} for node in leading_to(graph, start, numbers)}
    wanted = set(numbers)
    found: dict[int, set[Home]] = {}
    homes: dict[int, set[Home]] = {start.number: {home}}
    for number in Walk(graph, [start], []):
        here = homes.pop(number, set())
        if number in wanted and here:
            found[number] = here
        node = graph.node(number)
        for parent in map(graph.node, node.parents):
            there = here
            if number in turned:
                said = [before(past.pairs(parent.id, node.id), each)[0] for each in here]
                there = {each for each in said if each is not None}
            homes.setdefault(parent.number, set()).update(there)
    return found


def _newest_first(node: Node) -> tuple[int, int]:
    return -node.time, -node.number
