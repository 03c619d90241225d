"""The database as it was behind one transaction of its log, for SQL: a read-only file system of one file.

Its pages are taken from the frames of the log up to that transaction, else from the file. SQLite is told that it has
no log, so that it looks for none, and that each state was made by a change of its own, so that it forgets the last one.
"""

from __future__ import annotations

from array import array
from itertools import count
from typing import Any

import apsw

from isovc.sources.sqlite.frames import Commit, Log

_NAMES = count(1)
_COUNTERS = ((24, 28), (92, 96))  # bytes of page 1: the change counter, and the one that the size is valid for
_SECTOR = 4096  # bytes


class Past:
    """The pages of one state after another. `show` looks at a transaction, `settle` goes on to the state behind it."""

    def __init__(self, live: apsw.Connection, page_size: int, pages: int) -> None:
        self._live = live
        self.page_size = page_size
        self.pages = pages
        self.log: Log | None = None
        self._newest = array("I")  # by page number: 1 + the frame that holds it, 0: the file does
        self._kept: dict[int, bytes] = {}
        self._shown: dict[int, int] = {}
        self._shown_pages = pages
        self._serial = 0
        self._name = f"isovc-past-{next(_NAMES)}"
        self._files = _Files(self._name, self)
        self._begin()

    def connect(self) -> apsw.Connection:
        """A connection that sees what is shown."""
        return apsw.Connection("past", flags=apsw.SQLITE_OPEN_READONLY, vfs=self._name)

    def close(self) -> None:
        """No connection is left."""
        self._files.unregister()

    def use(self, live: apsw.Connection) -> None:
        """Read the file through another connection from now on."""
        self._live = live

    def begin_log(self, log: Log) -> None:
        """The log has begun again: all that was in it is in the file."""
        self.log = log
        self._newest = array("I", bytes(4 * (self.pages + 1)))
        self.hide()

    def keep(self, pages: set[int], most: int) -> bool:
        """Remember these as the file holds them, because later ones may be moved there; False: they are too many."""
        missing = [page for page in pages if page >= len(self._newest) or not self._newest[page]]
        if len(missing) > most:
            return False
        self._kept = {page: self._in_file(page) for page in missing}
        return True

    def forget(self) -> None:
        """What was to be remembered is not needed any more."""
        self._kept = {}

    def show(self, commit: Commit) -> None:
        """The state behind this transaction, which follows the one that was settled."""
        self._shown, self._shown_pages = commit.newest(), commit.size
        self._begin()

    def hide(self) -> None:
        """The state that was settled."""
        self._shown, self._shown_pages = {}, self.pages
        self._begin()

    def settle(self, commit: Commit) -> None:
        """Go on to the state behind this transaction."""
        newest = self._newest
        if len(newest) <= commit.size or max(commit.pages) >= len(newest):
            newest.frombytes(bytes(4 * (max(commit.size, *commit.pages) + 1 - len(newest))))
        for at, page in enumerate(commit.pages, commit.first + 1):
            newest[page] = at
        self.pages = commit.size
        self.hide()

    def before(self, page: int) -> bytes:
        """A page of the state that was settled."""
        at = self._newest[page] if page < len(self._newest) else 0
        if at and self.log is not None:
            return self.log.page(at - 1)
        return self._in_file(page)

    def page(self, page: int) -> bytes:
        """A page of the state that is shown."""
        at = self._shown.get(page)
        return self.before(page) if at is None or self.log is None else self.log.page(at)

    def _in_file(self, page: int) -> bytes:
        kept = self._kept.get(page)
        return kept or self._live.read("main", 0, (page - 1) * self.page_size, self.page_size)[1]

    def read(self, offset: int, amount: int) -> bytes:
        """Bytes of the file that is shown."""
        size = self.page_size
        first, inside = divmod(offset, size)
        if inside + amount <= size:
            found = self.page(first + 1)[inside : inside + amount]
        else:
            last = (offset + amount - 1) // size
            found = b"".join(self._run(first + 1, last + 1))[inside : inside + amount]
        if offset < _COUNTERS[-1][1]:
            found = self._as_file_without_log(found, offset)
        return found

    @property
    def extent(self) -> int:
        """The size of the file that is shown."""
        return self._shown_pages * self.page_size

    def _run(self, first: int, last: int) -> list[bytes]:
        """Pages one behind the other; most of a large file lie in the file, and are read at once."""
        size, newest, shown = self.page_size, self._newest, self._shown
        found = [self._live.read("main", 0, (first - 1) * size, (last - first + 1) * size)[1]]
        held = [each for each in range(first, min(last + 1, len(newest))) if newest[each]]
        held += [each for some in (shown, self._kept) for each in some if first <= each <= last]
        if held:
            whole = bytearray(found[0].ljust((last - first + 1) * size, b"\0"))
            for each in set(held):
                whole[(each - first) * size : (each - first + 1) * size] = self.page(each)
            found = [bytes(whole)]
        return found

    def _as_file_without_log(self, found: bytes, offset: int) -> bytes:
        changed = bytearray(found)
        said = [(18, b"\1\1"), (28, self._shown_pages.to_bytes(4, "big"))]
        said += [(first, self._serial.to_bytes(4, "big")) for first, _ in _COUNTERS]
        for at, new in said:
            for place, byte in enumerate(new, at - offset):
                if 0 <= place < len(changed):
                    changed[place] = byte
        return bytes(changed)

    def _begin(self) -> None:
        self._serial += 1


class _Files(apsw.VFS):
    """Knows one file; whatever SQLite needs for itself is an ordinary temporary one."""

    def __init__(self, name: str, past: Past) -> None:
        self._past = past
        super().__init__(name, base="")

    def xFullPathname(self, name: str) -> str:
        return name

    def xAccess(self, pathname: str, flags: int) -> bool:
        return False  # no journal, no log

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        if flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            flags[1] = flags[0]
            return _File(self._past)
        return super().xOpen(name, flags)


class _File:
    """What SQLite calls where it believes to have a file. Nobody else writes to a state of the past, so nothing is
    locked."""

    def __init__(self, past: Past) -> None:
        self._past = past

    def xRead(self, amount: int, offset: int) -> bytes:
        return self._past.read(offset, amount)

    def xFileSize(self) -> int:
        return self._past.extent

    def xLock(self, level: int) -> None:
        pass

    def xUnlock(self, level: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xClose(self) -> None:
        pass

    def xSectorSize(self) -> int:
        return _SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xFileControl(self, op: int, ptr: int) -> bool:
        return False
