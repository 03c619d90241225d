"""Whole tables handed over as they lie in the trees, and kept on the shelf in passing: the second time they come from
there, in a third of the time. Knows nothing of SQL."""

from __future__ import annotations

import marshal
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from isovc.model import Row
from isovc.snapshot.query.filling import name_of
from isovc.snapshot.query.shelf import Shelf
from isovc.sources.sqlite.asking import Keyed

_MANY = 20_000  # rows: fewer are read from the trees as quickly
_VERSION = 2  # of marshal: later ones look for values they have written before, which takes longer than writing them
_LENGTH = 8  # bytes that tell how long the next piece is
_WRITES = 1 << 20  # bytes handed to the system at once


def handed_over(shelf: Shelf, keyed: Keyed, columns: Sequence[int], *, backwards: bool) -> Generator[Row]:
    """All rows with these columns, by number; -1: the rowid."""
    batches = keyed.whole_batches(columns, backwards=backwards)
    if keyed.rows < _MANY or backwards:
        for batch in batches:
            yield from batch
        return
    key = f"{name_of(repr((keyed.table, list(columns))), keyed.content)}-rows"
    known = shelf.find(key)
    for batch in _kept(known) if known else _keeping(shelf, key, batches):
        yield from batch


def _kept(path: Path) -> Iterator[list[Row]]:
    with path.open("rb", buffering=_WRITES) as file:
        while head := file.read(_LENGTH):
            yield marshal.loads(file.read(int.from_bytes(head, "big")))  # a whole piece: load() reads value by value


def _keeping(shelf: Shelf, key: str, batches: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """The batches, written down as they pass. Who does not take all of them leaves nothing behind, and what cannot be
    written down is handed over all the same."""
    growing = shelf.grow(key)
    file = _opened(growing.path)
    try:
        for batch in batches:
            if file is not None and not _written(file, batch, shelf.capacity):
                file = None
                growing.drop()
            yield batch
        if file is not None:
            with suppress(OSError):
                file.close()
                growing.keep()
    finally:
        if file is not None:
            with suppress(OSError):
                file.close()
        growing.drop()


def _opened(path: Path) -> BinaryIO | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb", buffering=_WRITES)
    except OSError:
        return None


def _written(file: BinaryIO, batch: list[Row], most: int) -> bool:
    """Whether it could be; the file is closed where not."""
    try:
        piece = marshal.dumps(batch, _VERSION)
        file.write(len(piece).to_bytes(_LENGTH, "big"))
        file.write(piece)
        if file.tell() <= most:
            return True
    except OSError:
        pass
    with suppress(OSError):
        file.close()
    return False
