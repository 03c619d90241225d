"""What a process did to the files of a folder, in order and byte by byte, as strace saw it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.crash.stopping import environment


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done. `path` and `other` are relative to the folder; `what` says how the rest is meant:

    make (with the mode `at`), folder, remove (path), rename, link (path to other), symlink (path, leading to data),
    write (data at), size (at bytes), mode, time (`at`), sync (of what there was `at` deeds ago), told (to whoever reads
    the output)."""

    what: str
    path: str = ""
    other: str = ""
    at: int = 0
    data: bytes = b""


_CALLS = (
    *("openat", "creat", "close", "lseek", "write", "pwrite64", "writev", "pwritev", "ftruncate", "truncate"),
    *("fallocate", "copy_file_range", "sendfile", "fsync", "fdatasync", "sync_file_range", "rename", "renameat"),
    *("renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir"),
    *("chmod", "fchmod", "fchmodat", "utimensat", "clone", "clone3", "fork", "vfork"),
)
_STARTS = ("clone", "clone3", "fork", "vfork")
_LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += +(\d+)(?:<.*>)?(?: |$)")
_BEGUN = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
_ENDED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_TIME = re.compile(r"tv_sec=(\d+), tv_nsec=(\d+)")
_TOKEN = re.compile(r' *(?:(?P<fd>\d+|AT_FDCWD)<(?P<path>[^>]*)>(?:\(deleted\))?|"(?P<text>[^"]*)"|(?P<word>[^,"<>]+))')
_UMASK = os.umask(0)
os.umask(_UMASK)
_ANONYMOUS = "-shm"  # shared memory of running processes, which a power cut ends; SQLite makes it anew


