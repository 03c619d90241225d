"""The same tree as `build` makes, from parts of the rows that several processes read, encode, hash and pack.

Leaves end by their keys alone, so each process can cut its own part; only the rows before a part's first end and behind
its last one are handed over as they are, and the parent joins them. It also puts the ready chunks into the store and
grows the nodes. The processes are started afresh (`isovc.tree.worker`), not forked: the caller may have threads and open
databases, and nothing of that may be carried along.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import TypeAlias

from isovc.errors import IsovcError, WorkerDied
from isovc.store.packing import ReadyChunk
from isovc.store.protocol import ChunkWriter
from isovc.tree.build import Run, check_order, cut
from isovc.tree.forest import Forest, Root
from isovc.tree.grow import Planter, Stack
from isovc.tree.leaf import Column, Row
from isovc.tree.node import Entry
from isovc.tree.worker import Failed, Finished, Job, Leaves, Loose

# Called in another process, so it must be importable there and picklable. What it puts into the writer is kept too.
Part: TypeAlias = Callable[[ChunkWriter], Iterable[Row]]


@dataclass(slots=True)
class _Received:
    """What came of one part so far, in key order."""

    runs: list[Run | list[Entry]] = field(default_factory=list)
    finished: bool = False


def build_parallel(
    forest: Forest, parts: Sequence[Part], *, key_width: int = 1, writer: ChunkWriter | None = None
) -> Root:
    """The tree of the rows of all parts; those of one come before those of the next. One process a part."""
    with nullcontext(writer) if writer else forest.store.writing() as writer, ExitStack() as running:
        lines = {running.enter_context(_Worker(forest, part, key_width)).line: _Received() for part in parts}
        received = list(lines.values())
        planter = Planter(writer, forest.rules, key_width)
        stack = Stack(planter, forest.rules)
        joint = _Joint(forest, key_width)
        while received:
            if not received[0].finished and not received[0].runs:
                _receive(lines, writer)
                continue
            while received[0].runs:
                for run in joint.joined(received[0].runs.pop(0)):
                    stack.push(run if isinstance(run, list) else planter.leaves(run.columns, run.keys))
            if received[0].finished:
                received.pop(0)
        for run in joint.rest():
            stack.push(planter.leaves(run.columns, run.keys))
        return stack.root()


def _receive(lines: dict[Connection, _Received], writer: ChunkWriter) -> None:
    for line in wait([line for line, received in lines.items() if not received.finished]):
        assert isinstance(line, Connection)
        try:
            message = pickle.loads(line.recv_bytes())
        except (EOFError, OSError):
            raise WorkerDied() from None
        if isinstance(message, list):
            for chunk in message:
                writer.put_ready(ReadyChunk._make(chunk))
        elif isinstance(message, Leaves):
            lines[line].runs.append(message.entries)
        elif isinstance(message, Loose):
            lines[line].runs.append(message.run)
        elif isinstance(message, Failed):
            raise message.error()
        else:
            assert isinstance(message, Finished)
            lines[line].finished = True
