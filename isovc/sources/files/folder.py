"""A folder of files as a whole: look through it, read it, put files into it. Knows nothing of versions."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from isovc.errors import FileVanished
from isovc.progress import SILENT, Progress
from isovc.sources.files.beneath import NOT_THERE, beneath, looked, root, told
from isovc.sources.files.names import FILES_NEW, decoded, parts_of
from isovc.sources.files.placing import Placing
from isovc.sources.files.reading import open_file
from isovc.sources.files.seen import Seen, Walk
from isovc.sources.files.staging import staging
from isovc.sources.files.walking import Walking


class Folder:
    """The folder may be reached by links; in it, none is ever followed."""

    def __init__(self, path: Path, *, ignored: Collection[Path] = ()) -> None:
        """`ignored` are absolute paths that are no part of the folder, whatever lies there: the database, and each of
        the files that SQLite writes beside it."""
        self.path = path
        self._ignored = tuple(ignored)

    def walk(self, progress: Progress = SILENT) -> Walk:
        """All files and links, and what was left out for a reason that the person may not know of."""
        with root(self.path) as top:
            return Walking(top, *self._left_out()).walk(progress)

    @contextmanager
    def reading(self, seen: Seen) -> Iterator[BinaryIO]:
        """The bytes of a file, or the target of a link. `is_still` tells after whether they are what was seen."""
        with self._opened(seen) as file:
            yield file

    def _opened(self, seen: Seen) -> BinaryIO:
        *above, name = parts_of(seen.path)
        try:
            with root(self.path) as top, beneath(top, above) as folder:
                if seen.is_link:
                    return BytesIO(os.readlink(name, dir_fd=folder))
                return open_file(seen.path, name, folder)
        except OSError as error:
            if error.errno in (*NOT_THERE, errno.EINVAL, errno.ENXIO):  # no link any more; a socket
                raise FileVanished(path=seen.path) from None
            raise told(error, seen.path, deed="read") from error

    def look(self, path: str) -> Seen | None:
        """A file or link as it is now; None where there is none, or only through a link."""
        *above, name = parts_of(path)
        try:
            with root(self.path) as top, beneath(top, above) as folder:
                return looked(path, name, folder)
        except OSError as error:
            if error.errno in NOT_THERE:
                return None
            raise told(error, path, deed="read") from error

    def is_still(self, seen: Seen) -> bool:
        """Whether nothing that `lstat` tells has changed since."""
        return self.look(seen.path) == seen

    @contextmanager
    def placing(self) -> Iterator[Placing]:
        """Put files into the folder; what was staged and did not arrive is gone at the end."""
        with root(self.path) as top, staging(top, self.path) as made:
            yield Placing(top, made, self._left_out()[0])

    def sweep(self) -> None:
        """Clear what a killed placing has left; one that is under way refuses that."""
        if os.path.lexists(self.path / FILES_NEW):
            with self.placing():
                pass

    def folds_case(self) -> bool:
        """Whether names that differ only in case are one name here. Makes a file to find out."""
        with self.placing() as here:
            return here.folds_case()

    def normalises(self) -> bool:
        """Whether names that differ only in the form of their accents are one name here. Makes a file to find out."""
        with self.placing() as here:
            return here.normalises()

    def _left_out(self) -> tuple[frozenset[str], frozenset[tuple[int, int]]]:
        """The paths in the folder that are no part of it, and the files they are, whatever names these have besides."""
        here = os.fsencode(self.path.resolve())
        paths, files = set(), set()
        for one in self._ignored:
            for place in (one.parent.resolve() / one.name, one.resolve()):
                raw = os.fsencode(place)
                if raw.startswith(here.rstrip(b"/") + b"/"):
                    paths.add(decoded(raw[len(here.rstrip(b"/")) + 1 :]))
            try:
                found = one.stat()
            except OSError:
                continue  # a log that is not there has no other names
            files.add((found.st_dev, found.st_ino))
        return frozenset(paths), frozenset(files)
