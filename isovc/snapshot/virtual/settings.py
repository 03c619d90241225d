"""What people set in a full-text table beside its text: that of three versions into one, and into a new index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from isovc.encoding.orderkey import encode_key
from isovc.model import Row, Table, Value
from isovc.snapshot.choose import choose
from isovc.snapshot.values import with_large
from isovc.snapshot.version import Version
from isovc.snapshot.virtual.content import as_version
from isovc.snapshot.virtual.tables import NotMade, Thing
from isovc.tree.build import build
from isovc.tree.forest import Forest, Root
from isovc.tree.read import get

Rows: TypeAlias = Iterator[list[Row]]
Change: TypeAlias = Callable[[Rows], Rows]
MergeRows: TypeAlias = Callable[[str, Version, Version, Version], tuple[Table, Root] | None]

_STRUCTURE = 10  # the row of an FTS5 index that begins with the number of its settings
_COUNTER_BYTES = 4
_COUNTER_MOST = (1 << 31) - 1  # it is read as a signed number
_AUTOMERGE = 2  # the row of %_stat that is a setting of FTS4; all others are counted


@dataclass(frozen=True, slots=True)
class Settings:
    """`config`: the table that FTS5 keeps them in. `counter`: an open connection reads that table again where this
    number is not the one it knows. `automerge`: the one that FTS4 keeps."""

    config: Root | None = None
    counter: int = 0
    automerge: Value = None

    def counted(self, rows: Rows) -> Rows:
        """The rows of an FTS5 index, with that number in them."""
        for batch in rows:
            yield [self._with_counter(row) if row[0] == _STRUCTURE else row for row in batch]

    def with_automerge(self, rows: Rows) -> Rows:
        """The rows that FTS4 counts, and its setting."""
        found = {row[0]: row for row in chain.from_iterable(rows) if row[0] != _AUTOMERGE}
        if self.automerge is not None:
            found[_AUTOMERGE] = _AUTOMERGE, self.automerge
        if found:
            yield sorted(found.values(), key=lambda row: encode_key(row[:1]))

    def _with_counter(self, row: Row) -> Row:
        block = row[1]
        assert isinstance(block, bytes)
        return row[0], self.counter.to_bytes(_COUNTER_BYTES, "big") + block[_COUNTER_BYTES:]


def merge_settings(
    forest: Forest, name: str, things: Sequence[Thing | None], like: Thing, merge_rows: MergeRows
) -> Settings:
    """What stands of those of three versions; `like` says in which tables."""
    config = f"{name}_config"
    if config not in like.stored:
        automerge, is_contested = choose(*(_cell(forest, each, f"{name}_stat", _AUTOMERGE) for each in things))
        if is_contested:
            raise NotMade("both sides set automerge")
        return Settings(automerge=automerge)
    table, empty = like.stored[config][0], build(forest, ())
    roots = [each.stored[config][1] if each and config in each.stored else empty for each in things]
    done = merge_rows(config, *(as_version(table, root) for root in roots))
    if done is None:
        raise NotMade("its settings cannot be merged")
    # one that no side has, so that no connection takes what it has read for what now stands there
    counter = max(_counter(_cell(forest, each, f"{name}_data", _STRUCTURE)) for each in things) + 1
    return Settings(done[1], counter & _COUNTER_MOST)


def settings_of(forest: Forest, name: str, thing: Thing) -> Settings:
    """Those that it has."""

    def unchanged(table: str, _base: Version, ours: Version, _theirs: Version) -> tuple[Table, Root]:
        return ours.shape.tables[table], ours.roots[table]

    return merge_settings(forest, name, (thing, thing, thing), thing, unchanged)


def _counter(structure: Value) -> int:
    return int.from_bytes(structure[:_COUNTER_BYTES], "big") if isinstance(structure, bytes) else 0


def _cell(forest: Forest, each: Thing | None, table: str, number: int) -> Value:
    if each is None or table not in each.stored:
        return None
    row = get(forest, each.stored[table][1].id, encode_key((number,)), width=2)
    return None if row is None else with_large(forest.store, row)[1]
