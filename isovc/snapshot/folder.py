"""A folder of files as the tree of a version, and what of it has to be read: only what looks otherwise than before.

A file is taken as unchanged when its size, times, inode, mode and kind are as they were. One that was written within
the clock's last tick before it was read might have been written once more in that tick, so it is not believed.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from isovc.blobs import keep_stream
from isovc.encoding.digest import ID_BYTES, ChunkId
from isovc.encoding.orderkey import encode_key
from isovc.encoding.values import decode, encode
from isovc.errors import FileUnreadable, FileVanished, NotCanonical
from isovc.progress import SILENT, Progress, Task
from isovc.snapshot.files import WIDTH, File
from isovc.sources.files import EARLIEST, LATEST, Folder, Seen, media_type
from isovc.store.protocol import ChunkWriter
from isovc.tree.build import build
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.read import get

_TICK = 20_000_000  # ns: file systems stamp by the kernel's tick, which is shorter
_COARSE = 2_000_000_000  # ns: those that keep whole seconds, or every other one
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Known:
    """A tree, and how the files looked from which it was made; None: this one is not believed."""

    root: Root
    seen: Mapping[str, Seen | None] = field(default_factory=dict)

    def encode(self) -> bytes:
        """As bytes for the cache."""
        believed = [(path, int(each.is_link), *each[2:]) for path, each in self.seen.items() if each is not None]
        doubted = [path for path, each in self.seen.items() if each is None]
        columns = [[each[at] for each in believed] for at in range(len(Seen._fields))]
        return encode([self.root.id, self.root.rows, self.root.bytes, doubted, *columns])

    @classmethod
    def decode(cls, data: bytes) -> Known:
        """What was known; raises NotCanonical or ValueError where the bytes are no such thing."""
        id_, rows, size, doubted, *columns = decode(data)
        if type(id_) is not bytes or len(id_) != ID_BYTES or len(columns) != len(Seen._fields):
            raise NotCanonical(what="what is known of a folder", why="its parts are of the wrong kinds")
        believed = (Seen(path, bool(is_link), *rest) for path, is_link, *rest in zip(*columns, strict=True))
        return cls(Root(ChunkId(id_), rows, size), {**{each.path: each for each in believed}, **dict.fromkeys(doubted)})


@dataclass(frozen=True, slots=True)
class Taken:
    """What the folder holds; `notes`: what could not be read, or not as it should be; `looked`: how every file looked
    when it was read, believed or not."""

    known: Known
    notes: tuple[str, ...]
    looked: Mapping[str, Seen]


def take_folder(
    forest: Forest, folder: Folder, known: Known | None, *, verify: bool = False, progress: Progress = SILENT
) -> Taken:
    """The tree of a folder. `verify`: read every file, whatever it looks like. The content of files is kept; nothing
    refers to it yet."""
    return _Taking(forest, folder, known or Known(build(forest, ())), verify=verify).take(progress)


class _Taking:
    def __init__(self, forest: Forest, folder: Folder, known: Known, *, verify: bool) -> None:
        self._forest = forest
        self._folder = folder
        self._known = known
        self._verify = verify
        self._notes: list[str] = []
        self._seen: dict[str, Seen | None] = {}
        self._looked: dict[str, Seen] = {}

    def take(self, progress: Progress) -> Taken:
        start = time.time_ns()
        walk = self._folder.walk(progress)
        self._notes += [f"{each.path}: {each.why}" for each in walk.skipped]
        known = self._known.seen
        fresh = [each for each in walk.entries if self._verify or known.get(each.path) != each]
        self._looked = {each.path: each for each in walk.entries}
        lost = [path for path in known if path not in self._looked]
        if not fresh and not lost:
            return Taken(self._known, tuple(self._notes), self._looked)
        self._seen = {path: each for path, each in known.items() if path in self._looked}
        unread = _below([each.path for each in walk.skipped], lost)  # what cannot be looked at is not gone
        self._seen.update(dict.fromkeys(unread))
        with (
            progress.task("Reading files", unit="bytes", total=sum(each.size for each in fresh)) as task,
            self._forest.store.writing() as writer,
        ):
            gone = [Edit(encode_key((path,)), None) for path in lost if path not in unread]
            edits = [*gone, *self._rows(fresh, writer, task)]
            edits.sort(key=lambda each: each.key)
            root = edit(self._forest, self._known.root.id, iter(edits), width=WIDTH, writer=writer)
        believed = {
            path: None if each is None or may_change_unseen(each, start) else each for path, each in self._seen.items()
        }
        return Taken(Known(root, believed), tuple(self._notes), self._looked)

    def _rows(self, fresh: list[Seen], writer: ChunkWriter, task: Task) -> Iterator[Edit]:
        for seen in fresh:
            key = encode_key((seen.path,))
            before = get(self._forest, self._known.root.id, key, width=WIDTH)
            try:
                row: File | None = self._file(seen, writer)
            except FileVanished:
                self._seen.pop(seen.path, None)
                self._looked.pop(seen.path, None)
                row = None
            except FileUnreadable as error:
                kept = "; what was read of it before stays" if before else ""
                self._notes.append(f"{error.message}{kept}")
                if before:
                    self._seen[seen.path] = None
                continue
            task.advance(seen.size)
            if row is None and before is not None:
                yield Edit(key, None)
            elif row is not None and tuple(row) != before:
                yield Edit(key, tuple(row))

    def _file(self, seen: Seen, writer: ChunkWriter) -> File:
        """One file, read again where it changed under our eyes."""
        for _ in range(_TRIES):
            with self._folder.reading(seen) as source:
                content = keep_stream(writer, source, kind="file")
            now = self._folder.look(seen.path)
            if now == seen and content.length == seen.size:
                self._seen[seen.path] = seen
                break
            if now is None:
                raise FileVanished(path=seen.path)
            seen = now
        else:
            self._seen[seen.path] = None
            self._notes.append(f"{seen.path} changed while it was read; what was read of it last is kept")
        self._looked[seen.path] = seen
        if seen.mtime in (EARLIEST, LATEST):
            self._notes.append(f"{seen.path}: its time is not within 1677 to 2262; the nearest that is stands for it")
        kind = stat.S_IFLNK if seen.is_link else stat.S_IFREG
        media = "" if seen.is_link else media_type(seen.path)
        return File(seen.path, kind | seen.mode, content.length, seen.mtime, media, content)


def _below(places: list[str], paths: list[str]) -> set[str]:
    """The paths that are one of these places, or lie below one."""
    return {path for path in paths for place in places if path == place or path.startswith(f"{place}/")}


def may_change_unseen(seen: Seen, start: int) -> bool:
    """Whether it was written so lately that writing it again may leave its times as they are."""
    tick = _COARSE if seen.ctime % 1_000_000_000 == 0 else _TICK
    return max(seen.ctime, seen.mtime) > start - tick
