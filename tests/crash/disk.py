"""A disk that loses power: what was synced is there, and of the rest whatever the dice say.

A file has durable bytes and changes under way; so has a folder, whose changes are names. A sync makes what is under way
in that one file, or folder, durable, and nothing else: the name of a new file is a matter of its folder. That is all
POSIX promises, but for the time of a link, which comes with its name here, as it does wherever there is a journal.
`Loss` also knows the kinder way of journals, where names come to the disk in the order they were made in, and none
later than a sync.
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.crash.recording import Deed


@dataclass(frozen=True, slots=True)
class Held:
    """What a file is at one moment, or a link: then the data is where it leads."""

    data: bytes = b""
    mode: int = 0o644
    time: int | None = None  # None: whatever the clock said
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a file: `what` is write, size, mode or time, as of a deed."""

    time: int
    what: str
    at: int
    data: bytes = b""

    def after(self, held: Held) -> Held:
        """The file once it has happened."""
        match self.what:
            case "mode":
                return replace(held, mode=self.at)
            case "time":
                return replace(held, time=self.at)
            case "size":
                return replace(held, data=_put(held.data, self.at, None), time=None)
            case _:
                return replace(held, data=_put(held.data, self.at, self.data), time=None)


@dataclass
class File:
    """What it is, and what is to become of it."""

    durable: Held = Held()
    under_way: list[Change] = field(default_factory=list)

    def now(self) -> Held:
        """What running programs see."""
        held = self.durable
        for change in self.under_way:
            held = change.after(held)
        return held

    def sync(self, until: int) -> None:
        """What happened until then."""
        while self.under_way and self.under_way[0].time <= until:
            self.durable = self.under_way.pop(0).after(self.durable)


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

    def __init__(self, files: Mapping[str, Held | None]) -> None:
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
                    self._name((deed.path, File(Held(mode=deed.at))))
            case "symlink":  # where it leads lies beside its name
                self._name((deed.path, File(Held(deed.data, mode=0o777, is_link=True))))
            case "folder":
                self._name((deed.path, Folder()))
            case "remove":
                self._name((deed.path, None))
            case "rename":
                self._name((deed.path, None), (deed.other, self._find(deed.path)))
            case "link":
                self._name((deed.other, self._find(deed.path)))
            case "write" | "size" | "mode" | "time":
                file = self._find(deed.path)
                if isinstance(file, Folder):  # its mode: whoever looks here may look anywhere
                    return
                assert file is not None, deed.path
                at = len(file.now().data) if deed.at < 0 else deed.at
                file.under_way.append(Change(self.clock, deed.what, at, deed.data))
            case "sync":
                self._sync(deed.path, until=self.clock - 1 - deed.at)

    def sync_all(self) -> None:
        """As after a long rest."""
        for _, each in self._walk(self.top, ""):
            each.sync(self.clock) if isinstance(each, File) else None
        for folder in [self.top, *(each for _, each in self._walk(self.top, "") if isinstance(each, Folder))]:
            folder.durable = folder.now()
            folder.under_way.clear()

    def now(self) -> dict[str, Held | None]:
        """What running programs see."""
        return {path: each.now() if isinstance(each, File) else None for path, each in self._walk(self.top, "")}

    def _sync(self, path: str, until: int) -> None:
        found = self._find(path)
        if isinstance(found, File):
            found.sync(until)
        elif found is not None:
            for naming in [each for each in found.under_way if each.time <= until]:
                for folder, name, what in naming.changes:
                    _put_name(folder.durable, name, what)
                    if naming in folder.under_way:
                        folder.under_way.remove(naming)
            for each in found.durable.values():
                if isinstance(each, File) and each.durable.is_link:  # nobody can sync a link but by its folder
                    each.sync(until)

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

    def files(self) -> dict[str, Held | None]:
        """None: it is a folder."""
        return dict(self._walk(self._disk.top, ""))

    def _walk(self, folder: Folder, above: str) -> Iterator[tuple[str, Held | None]]:
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

    def _content(self, file: File) -> Held:
        held = file.durable
        for change in file.under_way if self.manner != "nothing more" else ():
            fate = self._dice.choice(("lost", "whole", "whole", "torn", "only its size"))
            if fate == "whole" or (fate != "lost" and change.what != "write"):
                held = change.after(held)
            elif fate == "only its size":
                size = max(len(held.data), change.at + len(change.data))
                held = replace(held, data=held.data.ljust(size, b"\0"), time=None)
            elif fate == "torn":
                for start, piece in _sectors(change.at, change.data, self._sector):
                    if self._dice.random() < 0.5:
                        held = replace(held, data=_put(held.data, start, piece), time=None)
        return held


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


def _put(content: bytes, at: int, data: bytes | None) -> bytes:
    """Data at a place; None: cut to that size."""
    before = content[:at].ljust(at, b"\0")
    return before if data is None else before + data + content[at + len(data) :]


def _sectors(at: int, data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    start = at
    while start < at + len(data):
        end = min(start - start % size + size, at + len(data))
        yield start, data[start - at : end - at]
        start = end


def read_folder(folder: Path) -> dict[str, Held | None]:
    """The files of a folder as a disk takes them; None: it is a folder itself."""
    return {
        path.relative_to(folder).as_posix(): _held(path) for path in folder.rglob("*") if not path.name.endswith("-shm")
    }


def write_folder(folder: Path, files: Mapping[str, Held | None]) -> None:
    """The other way round; the folder is not there yet."""
    folder.mkdir()
    for name in sorted(files):
        path, held = folder / name, files[name]
        if held is None:
            path.mkdir()
            continue
        if held.is_link:
            path.symlink_to(os.fsdecode(held.data))
        else:
            path.write_bytes(held.data)
            path.chmod(held.mode)
        if held.time is not None:
            os.utime(path, ns=(held.time, held.time), follow_symlinks=False)


def _held(path: Path) -> Held | None:
    seen = path.lstat()
    mode = stat.S_IMODE(seen.st_mode)
    if stat.S_ISLNK(seen.st_mode):
        return Held(os.fsencode(path.readlink()), mode, seen.st_mtime_ns, is_link=True)
    return None if stat.S_ISDIR(seen.st_mode) else Held(path.read_bytes(), mode, seen.st_mtime_ns)