def record(words: Sequence[str], folder: Path, trace: Path, *, code: int = 0) -> list[Deed]:
    """Run a program that must end with this code; what it did under the folder."""
    strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "100000000", "-e", "signal=none"]
    done = subprocess.run(
        [*strace, "-o", str(trace), "-e", f"trace={','.join(_CALLS)}", *words],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == code, done.stderr.decode()
    with trace.open(encoding="ascii") as lines:
        said = list(_whole(lines))
    return list(_Reader(folder, dict(_threads(said))).read(said))


@dataclass(frozen=True, slots=True)
class _Said:
    """One call, whole: it counts as done when it has ended. `begun`: the number of the line it began in."""

    line: str
    begun: int


def _whole(lines: Iterator[str]) -> Iterator[_Said]:
    """Calls that others came between are told in two halves."""
    halves: dict[str, tuple[str, int]] = {}
    ended = 0
    for line in lines:
        text = line.rstrip("\n")
        if begun := _BEGUN.match(text):
            halves[begun[1]] = (f"{begun[1]} {begun[2]}", ended)
            continue
        resumed = _ENDED.match(text)
        whole, at = (halves[resumed[1]][0] + resumed[2], halves[resumed[1]][1]) if resumed else (text, ended)
        yield _Said(whole, at)
        ended += 1


def _threads(said: Sequence[_Said]) -> Iterator[tuple[str, str]]:
    """Those that share their open files with the one that started them, and which that is."""
    for each in said:
        found = _LINE.match(each.line)
        if found and found[1] in _STARTS and "CLONE_FILES" in found[2]:
            yield found[3], each.line.split(maxsplit=1)[0]


class _Reader:
    """Where each open file is being written, which the calls themselves do not tell."""

    def __init__(self, folder: Path, threads: Mapping[str, str]) -> None:
        self._folder = str(folder)
        self._threads = threads
        self._places: dict[tuple[str, str], int] = {}
        self._appending: set[tuple[str, str]] = set()

    def read(self, said: Sequence[_Said]) -> Iterator[Deed]:
        done: list[int] = []  # how many deeds there were after each call
        amount = 0
        for each in said:
            for deed in self._read(each.line):
                since = amount - (done[each.begun - 1] if each.begun else 0)
                yield replace(deed, at=since) if deed.what == "sync" else deed
                amount += 1
            done.append(amount)

    def _read(self, line: str) -> Iterator[Deed]:
        found = _LINE.match(line)
        if found is None:  # failed calls, ends of processes
            return
        name, arguments, result = found.groups()
        process = line.split(maxsplit=1)[0]
        while process in self._threads:
            process = self._threads[process]
        if name == "utimensat":
            yield from self._timed(arguments)
        elif name not in _STARTS:
            tokens = [_Token(each) for each in _TOKEN.finditer(arguments) if each[0].strip()]
            yield from self._deeds(process, name, tokens, int(result))

    def _deeds(self, process: str, name: str, tokens: list[_Token], result: int) -> Iterator[Deed]:
        first = tokens[0]
        key = (process, first.descriptor)
        if name == "openat":
            yield from self._opened(process, tokens, result)
        elif name == "lseek":
            self._places[key] = result
        elif name == "write" and first.descriptor == "1":
            yield Deed("told")
        elif not first.descriptor or first.descriptor == "AT_FDCWD" or name.endswith("at"):
            yield from self._named(name, tokens)
        elif self._is_ours(first.path) and name != "close":
            yield from self._done_to(first.path, name, tokens, result, key)

    def _done_to(self, path: str, name: str, tokens: list[_Token], result: int, key: tuple[str, str]) -> Iterator[Deed]:
        match name:
            case "fsync" | "fdatasync":
                yield Deed("sync", self._own(path))
            case "fchmod":
                yield Deed("mode", self._own(path), at=int(tokens[1].word, 8))
            case "ftruncate":
                yield Deed("size", self._own(path), at=int(tokens[1].word))
            case "pwrite64":
                yield Deed("write", self._own(path), at=int(tokens[3].word), data=tokens[1].raw[:result])
            case "write":
                at = self._places.get(key, 0)
                self._places[key] = at + result
                yield Deed("write", self._own(path), at=-1 if key in self._appending else at, data=tokens[1].raw)
            case _:
                raise AssertionError(f"the model of a disk knows no {name}")

    def _opened(self, process: str, tokens: list[_Token], result: int) -> Iterator[Deed]:
        path, flags, key = _joined(tokens[0], tokens[1]), tokens[2].word, (process, str(result))
        self._places[key] = 0
        self._appending.discard(key)
        if "O_APPEND" in flags:
            self._appending.add(key)
        if self._is_ours(path) and "O_CREAT" in flags:
            yield Deed("make", self._own(path), at=int(tokens[3].word, 8) & ~_UMASK)
        if self._is_ours(path) and "O_TRUNC" in flags:
            yield Deed("size", self._own(path), at=0)

    def _named(self, name: str, tokens: list[_Token]) -> Iterator[Deed]:
        """Calls that are about names; the newer ones take a folder before each."""
        if name.startswith("symlink"):  # where it leads is no name of ours
            (_, target), (folder, link) = _names(tokens)
            if self._is_ours(_joined(folder, link)):
                yield Deed("symlink", self._own(_joined(folder, link)), data=target.raw)
            return
        names = [_joined(*pair) for pair in _names(tokens)]
        if not any(map(self._is_ours, names)):
            return
        if name in ("chmod", "fchmodat"):
            yield Deed("mode", self._own(names[0]), at=int(tokens[-1].word, 8))
            return
        kind = {
            **dict.fromkeys(("mkdir", "mkdirat"), "folder"),
            **dict.fromkeys(("unlink", "unlinkat", "rmdir"), "remove"),
            **dict.fromkeys(("rename", "renameat", "renameat2"), "rename"),
            **dict.fromkeys(("link", "linkat"), "link"),
        }.get(name)
        assert kind, f"the model of a disk knows no {name}"
        yield Deed(kind, *map(self._own, names))

    def _timed(self, arguments: str) -> Iterator[Deed]:
        """An open file, or a name; of the two times the second is that of its content."""
        named = [_Token(each) for each in _TOKEN.finditer(arguments.partition("[")[0]) if each[0].strip()]
        path = _joined(named[0], named[1]) if named[1].is_text else named[0].path
        if self._is_ours(path):
            _, (seconds, rest) = _TIME.findall(arguments)
            yield Deed("time", self._own(path), at=int(seconds) * 10**9 + int(rest))

    def _is_ours(self, path: str) -> bool:
        return (path.startswith(f"{self._folder}/") and not path.endswith(_ANONYMOUS)) or path == self._folder

    def _own(self, path: str) -> str:
        assert self._is_ours(path), path
        return os.path.relpath(path, self._folder)


class _Token:
    """One argument of a call: a descriptor with the path it is open at, a text, or a word of strace's own."""

    def __init__(self, found: re.Match[str]) -> None:
        self.descriptor = found["fd"] or ""
        self.path = _plain(found["path"] or "")
        self.is_text = found["text"] is not None
        self.word = (found["word"] or "").strip()
        self._text = found["text"] or ""

    @property
    def raw(self) -> bytes:
        return bytes.fromhex(self._text.replace("\\x", ""))


def _names(tokens: list[_Token]) -> Iterator[tuple[_Token, _Token]]:
    for before, token in zip([tokens[0], *tokens], tokens, strict=False):
        if token.is_text:
            yield before, token


def _joined(folder: _Token, name: _Token) -> str:
    return os.path.normpath(os.path.join(folder.path, os.fsdecode(name.raw)))


def _plain(text: str) -> str:
    return os.fsdecode(bytes.fromhex(text.replace("\\x", ""))) if text.startswith("\\x") else text
