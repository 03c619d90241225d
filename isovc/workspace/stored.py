"""The files of a version, one after the other or one alone, and as a folder of their own. Changes no working copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isovc.blobs import stream
from isovc.encoding.orderkey import encode_key
from isovc.errors import FolderMissing, FolderTaken, NoSuchFile
from isovc.progress import SILENT, Progress
from isovc.repo.names import near_names
from isovc.repo.repository import Repository
from isovc.snapshot.files import WIDTH, File, as_file, file_changes, files_in, files_root
from isovc.snapshot.version import Version
from isovc.sources.files import Folder
from isovc.tree.read import get
from isovc.workspace.arriving import Arriving


def file_at(repository: Repository, version: Version, path: str, *, called: str) -> File:
    """The file with this path in a version that is `called` so."""
    root = files_root(version)
    row = get(repository.forest, root.id, encode_key((path,)), width=WIDTH) if root else None
    if row is None:
        known = [each.path for each in files_in(repository.forest, version)]
        raise NoSuchFile(path=path, revision=called, near=near_names(path, known))
    return as_file(row)


def content(repository: Repository, file: File) -> Iterator[bytes]:
    """What it holds, piece by piece."""
    return stream(repository.chunks, file.content)


def below(repository: Repository, version: Version, path: str) -> Iterator[File]:
    """The files at a path or below it; an empty one: all."""
    inside = f"{path}/"
    for each in files_in(repository.forest, version):
        if not path or each.path == path or each.path.startswith(inside):
            yield each


def export(repository: Repository, version: Version, into: Path, *, progress: Progress = SILENT) -> int:
    """Write all of them into a folder that is new or empty; how many there are."""
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise FolderTaken(folder=into)
    if not into.parent.is_dir():
        raise FolderMissing(path=into.parent)
    is_new = not into.exists()
    into.mkdir(exist_ok=True)
    arriving = Arriving(Folder(into), repository.chunks)
    changes = list(file_changes(repository.forest, Version(), version))
    try:
        with progress.task("Writing files", total=len(changes), unit="files") as task:
            for change in changes:
                arriving.stage([change])
                task.advance()
        arriving.arrive()
    except BaseException:
        arriving.drop()
        if is_new:
            into.rmdir()
        raise
    arriving.drop()
    return len(changes)
