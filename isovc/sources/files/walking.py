"""Everything in a folder, without reading any file but `.isovcignore`. Knows nothing of what files are for."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from operator import itemgetter

from isovc.progress import Progress
from isovc.sources.files.beneath import NOT_THERE, descend, kept, seen, told
from isovc.sources.files.ignoring import IGNORE_FILE, Ignoring, read_patterns
from isovc.sources.files.names import REPOSITORY, RESERVED, decoded, encoded, is_reserved, is_text
from isovc.sources.files.reading import open_file
from isovc.sources.files.seen import EARLIEST, LATEST, Seen, Skipped, Walk

_NAMES_ARE_OURS = sys.getfilesystemencoding() == "utf-8"
_READERS = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
_KIND_AND_READERS = 0o170000 | _READERS
_PLAIN = stat.S_IFREG | _READERS  # a file that everybody may read
_FORBIDDEN = "there is no permission to read it"
_CHANGED = "it became something else while the folder was read"


@dataclass(slots=True)
class Walking:
    """One walk. Folders wait in a list, so that depth costs no stack."""

    top: int
    left_out: Collection[str]  # paths that are not looked at
    ours: Collection[tuple[int, int]]  # (device, inode) of files that must not be opened under any other name either
    entries: list[Seen] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    all_text: bool = True

    def walk(self, progress: Progress) -> Walk:
        waiting: list[tuple[str, Ignoring | None]] = [("", None)]
        with progress.task("Looking at attachments", unit="files") as task:
            while waiting:
                before = len(self.entries)
                waiting += self._folder(*waiting.pop())
                task.advance(len(self.entries) - before)
        # the order of the bytes is that of the letters but where bytes are no text
        self.entries.sort(key=itemgetter(0) if self.all_text else _order)
        return Walk(self.entries, tuple(sorted(self.skipped, key=_order)))

    def _folder(self, prefix: str, ignoring: Ignoring | None) -> list[tuple[str, Ignoring | None]]:
        """Take what lies in one folder; the folders in it are left for later."""
        try:
            handle = descend(self.top, encoded(prefix).split(b"/")[:-1])
        except OSError as error:
            self._not_opened(prefix, error)
            return []
        try:
            return self._listed(handle, prefix, ignoring)
        finally:
            os.close(handle)

    def _listed(self, handle: int, prefix: str, ignoring: Ignoring | None) -> list[tuple[str, Ignoring | None]]:
        try:
            with os.scandir(handle) as listing:
                found = [
                    (entry.name if _NAMES_ARE_OURS else decoded(os.fsencode(entry.name)), entry) for entry in listing
                ]
        except OSError as error:
            raise told(error, prefix, deed="read") from error
        names = {name for name, _ in found}
        if prefix and REPOSITORY in names:
            self.skipped.append(Skipped(prefix[:-1], "it holds a repository of its own"))
            return []
        if IGNORE_FILE in names:
            ignoring = self._patterns(handle, prefix, ignoring)
        folders = []
        for name, entry in found:
            path = prefix + name
            if path in self.left_out:
                continue
            if (name[0] == "." or not name.isascii()) and self._is_kept_free(name, prefix):
                continue
            if entry.is_dir(follow_symlinks=False):
                if ignoring is None or not ignoring.ignores(path, is_folder=True):
                    folders.append((path + "/", ignoring))
            elif ignoring is None or name == IGNORE_FILE or not ignoring.ignores(path, is_folder=False):
                self._take(path, entry, handle)
        return folders

    def _is_kept_free(self, name: str, prefix: str) -> bool:
        if not is_text(name):
            self.all_text = False
        if not is_reserved(name):
            return False
        if prefix or name not in RESERVED:
            self.skipped.append(Skipped(prefix + name, "its name is kept for isovc itself"))
        return True

    def _take(self, path: str, entry: os.DirEntry[str], folder: int) -> None:
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return  # it went away since: as if the walk had begun a moment later
        except PermissionError:  # names in this folder may be listed and not looked at
            self.skipped.append(Skipped(path, _FORBIDDEN))
            return
        except OSError as error:
            raise told(error, path, deed="read") from error
        mode = found.st_mode
        if mode & _KIND_AND_READERS == _PLAIN and found.st_nlink == 1 and EARLIEST < found.st_mtime_ns < LATEST:
            # what nearly every file is, made without another call: a quarter of the time of a walk
            self.entries.append(
                Seen(
                    path,
                    False,
                    found.st_size,
                    mode & 0o777,
                    found.st_mtime_ns,
                    found.st_ctime_ns,
                    found.st_ino,
                    found.st_dev,
                )
            )
        elif not kept(mode):
            self.skipped.append(Skipped(path, f"it is a {_kind(mode)}"))
        elif found.st_nlink > 1 and (found.st_dev, found.st_ino) in self.ours:
            self.skipped.append(Skipped(path, "it is the database itself by another name"))
        elif stat.S_ISREG(mode) and mode & _READERS != _READERS and not _may_read(entry.name, folder):
            self.skipped.append(Skipped(path, _FORBIDDEN))
        else:
            self.entries.append(seen(path, found))

    def _patterns(self, handle: int, prefix: str, above: Ignoring | None) -> Ignoring | None:
        try:
            with open_file(prefix + IGNORE_FILE, encoded(IGNORE_FILE), handle) as file:
                return read_patterns(prefix, file.read(), above)
        except OSError as error:
            if error.errno in NOT_THERE:  # it went away, or is a link, and no link is followed
                return above
            raise told(error, prefix + IGNORE_FILE, deed="read") from error

    def _not_opened(self, prefix: str, error: OSError) -> None:
        if error.errno == errno.ENOENT:
            return
        if error.errno in NOT_THERE:
            self.skipped.append(Skipped(prefix[:-1], _CHANGED))
        elif isinstance(error, PermissionError) and prefix:
            self.skipped.append(Skipped(prefix[:-1], _FORBIDDEN))
        else:
            raise told(error, prefix[:-1] or ".", deed="read") from error


def _order(one: Seen | Skipped) -> bytes:
    return encoded(one.path)


def _may_read(name: str, folder: int) -> bool:
    return os.access(os.fsencode(name), os.R_OK, dir_fd=folder, effective_ids=os.access in os.supports_effective_ids)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFBLK: "device", stat.S_IFCHR: "device"}
    return kinds.get(stat.S_IFMT(mode), "thing of a kind that isovc does not know")
