"""The same tree as `build` makes, from parts of the rows that several processes read, encode, hash and pack.

Leaves end by their keys alone, so each process can cut its own part; only the rows before a part's first end and behind
its last one come back as they are, and are joined here. Here, too, the ready chunks go into the store and the nodes
grow. The processes are started afresh, not forked: the caller may have threads and open databases, and none of that may
be carried along.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from multiprocessing.connection import Connection, Pipe, wait

from isovc.errors import WorkerDied
from isovc.store.protocol import ChunkWriter
from isovc.tree.build import Run, check_order
from isovc.tree.forest import Forest, Root
from isovc.tree.grow import Planter, Stack
from isovc.tree.node import Entry
from isovc.tree.worker import Answer, Failure, Job, Part


def build_parallel(
    forest: Forest, parts: Sequence[Part], *, key_width: int = 1, writer: ChunkWriter | None = None
) -> Root:
    """The tree of the rows of all parts, those of one before those of the next; a process each. With a `writer` it is
    kept when that one is done."""
    with nullcontext(writer) if writer else forest.store.writing() as writer, ExitStack() as running:
        jobs = [Job(part, forest.rules, key_width, forest.store.packer()) for part in parts]
        lines = [running.enter_context(_worker(job)) for job in jobs]
        planter = Planter(writer, forest.rules, key_width)
        stack = Stack(planter, forest.rules)
        for run in _joined(_in_order(lines, writer)):
            stack.push(planter.leaves(run.columns, run.keys) if isinstance(run, Run) else run)
        return stack.root()


@contextmanager
def _worker(job: Job) -> Iterator[Connection]:
    """A process at work, and the line to it. Whatever happens, it is gone at the end."""
    ours, theirs = Pipe()
    with ours:
        with theirs:
            number = theirs.fileno()
            program = f"import sys; sys.path[:] = {sys.path!r}; from isovc.tree.worker import serve; serve({number})"
            process = subprocess.Popen(
                [sys.executable, "-c", program], pass_fds=[number], stdin=subprocess.DEVNULL, start_new_session=True
            )
        try:
            try:
                ours.send_bytes(pickle.dumps(job, pickle.HIGHEST_PROTOCOL))
            except BrokenPipeError:
                pass  # it is told where its answer is missed
            yield ours
        finally:
            process.kill()
            process.wait()


def _in_order(lines: list[Connection], writer: ChunkWriter) -> Iterator[Run | list[Entry]]:
    """The runs of all workers in key order. Chunks are taken from whoever has some: a worker that nobody listens to
    stands still."""
    waiting: dict[Connection, list[Run | list[Entry]]] = {line: [] for line in lines}
    working = list(lines)
    for line in lines:
        while True:
            runs, waiting[line] = waiting[line], []
            yield from runs
            if line not in working:
                break
            for ready in wait(working):
                assert isinstance(ready, Connection)
                answer = _answer(ready)
                for chunk in answer.chunks:
                    writer.put_ready(chunk)
                waiting[ready].extend(answer.runs)
                if answer.is_last:
                    working.remove(ready)
        yield from waiting[line]


def _answer(line: Connection) -> Answer:
    try:
        answer = pickle.loads(line.recv_bytes())
    except (EOFError, OSError):
        raise WorkerDied() from None
    if isinstance(answer, Failure):
        raise answer.error()
    assert isinstance(answer, Answer)
    return answer


def _joined(runs: Iterator[Run | list[Entry]]) -> Iterator[Run | list[Entry]]:
    """Loose rows put together where the end of a run lies in another part than its beginning."""
    open_run: Run | None = None
    last: list[bytes] = []
    for run in runs:
        if isinstance(run, Run):
            check_order(last + run.keys[:1])
            last = run.keys[-1:]
            if open_run is not None:
                columns = [[*old, *new] for old, new in zip(open_run.columns, run.columns, strict=True)]
                run = Run(columns, open_run.keys + run.keys, run.ended)
            open_run = None if run.ended else run
            if run.ended:
                yield run
        else:
            last = [run[-1].key]
            yield run
    if open_run is not None:
        yield open_run
