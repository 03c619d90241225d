"""Putting files into a folder: made whole beside their places, then given their names. Knows nothing of versions.

Killed at any step, a file is the old one or the new one, and what is left over lies in `.isovc-new`, which the next
placing clears. Nothing is written before `arrive` but in there.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from isovc.errors import FileRefused, FolderBusy, IsovcError, PathInTheWay, PathsCollide
from isovc.sources.files.beneath import NOT_THERE, beneath, told
from isovc.sources.files.names import FILES_NEW, above, collisions, encoded, parts_of
from isovc.sources.files.planning import Plan, Planning, by_folder, joined, split
from isovc.sources.files.seen import Place

_OURS = "new-"  # all names in .isovc-new begin so; anything else there is somebody's, and is not cleared
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LOCKS = (errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)  # file systems over a network


class Placing:
    """Files that wait for their names. Made by `Folder.placing`."""

    def __init__(self, top: int, new: int, left_out: Collection[str]) -> None:
        self._top, self._new, self._left_out = top, new, left_out
        self._staged: dict[str, bytes] = {}
        self._made = 0
        self._alike: dict[str, bool] = {}

    def stage(self, place: Place, content: Iterable[bytes]) -> None:
        """Make a file or link that has everything but its name."""
        parts_of(place.path)
        self._made += 1
        name = encoded(f"{_OURS}{self._made}")
        try:
            if place.is_link:
                self._link(name, place, b"".join(content))
            else:
                self._file(name, place, content)
        except BaseException:
            _unlinked(name, self._new)
            raise
        self._staged[place.path] = name

    def check(self, arriving: Iterable[str], *, removed: Iterable[str], staying: Iterable[str] = ()) -> None:
        """Refuse, before anything is written, what `arrive` could not do or what would cost something: `staying` are
        the paths that were there and are neither replaced nor removed."""
        comes = frozenset(arriving)
        self._distinct(comes.union(staying))
        self._plan(comes, set(removed))

    def arrive(self, removed: Iterable[str]) -> None:
        """Take away what is removed, and give all that was staged its name."""
        staged = self._staged
        self._distinct(staged.keys())
        plan = self._plan(staged.keys(), set(removed))
        early = _in_the_way(plan, staged.keys())
        touched: set[str] = set()
        self._remove(early, touched)
        for folder in plan.giving_way:
            self._in_its_folder(folder, os.rmdir, touched)
        for folder in plan.making:
            self._in_its_folder(folder, os.mkdir, touched)
        for folder, names in by_folder(staged):
            self._name(folder, names, touched)
        self._remove(plan.going - early, touched)
        self._tidy({path.rpartition("/")[0] for path in plan.going}, touched)
        for folder in sorted(touched):
            self._sync(folder)
        staged.clear()

    def folds_case(self) -> bool:
        """Whether names that differ only in case are one name here."""
        return self._one_name("a", "A")

    def normalises(self) -> bool:
        """Whether names that differ only in the form of their accents are one name here."""
        return self._one_name("\u00e9", "e\u0301")

    # -- staging

    def _file(self, name: bytes, place: Place, content: Iterable[bytes]) -> None:
        handle = self._open(name, place.path)
        try:
            for piece in content:
                rest = memoryview(piece)
                while rest:
                    with _telling(place.path):
                        rest = rest[os.write(handle, rest) :]
            with _telling(place.path):
                os.fchmod(handle, place.mode & 0o777)
                os.utime(handle, ns=(place.mtime, place.mtime))
                os.fsync(handle)
        finally:
            os.close(handle)

    def _open(self, name: bytes, path: str) -> int:
        with _telling(path):
            return os.open(name, _FRESH, 0o600, dir_fd=self._new)

    def _link(self, name: bytes, place: Place, target: bytes) -> None:
        if not target or b"\0" in target:
            raise FileRefused(path=place.path, why="no link can lead there")
        with _telling(place.path):
            os.symlink(target, name, dir_fd=self._new)
            os.utime(name, ns=(place.mtime, place.mtime), dir_fd=self._new, follow_symlinks=False)

    # -- before anything is done

    def _plan(self, arriving: Collection[str], removed: set[str]) -> Plan:
        return Planning(self._top, arriving, removed.difference(arriving), self._left_out).look()

    def _distinct(self, paths: Collection[str]) -> None:
        for path in paths:
            for folder in above(path):
                if folder in paths:
                    raise PathInTheWay(path=folder, needed_for=path, why="it cannot be a file and a folder")
        if collisions(paths):  # only then is it worth a file to find out how names are compared here
            for group in collisions(paths, case=self.folds_case(), forms=self.normalises()):
                raise PathsCollide(paths=group)

    def _one_name(self, made: str, other: str) -> bool:
        if made not in self._alike:
            name = encoded(f"{_OURS}{made}")
            os.close(self._open(name, FILES_NEW))
            try:
                os.stat(encoded(f"{_OURS}{other}"), dir_fd=self._new, follow_symlinks=False)
                self._alike[made] = True
            except FileNotFoundError:
                self._alike[made] = False
            finally:
                _unlinked(name, self._new)
        return self._alike[made]

    # -- arriving

    def _remove(self, paths: Collection[str], touched: set[str]) -> None:
        for folder, names in by_folder(paths):
            with _telling(folder), beneath(self._top, split(folder)) as handle:
                for name in names:
                    _unlinked(encoded(name), handle)
            touched.add(folder)

    def _name(self, folder: str, names: list[str], touched: set[str]) -> None:
        with _telling(folder), beneath(self._top, split(folder)) as handle:
            for name in names:
                with _telling(joined(folder, name)):
                    fresh = self._staged[joined(folder, name)]
                    os.replace(fresh, encoded(name), src_dir_fd=self._new, dst_dir_fd=handle)
        touched.add(folder)

    def _in_its_folder(self, folder: str, deed: Callable[..., None], touched: set[str]) -> None:
        outer, _, name = folder.rpartition("/")
        with _telling(folder), beneath(self._top, split(outer)) as handle:
            deed(encoded(name), dir_fd=handle)
        touched.discard(folder)
        touched.add(outer)

    def _tidy(self, folders: set[str], touched: set[str]) -> None:
        """Take away folders that lost their last file, and those that held nothing but them."""
        waiting = sorted(folders - {""}, key=len)
        while waiting:
            folder = waiting.pop()
            try:
                self._in_its_folder(folder, os.rmdir, touched)
            except IsovcError:
                continue  # something is in it, or it must stay: an empty folder costs nobody anything
            outer = folder.rpartition("/")[0]
            if outer:
                waiting.append(outer)

    def _sync(self, folder: str) -> None:
        with _telling(folder), beneath(self._top, split(folder)) as handle:
            os.fsync(handle)


@contextmanager
def placing(top: int, path: Path, left_out: Collection[str]) -> Iterator[Placing]:
    """One at a time in an open folder; whatever an earlier one left is cleared before, and all that is left after."""
    try:
        fcntl.flock(top, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderBusy(folder=path) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:  # there the repository's own lock has to do
            raise told(error, FILES_NEW) from error
    _clear(top)
    with _telling(FILES_NEW):
        os.mkdir(FILES_NEW, 0o700, dir_fd=top)
    try:
        with beneath(top, [encoded(FILES_NEW)]) as new:
            yield Placing(top, new, left_out)
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


def _in_the_way(plan: Plan, arriving: Collection[str]) -> set[str]:
    """What must go before anything comes; the rest goes after, so that a file that moves is never nowhere."""
    if collisions(plan.going.union(arriving)):
        return plan.going  # readme comes and README goes: where these are one name, the new one would be removed
    ways = {*plan.giving_way, *plan.making}
    return {path for path in plan.going if path in ways or not ways.isdisjoint(above(path))}


def _unlinked(name: bytes, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass  # gone already, which is what was wanted


@contextmanager
def _telling(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise told(error, path) from error
    except OverflowError:
        raise FileRefused(path=path, why="its time is out of reach") from None
