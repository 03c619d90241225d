"""Seals of rows in store.db: what was damaged there is noticed before it is believed. No protection from people.

A seal is made of all cells of a row in the order that its table's reader names them. The table `total` keeps all seals
of a table together, so that a row that went missing is noticed, too. Docs: docs/formats/store.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from isovc.encoding.digest import short_digest
from isovc.encoding.values import packer
from isovc.errors import RowDamaged
from isovc.repo.database import Database


def sealer() -> Callable[[Sequence[Any]], bytes]:
    """A function that makes the seal of some cells, for use by one thread."""
    pack = packer()
    return lambda cells: short_digest(pack(cells))


def together(seals: Iterable[bytes]) -> bytes:
    """Some seals in one, whatever their order."""
    total = 0
    for seal in seals:
        total ^= int.from_bytes(seal)
    return total.to_bytes(8)


class Total:
    """All seals of one table together."""

    def __init__(self, db: Database, table: str) -> None:
        self._db = db
        self._table = table

    def change(self, *seals: bytes) -> None:
        """Rows with these seals have come or gone."""
        known = self._known()
        self._db.execute("UPDATE total SET value = ? WHERE name = ?", (together([known, *seals]), self._table))

    def check(self, seals: Iterable[bytes]) -> None:
        """Refuse to go on if these, which fit their rows, are not the seals of all rows."""
        if together(seals) != self._known():
            self._refuse()

    def _known(self) -> bytes:
        row = self._db.execute("SELECT value FROM total WHERE name = ?", (self._table,)).fetchone()
        if row is None or not isinstance(row[0], bytes) or len(row[0]) != 8:
            self._refuse()
        return bytes(row[0])

    def _refuse(self) -> NoReturn:
        raise RowDamaged(row=f"the table {self._table}")
