"""Is every chunk what its id says? What does the store weigh? Reads all of it, on several threads; changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from isovc.encoding.digest import ChunkId, Kind
from isovc.errors import ChunkDamaged, IsovcError, StoreDamaged
from isovc.progress import SILENT, Progress
from isovc.store.chunks import SqliteChunks
from isovc.store.database import has_our_tables
from isovc.store.parts import BODY_BYTES
from isovc.store.reading import Reader, as_row
from isovc.store.schema import TOTALS

_STRETCH = 512  # rows a piece of work: some MB, so that threads stay busy and progress moves
_THREADS = 4
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1  # row numbers; a damaged one may lie anywhere
_ROWS = (
    "SELECT chunk.seq, chunk.id, chunk.base, chunk.body, chunk.depth, beneath.depth"
    " FROM chunk LEFT JOIN chunk AS beneath ON beneath.seq = chunk.base WHERE chunk.seq"
)
_KNOWN_KINDS = frozenset(bytes([kind]) for kind in Kind)


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """What a check found."""

    chunks: int  # looked at
    damaged: tuple[ChunkDamaged, ...]  # an error whose chunk's page is lost knows only the first 8 bytes of the id
    problems: tuple[str, ...]  # what is wrong with the file or with rows that no chunk can be named for

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


@dataclass(slots=True)
class _Findings:
    seen: int = 0
    damaged: list[ChunkDamaged] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check(store: SqliteChunks, progress: Progress = SILENT) -> StoreCheck:
    """Re-hash every chunk, check every chain, and let SQLite check its own pages and indexes."""
    problems = [*_said_by(store, _pages), *_said_by(store, _schema), *_said_by(store, _count), *_refused(store)]
    # a reader of its own: what another one remembers would stand in for what lies on the disk
    reader = Reader(store.file, store.reader.digest)
    seen = 0
    damaged: list[ChunkDamaged] = []
    with (
        progress.task("Checking chunks", total=_total(store), unit="chunks") as task,
        ThreadPoolExecutor(_THREADS, thread_name_prefix="isovc-check") as pool,
    ):
        for found in pool.map(lambda stretch: _check_stretch(reader, *stretch), _stretches(store)):
            task.advance(found.seen)
            seen += found.seen
            damaged.extend(found.damaged)
            problems.extend(found.problems)
    return StoreCheck(seen, tuple(damaged), tuple(dict.fromkeys(problems)))


def stats(store: SqliteChunks) -> StoreStats:
    """Count, without reading any content."""
    with store.file.reading() as db:
        chunks, differences, longest, body_bytes = db.execute(
            f"SELECT count(*), count(base), coalesce(max(depth), 0), coalesce(sum({BODY_BYTES}), 0) FROM chunk"
        ).fetchone()
        page_size, pages, free = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
        )
    return StoreStats(chunks, differences, longest, body_bytes, pages * page_size, free * page_size)


def _said_by(store: SqliteChunks, question: Callable[[sqlite3.Connection], Iterable[str]]) -> list[str]:
    try:
        with store.file.reading() as db:
            return list(question(db))
    except IsovcError as error:  # too broken even to be asked
        return [error.message]


def _pages(db: sqlite3.Connection) -> Iterator[str]:
    yield from (row[0] for row in db.execute("PRAGMA integrity_check(20)") if row[0] != "ok")


def _schema(db: sqlite3.Connection) -> Iterator[str]:
    """A byte changed in the text of a table's definition gives its rows another meaning."""
    if not has_our_tables(db):
        yield "the definitions of its tables are not what this isovc makes"


def _count(db: sqlite3.Connection) -> Iterator[str]:
    highest = db.execute("SELECT coalesce(max(seq), 0) FROM chunk").fetchone()[0]
    found = db.execute("SELECT value FROM fact WHERE name = 'next_seq'").fetchone()
    if found is None or type(found[0]) is not int or found[0] <= highest:
        yield "it has lost count of its rows"
    totals = [row[0] for row in db.execute("SELECT name FROM total ORDER BY name")]
    if totals != sorted(TOTALS):
        yield "it has lost what was known of whole tables"


