"""The databases that are working copies, as store.db knows them. Opens none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from isovc.encoding.compress import compress, decompress
from isovc.encoding.values import decode, encode
from isovc.errors import WorktreeGone
from isovc.history import CommitId
from isovc.repo.database import Database
from isovc.repo.names import BRANCHES

_LEVEL = 3  # zstd: some kB of JSON, once a command

Files = Mapping[str, bytes]  # the files of a version, by name


@dataclass(frozen=True, slots=True)
class Live:
    """The version that was found in a database when its mark was so."""

    mark: bytes
    files: Files


@dataclass(frozen=True, slots=True)
class Intent:
    """What a command is about to make of a database: found again, it was interrupted."""

    command: str
    mark: bytes  # before
    head: str
    commit: CommitId | None
    head_files: Files
    live_files: Files
    refs: Mapping[str, CommitId | None]  # where refs shall lead once that is done; None: such a ref shall go


@dataclass(frozen=True, slots=True)
class Worktree:
    """One working copy. `head` is a full ref name, or the hex id of a commit when detached."""

    id: int
    database: str
    head: str
    commit: CommitId | None
    files: Files
    live: Live | None
    intent: Intent | None

    @property
    def branch(self) -> str | None:
        """The branch it is on; None: detached."""
        return self.head.removeprefix(BRANCHES) if self.head.startswith(BRANCHES) else None


class Worktrees:
    """The table `worktree`. Made for one transaction or one reading, and not kept longer."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> list[Worktree]:
        """Every one, the main one first."""
        return [_worktree(row) for row in self._db.execute(f"SELECT {_COLUMNS} FROM worktree ORDER BY id", ())]

    def get(self, worktree: int) -> Worktree:
        """One by its number, as it is now."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM worktree WHERE id = ?", (worktree,)).fetchone()
        if row is None:
            raise WorktreeGone(number=worktree)
        return _worktree(row)

    def add(self, database: str, head: str, commit: CommitId | None, files: Files) -> Worktree:
        """A new one."""
        self._db.execute(
            "INSERT INTO worktree(database, head, head_commit, head_files) VALUES(?, ?, ?, ?)",
            (database, head, _raw(commit), pack_files(files)),
        )
        row = self._db.execute(f"SELECT {_COLUMNS} FROM worktree WHERE database = ?", (database,)).fetchone()
        return _worktree(row)

    def remove(self, worktree: int) -> None:
        """Forget it; its file is not touched."""
        self._db.execute("DELETE FROM worktree WHERE id = ?", (worktree,))

    def set_head(self, worktree: int, head: str, commit: CommitId | None, files: Files) -> None:
        """It now is at this commit."""
        self._db.execute(
            "UPDATE worktree SET head = ?, head_commit = ?, head_files = ? WHERE id = ?",
            (head, _raw(commit), pack_files(files), worktree),
        )

    def set_live(self, worktree: int, live: Live | None) -> None:
        """This was found in its database."""
        self._db.execute(
            "UPDATE worktree SET live_mark = ?, live_files = ? WHERE id = ?",
            (live.mark if live else None, pack_files(live.files) if live else None, worktree),
        )

    def set_intent(self, worktree: int, intent: Intent | None) -> None:
        """A command is about to change its database; None: it has, or has not."""
        self._db.execute("UPDATE worktree SET intent = ? WHERE id = ?", (_pack_intent(intent), worktree))


def pack_files(files: Files) -> bytes:
    """The files of a version as one value."""
    return compress(encode([part for name in sorted(files) for part in (name, files[name])]), level=_LEVEL)


def unpack_files(packed: bytes) -> Files:
    """The files again."""
    parts = decode(decompress(packed))
    return dict(zip(parts[::2], parts[1::2], strict=True))


_COLUMNS = "id, database, head, head_commit, head_files, live_mark, live_files, intent"


def _worktree(row: tuple[int, str, str, bytes | None, bytes, bytes | None, bytes | None, bytes | None]) -> Worktree:
    number, database, head, commit, files, mark, live_files, intent = row
    live = Live(mark, unpack_files(live_files)) if mark is not None and live_files is not None else None
    return Worktree(number, database, head, _commit(commit), unpack_files(files), live, _unpack_intent(intent))


def _raw(commit: CommitId | None) -> bytes | None:
    return bytes.fromhex(commit) if commit else None


def _commit(raw: bytes | None) -> CommitId | None:
    return CommitId(raw.hex()) if raw else None


def _pack_intent(intent: Intent | None) -> bytes | None:
    if intent is None:
        return None
    files = (pack_files(intent.head_files), pack_files(intent.live_files))
    refs = [part for name, target in intent.refs.items() for part in (name, _raw(target))]
    return encode([intent.command, intent.mark, intent.head, _raw(intent.commit), *files, *refs])


def _unpack_intent(packed: bytes | None) -> Intent | None:
    if packed is None:
        return None
    command, mark, head, commit, head_files, live_files, *refs = decode(packed)
    moves = {name: _commit(target) for name, target in zip(refs[::2], refs[1::2], strict=True)}
    return Intent(command, mark, head, _commit(commit), unpack_files(head_files), unpack_files(live_files), moves)
