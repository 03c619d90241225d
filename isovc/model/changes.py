"""What can happen to a row, and which stretch of a table it happened in."""

from __future__ import annotations

from dataclasses import dataclass

from isovc.model.values import Key, Row


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row before and after; None where there is no such row."""

    key: Key
    before: Row | None
    after: Row | None

    @property
    def op(self) -> str:
        """added, modified or removed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "modified"


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The rows with `after` < key <= `upto`; None on a side: no bound there. Bounds are keys, or leading parts of
    keys."""

    after: Key | None
    upto: Key | None
