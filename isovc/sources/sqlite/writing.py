"""What can be written in one transaction. Composes reading, definitions and rows; knows nothing of versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from isovc.model import Row, RowChange, Shape
from isovc.sources.sqlite.foreign_keys import check_new_violations, violations
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
        self._is_changed = False

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
        have NULL in new columns. `contents` are all the rows, in tree order, of tables that are new or made anew. The
        file's page size, auto_vacuum and encoding stay: see `Database.lay_out`.

        Foreign keys are not enforced, because a version may hold violations and comes back exactly;
        `refuse_violations` refuses those that this change would add.
        """
        with self._told():
            connection = self._connection
            before = violations(connection) if refuse_violations else Counter()
            self._is_changed = True
            self._ways.clear()
            reshape(self._snapshot, target, changes, contents)
            if refuse_violations:
                check_new_violations(self._snapshot, before)

    def pages(self, shape: Shape, known: PageMap | None = None) -> Pages:
        """As in `Reading`; after a change here nothing is known, because the file does not show it yet."""
        return no_pages(shape) if self._is_changed else super().pages(shape, known)
