"""One process of a parallel build: it reads its part of the rows and answers with ready chunks, entries and loose
rows.

Knows nothing of stores. It is started by `parallel`, is told its job by a pipe, and ends with the first answer that
nobody is there to hear."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from isovc.encoding.digest import ChunkId
from isovc.store.packing import Packer, ReadyChunk
from isovc.store.protocol import ChunkWriter
from isovc.tree.build import Run, cut
from isovc.tree.grow import Planter
from isovc.tree.leaf import Row
from isovc.tree.node import Entry
from isovc.tree.rules import Rules

# Called in a process of its own, so it must be picklable. What it puts into the writer (large values, say) is kept too.
Part: TypeAlias = Callable[[ChunkWriter], Iterable[Row]]

_MESSAGE_BYTES = 1 << 20  # bodies a message: far more than a pipe holds, little to keep


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to do."""

    part: Part
    rules: Rules
    key_width: int
    packer: Packer


@dataclass(frozen=True, slots=True)
class Answer:
    """Some of what came of it, in key order: runs as their leaves, or as they are where another part may join in."""

    chunks: list[ReadyChunk]
    runs: list[Run | list[Entry]]
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """The error it ended with, in pieces: errors with fields of their own cannot be pickled whole."""

    kind: type[BaseException]
    arguments: tuple[Any, ...]
    fields: dict[str, Any]

    def error(self) -> BaseException:
        """The error again."""
        error = self.kind.__new__(self.kind, *self.arguments)
        error.args = self.arguments
        vars(error).update(self.fields)
        return error


class _Collected:
    """A writer that makes chunks ready to be sent."""

    def __init__(self, packer: Packer) -> None:
        self._packer = packer
        self.chunks: list[ReadyChunk] = []
        self.weight = 0

    def put(self, content: bytes, *, base: ChunkId | None = None) -> ChunkId:
        """Name and pack it; nothing it could be a difference to is known here."""
        ready = self._packer.ready(content)
        self.put_ready(ready)
        return ready.id

    def put_ready(self, ready: ReadyChunk) -> None:
        """Send it along."""
        self.chunks.append(ready)
        self.weight += len(ready.body)


def serve(number: int) -> None:
    """The whole life of the process: a job comes by the pipe with this number, and answers go back."""
    gc.disable()  # rows hold no cycles, and looking for some takes a quarter of the time
    with Connection(number) as line:
        job: Job = pickle.loads(line.recv_bytes())
        try:
            _work(job, line)
        except BrokenPipeError:
            return
        except BaseException as error:
            _send(line, Failure(type(error), error.args, dict(vars(error))))


def _work(job: Job, line: Connection) -> None:
    collected = _Collected(job.packer)
    planter = Planter(collected, job.rules, job.key_width)
    runs: list[Run | list[Entry]] = []
    is_first = True
    for run in cut(job.rules, job.part(collected), job.key_width):
        # rows of the part before may belong to the first run, and of the part behind to one that has no end here
        runs.append(run if is_first or not run.ended else planter.leaves(run.columns, run.keys))
        is_first = False
        if collected.weight >= _MESSAGE_BYTES:
            _send(line, Answer(collected.chunks, runs))
            collected.chunks, collected.weight, runs = [], 0, []
    _send(line, Answer(collected.chunks, runs, is_last=True))


def _send(line: Connection, message: Answer | Failure) -> None:
    line.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
