"""What can be written in one transaction. Composes reading, definitions and rows; knows nothing of versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from isovc.model import Row, RowChange, Shape
from isovc.sources.sqlite.foreign_keys import check_new_violations, violations
from isovc.sources.sqlite.layout import TRANSACTIONAL
from isovc.sources.sqlite.mark import Mark
from isovc.sources.sqlite.pages import PageMap, Pages, no_pages
from isovc.sources.sqlite.reading import Reading
from isovc.sources.sqlite.reshape import reshape
from isovc.sources.sqlite.snapshot import Snapshot

_NONE: Mapping[str, Iterable[list[Row]]] = {}


class Writing(Reading):
    """One transaction under the write lock."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self.committed: Mark | None = None  # after the block: what it left; None where others have committed since
        self.is_changed = False  # whether anything was written

    def apply(
        self,
        target: Shape,
        changes: Mapping[str, Iterable[RowChange]],
        *,
        contents: Mapping[str, Iterable[list[Row]]] = _NONE,
        refuse_violations: bool = False,
    ) -> None:
        """Give the database exactly this shape and these rows, or raise and leave the transaction to be rolled back.

        `changes` are for tables whose key stays; rows they do not name keep their cells, column by column name, and
        have their default in new ones. `contents` are all the rows, in tree order, of tables that are new or made anew.
        The file's page size, auto_vacuum and encoding stay: see `Database.lay_out`.

        Foreign keys are not enforced, because a version may hold violations and comes back exactly;
        `refuse_violations` refuses those that this change would add, and rows it writes that a CHECK refuses.
        """
        with self._told():
            connection = self._connection
            before = violations(connection) if refuse_violations else Counter()
            was_changed, was = self.is_changed, self._written()
            self.is_changed = True  # also when it fails half-way
            self._ways.clear()
            connection.pragma("ignore_check_constraints", not refuse_violations)
            reshape(self._snapshot, target, changes, contents)
            if refuse_violations:
                check_new_violations(self._snapshot, before)
            self.is_changed = was_changed or self._written() != was

    def pages(self, shape: Shape, known: PageMap | None = None) -> Pages:
        """As in `Reading`; after a change here nothing is known, because the file does not show it yet."""
        return no_pages(shape) if self.is_changed else super().pages(shape, known)

    def _written(self) -> tuple[object, ...]:
        """What differs after any statement that wrote something: rows, a definition, or a number in the header."""
        numbers = (self._connection.pragma(name) for name in ("schema_version", *TRANSACTIONAL))
        return (self._connection.total_changes(), *numbers)
