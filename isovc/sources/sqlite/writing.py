"""What can be written in one transaction. Composes reading, definitions and rows; knows nothing of versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from isovc.model import Row, RowChange, Shape
from isovc.sources.sqlite.foreign_keys import check_new_violations, violations
from isovc.sources.sqlite.layout import TRANSACTIONAL
from isovc.sources.sqlite.mark import Mark
from isovc.sources.sqlite.pages import PageMap, Pages, no_pages
from isovc.sources.sqlite.reading import Reading
from isovc.sources.sqlite.refusal import Refusal, Refusals
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
        refused: list[Refusal] | None = None,
    ) -> None:
        """Give the database exactly this shape and these rows, or raise and leave the transaction to be rolled back.

        `changes` are for tables whose key stays; rows they do not name keep their cells, column by column name, and
        have their default in new ones. `contents` are all the rows, in tree order, of tables that are new or made anew.
        The file's page size, auto_vacuum and encoding stay: see `Database.lay_out`.

        Foreign keys are not enforced, because a version may hold violations and comes back exactly;
        `refuse_violations` refuses those that this change would add, and rows it writes that a CHECK refuses.

        With a list `refused`, rows that the database does not take (CHECKs asked) stay as they were and are added to
        that list, by table, in key order; everything else is done. A definition that cannot be laid out, a table that
        is made anew and does not take the rows it has among them, raises `ShapeNotReached`, which names it: see
        `attempt`.
        """
        with self._told():
            connection = self._connection
            before = violations(connection) if refuse_violations else Counter()
            was_changed, was = self.is_changed, self._written()
            self.is_changed = True  # also when it fails half-way
            self._ways.clear()
            connection.pragma("ignore_check_constraints", not refuse_violations and refused is None)
            refusals = None if refused is None else Refusals()
            reshape(self._snapshot, target, changes, contents, refusals)
            if refuse_violations:
                check_new_violations(self._snapshot, before)
            self.is_changed = was_changed or self._written(refusals.undone if refusals else 0) != was
            if refused is not None and refusals:
                refused += sorted(refusals.rows, key=lambda each: each.table)  # by key already

    def hold_back(self) -> None:
        """Write nothing to the file before the end, however much changes: for a transaction that will be rolled
        back."""
        self._connection.pragma("cache_spill", 0)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Where the block raises, everything is as before it, and the transaction goes on."""
        was_changed = self.is_changed
        self._connection.execute("SAVEPOINT isovc_attempt")
        try:
            yield
        except BaseException:
            self._ways.clear()
            if self._connection.in_transaction:  # SQLite ends it by itself on a full disk and the like
                self._connection.execute("ROLLBACK TO isovc_attempt; RELEASE isovc_attempt")
                self.is_changed = was_changed
            raise
        self._connection.execute("RELEASE isovc_attempt")

    def pages(self, shape: Shape, known: PageMap | None = None) -> Pages:
        """As in `Reading`; after a change here nothing is known, because the file does not show it yet."""
        return no_pages(shape) if self.is_changed else super().pages(shape, known)

    def _written(self, undone: int = 0) -> tuple[object, ...]:
        """What differs after any statement that wrote something: rows, a definition, or a number in the header. Of the
        rows, so many were as before at once."""
        numbers = (self._connection.pragma(name) for name in ("schema_version", *TRANSACTIONAL))
        return (self._connection.total_changes() - undone, *numbers)
