"""A disk that loses power: what was synced is there, and of the rest whatever the dice say.

A file has durable bytes and changes under way; so has a folder, whose changes are names. A sync makes what is under way
in that one file, or folder, durable, and nothing else: the name of a new file is a matter of its folder. That is all
POSIX promises. `Loss` also knows the kinder way of journals, where names come to the disk in the order they were made
in, and none later than a sync.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.recording import Deed


@dataclass
class File:
    """Bytes, and what is to become of them."""

    durable: bytes = b""
    under_way: list[tuple[int, bytes | None]] = field(default_factory=list)  # data at a place; None: cut to that size

    def now(self) -> bytes:
        """What running programs see."""
        content = bytearray(self.durable)
        for at, data in self.under_way:
            _put(content, at, data)
        return bytes(content)

    def sync(self) -> None:
        self.durable = self.now()
        self.under_way.clear()


@dataclass
class Folder:
    """Names, and what is to become of them."""

    durable: dict[str, File | Folder] = field(default_factory=dict)
    under_way: list[Naming] = field(default_factory=list)

    def now(self) -> dict[str, File | Folder]:
        return named(self, self.under_way)


@dataclass(eq=False)
class Naming:
    """A change of names that happens whole or not at all. None: the name goes."""

    time: int
    changes: list[tuple[Folder, str, File | Folder | None]]


class Disk:
    """Everything under one folder."""

    def __init__(self, files: Mapping[str, bytes | None]) -> None:
        """With these files, all of them durable. None: it is a folder."""
        self.top = Folder()
        self.clock = 0  # counts what has happened
        for path in sorted(files):
            content = files[path]
            self._at(os.path.dirname(path)).durable[os.path.basename(path)] = (
                Folder() if content is None else File(content)
            )

    def play(self, deed: Deed) -> None:
        """Let it happen."""
        self.clock += 1
        match deed.what:
            case "make":
                if self._find(deed.path) is None:
                    self._name((deed.path, File()))
            case "folder":
                self._name((deed.path, Folder()))
            case "remove":
                self._name((deed.path, None))
            case "rename":
                self._name((deed.path, None), (deed.other, self._find(deed.path)))
            case "link":
                self._name((deed.other, self._find(deed.path)))
            case "write" | "size":
                file = self._find(deed.path)
                assert isinstance(file, File), deed.path
                at = len(file.now()) if deed.at < 0 else deed.at
                file.under_way.append((at, deed.data if deed.what == "write" else None))
            case "sync":
                self._sync(deed.path)

    def sync_all(self) -> None:
        """As after a long rest."""
        for _, each in self._walk(self.top, ""):
            each.sync() if isinstance(each, File) else None
        for folder in [self.top, *(each for _, each in self._walk(self.top, "") if isinstance(each, Folder))]:
            folder.durable = folder.now()
            folder.under_way.clear()

    def now(self) -> dict[str, bytes | None]:
        """What running programs see."""
        return {path: each.now() if isinstance(each, File) else None for path, each in self._walk(self.top, "")}

    def _sync(self, path: str) -> None:
        found = self._find(path)
        if isinstance(found, File):
            found.sync()
        elif found is not None:
            for naming in list(found.under_way):
                for folder, name, what in naming.changes:
                    _put_name(folder.durable, name, what)
                    if naming in folder.under_way:
                        folder.under_way.remove(naming)

    def _name(self, *changes: tuple[str, File | Folder | None]) -> None:
        placed = [(self._at(os.path.dirname(path)), os.path.basename(path), what) for path, what in changes]
        naming = Naming(self.clock, placed)
        for folder in {id(folder): folder for folder, _, _ in placed}.values():
            folder.under_way.append(naming)

    def _at(self, path: str) -> Folder:
        found = self._find(path)
        assert isinstance(found, Folder), path
        return found

    def _find(self, path: str) -> File | Folder | None:
        found: File | Folder | None = self.top
        for part in path.split("/") if path not in ("", ".") else []:
            found = found.now().get(part) if isinstance(found, Folder) else None
        return found

    def _walk(self, folder: Folder, above: str) -> Iterator[tuple[str, File | Folder]]:
        for name, each in folder.now().items():
            yield above + name, each
            if isinstance(each, Folder):
                yield from self._walk(each, f"{above}{name}/")


class Loss:
    """What a disk holds after a power cut. Bit by bit the dice decide; the same dice, the same disk."""

    def __init__(self, disk: Disk, seed: str) -> None:
        self._dice = random.Random(seed)
        self._disk = disk
        self.manner = self._dice.choice(("nothing more", "names in order", "anything", "anything", "everything named"))
        self._moment = self._dice.randint(0, disk.clock)
        self._sector = self._dice.choice((512, 4096))
        self._fates: dict[Naming, bool] = {}  # one fate for both folders of a rename

    def files(self) -> dict[str, bytes | None]:
        """None: it is a folder."""
        return dict(self._walk(self._disk.top, ""))

    def _walk(self, folder: Folder, above: str) -> Iterator[tuple[str, bytes | None]]:
        for name, each in sorted(named(folder, self._kept(folder.under_way)).items()):
            if isinstance(each, File):
                yield above + name, self._content(each)
            else:
                yield above + name, None
                yield from self._walk(each, f"{above}{name}/")

    def _kept(self, namings: Sequence[Naming]) -> list[Naming]:
        match self.manner:
            case "nothing more":
                return []
            case "names in order":  # one moment for all folders
                return [each for each in namings if each.time <= self._moment]
            case "everything named":
                return list(namings)
            case _:
                return [each for each in namings if self._fates.setdefault(each, self._dice.random() < 0.5)]

    def _content(self, file: File) -> bytes:
        if self.manner == "nothing more":
            return file.durable
        content = bytearray(file.durable)
        for at, data in file.under_way:
            fate = self._dice.choice(("lost", "whole", "whole", "torn", "only its size"))
            if fate == "whole" or (fate != "lost" and data is None):
                _put(content, at, data)
            elif data and fate == "only its size":
                content.extend(bytes(max(0, at + len(data) - len(content))))
            elif data and fate == "torn":
                for start, piece in _sectors(at, data, self._sector):
                    if self._dice.random() < 0.5:
                        _put(content, start, piece)
        return bytes(content)


def named(folder: Folder, namings: Sequence[Naming]) -> dict[str, File | Folder]:
    """The names of a folder after these changes."""
    names = dict(folder.durable)
    for naming in namings:
        for where, name, what in naming.changes:
            if where is folder:
                _put_name(names, name, what)
    return names


def _put_name(names: dict[str, File | Folder], name: str, what: File | Folder | None) -> None:
    if what is None:
        names.pop(name, None)
    else:
        names[name] = what


def _put(content: bytearray, at: int, data: bytes | None) -> None:
    size = at if data is None else at + len(data)
    content.extend(bytes(max(0, size - len(content))))
    if data is None:
        del content[at:]
    else:
        content[at:size] = data


def _sectors(at: int, data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    start = at
    while start < at + len(data):
        end = min(start - start % size + size, at + len(data))
        yield start, data[start - at : end - at]
        start = end


def read_folder(folder: Path) -> dict[str, bytes | None]:
    """The files of a folder as a disk takes them; None: it is a folder itself."""
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
        if not path.name.endswith("-shm")
    }


def write_folder(folder: Path, files: Mapping[str, bytes | None]) -> None:
    """The other way round; the folder is not there yet."""
    folder.mkdir()
    for path in sorted(files):
        content = files[path]
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)
