"""What a person has said beforehand about a merge. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from isovc.sql import folded

Side: TypeAlias = Literal["base", "ours", "theirs"]
Place: TypeAlias = tuple[str, str]  # type and name of a definition


@dataclass(frozen=True, slots=True)
class How:
    """How to merge. `prefer`: the side that counts where both changed something; None: that is a conflict. `tables`:
    the same for single tables. `definitions`: which side's definition stands, where somebody has decided that already.
    `json`: columns, by table, whose values are merged key by key. `renumber`: tables whose rows get another number
    where both sides used it for a new one; of some only the rows with these encoded keys. Names are SQLite's: the case
    of ASCII letters does not count."""

    prefer: Side | None = None
    tables: Mapping[str, Side] = field(default_factory=dict)
    definitions: Mapping[Place, Side] = field(default_factory=dict)
    json: frozenset[tuple[str, str]] = frozenset()
    renumber: Mapping[str, frozenset[bytes] | None] = field(default_factory=dict)

    def side(self, table: str) -> Side | None:
        """The side that counts in a table."""
        said = {folded(name): side for name, side in self.tables.items()}
        return said.get(folded(table), self.prefer)

    def definition(self, place: Place) -> Side | None:
        """The side whose definition stands, where that is decided."""
        said = {(kind, folded(name)): side for (kind, name), side in self.definitions.items()}
        return said.get((place[0], folded(place[1])))


PLAIN = How()
