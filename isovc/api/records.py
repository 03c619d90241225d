"""What the front door hands out: plain values that stay as they are. Times are datetimes in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from isovc.model import Key, Value
from isovc.snapshot.compare import Counts

Cells: TypeAlias = Mapping[str, Value]
Tables: TypeAlias = Mapping[str, Counts]  # how many rows, by table


@dataclass(frozen=True, slots=True)
class Commit:
    """One version in history. `author`: `Name <mail>`."""

    id: str
    parents: tuple[str, ...]
    author: str
    time: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Made(Commit):
    """A version just made: on which branch (None: on none), and what is new in it. `warnings`: what could not be
    kept."""

    branch: str | None
    tables: Tables
    files: Counts
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition, or a pragma, that differs. `op`: added, modified, removed or renamed."""

    op: str
    type: str
    name: str
    table: str | None


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs. `op`: added, modified, removed or renamed; then `was` is its path before."""

    op: str
    path: str
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits for decisions: which command began it, with whom, and how many things are to be settled."""

    command: str
    name: str
    open: int


@dataclass(frozen=True, slots=True)
class Status:
    """Where the database stands, and what is uncommitted. `elsewhere`: branches on which changes wait."""

    branch: str | None
    commit: str | None
    tables: Tables
    schema: tuple[Definition, ...]
    files: tuple[FileChange, ...]
    waiting: Waits | None
    elsewhere: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is uncommitted."""
        return not (self.tables or self.schema or self.files)


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch and the commit it leads to."""

    name: str
    commit: str
    current: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of going somewhere: `tables` is what moved in the database. `kept`: the version that holds what was
    uncommitted and stays on the branch that was left; `returned`: changes that were kept here are back; `waiting`:
    such changes that do not fit any more; `left`: a version that was left and that nothing leads to."""

    branch: str | None
    commit: str | None
    tables: Tables
    kept: str | None = None
    returned: bool = False
    waiting: str | None = None
    carried: bool = False
    left: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One row that differs; `before` or `after` is None where there is no such row."""

    table: str
    key: Key
    before: Cells | None
    after: Cells | None
    op: str


@dataclass(frozen=True, slots=True)
class Event:
    """One change of a row in history. `commit`: None where it is not committed yet."""

    commit: Commit | None
    table: str
    key: Key
    before: Cells | None
    after: Cells | None
    op: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell and the commit that wrote it; None: it is not committed yet."""

    table: str
    key: Key
    column: str
    value: Value
    commit: Commit | None


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of a merge, or of what is like one: where the branch is, the commits that were made, and what moved.
    `waiting`: conflicts are to be settled before it goes on. `renumbered`: rows by table, old number to new."""

    branch: str | None
    commit: str | None
    made: tuple[str, ...]
    tables: Tables
    waiting: Waits | None
    renumbered: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    @property
    def conflicts(self) -> int:
        """How many things wait."""
        return self.waiting.open if self.waiting else 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing that waits: a cell, a whole row (no column; then the sides are its cells), or a definition (no key).
    None on a side: it is not there."""

    id: int
    table: str
    key: Key | None
    column: str | None
    kind: str
    why: str
    base: Value | Cells
    ours: Value | Cells
    theirs: Value | Cells


@dataclass(frozen=True, slots=True)
class Resolved:
    """How many things were settled, how many still wait, and what moved in the database."""

    settled: int
    open: int
    tables: Tables


@dataclass(frozen=True, slots=True)
class Operation:
    """One command in the operation log. `undo_of`: the operation that it took back."""

    id: str
    time: datetime
    command: str
    summary: str
    undo_of: str | None


@dataclass(frozen=True, slots=True)
class Gone:
    """What came of undo or redo: the operations it went over, where the database stands, what moved in it, and what had
    been written since and comes back with the other."""

    operations: tuple[str, ...]
    branch: str | None
    commit: str | None
    tables: Tables
    since: Tables


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore. `time`: of the state that was found; `transaction` or `source` say which it is. `commit`:
    the version that was made of it; None: it went into a file, or nothing had to change."""

    time: datetime
    transaction: int | None
    source: str | None
    tables: Tables
    rows: int
    commit: str | None


@dataclass(frozen=True, slots=True)
class Stashed:
    """What was put aside: its number (0 is the newest), its version, the commit it was made on."""

    number: int
    id: str
    on: str
    time: datetime
    message: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of a version. `mode` is as `os.stat` has it; `content`: the id of what it holds."""

    path: str
    size: int
    mode: int
    time: datetime
    media: str
    content: str


@dataclass(frozen=True, slots=True)
class Worktree:
    """A working copy: a database file, and where it stands. `there`: the file is."""

    path: Path
    branch: str | None
    commit: str | None
    there: bool


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What nothing led to any more, and the bytes that the file system has again."""

    chunks: int
    bytes: int
    commits: int
    given_back: int


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked, and what is damaged, in words."""

    chunks: int
    commits: int
    damages: tuple[str, ...]
