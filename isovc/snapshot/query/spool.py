"""An answer that is gathered before its first row is given: small ones in memory, others in a file that nobody sees."""

from __future__ import annotations

import marshal
from collections.abc import Generator, Iterable, Iterator
from sys import getsizeof
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from isovc.model import Row

_IN_MEMORY = 16 << 20  # bytes
_AT_ONCE = 64  # rows
_HEAVY = 1 << 16  # bytes of a row that is written down alone


class Spool:
    """Rows put aside, to be read as often as somebody likes."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - it lives as long as this
        self._pieces: list[int] = []  # bytes of each
        try:
            for some in _batches(rows):
                # marshal keeps whatever a cell can hold, text that is not valid included
                self._pieces.append(self._file.write(marshal.dumps(some)))
        except BaseException:
            self._file.close()
            raise

    def rows(self) -> Generator[Row]:
        """All of them, from the first. One reader at a time."""
        self._file.seek(0)
        for length in self._pieces:
            yield from marshal.loads(self._file.read(length))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def gathered(rows: Iterable[Row]) -> Generator[Row]:
    """The rows, all of them taken at once."""
    spool = Spool(rows)

    def given() -> Generator[Row]:
        with spool:
            yield from spool.rows()

    return given()


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    some: list[Row] = []
    for row in rows:
        some.append(row)
        if len(some) == _AT_ONCE or sum(map(getsizeof, row)) > _HEAVY:
            yield some
            some = []
    if some:
        yield some