def _refused(store: SqliteChunks) -> Iterator[str]:
    """A byte changed in the first page makes a file of it that SQLite only reads, and every commit would be refused."""
    try:
        with store.file.transaction() as db:
            db.execute("DELETE FROM fact WHERE name IS NULL")  # there is none: nothing is written
    except StoreDamaged as damage:
        yield damage.message
    except IsovcError:
        pass  # others are writing, or the disk is full: nothing is wrong with the file


def _total(store: SqliteChunks) -> int | None:
    try:
        with store.file.reading() as db:
            total: int = db.execute("SELECT count(*) FROM chunk").fetchone()[0]
            return total
    except IsovcError:
        return None


def _stretches(store: SqliteChunks) -> Iterator[tuple[int, int]]:
    """Row numbers, from and to, of some hundred rows each. Behind a page that cannot be read, all the rest is one."""
    first = _FIRST
    while True:
        try:
            with store.file.reading() as db:
                beyond = "SELECT seq FROM chunk WHERE seq >= ? ORDER BY seq LIMIT 1 OFFSET ?"
                found = db.execute(beyond, (first, _STRETCH)).fetchone()
        except IsovcError:
            found = None
        if found is None:
            yield first, _LAST
            return
        yield first, found[0] - 1
        first = found[0]


def _check_stretch(reader: Reader, first: int, last: int) -> _Findings:
    findings = _Findings()
    reached = first - 1
    try:
        with reader.file.reading() as db:
            for found in db.execute(f"{_ROWS} BETWEEN ? AND ? ORDER BY chunk.seq", (first, last)):
                _check_row(reader, db, found, findings)
                findings.seen += 1
                reached = found[0]
    except IsovcError as error:
        findings.problems.append(error.message)
        _check_one_by_one(reader, reached + 1, last, findings)
    finally:
        reader.file.release()
    return findings


def _check_one_by_one(reader: Reader, first: int, last: int, findings: _Findings) -> None:
    """Where the table itself cannot be walked, the index still says which rows there were."""
    listing = "SELECT seq, substr(id, 1, 8) FROM chunk INDEXED BY chunk_by_id WHERE substr(id, 1, 8) >= x''"
    try:
        with reader.file.reading() as db:
            listed = sorted(row for row in db.execute(listing) if type(row[0]) is int and first <= row[0] <= last)
    except IsovcError as error:
        findings.problems.append(error.message)
        return
    for seq, start_of_id in listed:
        findings.seen += 1
        try:
            with reader.file.reading() as db:
                for found in db.execute(f"{_ROWS} = ?", (seq,)):
                    _check_row(reader, db, found, findings)
        except IsovcError as error:
            chunk = _whole_id(reader, seq) or start_of_id
            findings.damaged.append(ChunkDamaged(chunk=chunk, place=reader.place(seq), why=error.message))


def _whole_id(reader: Reader, seq: int) -> bytes | None:
    """An id lies before its body, and often on another page."""
    try:
        with reader.file.reading() as db:
            chunk = db.execute("SELECT id FROM chunk WHERE seq = ?", (seq,)).fetchone()[0]
            return chunk if type(chunk) is bytes else None
    except IsovcError:
        return None


def _check_row(reader: Reader, db: sqlite3.Connection, found: tuple[Any, ...], findings: _Findings) -> None:
    seq, chunk, base, body, depth, base_depth = found
    if type(chunk) is not bytes:
        findings.problems.append(f"{reader.place(seq)} has no id")
        return
    try:
        content = reader.content(db, as_row(db, (seq, ChunkId(chunk), base, body)))
        if content[:1] not in _KNOWN_KINDS:
            raise ChunkDamaged(chunk=chunk, place=reader.place(seq), why="it is of no known kind")
        # deeper than its base, so that no chain can run in a circle and none is longer than its depth
        beneath = -1 if base is None else base_depth
        if type(depth) is not int or type(beneath) is not int or depth <= beneath or (base is None and depth != 0):
            raise ChunkDamaged(chunk=chunk, place=reader.place(seq), why="the length of its chain is not what it says")
    except ChunkDamaged as damage:
        findings.damaged.append(damage)
    else:
        reader.recent.keep(ChunkId(chunk), content)  # what follows is often a difference to it
