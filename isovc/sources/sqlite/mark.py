"""The identity of one committed state of a file: equal marks, nothing changed. Knows nothing of tables or rows."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import apsw

from isovc.errors import NotCanonical

# seconds: file systems stamp times with the kernel's tick, at most 10 ms. Two writes in one tick look alike, so a file
# is left to grow that old before its time is trusted.
_TICK = 0.012
_TICKS = 100  # waits for that at most; a file that never rests has a log that is never wholly in the file
_BLINK, _TRIES = 0.0002, 1000  # seconds, and how often, to wait for the header that connections share
_HEADER = 100  # bytes: SQLite's header at the begin of page 1
_WAL_HEADER, _FRAME_HEADER = 32, 24  # bytes


@dataclass(frozen=True, slots=True)
class Wal:
    """Where the write-ahead log ended: `frames` of it are committed, the last with this `checksum`."""

    salts: bytes  # 8 bytes, new each time the log begins again
    frames: int
    checksum: bytes  # 8 bytes over everything in the log so far


@dataclass(frozen=True, slots=True)
class Mark:
    """What a file and its write-ahead log look like from outside in one committed state."""

    device: int
    inode: int
    size: int
    modified: int  # ns
    changed: int  # ns
    counters: bytes  # header bytes 18-20, 24-32, 92-96: versions, change counter, pages, version-valid-for
    wal: Wal | None = None  # None also where all of the log is in the file: closing may then remove it

    _VERSION: ClassVar[int] = 1
    _FORMAT: ClassVar[struct.Struct] = struct.Struct(">BQQQqq14s8sQ8s")

    def encode(self) -> bytes:
        """Bytes to keep between commands."""
        wal = self.wal or Wal(bytes(8), 0, bytes(8))
        head = (self._VERSION, self.device, self.inode, self.size, self.modified, self.changed, self.counters)
        return self._FORMAT.pack(*head, wal.salts, wal.frames, wal.checksum)

    @classmethod
    def decode(cls, data: bytes) -> Mark:
        """The mark that gave these bytes."""
        if len(data) != cls._FORMAT.size or data[0] != cls._VERSION:
            raise NotCanonical(what="a mark of a database file", why="it has another version or length")
        _, device, inode, size, modified, changed, counters, salts, frames, checksum = cls._FORMAT.unpack(data)
        wal = Wal(salts, frames, checksum) if frames else None
        return cls(device, inode, size, modified, changed, counters, wal)


def take_mark(connection: apsw.Connection, path: Path, log: tuple[int, int]) -> Mark:
    """The mark of the file as it is now; `log` is what `wal_state` said."""
    frames, in_file = log
    wal = None if frames == in_file else _wal(connection, frames)
    found = path.stat()
    if frames >= 0 and wal is None:
        # In WAL mode only the file's time tells two states apart, each wholly in the file.
        for _ in range(_TICKS):
            if not 0 <= time.time() - found.st_mtime < _TICK:
                break
            time.sleep(_TICK / 4)
            found = path.stat()
    whole, head = connection.read("main", 0, 0, _HEADER)
    head = head if whole else bytes(_HEADER)  # an empty file
    counters = head[18:20] + head[24:32] + head[92:96]
    stamps = (found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return Mark(found.st_dev, found.st_ino, *stamps, counters, wal)


def wal_state(prober: apsw.Connection) -> tuple[int, int]:
    """(committed frames in the log, frames of it that are in the file already); (-1, -1) without a log.

    `prober` must be a connection with no transaction of its own.
    """
    for _ in range(_TRIES):
        try:
            return prober.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_NOOP)
        except apsw.BusyError:
            time.sleep(_BLINK)  # a writer is about to say how long the log is now
    return prober.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_NOOP)


def _wal(connection: apsw.Connection, frames: int) -> Wal:
    _, head = connection.read("main", 1, 0, _WAL_HEADER)
    stride = _FRAME_HEADER + wal_page_size(head)
    _, last = connection.read("main", 1, _WAL_HEADER + (frames - 1) * stride, _FRAME_HEADER)
    return Wal(head[16:24], frames, last[16:24])


def wal_page_size(head: bytes) -> int:
    """Bytes of a page, as the log's header tells."""
    size = int.from_bytes(head[8:12], "big")
    return 65536 if size == 1 else size
