"""Answers that come row by row: what they are read from stays open until the last one is taken, or they are closed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Generic, Self, TypeVar

from isovc.api.records import Change, Definition, FileChange
from isovc.model import Row

T = TypeVar("T")


class Stream(Generic[T]):
    """Rows that can be taken once. Closed by the last of them, by `close`, by the end of a `with` block, or when nobody
    holds it any more."""

    def __init__(self, opened: ExitStack, rows: Iterable[T]) -> None:
        self._rows = _held(opened, rows)
        next(self._rows)  # from here on the generator closes what is open, however it ends

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        found = next(self._rows)
        assert found is not None
        return found

    def close(self) -> None:
        """Let go of what it is read from."""
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Rows(Stream[Row]):
    """What a query gives: tuples, and the names of their columns."""

    def __init__(self, opened: ExitStack, rows: Iterable[Row], columns: tuple[str, ...]) -> None:
        super().__init__(opened, rows)
        self.columns = columns


class Diff(Stream[Change]):
    """The rows that differ, and beside them the definitions and the files. `cut`: more differs than was asked for."""

    def __init__(
        self,
        opened: ExitStack,
        rows: Iterable[Change],
        *,
        schema: tuple[Definition, ...],
        files: tuple[FileChange, ...],
        cut: bool,
    ) -> None:
        super().__init__(opened, rows)
        self.schema = schema
        self.files = files
        self.cut = cut


def _held(opened: ExitStack, rows: Iterable[T]) -> Generator[T | None]:
    with opened:
        all_of_them = iter(rows)
        first = next(all_of_them, None)  # what is wrong with the question shall be told by the call that asks it
        yield None
        if first is not None:
            yield first
            yield from all_of_them
