"""The rows that stand, in the columns and under the names that their tables are going to have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace

from isovc.snapshot.merging.deciding import Open
from isovc.snapshot.merging.how import PLAIN
from isovc.snapshot.merging.lineage import lineages
from isovc.snapshot.merging.rows import RowMerge, grown
from isovc.snapshot.version import Version
from isovc.tree.edit import Edit, Replacement
from isovc.tree.forest import Forest


class _CannotStand(Exception):
    """A row has no place in the new columns."""


def with_own_rows(forest: Forest, held: Version, wanted: Version, tables: Iterable[str]) -> Version:
    """`wanted`, but where one of these tables is there already, under whatever name, with the rows that it has now."""
    roots = dict(wanted.roots)
    meant = set(tables)
    for each in lineages(forest, (held, held, wanted), PLAIN):
        name = each.own[2]
        if name not in meant or each.own[1] is None:
            continue
        table = wanted.shape.tables[name]
        rows = RowMerge(forest, (held, held, wanted), each, table)
        with ExitStack() as stack:
            steps = rows.of_one("ours", stack)
            rows.writer = writer = stack.enter_context(forest.store.writing())
            try:
                roots[name] = grown(forest, steps.start, _taken(steps.steps), table, writer)
            except _CannotStand:
                continue
    return replace(wanted, roots=roots)


def _taken(steps: Iterable[Edit | Open]) -> Iterator[Edit | Replacement]:
    for step in steps:
        if isinstance(step, Open):
            raise _CannotStand
        yield step
