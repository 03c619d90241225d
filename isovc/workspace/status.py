"""What differs between the database and the commit it is at. Changes neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from isovc.history import CommitId
from isovc.progress import SILENT, Progress
from isovc.repo.merges import Merge
from isovc.repo.names import BRANCHES, KEPT, kept_name
from isovc.repo.refs import Refs
from isovc.snapshot.compare import Counts, SchemaChange, count_changes, schema_changes
from isovc.snapshot.files import file_changes
from isovc.snapshot.version import Version, pragmas_said, same
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk
from isovc.workspace.merging.waiting import waiting_in


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two versions, counted."""

    tables: Mapping[str, Counts]
    schema: tuple[SchemaChange, ...]
    pragmas: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.tables or self.schema or self.pragmas)


class Named(NamedTuple):
    """A definition or a pragma that differs, by its name."""

    type: str
    name: str
    table: str | None
    op: str


def definitions(found: Difference) -> list[Named]:
    """Everything that differs and is no row."""
    named: list[Named] = []
    for change in found.schema:
        each = change.after or change.before
        assert each is not None
        named.append(Named(each.type, each.name, each.table, change.op))
    return [*named, *(Named("pragma", name, None, "modified") for name in found.pragmas)]


def counted(found: Difference) -> dict[str, tuple[int, int, int]]:
    """The rows that differ, as the record of an operation has them."""
    return {name: (each.added, each.modified, each.removed) for name, each in found.tables.items()}


@dataclass(frozen=True, slots=True)
class Status:
    """Where a working copy stands."""

    branch: str | None
    commit: CommitId | None
    difference: Difference
    waiting: CommitId | None  # changes that were kept here and are not in the database
    elsewhere: tuple[str, ...]  # other branches on which changes wait
    merging: Merge | None = None  # that waits for somebody
    files: tuple[tuple[str, str], ...] = ()  # what was done to which file


def status(desk: Desk, *, verify: bool = False, progress: Progress = SILENT) -> Status:
    """Look at the database and compare it with its commit."""
    live = look(desk, verify=verify, progress=progress)
    with desk.repository.file.reading() as db:
        kept = {ref.name: ref.target for ref in Refs(db).all(KEPT)}
    found = difference(desk, desk.head, live)
    here, branches = kept_name(desk.worktree.head), kept_name(BRANCHES)
    elsewhere = [each.removeprefix(branches) for each in kept if each.startswith(branches) and each != here]
    files = tuple((each.op, each.path) for each in file_changes(desk.repository.forest, desk.head, live))
    about = (desk.worktree.branch, desk.worktree.commit, found, kept.get(here), tuple(elsewhere))
    return Status(*about, waiting_in(desk), files)


def difference(desk: Desk, old: Version, new: Version) -> Difference:
    """What differs between two versions."""
    if same(old, new):
        return Difference({}, (), ())
    tables = count_changes(desk.repository.forest, old, new, desk.repository.tally)
    before, after = pragmas_said(old.shape), pragmas_said(new.shape)
    pragmas = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return Difference(tables, tuple(schema_changes(old, new)), tuple(pragmas))
