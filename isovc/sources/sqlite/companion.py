"""A process beside a watcher that holds what that one holds, and goes on for a while when it was killed: so nothing
leaves the log before the next watcher has read it. Knows nothing of what the log says.

It does as it is told through a line, and ends with a goodbye. A line that ends without one means that the watcher was
killed. Then it holds on until another companion has written its name into the file of names, or the file is another
one, or the log has grown too long, or its time is over.
"""

from __future__ import annotations

import fcntl
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from isovc.errors import IsovcError
from isovc.sources.sqlite.holding import MOST_FRAMES, Hold, Rest, holding

# seconds: a service is started again within one, a person needs a few more. As long as it holds nobody can leave WAL
# mode, and a checkpoint that wants to empty the log waits or gives up.
ALONE_SECONDS = 30.0
_LOOK = 0.1  # seconds between two looks whether somebody has taken over
_PATIENCE = 2.0  # seconds for an answer; one that is slower is ended
_AGAIN = 5.0  # seconds between two starts
_RENEW, _LET_GO, _GOODBYE, _DONE = b"r", b"l", b"q", b"d"


class Companion:
    """The watcher's end. It works without the other one too: that is missed only when the watcher is killed."""

    def __init__(self, path: Path, names: Path, *, busy_seconds: float) -> None:
        self._path = path
        self._names = names
        self._busy_seconds = busy_seconds
        self._name = secrets.token_hex(8)
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._holds = self._is_asked = self._is_named = False
        self._start()

    def renew(self) -> None:
        """Hold what is there now, too. `held` waits until it does."""
        self._is_asked = self._holds and self._say(_RENEW)

    def held(self) -> None:
        """What was asked for is done."""
        if self._is_asked and not self._hears(_PATIENCE):
            self._lose()
        self._is_asked = False

    def let_go(self) -> None:
        """What was held before the last `renew` has been read."""
        if self._holds and self._say(_LET_GO) and not self._hears(_PATIENCE):
            self._lose()
        if self._holds and not self._is_named:
            with suppress(OSError):  # then whoever holds on for a watcher before this one goes when the time is over
                self._names.write_text(self._name)
                self._is_named = True

    def is_new(self) -> bool:
        """Whether it has begun to hold, at a moment that only a `renew` makes known."""
        if self._line is None:
            if time.monotonic() - self._started > _AGAIN:
                self._start()
        elif not self._holds:
            self._holds = self._hears(0.0)
        return self._holds and not self._is_named

    def close(self) -> None:
        """Goodbye."""
        self._say(_GOODBYE)
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE)
        self._lose()

    def abandon(self) -> None:
        """Leave it alone, as if this process had been killed."""
        if self._line is not None and self._process is not None:
            self._line.close()
            threading.Thread(target=self._process.wait, name="isovc-abandoned", daemon=True).start()
        self._line = self._process = None

    def _start(self) -> None:
        self._started = time.monotonic()
        self._holds = self._is_named = False
        ours, theirs = socket.socketpair()
        words = (theirs.fileno(), str(self._path.absolute()), str(self._names.absolute()), self._name)
        limits = {"busy_seconds": self._busy_seconds, "alone_seconds": ALONE_SECONDS, "most_frames": MOST_FRAMES}
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from isovc.sources.sqlite.companion import serve; serve(*{words!r}, **{limits!r})"
        )
        self._line = ours
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", program],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the watcher, which says goodbye
                )
            except OSError:  # as many processes as the system allows
                self._lose()

    def _say(self, word: bytes) -> bool:
        if self._line is not None:
            try:
                self._line.sendall(word)
                return True
            except OSError:
                self._lose()
        return False

    def _hears(self, seconds: float) -> bool:
        """Whether it has answered within this time."""
        assert self._line is not None
        self._line.settimeout(seconds)
        try:
            if self._line.recv(1) == _DONE:
                self._line.settimeout(None)
                return True
        except (BlockingIOError, TimeoutError):
            return False
        except OSError:
            pass
        self._lose()
        return False

    def _lose(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._line = self._process = None
        self._holds = self._is_named = False


@contextmanager
def accompanied(path: Path, names: Path, *, busy_seconds: float) -> Iterator[Companion]:
    """One for as long as the block runs. Where that ends with an error it goes on until the next one has read on."""
    companion = Companion(path, names, busy_seconds=busy_seconds)
    try:
        yield companion
    except BaseException:
        companion.abandon()
        raise
    companion.close()


def serve(
    number: int, path: str, names: str, name: str, *, busy_seconds: float, alone_seconds: float, most_frames: int
) -> None:
    """The other end: the whole life of the process, with the line of this number."""
    with (
        suppress(IsovcError, apsw.Error, OSError),
        socket.socket(fileno=number) as line,
        holding(Path(path), busy_seconds=busy_seconds) as hold,
    ):
        if hold.reader.pragma("journal_mode") != "wal":
            return  # in any other mode writers would wait
        hold.renew()
        if _served(line, hold):
            return
        deadline = time.monotonic() + alone_seconds  # by a clock that stands still while the machine sleeps
        with _saying(Path(names), name, hold.rests):
            while time.monotonic() < deadline and Path(names).read_text() == name:
                if Path(path).stat().st_ino != hold.inode or hold.state()[0] > most_frames:
                    return
                time.sleep(_LOOK)


@contextmanager
def _saying(names: Path, name: str, rests: list[Rest]) -> Iterator[None]:
    """Say where the log could begin again, with a kernel lock on what is said: who says it no more has lost it."""
    fresh = names.with_name(f"{names.name}.{name}")
    with fresh.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        file.write("\n".join([name, *(f"{each.salts.hex()} {each.frames}" for each in rests)]))
        file.flush()
        fresh.replace(_rests_file(names))
        yield


def held_alone(names: Path) -> list[Rest]:
    """Where the log could begin again since a watcher was killed, as the companion says that has held it ever since.
    Asked by somebody who holds it too: so it stays true."""
    try:
        with _rests_file(names).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return []
            except BlockingIOError:
                name, *lines = file.read().splitlines()
        if name != names.read_text():
            return []
        said = [line.split() for line in lines]
        return [Rest(bytes.fromhex(salts), int(frames)) for salts, frames in said]
    except (OSError, ValueError):
        return []


def _rests_file(names: Path) -> Path:
    return names.with_suffix(".rest")


def _served(line: socket.socket, hold: Hold) -> bool:
    """Do as told until the line ends; whether there was a goodbye."""
    with suppress(OSError):  # a line may end in the middle of an answer
        line.sendall(_DONE)
        while word := line.recv(1):
            if word == _GOODBYE:
                return True
            if word == _LET_GO:
                hold.let_go()
            else:
                hold.renew()
            line.sendall(_DONE)
    return False
