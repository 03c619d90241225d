"""A merge that waits for a person: what it is about, what it came from, and what of it is contested. Immutable like a
version, and kept like one. Knows nothing of how it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from isovc.encoding.orderkey import encode_key
from isovc.encoding.values import decode, encode
from isovc.errors import NotCanonical, RowDamaged, SnapshotForgotten
from isovc.history import CommitId
from isovc.model import Column, Key, KeyKind, SchemaObject, Shape, Table
from isovc.repo.database import Database
from isovc.repo.operations import SnapshotId
from isovc.repo.snapshots import keep_snapshot, read_snapshot
from isovc.repo.worktrees import Files
from isovc.snapshot.merging.how import How, Place
from isovc.snapshot.numbering.numbers import Numbers
from isovc.snapshot.values import row_without_large, with_large
from isovc.snapshot.version import Version, decode_version, encode_version
from isovc.tree.build import build
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.leaf import Row as Cells
from isovc.tree.read import scan

FORMAT = 2
READABLE = (1, 2)  # 1 said nothing about numbers
_FILE = "merge.json"  # beside the two files of a version, which hold what is contested

OPEN, SETTLED = "open", "settled"
_COLUMNS = ("id", "table", "key", "column", "kind", "type", "name", "why", "base", "ours", "theirs")
_TABLE = Table(
    "",
    (Column("id", "INTEGER", primary_key=1), *(Column(each) for each in _COLUMNS[1:])),
    KeyKind.INTEGER,
)


@dataclass(frozen=True, slots=True)
class Task:
    """One step of a sequence: the changes from `bases` to `theirs` are brought, and a commit is made of it. Several
    bases stand for the version that they have in common. `name`: what conflicts call their side."""

    name: str
    bases: tuple[CommitId, ...]
    theirs: CommitId | None
    message: str
    author: str = ""  # who is asked at the end: nobody
    parents: tuple[CommitId, ...] = ()  # of the commit, beside where the branch is


@dataclass(frozen=True, slots=True)
class Contested:
    """One thing that waits: a cell, a whole row (no column), or a definition (no key). The sides (base, ours, theirs)
    are rows as trees hold them, in the columns of the merged table, or the text of a definition as the only cell."""

    id: int
    table: str
    key: Key | None
    column: str | None
    kind: str
    sides: tuple[Cells | None, Cells | None, Cells | None]
    place: Place | None = None
    why: str = ""

    @property
    def what(self) -> tuple[object, ...]:
        """Two that are about the same thing have the same."""
        pointing = self.why if self.kind == "foreign key" else None  # of one row several may point to nothing
        return self.table, None if self.key is None else encode(list(self.key)), self.column, self.place, pointing


@dataclass(frozen=True, slots=True)
class Merge:
    """`versions`: the three sides (`base`, `ours`, `theirs`), what the database was given (`merged`), and what it held
    before the command (`before`). `home`: the head when the command began. `commits`: whether it ends with a commit;
    `drops`: a ref that goes then. `todo`: the steps behind this one. `numbers`: what rows of theirs were called before
    the sides were merged, old number to new; `renumbered`: what those got that had to be told apart."""

    command: str
    ours_name: str
    task: Task
    home: str
    home_commit: CommitId | None
    versions: Mapping[str, SnapshotId]
    how: How = field(default_factory=How)
    todo: tuple[Task, ...] = ()
    commits: bool = True
    drops: str = ""
    conflicts: Version = field(default_factory=Version)
    numbers: Numbers = field(default_factory=dict)
    renumbered: Numbers = field(default_factory=dict)

    def with_versions(self, versions: Mapping[str, SnapshotId]) -> Merge:
        """The same with some versions more."""
        return replace(self, versions={**self.versions, **versions})

    @property
    def open(self) -> int:
        """How many things wait."""
        return self.conflicts.roots[OPEN].rows

    @property
    def settled(self) -> int:
        """How many have been settled."""
        return self.conflicts.roots[SETTLED].rows


# -- what is contested -------------------------------------------------------------------------------------------------


def contesting(forest: Forest, contested: Iterable[Contested], settled: Root | None = None) -> Version:
    """A set of them, in the order of their ids, as a version of a database with two tables."""
    with forest.store.writing() as writer:
        rows = (row_without_large(_cells(each), writer, 1) for each in contested)
        opened = build(forest, rows, writer=writer)
        settled = settled or build(forest, (), writer=writer)
    tables = {name: replace(_TABLE, name=name) for name in (OPEN, SETTLED)}
    objects = tuple(SchemaObject("table", name, name, _definition(name)) for name in tables)
    return Version(Shape(objects=objects, tables=tables), {OPEN: opened, SETTLED: settled})


def contested_in(forest: Forest, merge: Merge, which: str = OPEN) -> Iterator[Contested]:
    """What waits, or what has been settled, in the order of ids."""
    for row in scan(forest, merge.conflicts.roots[which].id, cells=range(len(_COLUMNS))):
        yield _contested(with_large(forest.store, row))


def settle(forest: Forest, merge: Merge, settled: Iterable[Contested]) -> Merge:
    """The same with these settled."""
    done = {each.id: each for each in settled}
    roots = merge.conflicts.roots
    width = len(_COLUMNS)
    keys = {number: encode_key((number,)) for number in sorted(done)}
    with forest.store.writing() as writer:
        rows = [row_without_large(_cells(done[number]), writer, 1) for number in keys]
        less = edit(forest, roots[OPEN].id, [Edit(key, None) for key in keys.values()], width=width, writer=writer)
        edits = [Edit(key, row) for key, row in zip(keys.values(), rows, strict=True)]
        more = edit(forest, roots[SETTLED].id, edits, width=width, writer=writer)
    return replace(merge, conflicts=replace(merge.conflicts, roots={OPEN: less, SETTLED: more}))


def _cells(each: Contested) -> tuple[Any, ...]:
    key = None if each.key is None else encode(list(each.key))
    sides = (None if side is None else encode(list(side)) for side in each.sides)
    return (each.id, each.table, key, each.column, each.kind, *(each.place or (None, None)), each.why, *sides)


def _contested(row: tuple[Any, ...]) -> Contested:
    number, table, key, column, kind, type_, name, why, *sides = row
    base, ours, theirs = (None if side is None else tuple(decode(side)) for side in sides)
    place = None if name is None else (type_, name)
    known = None if key is None else tuple(decode(key))
    return Contested(number, table, known, column, kind, (base, ours, theirs), place, why)


def _definition(name: str) -> str:
    columns = ", ".join(f'"{each}"' for each in _COLUMNS[1:])
    return f"CREATE TABLE {name}(id INTEGER PRIMARY KEY, {columns})"


# -- the whole ---------------------------------------------------------------------------------------------------------


def keep_merge(db: Database, merge: Merge) -> SnapshotId:
    """Keep it; its id."""
    return keep_snapshot(db, _encode(merge))


def read_merge(db: Database, snapshot: SnapshotId) -> Merge:
    """The merge with this id."""
    return _decode(read_snapshot(db, snapshot))


def read_waiting(db: Database, snapshot: SnapshotId) -> Merge:
    """The merge that waits in a working copy now. gc keeps it, so one that is not there is damage."""
    return _decode(read_needed(db, snapshot))


def read_needed(db: Database, snapshot: SnapshotId) -> Files:
    """A state that a merge needs which waits now."""
    try:
        return read_snapshot(db, snapshot)
    except SnapshotForgotten:
        raise RowDamaged(row=f"state {snapshot[:12]} of the merge that waits") from None


def needed_by(db: Database, *merges: SnapshotId) -> set[SnapshotId]:
    """The snapshots that must be kept for these, themselves among them."""
    return {needed for each in merges for needed in (each, *read_merge(db, each).versions.values())}


def commits_of(merge: Merge) -> set[CommitId]:
    """The commits that it goes on with, or back to."""
    steps = (merge.task, *merge.todo)
    found = {each for step in steps for each in (*step.bases, step.theirs, *step.parents)}
    return {each for each in (*found, merge.home_commit) if each}


def _encode(merge: Merge) -> Files:
    how = merge.how
    said = {
        "format": FORMAT,
        "command": merge.command,
        "ours_name": merge.ours_name,
        "task": asdict(merge.task),
        "todo": [asdict(each) for each in merge.todo],
        "home": merge.home,
        "home_commit": merge.home_commit,
        "versions": dict(merge.versions),
        "commits": merge.commits,
        "drops": merge.drops,
        "prefer": how.prefer,
        "tables": dict(how.tables),
        "definitions": [[*place, side] for place, side in how.definitions.items()],
        "json": sorted(how.json),
        "renumber": {
            table: None if keys is None else sorted(key.hex() for key in keys) for table, keys in how.renumber.items()
        },
        "numbers": _pairs(merge.numbers),
        "renumbered": _pairs(merge.renumbered),
    }
    return {**encode_version(merge.conflicts), _FILE: json.dumps(said, indent=1, ensure_ascii=True).encode()}


def _decode(files: Files) -> Merge:
    try:
        said = json.loads(files[_FILE])
        if said["format"] not in READABLE:
            raise ValueError(f"its format is {said['format']}")
        how = How(
            said["prefer"],
            said["tables"],
            {(type_, name): side for type_, name, side in said["definitions"]},
            frozenset((table, column) for table, column in said["json"]),
            {
                table: None if keys is None else frozenset(map(bytes.fromhex, keys))
                for table, keys in said["renumber"].items()
            },
        )
        return Merge(
            said["command"],
            said["ours_name"],
            _task(said["task"]),
            said["home"],
            said["home_commit"],
            said["versions"],
            how,
            tuple(map(_task, said["todo"])),
            said["commits"],
            said["drops"],
            decode_version(files),
            _numbers(said.get("numbers", {})),
            _numbers(said.get("renumbered", {})),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise NotCanonical(what="a merge that waits", why=str(error)) from None


def _task(said: Mapping[str, Any]) -> Task:
    return Task(**{**said, "bases": tuple(said["bases"]), "parents": tuple(said["parents"])})


def _pairs(numbers: Numbers) -> dict[str, list[list[int]]]:
    return {table: [[old, new] for old, new in some.items()] for table, some in numbers.items()}


def _numbers(said: Mapping[str, Any]) -> Numbers:
    return {table: {int(old): int(new) for old, new in some} for table, some in said.items()}
