"""Progress bars, by rich. Imported only when they are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from isovc.progress import Task


@dataclass(frozen=True, slots=True)
class _Drawn:
    bars: Progress
    task: TaskID

    def advance(self, amount: int = 1) -> None:
        self.bars.advance(self.task, amount)


class Bars:
    """Draws each task as one line that goes away when the task ends. Safe to advance from several threads."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream)
        self._bars: Progress | None = None

    @contextmanager
    def task(self, what: str, *, total: int | None = None, unit: str = "") -> Iterator[Task]:
        if self._bars is not None:  # a task inside a task: one more line under the first
            yield from self._line(self._bars, what, total, unit)
            return
        with Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}", markup=False),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        ) as bars:
            self._bars = bars
            try:
                yield from self._line(bars, what, total, unit)
            finally:
                self._bars = None

    def _line(self, bars: Progress, what: str, total: int | None, unit: str) -> Iterator[Task]:
        line = bars.add_task(what, total=total, unit=unit)
        try:
            yield _Drawn(bars, line)
        finally:
            bars.remove_task(line)
