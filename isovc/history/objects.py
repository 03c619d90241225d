"""Every object of the repository by its name, checked against it, wherever it lies. Knows nothing of their meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from isovc.errors import GitObjectDamaged, GitObjectMissing
from isovc.history.loose import loose_objects, loose_path, read_loose
from isovc.history.packs import Packs


class Objects:
    """The folder `objects`, for reading. Others may write and pack meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._packs = Packs(folder / "pack")

    def read(self, name: str, kind: str, *, needed_by: str = "") -> bytes:
        """The content of an object of this kind."""
        # Loose a second time: it may have been unpacked by git's tools between the first look and the look into packs.
        found = read_loose(self._folder, name) or self._read_packed(name) or read_loose(self._folder, name)
        if found is None:
            raise GitObjectMissing(name=name, needed_by=needed_by)
        if found[0] != kind:
            raise GitObjectDamaged(name=name, why=f"it is a {found[0]}, not a {kind}")
        return found[1]

    def kind(self, name: str) -> str:
        """The kind of an object; a packed one's content is not looked at."""
        found = read_loose(self._folder, name)
        kind = found[0] if found else self._packs.kind(name)
        if kind is None:
            raise GitObjectMissing(name=name)
        return kind

    def names(self) -> Iterator[str]:
        """Every object once."""
        loose = set(loose_objects(self._folder))
        yield from loose
        yield from set(self._packs.names()) - loose

    def __contains__(self, name: str) -> bool:
        return loose_path(self._folder, name).exists() or name in self._packs

    def _read_packed(self, name: str) -> tuple[str, bytes] | None:
        found = self._packs.read(name)
        if found is not None:
            head = f"{found[0]} {len(found[1])}\0".encode()
            if hashlib.sha1(head + found[1], usedforsecurity=False).hexdigest() != name:
                raise GitObjectDamaged(name=name, why="its bytes do not give its name")
        return found
