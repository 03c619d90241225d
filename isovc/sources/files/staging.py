"""Files made whole in a folder of their own, before they get names. Knows nothing of where they go.

Nothing else in the folder of attachments is touched here, and whatever is left over, the next staging clears.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from isovc.errors import FileRefused, FolderBusy, PathInTheWay
from isovc.sources.files.beneath import NOT_THERE, beneath, telling, told
from isovc.sources.files.names import FILES_NEW, encoded, parts_of
from isovc.sources.files.seen import Place

_OURS = "new-"  # all names in .isovc-new begin so; anything else there is somebody's, and is not cleared
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LOCKS = (errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)  # file systems over a network
_SYNCS = 8  # at once: they wait for the same write of the file system's journal, so 1,500 take 0.3 s instead of 4


class Staging:
    """What waits in the open folder `.isovc-new`."""

    def __init__(self, folder: int) -> None:
        self.folder = folder
        self.names: dict[str, bytes] = {}  # by the path where each shall be
        self._unfinished: dict[bytes, Place] = {}
        self._made = 0
        self._alike: dict[str, bool] = {}

    def make(self, place: Place, content: Iterable[bytes]) -> None:
        parts_of(place.path)
        self._made += 1
        name = encoded(f"{_OURS}{self._made}")
        try:
            if place.is_link:
                self._link(name, place, b"".join(content))
            else:
                self._file(name, place.path, content)
                self._unfinished[name] = place
        except BaseException:
            unlinked(name, self.folder)
            raise
        self.names[place.path] = name

    def finish(self) -> None:
        """Modes, times, and all on the disk; at the end, since one sync after the other takes ten times as long."""
        with ThreadPoolExecutor(_SYNCS, thread_name_prefix="sync") as pool:
            for _ in pool.map(self._finished, self._unfinished, self._unfinished.values()):
                pass
        self._unfinished.clear()

    def one_name(self, made: str, other: str) -> bool:
        """Whether two names are one on this file system."""
        if made not in self._alike:
            name = encoded(f"{_OURS}{made}")
            os.close(self._open(name, FILES_NEW))
            try:
                os.stat(encoded(f"{_OURS}{other}"), dir_fd=self.folder, follow_symlinks=False)
                self._alike[made] = True
            except FileNotFoundError:
                self._alike[made] = False
            finally:
                unlinked(name, self.folder)
        return self._alike[made]

    def _file(self, name: bytes, path: str, content: Iterable[bytes]) -> None:
        handle = self._open(name, path)
        try:
            for piece in content:
                rest = memoryview(piece)
                while rest:
                    with telling(path):
                        rest = rest[os.write(handle, rest) :]
        finally:
            os.close(handle)

    def _open(self, name: bytes, path: str) -> int:
        with telling(path):
            return os.open(name, _FRESH, 0o600, dir_fd=self.folder)

    def _finished(self, name: bytes, place: Place) -> None:
        with telling(place.path):
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.folder)
            try:
                os.fchmod(handle, place.mode & 0o777)
                os.utime(handle, ns=(place.mtime, place.mtime))
                os.fsync(handle)
            finally:
                os.close(handle)

    def _link(self, name: bytes, place: Place, target: bytes) -> None:
        if not target or b"\0" in target:
            raise FileRefused(path=place.path, why="no link can lead there")
        with telling(place.path):
            os.symlink(target, name, dir_fd=self.folder)
            os.utime(name, ns=(place.mtime, place.mtime), dir_fd=self.folder, follow_symlinks=False)


@contextmanager
def staging(top: int, path: Path) -> Iterator[Staging]:
    """One at a time in an open folder; whatever an earlier one left is cleared before, and all that is left after."""
    try:
        fcntl.flock(top, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderBusy(folder=path) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:  # there the repository's own lock has to do
            raise told(error, FILES_NEW) from error
    _clear(top)
    with telling(FILES_NEW):
        os.mkdir(FILES_NEW, 0o700, dir_fd=top)
    try:
        with beneath(top, [encoded(FILES_NEW)]) as new:
            yield Staging(new)
    finally:
        _clear(top)


def _clear(top: int) -> None:
    name = encoded(FILES_NEW)
    try:
        with beneath(top, [name]) as new:
            with os.scandir(new) as listing:
                found = [entry.name for entry in listing]
            for litter in found:
                if not litter.startswith(_OURS):
                    raise PathInTheWay(
                        path=f"{FILES_NEW}/{litter}", why="isovc makes new files there, and this is not its own"
                    )
                os.unlink(litter, dir_fd=new)
        os.rmdir(name, dir_fd=top)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno in NOT_THERE:
            raise PathInTheWay(path=FILES_NEW, why="isovc makes new files in a folder of that name") from None
        raise told(error, FILES_NEW) from error


def unlinked(name: bytes, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass  # gone already, which is what was wanted
