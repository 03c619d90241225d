"""A database and a folder of files beside it under version control, and how both look to the operating system."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.versioned import Versioned

DIR = "files"
LONG_AGO = 1_000_000_000_123_456_789  # ns: no clock of a test comes near it
WRITTEN = LONG_AGO + 987_654_321_000


class Known(NamedTuple):
    """What a version keeps of a file. The time of a link is kept where the system can set it, which Linux can."""

    content: bytes  # of a link: where it leads
    mode: int
    mtime: int
    is_link: bool


Files = Mapping[str, Known]


def read(folder: Path) -> dict[str, Known]:
    """Every file and link below a folder, and every other thing too, so that litter shows."""
    found = {}
    for path in _walk(folder):
        seen = path.lstat()
        name = os.fsencode(path.relative_to(folder)).decode("utf-8", "surrogateescape")
        if path.is_symlink():
            found[name] = Known(os.fsencode(os.readlink(path)), 0o777, seen.st_mtime_ns, True)
        elif stat.S_ISREG(seen.st_mode):
            found[name] = Known(path.read_bytes(), stat.S_IMODE(seen.st_mode), seen.st_mtime_ns, False)
        elif path.name == ".isovc-new":
            found[name] = Known(b"litter", 0, 0, False)
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        yield from (Path(top, name) for name in [*folders, *names])


def write(path: Path, content: bytes | str, *, mode: int = 0o644, mtime: int = WRITTEN) -> None:
    """A file with exactly these marks, whatever stood there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    os.utime(path, ns=(mtime, mtime))


def link(path: Path, target: str, *, mtime: int = WRITTEN) -> None:
    """The same for a link."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    os.utime(path, ns=(mtime, mtime), follow_symlinks=False)


class Filed(Versioned):
    """With the files of a folder."""

    files_folder: str = DIR

    @property
    def files(self) -> Path:
        return self.path.parent / self.files_folder

    def put(self, path: str, content: bytes | str, *, mode: int = 0o644, mtime: int = WRITTEN) -> None:
        write(self.files / path, content, mode=mode, mtime=mtime)

    def drop(self, *paths: str) -> None:
        for path in paths:
            (self.files / path).unlink()

    def held(self) -> dict[str, Known]:  # type: ignore[override]
        return read(self.files)

    def texts_of(self, path: str) -> str:
        return (self.files / path).read_text()

    def kept(self, revision: str = "HEAD") -> dict[str, tuple[int, int, int]]:
        """Size, mode and time of each file of a version."""
        found = self.json("ls", revision, "-r")
        return {each["path"]: (each["size"], int(each["mode"], 8), each["mtime"]) for each in found}

    def cat(self, revision: str, path: str) -> str:
        return self.ok("cat", f"{revision}:{path}")

    def sound(self) -> None:
        """Nothing is damaged, and what is said of the files is what they are."""
        assert self.json("fsck")["damages"] == []
        assert self.json("status", "--verify") == self.json("status")
        assert not (self.files / ".isovc-new").exists()
        assert self.check() == "ok"
