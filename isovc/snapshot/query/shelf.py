"""Files that were costly to make, kept by what is in them. Every one may be gone or damaged at any time; several
processes may make the same one at once. Knows nothing of SQL."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from isovc.encoding.digest import fingerprint_bytes

_CHUNK = 1 << 20  # bytes fingerprinted at once
_ABANDONED = 86_400  # seconds after which an unfinished file belongs to a process that died
_KEPT, _UNFINISHED = ".db", ".part"


class _Stamp(NamedTuple):
    inode: int
    size: int
    modified: int


class Shelf:
    """A folder of them, of so many bytes at most. A file carries its fingerprint in its name, and one that does not fit
    it is none. What is larger than the whole shelf is kept as long as this is open."""

    def __init__(self, folder: Path, *, capacity: int) -> None:
        self.folder = folder
        self.capacity = capacity
        self._looked_at: dict[Path, _Stamp] = {}  # whole files need not be read again for every question
        self._too_large: list[Path] = []

    def find(self, key: str) -> Path | None:
        """The file of this key, if there is one and it is whole."""
        for path in self._named(key):
            with suppress(OSError):
                if self._is_whole(path):
                    # so that it is thrown away last; what it was looked at as counts afterwards
                    os.utime(path)
                    self._looked_at[path] = _stamp(path)
                    return path
                path.unlink()
        return None

    def count(self, prefix: str) -> int:
        """How many keys begin so."""
        return sum(1 for _ in self._named(prefix, "*"))

    def make(self, key: str, write: Callable[[Path], None]) -> Path:
        """The file of this key, written anew. `write` is given a path where nothing is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        growing = self.grow(key)
        try:
            write(growing.path)
            return growing.keep()
        finally:
            growing.drop()

    def grow(self, key: str) -> Growing:
        """A file of this key that somebody will write."""
        return Growing(self, key)

    def kept(self, path: Path) -> None:
        """Take a file in that is whole."""
        self._looked_at[path] = _stamp(path)
        if path.stat().st_size > self.capacity:
            self._too_large.append(path)
        self._make_room(path)

    def close(self) -> None:
        """Let go of what was too large to be kept."""
        for path in self._too_large:
            path.unlink(missing_ok=True)

    def _named(self, *parts: str) -> Iterator[Path]:
        with suppress(OSError):
            yield from sorted(self.folder.glob("-".join([*parts, "*"]) + _KEPT))

    def _is_whole(self, path: Path) -> bool:
        return self._looked_at.get(path) == _stamp(path) or path.stem.rpartition("-")[2] == _fingerprint(path)

    def _make_room(self, fresh: Path) -> None:
        """Throw away what was used longest ago, and what nobody will finish."""
        kept: list[tuple[int, int, Path]] = []
        for path in self.folder.iterdir():
            with suppress(OSError):  # another process is at it too
                found = path.stat()
                if path.suffix == _KEPT and path != fresh:
                    kept.append((found.st_mtime_ns, found.st_size, path))
                elif path.suffix != _KEPT and time.time() - found.st_mtime > _ABANDONED:
                    path.unlink()
        room = self.capacity - fresh.stat().st_size
        for _, size, path in sorted(kept, reverse=True):
            room -= size
            if room < 0:
                path.unlink(missing_ok=True)  # who has it open goes on reading it


class Growing:
    """A file that is not finished. Nobody else meets it before it is kept."""

    def __init__(self, shelf: Shelf, key: str) -> None:
        self._shelf = shelf
        self._key = key
        self.path = shelf.folder / f"{key}-{os.getpid()}-{secrets.token_hex(4)}{_UNFINISHED}"

    def keep(self) -> Path:
        """It is whole now."""
        path = self.path.with_name(f"{self._key}-{_fingerprint(self.path)}{_KEPT}")
        self.path.replace(path)
        self._shelf.kept(path)
        return path

    def drop(self) -> None:
        """Forget it, unless it was kept."""
        for left in (self.path, self.path.with_name(self.path.name + "-journal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)


def _fingerprint(path: Path) -> str:
    """Of the file as it is. Nobody has it open to write, so no lock is lost with this look at it."""
    with path.open("rb") as file:
        parts = iter(lambda: file.read(_CHUNK), b"")
        return fingerprint_bytes(b"".join(map(fingerprint_bytes, parts))).hex()
