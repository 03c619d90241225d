"""The databases that are working copies, as store.db knows them. Opens none of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from isovc.encoding.compress import compress, decompress
from isovc.encoding.values import decode, encode
from isovc.errors import RowDamaged, WorktreeGone
from isovc.history import CommitId, Identity
from isovc.repo.database import Database
from isovc.repo.deeds import Deed, Telling
from isovc.repo.operations import SnapshotId, Standing
from isovc.repo.seals import Total, sealer

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

    deed: Deed
    telling: Telling
    mark: bytes  # before
    before_files: Files  # what the database held then
    head: str
    commit: CommitId | None
    head_files: Files
    live_files: Files
    refs: Mapping[str, CommitId | None]  # where refs shall lead once that is done; None: such a ref shall go
    heads: Mapping[int, str]  # what other working copies' heads shall be called
    merging: SnapshotId | None = None  # the merge that will wait for a person then


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
    merging: SnapshotId | None = None

    @property
    def standing(self) -> Standing:
        """What a record says of it."""
        return Standing(self.database, self.head, self.commit, self.merging)

    @property
    def branch(self) -> str | None:
        """The branch it is on; None: detached."""
        return self.standing.branch


def merging_in(worktree: Worktree) -> list[SnapshotId]:
    """The merge that waits there, and the one that will when a command has arrived."""
    intended = worktree.intent.merging if worktree.intent else None
    return [each for each in (worktree.merging, intended) if each]


class Worktrees:
    """The table `worktree`. Made for one transaction or one reading, and not kept longer. `moved`: by number, where
    what was moved through it stood at first and stands now."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seal = sealer()
        self._total = Total(db, "worktree")
        self.moved: dict[int, tuple[Standing | None, Standing | None]] = {}

    def all(self) -> list[Worktree]:
        """Every one, the main one first."""
        rows = self._db.execute(f"SELECT {COLUMNS}, seal FROM worktree ORDER BY id", ()).fetchall()
        found = [_worktree(self._cells(row)) for row in rows]
        self._total.check(row[-1] for row in rows)
        return found

    def get(self, worktree: int) -> Worktree:
        """One by its number, as it is now."""
        found = self.find(worktree)
        if found is None:
            raise WorktreeGone(number=worktree)
        return found

    def find(self, worktree: int) -> Worktree | None:
        """The same, if it is there."""
        cells = self._find(worktree)
        if cells is not None:
            return _worktree(cells)
        self.all()  # it may be its number that is damaged
        return None

    def add(
        self, database: str, head: str, commit: CommitId | None, files: Files, *, number: int | None = None
    ) -> Worktree:
        """A new one; one that was removed comes back under its own number."""
        if number is None:
            number = self._next_number()
        cells = (number, database, head, _raw(commit), pack_files(files), None, None, None, None)
        seal = self._seal(cells)
        self._db.execute(f"INSERT INTO worktree({COLUMNS}, seal) VALUES({', '.join('?' * 10)})", (*cells, seal))
        self._total.change(seal)
        self._note(number, None, Standing(database, head, commit))
        return self.get(number)

    def remove(self, worktree: int) -> None:
        """Forget it; its file is not touched."""
        gone = self.get(worktree).standing
        self._total.change(self._seal(self._find(worktree) or ()))
        self._db.execute("DELETE FROM worktree WHERE id = ?", (worktree,))
        self._note(worktree, gone, None)

    def set_head(
        self,
        worktree: int,
        head: str,
        commit: CommitId | None,
        files: Files,
        *,
        merging: SnapshotId | None = None,
    ) -> None:
        """It now is at this commit, and this merge waits in it."""
        was = self.get(worktree).standing
        cells = {"head": head, "head_commit": _raw(commit), "head_files": pack_files(files), "merging": _raw(merging)}
        self._change(worktree, cells)
        self._note(worktree, was, Standing(was.database, head, commit, merging))

    def set_database(self, worktree: int, database: str) -> None:
        """Its file lies elsewhere."""
        was = self.get(worktree).standing
        self._change(worktree, {"database": database})
        self._note(worktree, was, replace(was, database=database))

    def set_live(self, worktree: int, live: Live | None) -> None:
        """This was found in its database."""
        mark, files = (live.mark, pack_files(live.files)) if live else (None, None)
        self._change(worktree, {"live_mark": mark, "live_files": files})

    def set_intent(self, worktree: int, intent: Intent | None) -> None:
        """A command is about to change its database; None: it has, or has not."""
        self._change(worktree, {"intent": _pack_intent(intent)})

    def _change(self, worktree: int, cells: Mapping[str, Any]) -> None:
        """Put these into its row, which must be whole: a new seal would hide what is wrong with the others."""
        before = self._find(worktree)
        if before is None:
            return
        after = tuple({**dict(zip(COLUMNS.split(", "), before, strict=True)), **cells}.values())
        names = ", ".join(f"{name} = ?" for name in cells)
        seal = self._seal(after)
        self._db.execute(f"UPDATE worktree SET {names}, seal = ? WHERE id = ?", (*cells.values(), seal, worktree))
        self._total.change(self._seal(before), seal)

    def _find(self, worktree: int) -> tuple[Any, ...] | None:
        row = self._db.execute(f"SELECT {COLUMNS}, seal FROM worktree WHERE id = ?", (worktree,)).fetchone()
        return None if row is None else self._cells(row)

    def _cells(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        if self._seal(row[:-1]) != row[-1]:
            raise RowDamaged(row=f"the row of working copy {row[0]}")
        return row[:-1]

    def _next_number(self) -> int:
        """Never one that was used before: operations name working copies by it."""
        highest = max((each.id for each in self.all()), default=0)
        known = self._db.execute("SELECT value FROM fact WHERE name = 'last_worktree'").fetchone()
        number: int = max(highest, known[0] if known else 0) + 1
        self._db.execute("INSERT OR REPLACE INTO fact(name, value) VALUES('last_worktree', ?)", (number,))
        return number

    def _note(self, worktree: int, before: Standing | None, after: Standing | None) -> None:
        self.moved[worktree] = (self.moved.get(worktree, (before,))[0], after)


def pack_files(files: Files) -> bytes:
    """The files of a version as one value."""
    return compress(encode([part for name in sorted(files) for part in (name, files[name])]), level=_LEVEL)


def unpack_files(packed: bytes) -> Files:
    """The files again."""
    parts = decode(decompress(packed))
    return dict(zip(parts[::2], parts[1::2], strict=True))


COLUMNS = "id, database, head, head_commit, head_files, live_mark, live_files, intent, merging"


def _worktree(cells: tuple[Any, ...]) -> Worktree:
    number, database, head, commit, files, mark, live_files, intent, merging = cells
    live = Live(mark, unpack_files(live_files)) if mark is not None and live_files is not None else None
    about = (number, database, head, _commit(commit), unpack_files(files), live, _unpack_intent(intent))
    return Worktree(*about, _snapshot(merging))


def _raw(commit: CommitId | SnapshotId | None) -> bytes | None:
    return bytes.fromhex(commit) if commit else None


def _snapshot(raw: bytes | None) -> SnapshotId | None:
    return SnapshotId(raw.hex()) if raw else None


def _commit(raw: bytes | None) -> CommitId | None:
    return CommitId(raw.hex()) if raw else None


def _pack_intent(intent: Intent | None) -> bytes | None:
    if intent is None:
        return None
    files = [pack_files(each) for each in (intent.before_files, intent.head_files, intent.live_files)]
    refs = [part for name, target in intent.refs.items() for part in (name, _raw(target))]
    heads = sorted(intent.heads.items())
    said = json.dumps(
        [asdict(intent.deed), asdict(intent.telling), heads, intent.merging]
    )  # ASCII: words that are no text stay what they are
    return encode([said, intent.mark, intent.head, _raw(intent.commit), *files, *refs])


def _unpack_intent(packed: bytes | None) -> Intent | None:
    if packed is None:
        return None
    said, mark, head, commit, *rest = decode(packed)
    files, refs = rest[:3], rest[3:]
    moves = {name: _commit(target) for name, target in zip(refs[::2], refs[1::2], strict=True)}
    deed, telling, heads, merging = json.loads(said)
    before_files, head_files, live_files = map(unpack_files, files)
    who = (_deed(deed), _telling(telling), mark, before_files)
    return Intent(*who, head, _commit(commit), head_files, live_files, moves, dict(heads), merging)


def _deed(said: dict[str, Any]) -> Deed:
    return Deed(Identity(**said.pop("author")), words=tuple(said.pop("words")), **said)


def _telling(said: dict[str, Any]) -> Telling:
    for name in ("tables", "settings"):
        said[name] = {key: tuple(each) for key, each in said[name].items()}
    for name in ("undone", "redone"):
        said[name] = tuple(said[name])
    return Telling(**said)
