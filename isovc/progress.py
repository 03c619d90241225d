"""How long work tells how far it is. The library only speaks to this protocol; the command line draws it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Task(Protocol):
    """One piece of work under way."""

    def advance(self, amount: int = 1) -> None:
        """So much more is done."""


class Progress(Protocol):
    """Opens tasks. `with progress.task("Hashing", total=n, unit="chunks") as task: task.advance()`."""

    def task(self, what: str, *, total: int | None = None, unit: str = "") -> AbstractContextManager[Task]: ...


class _SilentTask:
    def advance(self, amount: int = 1) -> None:
        pass


class _Silent:
    @contextmanager
    def task(self, what: str, *, total: int | None = None, unit: str = "") -> Iterator[Task]:
        yield _SilentTask()


SILENT: Progress = _Silent()
