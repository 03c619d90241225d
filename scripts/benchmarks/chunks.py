"""Workloads on the chunk store, and how long the program takes to start."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import count
from typing import Any

import zstandard
from registry import ENVIRONMENT, Bench, Contender, Outcome, timed, workload

from isovc.encoding.digest import chunk_id
from isovc.store import Packing, SqliteChunks, StoreFile
from isovc.store.parts import BODY_BYTES

_numbers = count()
_WORDS = [f"{number:x}" for number in range(4096)]


def _contents(many: int, size: int) -> list[bytes]:
    """Leaf-like bytes: about half of it compresses away."""
    draw = random.Random(3)
    made = []
    for _ in range(many):
        text = " ".join(draw.choices(_WORDS, k=size // 3))
        made.append(b"\x03" + text.encode()[: size - 1])
    return made


def _file(bench: Bench) -> StoreFile:
    return StoreFile.create(bench.scratch / f"chunks-{next(_numbers)}.db")


@workload("put 8,000 chunks of 12 kB", against="zstd-3", ratio=2, rounds=3)
def _put(bench: Bench) -> dict[str, Contender]:
    contents = bench.once("chunks", lambda: _contents(8000, 12_000))

    def ours() -> Outcome:
        file = _file(bench)

        def work() -> None:
            with SqliteChunks(file).writing() as writer:
                for content in contents:
                    writer.put(content)

        took = timed(work)
        file.close()
        file.path.unlink()
        return took

    press = zstandard.ZstdCompressor(level=3).compress
    return {"isovc": ours, "zstd-3": lambda: timed(lambda: [press(content) for content in contents])}


@workload("get 8,000 chunks of 12 kB", against="zstd", ratio=2, rounds=3)
def _get(bench: Bench) -> dict[str, Contender]:
    contents = bench.once("chunks", lambda: _contents(8000, 12_000))
    file = _file(bench)
    with SqliteChunks(file).writing() as writer:
        ids = [writer.put(content) for content in contents]
    file.close()
    frames = [zstandard.ZstdCompressor(level=1).compress(content) for content in contents]
    unpack = zstandard.ZstdDecompressor().decompress

    def ours() -> Outcome:
        opened = StoreFile(file.path)
        store = SqliteChunks(opened)
        took = timed(lambda: [store.get_many(ids[at : at + 256]) for at in range(0, len(ids), 256)])
        opened.close()
        return took

    return {"isovc": ours, "zstd": lambda: timed(lambda: [unpack(frame) for frame in frames])}


@workload("1,000 chunks of 28 kB with one row changed", seconds=0.5, bytes=150_000)
def _deltas(bench: Bench) -> dict[str, Contender]:
    """Everything counts: rows, index, pages."""
    contents = _contents(1000, 28_000)
    changed = [content[:9000] + b"#changed#" + content[9009:] for content in contents]

    def ours() -> Outcome:
        file = _file(bench)
        store = SqliteChunks(file)
        with store.writing() as writer:
            ids = [writer.put(content) for content in contents]
        store.get_many(ids[:1])
        before = _used(file)

        def work() -> None:
            with store.writing() as writer:
                for content, base in zip(changed, ids, strict=True):
                    writer.put(content, base=base)

        took = timed(work)
        grown = _used(file) - before
        file.close()
        file.path.unlink()
        return Outcome(took.seconds, bytes=grown)

    return {"isovc": ours}


def _used(file: StoreFile) -> int:
    """Bytes in use on the pages, not the pages: one page is 64 KiB."""
    with file.reading() as database:
        found: int = database.execute(f"SELECT sum({BODY_BYTES} + length(id) + 32) FROM chunk").fetchone()[0]
        return found


def _small_store(bench: Bench, many: int) -> StoreFile:
    def make() -> StoreFile:
        file = _file(bench)
        with SqliteChunks(file, packing=Packing(longest_chain=0)).writing() as writer:
            for number in range(many):
                writer.put(b"\x03%d" % number)
        file.close()
        return file

    made: Any = bench.once(f"store of {many}", make)
    return made


@workload("open a store of many chunks and get one", against="1,000 chunks", ratio=1.5, rounds=9)
def _open(bench: Bench) -> dict[str, Contender]:
    few, many = _small_store(bench, 1000), _small_store(bench, bench.rows)
    chunk = chunk_id(b"\x03500")

    def opened(path: Any) -> Outcome:
        def work() -> None:
            file = StoreFile(path)
            SqliteChunks(file).get(chunk)
            file.close()

        return timed(work)

    return {"isovc": lambda: opened(many.path), "1,000 chunks": lambda: opened(few.path)}


@workload("isovc --version", against="python -c pass", seconds=0.10, rounds=9)
def _start(_: Bench) -> dict[str, Contender]:
    def run(*arguments: str) -> Outcome:
        return timed(
            lambda: subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        )

    return {"isovc": lambda: run("-m", "isovc", "--version"), "python -c pass": lambda: run("-c", "pass")}
