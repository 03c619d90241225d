"""A recorded state brought back: into the live database as a new commit, onto a branch, or into a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from isovc.disk import fsync_folder
from isovc.encoding.orderkey import encode_key
from isovc.errors import (
    DatabaseCorrupt,
    FolderMissing,
    NoCommitsYet,
    NoDatabase,
    NotADatabase,
    NothingDiffers,
    OtherColumnsThen,
    PathTaken,
)
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.model import Shape
from isovc.repo.acting import acting
from isovc.repo.deeds import Deed, Telling
from isovc.repo.names import BRANCHES
from isovc.repo.presence import planting, trying
from isovc.repo.refs import Refs
from isovc.snapshot.files import files_root, with_files, without_files
from isovc.snapshot.rows import with_rows
from isovc.snapshot.values import row_without_large
from isovc.snapshot.version import Version, encode_version, laid_out_like, same
from isovc.tree.build import build
from isovc.workspace.appearing import growing_name, vanish
from isovc.workspace.capturing import look
from isovc.workspace.committing import write_commit
from isovc.workspace.comparing import Selection, compare
from isovc.workspace.desk import Desk, check_foreign, check_text
from isovc.workspace.merging.waiting import refuse_while_waiting
from isovc.workspace.moving import Step, changing, confirm, move
from isovc.workspace.restoring.points import Point
from isovc.workspace.restoring.proving import Proof, prove
from isovc.workspace.status import Difference, difference
from isovc.workspace.switching import with_tables


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it. `moved`: in the live database, or what is other on the branch or in the file than there.
    `files_left`: how many files of the state are not in it, since a database holds none."""

    point: Point
    proof: Proof
    moved: Difference
    commit: CommitId | None = None
    files_left: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come back; nothing said: everything. `where`: the rows that meet it now, or met it then."""

    tables: tuple[str, ...] = ()
    where: str = ""


def restore_live(
    desk: Desk, history: GitHistory, point: Point, wanted: Wanted, deed: Deed, *, dry_run: bool = False
) -> Restored:
    """Into the live database, as a new commit. What was uncommitted, and is overwritten, is in the record."""
    with _proven(desk, point) as (then, proof):
        if dry_run:
            live = look(desk)
            return Restored(point, proof, difference(desk, live, _with(desk, live, then, wanted, point)))
        with changing(desk) as (desk, writing, live):
            refuse_while_waiting(desk)
            here = desk.worktree
            if here.commit is None:
                raise NoCommitsYet(branch=here.branch or here.head)
            held = laid_out_like(_with(desk, live, then, wanted, point), live)
            kept = laid_out_like(_with(desk, desk.head, then, wanted, point), live)
            if same(held, live) and same(kept, desk.head):
                raise NothingDiffers(what=f"restore {point.found.name}")
            made = here.commit if same(kept, desk.head) else _committed(desk, history, kept, point, wanted, deed)
            refs: dict[str, CommitId | None] = {here.head: made} if here.branch else {}
            head = here.head if here.branch else made
            telling = Telling(_message(point, wanted)[0])
            step = Step(deed, telling, head, made, encode_version(kept), held, refs)
            intent = move(desk, writing, live, step)
            moved = difference(desk, live, held)
        confirm(desk, intent, writing, moved)
    return Restored(point, proof, moved, made)


def restore_branch(
    desk: Desk, history: GitHistory, point: Point, wanted: Wanted, name: str, deed: Deed, *, dry_run: bool = False
) -> Restored:
    """Onto a new branch, as a commit behind the one that is checked out; the database stays as it is."""
    head = BRANCHES + name
    with desk.repository.file.reading() as db:
        Refs(db).check_new(head)
    with _proven(desk, point) as (then, proof):
        kept = _with(desk, desk.head, then, wanted, point)
        moved = difference(desk, desk.head, kept)
        if dry_run:
            return Restored(point, proof, moved)
        made = _committed(desk, history, kept, point, wanted, deed)
        with acting(desk.repository, deed, desk.worktree.id) as act:
            act.refs.move(head, made, act.stamp(deed.command), seen=None)
            act.record(Telling(f"{_message(point, wanted)[0]} onto {name}"))
    return Restored(point, proof, moved, made)


def restore_file(desk: Desk, point: Point, wanted: Wanted, path: Path, *, dry_run: bool = False) -> Restored:
    """Into a new file, which nobody meets before it is whole. It holds the database alone: `isovc export-files` has the
    files."""
    path = path.absolute()
    check_text(path)
    check_foreign(desk.repository, path)
    if path.exists():
        raise PathTaken(path=path)
    if not path.parent.is_dir():
        raise FolderMissing(path=path.parent)
    found = point.read()
    files = None if wanted.tables else files_root(found)
    then = without_files(found)
    version = _with(desk, _without_rows(desk, then, wanted), then, wanted, point)
    moved = difference(desk, _readable(desk), version)  # before the file is there: a failure leaves none
    growing = growing_name(path)
    with planting(desk.repository.folder):  # another one would make its file under the same name
        vanish(path)
        try:
            proof = prove(desk, version, growing, what=point.found.name)
            if path.exists():  # it took a while
                raise PathTaken(path=path)
            if not dry_run:
                growing.rename(path)
                fsync_folder(path.parent)
        finally:
            vanish(path)
    return Restored(point, proof, moved, files_left=files.rows if files else 0)


def _readable(desk: Desk) -> Version:
    """The live database, or nothing where there is none any more: then above all a file of its own is wanted."""
    try:
        return without_files(look(desk))
    except (DatabaseCorrupt, NoDatabase, NotADatabase):
        return Version()


@contextmanager
def _proven(desk: Desk, point: Point) -> Iterator[tuple[Version, Proof]]:
    """The version of a point, rebuilt in a file of its own and looked at there."""
    then = point.read()
    with trying(desk.repository.folder) as folder:
        proof = prove(desk, then, folder / "database", what=point.found.name)
    yield then, proof


def _with(desk: Desk, now: Version, then: Version, wanted: Wanted, point: Point) -> Version:
    """A version with what is wanted as it was then. A transaction is of the database alone: the files stay."""
    if not point.has_files:
        then = with_files(then, files_root(now))
    if wanted.where:
        return _with_rows_of(desk, now, then, wanted)
    return with_tables(now, then, wanted.tables) if wanted.tables else then


def _without_rows(desk: Desk, then: Version, wanted: Wanted) -> Version:
    """What a new file holds of it before rows come: nothing but the definitions that are wanted."""
    empty = Version(Shape(then.shape.encoding, then.shape.pragmas))
    if wanted.where:
        chosen = with_tables(empty, then, wanted.tables) if wanted.tables else then
        bare = build(desk.repository.forest, ())
        return replace(chosen, roots=dict.fromkeys(chosen.roots, bare))
    return empty


def _with_rows_of(desk: Desk, now: Version, then: Version, wanted: Wanted) -> Version:
    forest = desk.repository.forest
    found = compare(desk, now, then, Selection(tables=wanted.tables, where=wanted.where))
    rows = {}
    with forest.store.writing() as writer:
        for table in found.delta.tables:
            before, after = now.shape.tables.get(table.name), then.shape.tables.get(table.name)
            if before is None or after is None or (before.key, before.cells) != (after.key, after.cells):
                raise OtherColumnsThen(table=table.name)
            width = len(after.key)
            rows[table.name] = {
                encode_key(change.key): None if change.after is None else row_without_large(change.after, writer, width)
                for change in table.rows()
            }
    return with_rows(forest, now, rows)


def _committed(desk: Desk, history: GitHistory, kept: Version, point: Point, wanted: Wanted, deed: Deed) -> CommitId:
    parents = [desk.worktree.commit] if desk.worktree.commit else []
    with desk.repository.file.transaction() as db:
        return write_commit(db, history, encode_version(kept), parents, "\n\n".join(_message(point, wanted)), deed)[0]


def _message(point: Point, wanted: Wanted) -> tuple[str, ...]:
    what = f"{', '.join(wanted.tables)} from " if wanted.tables else ""
    rows = (f"Only the rows where {wanted.where}",) if wanted.where else ()
    return (f"Restore {what}{point.found.name}", *rows)
