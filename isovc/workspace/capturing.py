"""The live database as a version, remembered by its mark, so that looking twice costs nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from isovc.encoding.values import decode, encode
from isovc.errors import NotCanonical
from isovc.progress import SILENT, Progress
from isovc.repo.worktrees import Live, Worktrees
from isovc.snapshot.capture import Known, capture
from isovc.snapshot.version import Version, decode_version, encode_version, same_shape
from isovc.sources.sqlite import Mark, PageMap, Reading
from isovc.workspace.desk import Desk


def look(desk: Desk, *, verify: bool = False, progress: Progress = SILENT) -> Version:
    """The version that the database holds now. `verify`: read all of it, whatever its pages say."""
    if desk.then is not None:
        return desk.then()
    with desk.database.reading() as reading:
        return look_at(desk, reading, verify=verify, progress=progress)


def look_at(desk: Desk, reading: Reading, *, verify: bool = False, progress: Progress = SILENT) -> Version:
    """The same, inside a transaction of the database."""
    mark = reading.mark.encode()
    live = desk.worktree.live
    if live is not None and live.mark == mark and not verify:
        return decode_version(live.files)
    known = None if verify else known_of(desk)
    repository = desk.repository
    found = capture(repository.forest, reading, known, tally=repository.tally, progress=progress)
    remember(desk, mark, found.version, found.pages)
    return found.version


def warnings(desk: Desk) -> tuple[str, ...]:
    """What of the database cannot be kept, in words."""
    if desk.then is not None:
        return ()
    with desk.database.reading() as reading:
        return tuple(f"{each.message}: {each.hint}" for each in reading.warnings())


def remember(desk: Desk, mark: bytes, version: Version, pages: PageMap) -> None:
    """Note what the database holds in the state of this mark."""
    with desk.repository.file.transaction() as db:
        Worktrees(db).set_live(desk.worktree.id, Live(mark, encode_version(version)))
    file = _pages_file(desk)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):  # a cache: what cannot be remembered is looked at again
        file.parent.mkdir(exist_ok=True)
        fresh.write_bytes(encode([mark, pages.encode()]))
        fresh.replace(file)


def remember_made(desk: Desk, version: Version, committed: Mark | None) -> None:
    """Note what the database holds after we made it this version, if nobody has committed since."""
    if committed is None:
        return
    with desk.database.reading() as reading:
        # SQLite has words of its own to say in a schema; what it made of ours is read anew where it differs
        if reading.mark == committed and same_shape(reading.shape(), version.shape):
            remember(desk, committed.encode(), version, reading.pages(version.shape).map)


def known_of(desk: Desk) -> Known | None:
    """What was known when the database was looked at last. The cache may be gone, or of another state: then nothing
    is."""
    live = desk.worktree.live
    if live is None:
        return None
    try:
        mark, pages = decode(_pages_file(desk).read_bytes())
        if mark == live.mark:
            return Known(decode_version(live.files), PageMap.decode(pages))
    except (OSError, NotCanonical, ValueError):
        pass
    return None


def _pages_file(desk: Desk) -> Path:
    return desk.repository.cache / f"pages-{desk.worktree.id}"
