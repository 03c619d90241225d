"""The bytes of one file or link. Knows nothing of what they mean."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader, FileIO
from typing import Any

from isovc.sources.files.beneath import told

_BUFFER = 1 << 16  # bytes: what most files fit in; callers who read larger pieces go past it
# A pipe that took the place of a file since must not hold us up until somebody writes into it.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class _Telling(FileIO):
    """A file whose errors are told in our words, so that they are not taken for errors of whoever reads it."""

    def __init__(self, handle: int, path: str) -> None:
        super().__init__(handle, "rb")
        self._path = path

    def readinto(self, buffer: Any, /) -> int | None:
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise told(error, self._path, deed="read") from error

    def readall(self) -> bytes:
        try:
            return super().readall() or b""  # None only where a read could be waited for
        except OSError as error:
            raise told(error, self._path, deed="read") from error


def open_file(path: str, name: bytes, folder: int) -> BufferedReader:
    """A file of an open folder, if it is one; OSError where it is not there or not allowed."""
    handle = os.open(name, _READ, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return BufferedReader(_Telling(handle, path), _BUFFER)
    except BaseException:
        os.close(handle)
        raise
