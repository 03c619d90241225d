"""Is every chunk what its id says? And what does the store weigh? Reads all of it, on several threads; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from isovc.encoding.digest import ChunkId, Kind
from isovc.errors import ChunkDamaged, IsovcError
from isovc.progress import SILENT, Progress
from isovc.store.chunks import SqliteChunks
from isovc.store.reading import Row

_STRETCH = 512  # rows a piece of work: some MB, so that threads stay busy and progress moves
_THREADS = 4


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """What a check found."""

    chunks: int
    damaged: tuple[ChunkDamaged, ...]
    problems: tuple[str, ...]  # what SQLite itself complains of

    @property
    def clean(self) -> bool:
        """Nothing is wrong."""
        return not self.damaged and not self.problems


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What the store weighs."""

    chunks: int
    differences: int  # chunks kept as a difference to another
    longest_chain: int
    body_bytes: int  # of all bodies, as kept
    file_bytes: int  # of store.db
    free_bytes: int  # of it, unused


def check(store: SqliteChunks, progress: Progress = SILENT) -> StoreCheck:
    """Re-hash every chunk and let SQLite check its own pages and index."""
    try:
        with store.file.reading() as db:
            problems = [row[0] for row in db.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            total, last = db.execute("SELECT count(*), coalesce(max(seq), 0) FROM chunk").fetchone()
    except IsovcError as error:  # too broken to even be counted
        return StoreCheck(0, (), (error.message,))
    damaged: list[ChunkDamaged] = []
    with (
        progress.task("Checking chunks", total=total, unit="chunks") as task,
        ThreadPoolExecutor(_THREADS, thread_name_prefix="isovc-check") as pool,
    ):
        for seen, found, problem in pool.map(lambda start: _stretch(store, start), range(0, last + 1, _STRETCH)):
            task.advance(seen)
            damaged.extend(found)
            problems.extend(problem)
    return StoreCheck(total, tuple(damaged), tuple(problems))


def stats(store: SqliteChunks) -> StoreStats:
    """Count, without reading any content."""
    with store.file.reading() as db:
        chunks, differences, longest, body_bytes = db.execute(
            "SELECT count(*), count(base), coalesce(max(depth), 0), coalesce(sum(length(body)), 0) FROM chunk"
        ).fetchone()
        page_size, pages, free = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
        )
    return StoreStats(chunks, differences, longest, body_bytes, pages * page_size, free * page_size)


def _stretch(store: SqliteChunks, start: int) -> tuple[int, list[ChunkDamaged], list[str]]:
    damaged: list[ChunkDamaged] = []
    problems: list[str] = []
    seen = 0
    try:
        for row in _rows(store, start):
            seen += 1
            try:
                with store.file.reading() as db:
                    content = store.reader.content(db, row)
                if content[:1] not in _KNOWN_KINDS:
                    raise ChunkDamaged(chunk=row.id, place=store.reader.place(row.seq), why="it is of no known kind")
            except ChunkDamaged as damage:
                damaged.append(damage)
    except IsovcError as error:
        problems.append(error.message)
    return seen, damaged, problems


def _rows(store: SqliteChunks, start: int) -> Iterator[Row]:
    with store.file.reading() as db:
        for seq, chunk, base, body in db.execute(
            "SELECT seq, id, base, body FROM chunk WHERE seq >= ? AND seq < ? ORDER BY seq", (start, start + _STRETCH)
        ):
            yield Row(seq, ChunkId(chunk), base, body)


_KNOWN_KINDS = frozenset(bytes([kind]) for kind in Kind)
