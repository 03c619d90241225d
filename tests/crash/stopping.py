"""One isovc process under strace, in which one system call goes wrong. Knows nothing of what it is about."""

from __future__ import annotations

import os
import random
import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.versioned import ROOT

WRITES = ("write", "pwrite64", "writev", "pwritev")
CALLS = (
    *("openat", "creat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "link", "linkat", "symlink"),
    *("rename", "renameat", "renameat2", "ftruncate", "truncate", "fallocate", "fsync", "fdatasync", "fchmod"),
    *WRITES,
)
KILL, TERM, EIO, ENOSPC, NOTHING, LIMIT = "KILL", "TERM", "EIO", "ENOSPC", "nothing written", "cut short"

_LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")
_VARYING = re.compile(r"[0-9a-f]{6,}|/[0-9a-f]{2}(?=/|$)|\d+")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that changes something on the disk."""

    name: str
    number: int  # among all calls of this name in one thread: so strace counts, too
    thing: str  # what it changes, without what differs from run to run
    at: int = 0  # of writes with an offset
    length: int = 0


@dataclass(frozen=True, slots=True)
class Accident:
    """What goes wrong at which call."""

    call: Call
    fault: str
    limit: int = 0  # bytes a file may have at most, where a write is cut short

    def __str__(self) -> str:
        much = f" at {self.limit} bytes" if self.limit else ""
        return f"{self.fault}{much} at {self.call.name} number {self.call.number} ({self.call.thing})"


@dataclass(frozen=True, slots=True)
class Stopped:
    """How the process ended: a negative code is the signal that ended it."""

    code: int
    told: bool  # that it was done
    said: str  # about what went wrong
    met: bool  # the accident has taken place


def calls(words: Sequence[str], folder: Path, trace: Path, *, code: int = 0) -> list[Call]:
    """Run a command undisturbed, and tell what it changes under the folder, in order. `code`: that it ends with."""
    done = _run(["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-s", "0", "-o", str(trace)], [], words)
    assert done.returncode == code, done.stderr
    return list(_read(trace, folder))


def accidents(found: Sequence[Call], amount: int, seed: str) -> list[Accident]:
    """So many, picked so that every kind of call on every kind of thing has its turn before any comes twice."""
    dice = random.Random(seed)
    kinds: dict[tuple[str, str], list[Accident]] = {}
    for call in found:
        for fault in _faults(call):
            limit = dice.randrange(call.at + 1, call.at + call.length) if fault == LIMIT else 0
            kinds.setdefault((call.name + fault, call.thing), []).append(Accident(call, fault, limit))
    for each in kinds.values():
        dice.shuffle(each)
    rounds = [
        [each[turn] for each in kinds.values() if turn < len(each)] for turn in range(max(map(len, kinds.values())))
    ]
    for each in rounds:
        dice.shuffle(each)
    return [each for turn in rounds for each in turn][:amount]


def stop(words: Sequence[str], accident: Accident, trace: Path) -> Stopped:
    """Run a command with the accident."""
    if accident.fault == LIMIT:
        done = _run([], [], words, limit=accident.limit)
        return Stopped(done.returncode, bool(done.stdout), done.stderr, met=True)
    call = accident.call
    happens = {
        KILL: "signal=KILL",
        TERM: "signal=TERM",
        EIO: "error=EIO",
        ENOSPC: "error=ENOSPC",
        NOTHING: "retval=0",
    }[accident.fault]
    # strace sends no signals where it leaves the filtering to the kernel
    way = [] if accident.fault in (KILL, TERM) else ["--seccomp-bpf"]
    inject = ["-e", f"inject={call.name}:{happens}:when={call.number}"]
    done = _run(["strace", "-f", *way, "-qq", "-y", "-s", "0", "-o", str(trace)], inject, words)
    text = trace.read_text(errors="replace")
    met = any(sign in text for sign in ("(INJECTED)", "SIGKILL", "SIGTERM"))
    return Stopped(done.returncode, bool(done.stdout), done.stderr, met)


def again(accident: Accident, trace: Path, folder: Path) -> Accident:
    """The same for a run like the one just traced, in which it did not take place: the threads took other turns."""
    missed = accident.call
    like = [call for call in _read(trace, folder) if (call.name, call.thing) == (missed.name, missed.thing)]
    near = min(like, key=lambda call: abs(call.number - missed.number), default=missed)
    return replace(accident, call=replace(missed, number=near.number))


def _faults(call: Call) -> Iterator[str]:
    yield from (KILL, TERM, EIO)
    if call.name not in ("unlink", "unlinkat", "rmdir", "fchmod"):
        yield ENOSPC
    # A short write is a true one only: strace can say that nothing was written where nothing was. Where it says that
    # some was, nothing was all the same, and no program survives a disk that lies.
    if call.name in WRITES:
        yield NOTHING
    if call.length > 1:
        yield LIMIT


def _run(
    strace: Sequence[str], inject: Sequence[str], words: Sequence[str], *, limit: int = 0
) -> subprocess.CompletedProcess[str]:
    traced = [*strace, "-e", f"trace={','.join(CALLS)}", *inject] if strace else []
    return subprocess.run(
        [*traced, sys.executable, "-m", "isovc", *words],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None,
    )


def environment() -> dict[str, str]:
    """In which two runs of one command make the same calls, as far as that can be had; nobody measures coverage."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def _read(trace: Path, folder: Path) -> Iterator[Call]:
    numbers: dict[tuple[str, str], int] = {}
    for line in trace.read_text(errors="replace").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        thread, name, rest = found.groups()
        numbers[thread, name] = number = numbers.get((thread, name), 0) + 1
        if name == "openat" and not re.search("O_WRONLY|O_RDWR|O_CREAT", rest):
            continue
        paths = re.findall(rf"{re.escape(str(folder))}(/[^\"<>]*)[\">]", rest)
        if paths:
            yield Call(name, number, _VARYING.sub("#", paths[-1]), *_place(name, rest))


def _place(name: str, rest: str) -> tuple[int, int]:
    found = re.search(r", (\d+), (\d+)\) += ", rest) if name == "pwrite64" else None
    if found:
        return int(found[2]), int(found[1])
    found = re.search(r", (\d+)\) += ", rest) if name == "write" else None
    return (0, int(found[1])) if found else (0, 0)
