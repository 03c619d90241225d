"""Files on their way into the folder: made whole under other names first, and given their names once the database is
where it shall be. Knows no working copies."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from isovc.blobs import stream
from isovc.errors import FilesWritten, PathInTheWay
from isovc.snapshot.files import File, FileChange
from isovc.snapshot.folder import may_change_unseen
from isovc.sources.files import Folder, Place, Placing, Seen
from isovc.store.protocol import ChunkStore


class Arriving:
    """The files of one folder. `stage` until all is decided, then `check`, `arrive`, and `drop` in any case."""

    def __init__(self, folder: Folder, store: ChunkStore) -> None:
        self.folder = folder
        self._store = store
        self._stack = ExitStack()
        self._placing: Placing | None = None
        self.changes: dict[str, FileChange] = {}
        self.looked: Mapping[str, Seen] = {}  # how its files looked when the version was taken from which they change

    def stage(self, changes: Iterable[FileChange]) -> None:
        """Make the files that come; those that go only when they arrive."""
        for change in changes:
            if self._placing is None:
                self._placing = self._stack.enter_context(self.folder.placing())
            self.changes[change.path] = change
            if change.after is not None:
                self._placing.stage(_place(change.after), stream(self._store, change.after.content))

    def check_places(self) -> None:
        """Refuse, before anything else is changed, what could not arrive, or would take the place of something that no
        version holds: a file that is ignored, or cannot be read. One that holds just what comes is no loss."""
        if self._placing is None:
            return
        self.looked = dict(self.looked)
        for path, change in self.changes.items():
            seen = None if path in self.looked else self.folder.look(path)
            if seen is not None:
                if not self._holds(seen, change.after):
                    raise PathInTheWay(path=path, needed_for=path, why="it would be lost, since no version holds it")
                self.looked[path] = seen
        is_one_name = self._placing.folds_case() or self._placing.normalises()
        self._placing.prepare(self._gone(), staying=self.looked.keys() - self.changes if is_one_name else ())

    def _holds(self, seen: Seen, file: File | None) -> bool:
        """Whether what lies there is what this file holds."""
        if file is None or (seen.is_link, seen.size) != (file.is_link, file.size):
            return False
        with self.folder.reading(seen) as source:
            return all(source.read(len(piece)) == piece for piece in stream(self._store, file.content))

    def check(self) -> None:
        """Refuse where somebody has written since the folder was looked at: what they wrote is kept nowhere."""
        written = [path for path in self.changes if self.folder.look(path) != self.looked.get(path)]
        if written:
            raise FilesWritten(folder=self.folder.path, paths=tuple(written))

    def arrive(self) -> None:
        """Give every file its name, and take away those that go."""
        if self._placing is not None:
            self._placing.arrive(self._gone())

    def _gone(self) -> list[str]:
        return [path for path, change in self.changes.items() if change.after is None]

    def looks(self) -> dict[str, Seen | None]:
        """How the files look that have arrived; None: not to be believed yet."""
        now = time.time_ns()
        looked = ((path, self.folder.look(path)) for path in self.changes)
        return {path: None if may_change_unseen(each, now) else each for path, each in looked if each is not None}

    def drop(self) -> None:
        """What has not arrived never will."""
        self._stack.close()
        self._placing = None


def place_files(folder: Folder, store: ChunkStore, changes: Iterable[FileChange]) -> None:
    """Bring changes into a folder that nobody else is about."""
    arriving = Arriving(folder, store)
    try:
        arriving.stage(changes)
        arriving.arrive()
    finally:
        arriving.drop()


def _place(file: File) -> Place:
    return Place(file.path, file.is_link, file.permissions, file.mtime)
