"""What a person has to decide after a merge. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isovc.snapshot.merging.how import Place
from isovc.tree.merge import Conflict as RowConflict

Kind = Literal["row", "schema", "rows against schema"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something both sides changed, and not alike. Of a row conflict `row` says which, in the columns of the merged
    table: of its cells those that can be decided are, and for the others our side stands meanwhile. Of a definition
    `place` says which. `why`: more about it, in words."""

    table: str
    kind: Kind
    row: RowConflict | None = None
    place: Place | None = None
    why: str = ""
