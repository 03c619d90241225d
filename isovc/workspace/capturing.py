"""The live database and the files beside it as a version, remembered so that looking twice costs nothing."""

from __future__ import annotations

from pathlib import Path

from isovc.disk import write_to_cache
from isovc.encoding.values import decode, encode
from isovc.errors import NotCanonical
from isovc.progress import SILENT, Progress
from isovc.repo.worktrees import Live, Worktrees
from isovc.snapshot.capture import Known, capture
from isovc.snapshot.files import with_files, without_files
from isovc.snapshot.version import Version, decode_version, encode_version, same, same_shape
from isovc.sources.sqlite import Mark, PageMap, Reading
from isovc.workspace.attachments import look_at_files
from isovc.workspace.desk import Desk


def look(desk: Desk, *, verify: bool = False, progress: Progress = SILENT) -> Version:
    """The version that the database holds now. `verify`: read all of it, whatever its pages say."""
    if desk.then is not None:
        return desk.then()
    with desk.database.reading() as reading:
        return look_at(desk, reading, verify=verify, progress=progress)


def look_at(desk: Desk, reading: Reading, *, verify: bool = False, progress: Progress = SILENT) -> Version:
    """The same, inside a transaction of the database."""
    files = look_at_files(desk, verify=verify, progress=progress)
    mark = reading.mark.encode()
    live = desk.worktree.live
    if live is not None and live.mark == mark and not verify:
        seen = decode_version(live.files)
        version = with_files(seen, files)
        if not same(version, seen):
            _note(desk, mark, version)
        return version
    known = None if verify else known_of(desk)
    repository = desk.repository
    found = capture(repository.forest, reading, known, tally=repository.tally, progress=progress)
    version = with_files(found.version, files)
    remember(desk, mark, version, found.pages)
    return version


def warnings(desk: Desk) -> tuple[str, ...]:
    """What of the database cannot be kept, in words."""
    if desk.then is not None:
        return ()
    with desk.database.reading() as reading:
        found = [f"{each.message}: {each.hint}" for each in reading.warnings()]
    return (*found, *notes(desk))


def notes(desk: Desk) -> tuple[str, ...]:
    """What of the files beside it could not be read when they were looked at last, in words."""
    return desk.repository.notes.get(desk.worktree.id, ())


def remember(desk: Desk, mark: bytes, version: Version, pages: PageMap) -> None:
    """Note what the database holds in the state of this mark."""
    _note(desk, mark, version)
    write_to_cache(_pages_file(desk), encode([mark, pages.encode()]))


def remember_made(desk: Desk, version: Version, committed: Mark | None) -> None:
    """Note what the database holds after we made it this version, if nobody has committed since."""
    if committed is None:
        return
    with desk.database.reading() as reading:
        # SQLite has words of its own to say in a schema; what it made of ours is read anew where it differs
        if reading.mark == committed and same_shape(reading.shape(), without_files(version).shape):
            mark = committed.encode()
            pages = _pages_of(desk, mark)  # of the state before, if nothing was to be written
            if pages is None:
                remember(desk, mark, version, reading.pages(version.shape).map)
            else:
                _note(desk, mark, version)


def known_of(desk: Desk) -> Known | None:
    """What was known when the database was looked at last. The cache may be gone, or of another state: then nothing
    is."""
    live = desk.worktree.live
    pages = _pages_of(desk, live.mark) if live else None
    return Known(decode_version(live.files), pages) if live and pages else None


def _pages_of(desk: Desk, mark: bytes) -> PageMap | None:
    """The fingerprints that the cache has of the state of this mark."""
    try:
        found, pages = decode(_pages_file(desk).read_bytes())
        return PageMap.decode(pages) if found == mark else None
    except (OSError, NotCanonical, ValueError):
        return None


def _note(desk: Desk, mark: bytes, version: Version) -> None:
    with desk.repository.file.transaction() as db:
        Worktrees(db).set_live(desk.worktree.id, Live(mark, encode_version(version)))


def _pages_file(desk: Desk) -> Path:
    return desk.repository.cache / f"pages-{desk.worktree.id}"
