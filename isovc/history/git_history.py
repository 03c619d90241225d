"""Commits written, read and packed in a bare git repository. Knows no tables and no chunks.

Refs are not kept here: they live in store.db, and `mirror` only shows them to git's own tools.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

import pygit2

from isovc.disk import fsync_folder
from isovc.errors import (
    DiskFailed,
    DiskFull,
    GitConfigUnreadable,
    GitObjectDamaged,
    GitObjectMissing,
    HistoryMissing,
    HistoryUnreadable,
    IsovcError,
    NoPermission,
    NotCanonical,
)
from isovc.history.commit import CommitId, CommitObject, decode_commit, encode_commit
from isovc.history.identity import Identity
from isovc.history.layout import lay_out
from isovc.history.lock import exclusive
from isovc.history.loose import loose_objects
from isovc.history.mirror import mirror_refs
from isovc.history.objects import Objects
from isovc.history.packing import Packed, pack_loose

_BLOB, _TREE, _COMMIT = pygit2.GIT_OBJECT_BLOB, pygit2.GIT_OBJECT_TREE, pygit2.GIT_OBJECT_COMMIT
_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")  # isovc picks the names; none of them can upset git or a file system
_MODE = b"100644"
_WAIT = 60.0  # seconds for another process that writes; a commit takes milliseconds, a packing run a few seconds

# libgit2 does not fsync by itself (measured: lost and torn refs after power cuts), and refuses the folders of other
# users for fear of hooks and filters, none of which are ever run here.
pygit2.settings.enable_fsync_gitdir(True)
pygit2.settings.owner_validation = False


class GitHistory:
    """A bare git repository that holds one git commit per version."""

    def __init__(self, directory: Path, *, wait: float = _WAIT) -> None:
        if not (directory / "HEAD").is_file():
            raise HistoryMissing(path=directory)
        self.directory = directory
        self._wait = wait
        self._objects = Objects(directory / "objects")
        try:
            self._repository = pygit2.Repository(str(directory))
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise HistoryUnreadable(path=directory, why=_words(error)) from error

    @classmethod
    def create(cls, directory: Path, *, wait: float = _WAIT) -> GitHistory:
        """Make the repository, whole or not at all."""
        try:
            lay_out(directory)
        except OSError as error:
            raise _not_written(directory, error) from error
        return cls(directory, wait=wait)

    def close(self) -> None:
        """Let go of open packs."""
        self._repository.free()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- writing -------------------------------------------------------------------------------------------------------

    def write_commit(
        self,
        files: Mapping[str, bytes],
        parents: Sequence[CommitId],
        author: Identity,
        committed: int,
        message: str,
        *,
        authored: int | None = None,
        committer: Identity | None = None,
        zone: int = 0,
    ) -> CommitId:
        """Write blobs, tree and commit, durable when this returns. Times are microseconds since 1970."""
        for name in files:
            if _FILE_NAME.fullmatch(name) is None:
                raise ValueError(f"{name!r} is not the name of a file in a commit")
        for parent in parents:
            if not self.has(parent):
                raise GitObjectMissing(name=parent, needed_by="a new commit")
        commit = CommitObject(
            tree="0" * 40,
            parents=tuple(parents),
            author=author,
            authored=committed if authored is None else authored,
            committer=committer or author,
            committed=committed,
            message=message,
            zone=zone,
        )
        encode_commit(commit)  # refuses bad words before anything is written
        with self._changing():
            blobs = {name: self._write(_BLOB, data) for name, data in files.items()}
            entries = (b"%s %s\0%s" % (_MODE, name.encode(), blobs[name].raw) for name in sorted(blobs))
            tree = self._write(_TREE, b"".join(entries))
            made = self._write(_COMMIT, encode_commit(replace(commit, tree=str(tree))))
            self._make_durable([*blobs.values(), tree, made])
        return CommitId(str(made))

    def mirror(self, refs: Mapping[str, CommitId], head: str) -> bool:
        """Make git's branches, tags and HEAD equal to these. True: they had differed."""
        with self._changing():
            return mirror_refs(self.directory, refs, head)

    def count_loose(self) -> int:
        """Objects not yet packed."""
        return sum(1 for _ in loose_objects(self.directory / "objects"))

    def pack(self) -> Packed:
        """Pack loose objects; bounded, so a very long backlog takes several runs."""
        with self._changing():
            return pack_loose(self._repository, self.directory)

    # -- reading -------------------------------------------------------------------------------------------------------

    def has(self, commit: CommitId) -> bool:
        """Whether the object of this commit is there; its content is not looked at."""
        return commit in self._objects

    def read_commit(self, commit: CommitId) -> CommitObject:
        """One commit, checked against its id."""
        data = self._objects.read(commit, "commit")
        try:
            return decode_commit(data)
        except NotCanonical as error:
            raise GitObjectDamaged(name=commit, why=error.message) from error

    def read_file(self, commit: CommitId, name: str) -> bytes | None:
        """One file of a commit, checked against its id; None where the commit has no such file."""
        return self.read_files(commit, [name])[name]

    def read_files(self, commit: CommitId, names: Sequence[str]) -> dict[str, bytes | None]:
        """Several of them: the commit is looked at once."""
        tree = self._tree(commit)
        return {name: self._read_blob(tree.get(name), f"{name} of commit {commit[:12]}") for name in names}

    def file_names(self, commit: CommitId) -> tuple[str, ...]:
        """The files of a commit."""
        return tuple(self._tree(commit))

    def commit_ids(self) -> Iterator[CommitId]:
        """Every commit object there is, in no order; also those no branch leads to."""
        return (CommitId(name) for name in self._objects.names() if self._objects.kind(name) == "commit")

    def git_identity(self) -> Identity | None:
        """Who the person's own git configuration says they are, as far as it says."""
        try:
            config = self._repository.config
            name, email = ((config[key] or "").strip() if key in config else "" for key in ("user.name", "user.email"))
        except pygit2.GitError as error:
            raise GitConfigUnreadable(why=_words(error)) from error
        return Identity(name, email) if name or email else None

    # -- within --------------------------------------------------------------------------------------------------------

    def _write(self, kind: int, data: bytes) -> pygit2.Oid:
        return self._repository.odb.write(kind, data)

    def _make_durable(self, made: Sequence[pygit2.Oid]) -> None:
        """libgit2 fsyncs new files and their folders, but not the folder of those folders, nor objects met again."""
        objects = self.directory / "objects"
        for folder in {objects / str(each)[:2] for each in made}:
            if folder.exists():
                fsync_folder(folder)
        fsync_folder(objects)

    def _read_blob(self, blob: str | None, needed_by: str) -> bytes | None:
        return None if blob is None else self._objects.read(blob, "blob", needed_by=needed_by)

    def _tree(self, commit: CommitId) -> dict[str, str]:
        tree = self.read_commit(commit).tree
        data = self._objects.read(tree, "tree", needed_by=f"commit {commit[:12]}")
        files = {}
        while data:
            head, _, rest = data.partition(b"\0")
            files[head.partition(b" ")[2].decode(errors="replace")] = rest[:20].hex()
            data = rest[20:]
        return files

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            with exclusive(self.directory, wait=self._wait):
                yield
        except (OSError, pygit2.GitError) as error:
            raise _not_written(self.directory, error) from error


def _not_written(path: Path, error: OSError | pygit2.GitError) -> IsovcError:
    """libgit2 tells a failed system call as text only, in the words of the C library."""
    words = str(error)
    if os.strerror(errno.ENOSPC) in words or os.strerror(errno.EDQUOT) in words:
        return DiskFull(path=path)
    if any(os.strerror(number) in words for number in (errno.EACCES, errno.EPERM, errno.EROFS)):
        return NoPermission(path=path, deed="write")
    return DiskFailed(path=path, why=_words(error))


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
