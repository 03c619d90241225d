"""What has to happen in a folder for files to come and go, found out before anything is done. Only looks.

Refused is whatever would leave the folder, go through a link, or cost something that nobody said may go.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from isovc.errors import NoPermission, PathInTheWay, PathLeavesFolder
from isovc.sources.files.beneath import NOT_THERE, beneath, kept, telling, told
from isovc.sources.files.names import above, decoded, encoded, parts_of

_LOST = "it would be lost, since no version holds it"


@dataclass(slots=True)
class Plan:
    """In the order in which it is done."""

    going: set[str] = field(default_factory=set)  # files and links that are there and shall not be
    giving_way: list[str] = field(default_factory=list)  # folders where a file shall be, the innermost first
    making: list[str] = field(default_factory=list)  # folders that are not there, the outermost first
    left: set[str] = field(default_factory=set)  # folders from which something goes, or has gone: empty, they go too


@dataclass(slots=True)
class Planning:
    """One look at what comes and goes."""

    top: int
    arriving: Collection[str]
    removed: Collection[str]  # and not arriving
    plan: Plan = field(default_factory=Plan)
    _missing: set[str] = field(default_factory=set)
    _there: set[str] = field(default_factory=lambda: {""})

    def look(self) -> Plan:
        longest = os.fpathconf(self.top, "PC_NAME_MAX")
        for path in (*self.arriving, *self.removed):
            if any(len(part) > longest for part in parts_of(path)):
                raise PathLeavesFolder(path=path, why=f"a part of it is longer than {longest} bytes")
        for folder, names in by_folder(self.removed):
            with telling(folder):
                self._leaving(folder, names)
        for folder, names in by_folder(self.arriving):
            with telling(folder):
                self._coming(folder, names)
        return self.plan

    def _leaving(self, folder: str, names: list[str]) -> None:
        for one in _with_itself(folder):
            mode = self._mode(one)
            if mode is not None and stat.S_ISLNK(mode):
                raise PathLeavesFolder(path=joined(folder, names[0]), why=f"{one} is a link")
            if mode is None or not stat.S_ISDIR(mode):
                return  # what should go is not there any more
            self.plan.left.add(one)
        with beneath(self.top, split(folder)) as handle:
            found = [name for name in names if _is_kept(handle, name)]
            if found:
                self._writable(handle, folder)
        self.plan.going.update(joined(folder, name) for name in found)

    def _coming(self, folder: str, names: list[str]) -> None:
        for one in _with_itself(folder):
            self._stands(one, joined(folder, names[0]))
        if folder in self._missing:
            return
        with beneath(self.top, split(folder)) as handle:
            self._writable(handle, folder)
            for name in names:
                self._free(handle, folder, name)

    def _stands(self, folder: str, path: str) -> None:
        """A folder that is needed is there, or is made where nothing stands or what stands there goes."""
        if folder in self._there or folder in self._missing:
            return
        outer = folder.rpartition("/")[0]
        mode = None if outer in self._missing else self._mode(folder)
        if mode is not None and stat.S_ISDIR(mode):
            self._there.add(folder)
            return
        if mode is not None and folder not in self.plan.going:
            if stat.S_ISLNK(mode):
                raise PathLeavesFolder(path=path, why=f"{folder} is a link")
            raise PathInTheWay(path=folder, needed_for=path, why="a folder is needed there, and " + _LOST)
        if outer in self._there:
            with beneath(self.top, split(outer)) as handle:
                self._writable(handle, outer)
        self._missing.add(folder)
        self.plan.making.append(folder)

    def _free(self, handle: int, folder: str, name: str) -> None:
        path = joined(folder, name)
        try:
            mode = os.stat(encoded(name), dir_fd=handle, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return
        if stat.S_ISDIR(mode):
            self._emptied(path)
        elif not kept(mode):
            raise PathInTheWay(path=path, needed_for=path, why="it is neither a file nor a link")

    def _emptied(self, path: str) -> None:
        """A folder gives way to a file when all that is in it goes."""
        waiting, folders = [path], []
        while waiting:
            folder = waiting.pop()
            folders.append(folder)
            with beneath(self.top, split(folder)) as handle, os.scandir(handle) as listing:
                self._writable(handle, folder)
                for entry in listing:
                    inner = joined(folder, decoded(os.fsencode(entry.name)))
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(inner)
                    elif inner not in self.plan.going:
                        raise PathInTheWay(path=inner, needed_for=path, why=_LOST)
        self.plan.giving_way += reversed(folders)

    def _mode(self, path: str) -> int | None:
        *outer, name = parts_of(path)
        try:
            with beneath(self.top, outer) as handle:
                return os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode
        except OSError as error:
            if error.errno in NOT_THERE:
                return None
            raise told(error, path, deed="read") from error

    def _writable(self, handle: int, folder: str) -> None:
        if os.fstat(handle).st_dev != os.fstat(self.top).st_dev:
            raise PathInTheWay(
                path=folder, why="another file system is mounted there, and isovc does not write into it"
            )
        if not os.access(b".", os.W_OK | os.X_OK, dir_fd=handle, effective_ids=os.access in os.supports_effective_ids):
            raise NoPermission(path=folder or "the folder of attachments", deed="write into")


def by_folder(paths: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    folders: dict[str, list[str]] = {}
    for path in sorted(paths):
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, []).append(name)
    yield from folders.items()


def _with_itself(folder: str) -> list[str]:
    return [*above(folder), folder] if folder else []


def _is_kept(handle: int, name: str) -> bool:
    try:
        return kept(os.stat(encoded(name), dir_fd=handle, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def split(folder: str) -> list[bytes]:
    return encoded(folder).split(b"/") if folder else []


def joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
