"""The files beside a database as one more table of its version: a row a path. Reads no folder.

Everything that is done to rows - compared, merged, undone, asked for - is done to files by this alone. The name of the
table is none that anybody gives to a table, and no definition in schema.sql speaks of it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from isovc.encoding.values import External
from isovc.snapshot.version import FILE_TABLE, FILES, Version
from isovc.tree.diff import diff
from isovc.tree.forest import Forest, Root
from isovc.tree.read import scan

WIDTH = len(FILE_TABLE.cells)


class File(NamedTuple):
    """One row: a path below the folder, kind and permissions as stat has them, bytes, nanoseconds, what it is."""

    path: str
    mode: int
    size: int
    mtime: int
    media: str
    content: External

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link, whose content is where it leads."""
        return stat.S_ISLNK(self.mode)

    @property
    def permissions(self) -> int:
        """Who may read, write and run it."""
        return stat.S_IMODE(self.mode)


class FileChange(NamedTuple):
    """One path before and after; None where there is no such file."""

    path: str
    before: File | None
    after: File | None

    @property
    def op(self) -> str:
        """added, modified or removed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "modified"


def files_root(version: Version) -> Root | None:
    """The tree of its files; None: there are none."""
    return version.roots.get(FILES)


def with_files(version: Version, root: Root | None) -> Version:
    """The version with these files, whatever it has."""
    bare = without_files(version)
    if root is None or not root.rows:  # no files and an empty folder are the same
        return bare
    tables = {**bare.shape.tables, FILES: FILE_TABLE}
    return replace(bare, shape=replace(bare.shape, tables=tables), roots={**bare.roots, FILES: root})


def without_files(version: Version) -> Version:
    """What of a version is the database's."""
    if FILES not in version.roots:
        return version
    tables = {name: table for name, table in version.shape.tables.items() if name != FILES}
    roots = {name: root for name, root in version.roots.items() if name != FILES}
    return replace(version, shape=replace(version.shape, tables=tables), roots=roots)


def files_in(forest: Forest, version: Version) -> Iterator[File]:
    """Every file, by path."""
    root = files_root(version)
    if root is not None:
        for row in scan(forest, root.id, cells=range(WIDTH)):
            yield as_file(row)


def file_changes(forest: Forest, before: Version, after: Version) -> Iterator[FileChange]:
    """What differs between the files of two versions, by path."""
    old, new = files_root(before), files_root(after)
    if old == new:
        return
    if old is None:
        yield from (FileChange(each.path, None, each) for each in files_in(forest, after))
        return
    if new is None:
        yield from (FileChange(each.path, each, None) for each in files_in(forest, before))
        return
    for change in diff(forest, old.id, new.id, width=WIDTH):
        one, other = (None if row is None else as_file(row) for row in (change.before, change.after))
        found = one or other
        assert found is not None
        yield FileChange(found.path, one, other)


def as_file(row: Iterable[object]) -> File:
    """A row of the tree."""
    return File(*row)  # type: ignore[arg-type]
