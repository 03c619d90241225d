"""What waits after a merge as a table of ours in a query: `conflicts`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain

from isovc.formats.json_values import encode_value
from isovc.model import Row, Value
from isovc.repo.merges import OPEN, SETTLED
from isovc.sources.sqlite.asking import TableFunction
from isovc.workspace.desk import Desk
from isovc.workspace.merging.choosing import Which
from isovc.workspace.merging.listing import Side, listed
from isovc.workspace.merging.waiting import waiting_in


def conflicts_function(desk: Desk) -> TableFunction:
    """Everything that waits or has been settled in this working copy, by number; nothing where no merge waits."""

    def rows(_given: Mapping[str, Value], _used: frozenset[str]) -> Iterator[Row]:
        waiting = waiting_in(desk)
        if waiting is None:
            return
        both = chain.from_iterable(
            ((each, sides, state) for each, sides in listed(desk, waiting, Which(), state)) for state in (OPEN, SETTLED)
        )
        for each, sides, state in sorted(both, key=lambda one: one[0].id):
            key = None if each.key is None else _json([encode_value(cell) for cell in each.key])
            definition = None if each.place is None else " ".join(each.place)
            told = map(_cell, sides)
            yield each.id, each.table, key, each.column, each.kind, *told, state, definition, each.why or None

    columns = (
        ("id", "INTEGER"),
        ("table", "TEXT"),
        ("key", "TEXT"),
        ("column", "TEXT"),
        ("kind", "TEXT"),
        ("base", ""),
        ("ours", ""),
        ("theirs", ""),
        ("status", "TEXT"),
        ("definition", "TEXT"),
        ("why", "TEXT"),
    )
    about = "what waits for a decision after a merge, and what has been settled of it: status is open or settled"
    return TableFunction("conflicts", columns, rows, hidden=frozenset({"definition", "why"}), about=about)


def _cell(side: Side) -> Value:
    """The value of a cell, or the text of a definition, as it is; a whole row as JSON."""
    if isinstance(side, dict):
        return _json({name: encode_value(value) for name, value in side.items()})
    return None if side is None else side[0]


def _json(said: object) -> str:
    return json.dumps(said, ensure_ascii=False)
