"""Several processes build the tree that one would, and end with their parent's wish or their own error."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import partial
from itertools import pairwise
from random import Random

import pytest

from isovc.encoding.digest import keyed_chunk_id
from isovc.errors import NotSorted, NotStorable, WorkerDied
from isovc.store import MemoryChunks, SqliteChunks, StoreFile
from isovc.tree.build import build
from isovc.tree.forest import Forest
from isovc.tree.parallel import build_parallel
from isovc.tree.rules import Rules

WORKER = "isovc.tree.worker"


def numbered(first, last, writer):
    return ((n, f"name {n}", n * 0.5) for n in range(first, last))


def given(rows, writer):
    return iter(rows)


def parts_of(many: int, cuts: list[int]):
    ends = [0, *cuts, many]
    return [partial(numbered, first, last) for first, last in pairwise(ends)]


@pytest.mark.parametrize("cuts", [[], [2500], [0], [5000], [1, 2], [64, 65, 66], [1000, 1000, 4999]])
def test_the_root_is_that_of_one_process(cuts):
    trees = Forest(MemoryChunks(keyed_chunk_id(bytes(32))), Rules(bits=4))
    alone = build(trees, numbered(0, 5000, None))
    shared = Forest(MemoryChunks(keyed_chunk_id(bytes(32))), Rules(bits=4))
    assert build_parallel(shared, parts_of(5000, cuts)) == alone
    assert set(shared.store.ids()) == set(trees.store.ids())


def test_rows_of_which_none_ends_a_run():
    trees = Forest(MemoryChunks(), Rules(bits=60, heaviest=500))
    assert build_parallel(trees, parts_of(900, [300, 600])) == build(trees, numbered(0, 900, None))


def test_nothing_at_all():
    trees = Forest(MemoryChunks())
    assert build_parallel(trees, []) == build_parallel(trees, parts_of(0, [0])) == build(trees, [])


def test_more_than_a_pipe_holds_of_several_parts(tmp_path):
    rows = [(n, Random(n).randbytes(3000)) for n in range(2000)]
    with_file = StoreFile.create(tmp_path / "store.db")
    trees = Forest(SqliteChunks(with_file))
    root = build_parallel(trees, [partial(given, rows[at : at + 500]) for at in range(0, 2000, 500)])
    assert root == build(Forest(MemoryChunks()), rows)
    with_file.close()


def with_large_values(writer):
    writer.put(b"\x03large")
    return iter([(1, "x")])


def test_what_a_part_puts_aside_is_kept():
    trees = Forest(MemoryChunks())
    build_parallel(trees, [with_large_values])
    assert b"\x03large" in trees.store.get_many(list(trees.store.ids()))


def refused(writer):
    yield (1, "x")
    raise NotStorable(what="the value", why="it is a test")


def broken(writer):
    raise ZeroDivisionError("a mistake")


def killed(writer):
    yield from numbered(0, 100_000, writer)
    os.kill(os.getpid(), signal.SIGKILL)


def endless(writer):
    n = 0
    while True:
        n += 1
        yield (n, "x" * 50)


def of_the_other(part, writer):
    return ((row[0] + (1 << 40), *row[1:]) for row in part(writer))


@pytest.mark.parametrize(
    ("part", "error", "words"),
    [
        (refused, NotStorable, "the value cannot be stored: it is a test"),
        (broken, ZeroDivisionError, "a mistake"),
        (killed, WorkerDied, "ended early"),
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_a_failing_part_is_its_own_error_and_leaves_nothing_running(part, error, words, turn):
    trees = Forest(MemoryChunks())
    with pytest.raises(error, match=words):
        build_parallel(trees, [endless, partial(of_the_other, part)][::turn])
    assert list(trees.store.ids()) == []
    assert _children() == []


def test_parts_that_overlap_are_refused():
    trees = Forest(MemoryChunks())
    with pytest.raises(NotSorted):
        build_parallel(trees, [partial(numbered, 0, 500), partial(numbered, 400, 600)])
    with pytest.raises(NotSorted):
        build_parallel(trees, [partial(given, [(2,), (1,)])])


def _children() -> list[str]:
    ask = ["ps", "-o", "args=", "--ppid", str(os.getpid())]
    listed = subprocess.run(ask, capture_output=True, text=True, check=True)  # it lists itself too
    return [line for line in listed.stdout.splitlines() if WORKER in line]
