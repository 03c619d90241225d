"""Copies what one snapshot sees into a new file, byte by byte. Knows nothing of tables or versions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from isovc.disk import fsync_folder
from isovc.errors import DatabaseExists
from isovc.sources.sqlite.failures import told_of_file
from isovc.sources.sqlite.pagefile import page_file
from isovc.sources.sqlite.snapshot import Snapshot

_COMPANIONS = ("-wal", "-journal", "-shm")


def copy_file(snapshot: Snapshot, path: Path) -> None:
    """Write the pages down, and wait until they are on disk.

    They are read through SQLite's handle: to open the file by itself and close it again would end every lock that this
    process has on it. The first page comes last, so that a copy which was cut off is no database to anyone.
    """
    for companion in _COMPANIONS:
        left = path.with_name(path.name + companion)
        if left.exists():
            raise DatabaseExists(path=left)  # SQLite would take it for a part of the new file
    with told_of_file(path):
        copy = path.open("xb")
    try:
        with told_of_file(path), copy:
            os.fchmod(copy.fileno(), snapshot.path.stat().st_mode & 0o777)
            _write(snapshot, copy)
            copy.flush()
            os.fsync(copy.fileno())
            fsync_folder(path.parent)
    except BaseException:
        path.unlink()
        raise


def _write(snapshot: Snapshot, copy: BinaryIO) -> None:
    file = page_file(snapshot)
    if file is None:
        return
    for first, slab in file.slabs():
        hidden = file.page_size if first == 1 else 0
        copy.seek((first - 1) * file.page_size + hidden)
        copy.write(slab[hidden:])
    copy.flush()
    os.fsync(copy.fileno())
    copy.seek(0)
    copy.write(file.page(1))
