"""Making a live database another version: announced in store.db, done in one transaction of the database, confirmed.

An interrupted command leaves its announcement behind. Whoever comes next looks at the database: it is one of the two
states, and the announcement is finished or dropped accordingly (`settle`). That is only done under the database's write
lock, so a command that is still at it is waited for, and its announcement is never taken from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace

from isovc.errors import (
    AttachmentsGone,
    DatabaseBusy,
    FileRefused,
    FileUnreadable,
    FolderBusy,
    FolderGone,
    HeadMoved,
    IsovcError,
    KeyUnusable,
    NoDatabase,
    NoPermission,
    PathInTheWay,
    PathLeavesFolder,
    PathsCollide,
    SigningNotInstalled,
)
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.acting import Act, acting
from isovc.repo.database import Database as Connection
from isovc.repo.decided import write_decided
from isovc.repo.deeds import Deed, Telling
from isovc.repo.names import BRANCHES
from isovc.repo.operations import SnapshotId
from isovc.repo.refs import Refs
from isovc.repo.worktrees import Files, Intent, Live, Worktrees
from isovc.snapshot.files import file_changes, without_files
from isovc.snapshot.move import plan_move
from isovc.snapshot.version import Version, decode_version, encode_version, same
from isovc.sources.sqlite import Writing
from isovc.workspace.arriving import Arriving
from isovc.workspace.attachments import folder_of, put_right, remember_arrived, sweep
from isovc.workspace.capturing import look_at, remember_made
from isovc.workspace.committing import write_commit
from isovc.workspace.desk import Desk
from isovc.workspace.status import Difference, counted, difference

_NO_MARK = b""  # of no state of a database: its rows are read again, and files that lie nowhere are known all the same
_FILES_STAY = (
    *(AttachmentsGone, FileRefused, FileUnreadable, FolderBusy, FolderGone),
    *(NoPermission, PathInTheWay, PathLeavesFolder, PathsCollide),
)


@dataclass(frozen=True, slots=True)
class Step:
    """Where a working copy goes: its next head, the version there, what the database shall hold, and where refs shall
    lead then (None: such a ref shall go). Who does it, and what its record will say."""

    deed: Deed
    telling: Telling
    head: str
    commit: CommitId | None
    head_files: Files
    live: Version
    refs: Mapping[str, CommitId | None] = field(default_factory=dict)
    heads: Mapping[int, str] = field(default_factory=dict)  # of other working copies whose branch is renamed with it
    merging: SnapshotId | None = None  # the merge that waits for a person then


@contextmanager
def changing(desk: Desk) -> Iterator[tuple[Desk, Writing, Version]]:
    """A transaction of the database under its write lock: the working copy as it is now, and what it holds."""
    desk.repository.signer()  # it is asked for before anything is changed
    try:
        folder = folder_of(desk)
        with ExitStack() as stack:
            arriving = Arriving(folder, desk.repository.chunks) if folder else None
            if arriving is not None:
                stack.callback(arriving.drop)
            with desk.database.writing() as writing:
                desk, _ = _settle(desk, writing)
                desk = replace(desk, arriving=arriving)
                live = look_at(desk, writing)
                yield desk, writing, live
                if arriving is not None:
                    _check_unwritten(desk, arriving)
            if arriving is not None:
                arriving.arrive()
    except DatabaseBusy:
        with suppress(IsovcError):  # a reader did not let us commit: nothing was done, and nothing is left to settle
            _withdraw(desk)
        raise


def _check_unwritten(desk: Desk, arriving: Arriving) -> None:
    try:
        arriving.check()
    except IsovcError:
        with suppress(IsovcError):  # nothing was done, and nothing is left to settle
            _withdraw(desk)
        raise


def move(desk: Desk, writing: Writing, live: Version, step: Step, *, refuse_violations: bool = False) -> Intent:
    """Do it inside the transaction that `live` was seen in; `confirm` after that has been committed."""
    intent = announce(desk, writing, live, step)
    try:
        plan = plan_move(desk.repository.forest, live, step.live, desk.repository.tally)
        writing.apply(plan.target, plan.changes, contents=plan.contents, refuse_violations=refuse_violations)
    except BaseException:
        with suppress(IsovcError):  # whoever comes next would see that nothing was done
            _withdraw(desk)
        raise
    return intent


def announce(
    desk: Desk, writing: Writing, live: Version, step: Step, keeping: Callable[[Connection], SnapshotId] | None = None
) -> Intent:
    """Say in store.db what the transaction is about to make of the database, or has made of it and not committed.
    `keeping`: keeps the merge that will wait then."""
    intent = Intent(
        step.deed,
        step.telling,
        writing.mark.encode(),
        encode_version(live),
        step.head,
        step.commit,
        step.head_files,
        encode_version(step.live),
        step.refs,
        step.heads,
        step.merging,
    )
    if desk.arriving is not None:
        desk.arriving.stage(file_changes(desk.repository.forest, live, step.live))
        desk.arriving.check_places()
    with desk.repository.file.transaction() as db:
        _check_still_there(db, step)
        if keeping is not None:
            intent = replace(intent, merging=keeping(db))
        Worktrees(db).set_intent(desk.worktree.id, intent)
    return intent


def _check_still_there(db: Connection, step: Step) -> None:
    """Refuse to stand on a branch that somebody has moved since it was looked up."""
    if step.head.startswith(BRANCHES) and step.head not in step.refs:
        found = Refs(db).get(step.head)
        if (found.target if found else None) != step.commit:
            raise HeadMoved(head=step.head)


def confirm(desk: Desk, intent: Intent, writing: Writing, moved: Difference) -> None:
    """The database has been moved by so much: the working copy is there now."""
    try:
        _confirm(desk, intent, writing, moved)
    except IsovcError:
        if not writing.is_changed and not (desk.arriving and desk.arriving.changes):
            raise  # nothing has been done then, and the next command drops the announcement
        # the rows or files are there and the announcement stands: the next command writes down what this one has done


def _confirm(desk: Desk, intent: Intent, writing: Writing, moved: Difference) -> None:
    with desk.repository.file.transaction() as db:
        worktrees = Worktrees(db)
        if worktrees.get(desk.worktree.id).intent != intent:
            return  # another command came between, and has settled it
        _arrive(db, desk, intent, moved)
        worktrees.set_live(desk.worktree.id, None if folder_of(desk) else Live(_NO_MARK, intent.live_files))
    write_decided(desk.repository)
    made = decode_version(intent.live_files)
    remember_arrived(desk, made)
    remember_made(desk, made, writing.committed)


def settle(desk: Desk) -> tuple[Desk, str]:
    """Finish or drop what an interrupted command left behind; what was done about it, if anything."""
    try:
        with desk.database.writing() as writing:
            settled = _settle(desk, writing)
        write_decided(desk.repository)
        return settled
    except NoDatabase:
        return desk, ""  # it may come back, and nothing can be said before; whoever needs it says that it is not there
    except DatabaseBusy:
        assert desk.worktree.intent is not None
        said = desk.worktree.intent.deed.command
        return desk, f"an interrupted `isovc {said}` is settled when nobody else writes to the database"
    except _FILES_STAY as error:  # reading goes on, and so does naming another folder
        assert desk.worktree.intent is not None
        said = desk.worktree.intent.deed.command
        return desk, f"an interrupted `isovc {said}` is settled when its files can have their places: {error.message}"
    except (KeyUnusable, SigningNotInstalled) as error:  # reading goes on, and so does naming another key
        assert desk.worktree.intent is not None
        said = desk.worktree.intent.deed.command
        return desk, f"an interrupted `isovc {said}` is settled when its record can be signed: {error.message}"


def keep_uncommitted(
    desk: Desk, history: GitHistory, live: Version, deed: Deed, *, before: CommitId | None = None, message: str = ""
) -> CommitId | None:
    """Keep what is uncommitted as a commit of its own, which no ref leads to yet; None: there is nothing. `before`:
    what was kept at the same place and still waits."""
    if desk.worktree.commit is None or same(live, desk.head):
        return None
    parents = [each for each in (desk.worktree.commit, before) if each]
    message = message or f"Uncommitted changes on {desk.worktree.branch or desk.worktree.head[:12]}"
    with desk.repository.file.transaction() as db:
        return write_commit(db, history, encode_version(live), parents, message, deed)[0]


def _settle(desk: Desk, writing: Writing) -> tuple[Desk, str]:
    desk = desk.again()
    intent = desk.worktree.intent
    if intent is None:
        return desk, ""
    name = f"interrupted `isovc {intent.deed.command}`"
    before, wanted = (decode_version(files) for files in (intent.before_files, intent.live_files))
    sweep(desk)
    # files arrive once the rows are there, so the rows tell how far it came; the files only where no row was to change
    is_about_files = same(without_files(before), without_files(wanted)) and not same(before, wanted)
    is_untouched = writing.mark.encode() == intent.mark and not is_about_files
    live = desk.head if is_untouched else look_at(desk, writing)
    if is_untouched or (is_about_files and not _has_begun(desk, before, wanted, live)):
        _withdraw(desk)
        return desk.again(), f"dropped an {name}"
    sides = (without_files(each) for each in (wanted, before))
    to_wanted, to_before = (_distance(desk, each, without_files(live)) for each in sides)
    is_done = is_about_files or to_wanted <= to_before
    put_right(desk, live, *((wanted, before) if is_done else (before, wanted)))
    if is_done:
        with desk.repository.file.transaction() as db:
            _arrive(db, desk, intent, difference(desk, before, wanted))
            if folder_of(desk) is None:
                Worktrees(db).set_live(desk.worktree.id, Live(_NO_MARK, intent.live_files))
        return desk.again(), f"finished an {name}"
    with acting(desk.repository, intent.deed, desk.worktree.id) as act:
        act.worktrees.set_intent(desk.worktree.id, None)
        act.saw(intent.before_files, encode_version(live))
        act.record(Telling(f"drop an {name}", tables=counted(difference(desk, before, live))))
    return desk.again(), f"dropped an {name}; isovc undo brings back what the database held before it"


def _has_begun(desk: Desk, before: Version, wanted: Version, live: Version) -> bool:
    """Whether any file is already as it is wanted."""
    forest = desk.repository.forest
    missing = {change.path: change.after for change in file_changes(forest, live, wanted)}
    return any(change.path not in missing for change in file_changes(forest, before, wanted))


def _distance(desk: Desk, old: Version, new: Version) -> int:
    """How much differs. Others may have written since, so neither side need be equal; as far from one as from the
    other counts as done, because the record of a finished command has both sides."""
    found = difference(desk, old, new)
    rows = sum(each.added + each.modified + each.removed for each in found.tables.values())
    return rows + len(found.schema) + len(found.pragmas)


def _withdraw(desk: Desk) -> None:
    with desk.repository.file.transaction() as db:
        Worktrees(db).set_intent(desk.worktree.id, None)


def _arrive(db: Connection, desk: Desk, intent: Intent, moved: Difference) -> None:
    act = Act(db, intent.deed, desk.worktree.id, desk.repository.signer())
    act.lead(intent.refs, intent.deed.command)
    act.rename_heads(intent.heads)
    act.worktrees.set_head(desk.worktree.id, intent.head, intent.commit, intent.head_files, merging=intent.merging)
    act.worktrees.set_intent(desk.worktree.id, None)
    act.saw(intent.before_files, intent.live_files)
    act.record(replace(intent.telling, tables=counted(moved)))
