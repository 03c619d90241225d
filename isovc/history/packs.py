"""Objects read out of packs. Knows nothing of what objects mean.

Not left to libgit2: it crashes on some packs with damaged bytes (seen with 1.9.7), and a crash explains nothing.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from isovc.errors import GitObjectDamaged
from isovc.history.index import ID, PackIndex

T = TypeVar("T")

_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA, _NAME_DELTA = 6, 7
_LONGEST_CHAIN = 4095  # differences: git writes 50, and refuses more than this
_HEAD = 64  # bytes: the longest head of an entry is 10 + 20
_READ = 1 << 14  # bytes a read: most objects come whole


@dataclass(frozen=True, slots=True)
class _Entry:
    """The head of an object in a pack: its kind, or the object it is a difference to."""

    kind: str
    base: int | bytes | None
    size: int
    body: int  # where its compressed bytes begin


class Packs:
    """All packs of a repository, opened as they are needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._indexes: dict[str, PackIndex] = {}

    def read(self, name: str) -> tuple[str, bytes] | None:
        """Kind and content of an object, not yet checked against its name; None: it is in no pack."""
        return self._with_object(name, _read)

    def kind(self, name: str) -> str | None:
        """The kind of an object; its content is not looked at."""
        return self._with_object(name, _kind)

    def names(self) -> Iterator[str]:
        """All objects in packs."""
        self._look_again()
        for index in list(self._indexes.values()):
            yield from (name.hex() for name in index.names())

    def __contains__(self, name: str) -> bool:
        return self._find(bytes.fromhex(name)) is not None

    def _with_object(self, name: str, deed: Callable[[PackIndex, int, int], T]) -> T | None:
        while found := self._find(bytes.fromhex(name)):
            index, offset = found
            try:
                handle = os.open(index.pack, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:  # joined with others meanwhile
                del self._indexes[index.path.name]
                continue
            try:
                return deed(index, handle, offset)
            except (zlib.error, IndexError, ValueError, OverflowError, OSError) as error:
                raise GitObjectDamaged(name=name, why=f"in {index.pack.name}: {error}") from error
            finally:
                os.close(handle)
        return None

    def _find(self, name: bytes) -> tuple[PackIndex, int] | None:
        for look_again in (False, True):
            if look_again and not self._look_again():
                return None
            for index in self._indexes.values():
                offset = index.find(name)
                if offset is not None:
                    return index, offset
        return None

    def _look_again(self) -> bool:
        """Know packs that were not there before. True: there were some."""
        fresh = [path for path in self._folder.glob("*.idx") if path.name not in self._indexes]
        for path in fresh:
            if path.with_suffix(".pack").exists():
                self._indexes[path.name] = PackIndex(path)
        return bool(fresh)


def _read(index: PackIndex, handle: int, offset: int) -> tuple[str, bytes]:
    changes: list[bytes] = []
    for entry in _chain(index, handle, offset):
        content = _inflate(handle, entry)
        if entry.base is None:
            for change in reversed(changes):
                content = apply_delta(content, change)
            return entry.kind, content
        changes.append(content)
    raise ValueError("it is made of too many differences")


def _kind(index: PackIndex, handle: int, offset: int) -> str:
    for entry in _chain(index, handle, offset):
        if entry.base is None:
            return entry.kind
    raise ValueError("it is made of too many differences")


def _chain(index: PackIndex, handle: int, offset: int) -> Iterator[_Entry]:
    """The entry, what it is a difference to, and so on; the last one stands alone, or there were too many."""
    for _ in range(_LONGEST_CHAIN):
        entry = _entry(handle, offset)
        yield entry
        if isinstance(entry.base, bytes):
            found = index.find(entry.base)
            if found is None:
                raise ValueError(f"it is a difference to {entry.base.hex()[:12]}, which is not there")
            offset = found
        elif entry.base is not None:
            offset = entry.base


def _entry(handle: int, offset: int) -> _Entry:
    head = os.pread(handle, _HEAD, offset)
    at, kind, size, shift = 1, head[0] >> 4 & 7, head[0] & 15, 4
    while head[at - 1] & 0x80:
        size |= (head[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    if kind == _NAME_DELTA:
        return _Entry("", head[at : at + ID], size, offset + at + ID)
    if kind == _OFFSET_DELTA:
        back, at = head[at] & 0x7F, at + 1
        while head[at - 1] & 0x80:
            back, at = (back + 1) << 7 | head[at] & 0x7F, at + 1
        if not 0 < back < offset:
            raise ValueError("it is a difference to nothing")
        return _Entry("", offset - back, size, offset + at)
    if kind not in _KINDS:
        raise ValueError(f"there is no kind {kind} of object")
    return _Entry(_KINDS[kind], None, size, offset + at)


def _inflate(handle: int, entry: _Entry) -> bytes:
    inflate, content, at = zlib.decompressobj(), bytearray(), entry.body
    while not inflate.eof and len(content) <= entry.size:
        data = os.pread(handle, _READ, at)
        if not data:
            raise ValueError("the pack was cut short")
        content += inflate.decompress(data, entry.size + 1 - len(content))
        at += len(data) - len(inflate.unconsumed_tail)
    if len(content) != entry.size:
        raise ValueError("its size is not what was said")
    return bytes(content)


def apply_delta(base: bytes, delta: bytes) -> bytes:
    """Git's difference format: pieces of the base, and bytes of its own."""
    size, at = _number(delta, 0)
    wanted, at = _number(delta, at)
    if size != len(base):
        raise ValueError("it is a difference to something else")
    made = bytearray()
    while at < len(delta):
        op, at = delta[at], at + 1
        if op & 0x80:
            fields = []
            for bit in range(7):
                fields.append(delta[at] if op >> bit & 1 else 0)
                at += op >> bit & 1
            start = int.from_bytes(fields[:4], "little")
            length = int.from_bytes(fields[4:], "little") or 0x10000
            if start + length > len(base):
                raise ValueError("it copies what is not there")
            made += base[start : start + length]
        else:
            if not op or at + op > len(delta):
                raise ValueError("its difference is malformed")
            made += delta[at : at + op]
            at += op
        if len(made) > wanted:
            raise ValueError("its size is not what was said")
    if len(made) != wanted:
        raise ValueError("its size is not what was said")
    return bytes(made)


def _number(delta: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte, at = delta[at], at + 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
