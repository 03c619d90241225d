"""One live database: can it be read, is it whole, what of it costs time or makes differences bad?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from isovc.formats.words import size
from isovc.lifecycle.doctor.finding import Finding, advice, looked, ok, problem, some
from isovc.progress import Progress
from isovc.sources.sqlite import Database, Reading
from isovc.sources.sqlite.who import holders

_SMALL_PAGE = 1024  # bytes: each page is looked at by itself, and a tree of such pages is deep
_MUCH_FREE = 1000  # pages: below, nobody gains anything by packing the file
_LONG_LOG = 64 << 20  # bytes: SQLite folds the log back every 4 MB, so somebody has kept it from that for long

# What a check says of values where the file is whole: a rule that was added later, say.
_AGAINST_A_RULE = re.compile(r"NULL value in |CHECK constraint failed in |(?:non-)?[A-Z]+ value in ")


def database(path: Path, *, seconds: float, progress: Progress) -> Iterator[Finding]:
    """What there is to say about it."""
    about = path.name
    with progress.task(f"Checking {about}"):
        yield from looked(about, lambda: _read(path, about, seconds))
    yield from looked(about, lambda: _beside(path, about))


def _read(path: Path, about: str, seconds: float) -> Iterator[Finding]:
    with Database(path, busy_seconds=seconds).reading() as reading:
        yield from looked(about, lambda: _vitals(path, about, reading))
        yield from looked(about, lambda: _whole(about, reading))
        yield from looked(about, lambda: _references(path, about, reading))
        yield from looked(about, lambda: _keys(about, reading))
        for each in reading.warnings():
            yield advice(about, each.message, each.hint)


def _vitals(path: Path, about: str, reading: Reading) -> Iterator[Finding]:
    found = reading.vitals()
    whole = size(found.page_size * found.pages)
    yield ok(about, f"{whole}, pages of {found.page_size:,} bytes, {found.encoding}, journal mode {found.journal}")
    vacuum = f"sqlite3 {path} VACUUM"
    if found.page_size <= _SMALL_PAGE and found.pages > _MUCH_FREE:
        said = f"its pages are small ({found.page_size:,} bytes), so finding what changed takes longer than it must"
        yield advice(about, said, f'sqlite3 {path} "PRAGMA page_size=4096; VACUUM" (in WAL mode leave that mode first)')
    if found.free > _MUCH_FREE and found.free * 4 > found.pages:
        yield advice(about, f"{found.free:,} of its {found.pages:,} pages hold nothing", vacuum)


def _whole(about: str, reading: Reading) -> Iterator[Finding]:
    found = reading.quick_check()
    odd = [each for each in found if _AGAINST_A_RULE.match(each)]
    lines = [each for each in found if each not in odd]
    if odd:
        said = f"rows break rules of their tables: {some(odd)}"
        yield advice(about, said, "mend these rows; until then a version that holds them cannot be made anew")
    if lines:
        hint = 'isovc restore brings back what was kept: isovc restore HEAD --into FILE; sqlite3 has ".recover"'
        yield problem(about, f"SQLite finds it damaged: {some(lines)}", hint, damaged=True)
    elif not odd:
        yield ok(about, "SQLite's quick check finds nothing wrong")


def _references(path: Path, about: str, reading: Reading) -> Iterator[Finding]:
    for (child, parent), many in sorted(reading.pointing_nowhere().items()):
        point = "rows point" if many > 1 else "row points"
        said = f"{many:,} {point} from {child} to rows of {parent} that are not there"
        yield advice(about, said, f'sqlite3 {path} "PRAGMA foreign_key_check" names them')


def _keys(about: str, reading: Reading) -> Iterator[Finding]:
    found = reading.keys(reading.shape())
    if found.keyless:
        said = f"without a PRIMARY KEY, so VACUUM or .dump may number their rows anew: {some(found.keyless)}"
        yield advice(about, said, "give them an INTEGER PRIMARY KEY; then a row stays the same row")
    if found.partly:
        said = f"with NULL in the PRIMARY KEY of some rows, which only the rowid tells apart: {some(found.partly)}"
        yield advice(about, said, "declare the columns of the key NOT NULL")
    if found.whole:
        said = f"read whole whenever something changed, for their keys stand in another order: {some(found.whole)}"
        yield advice(about, said, "a key without COLLATE and DESC, in a UTF-8 database, is followed page by page")


def _beside(path: Path, about: str) -> Iterator[Finding]:
    log = path.with_name(path.name + "-wal")
    length = log.stat().st_size if log.exists() else 0
    who = holders(path)
    if length > _LONG_LOG:
        by = f"; {some(who)} may keep it from that" if who else ""
        said = f"its log {log.name} has {size(length)} and is not folded back{by}"
        first = "end what reads or writes there, then " if who else ""
        yield advice(about, said, f'{first}sqlite3 {quote(str(path))} "PRAGMA wal_checkpoint(TRUNCATE)"')
    if who:
        yield ok(about, f"in use by {some(who)}")
