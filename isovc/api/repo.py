"""A database under version control, for scripts: one method a command. Each only names what the rooms below do.

It is longer than other modules, because everything that can be done stands on one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from isovc.api import records, telling
from isovc.api.seat import Revision, Seat, Work, moment, several, words
from isovc.api.stash import Stash
from isovc.api.streams import Diff, Rows, Stream
from isovc.errors import Damage, OptionsClash
from isovc.formats.delta import row_patches
from isovc.formats.keys import key_whole
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.lifecycle.gc import clean, plan
from isovc.lifecycle.verify import verify
from isovc.model import Key, Value
from isovc.repo.commits import CommitIndex
from isovc.repo.names import BRANCHES, TAGS, short
from isovc.repo.operations import Operations
from isovc.repo.place import check_free
from isovc.repo.refs import Refs
from isovc.repo.revisions import Empty
from isovc.snapshot.merging.how import Side
from isovc.sources.sqlite.asking import Connection, Parameters
from isovc.workspace import naming, outposts
from isovc.workspace.asking import asking, connection_at
from isovc.workspace.capturing import notes, warnings
from isovc.workspace.choices import how_of
from isovc.workspace.committing import commit as make
from isovc.workspace.comparing import Selection, compare
from isovc.workspace.desk import Desk, database_path
from isovc.workspace.heads import beginning, head_apart, head_of, tip
from isovc.workspace.merging.bringing import bring
from isovc.workspace.merging.choosing import Choice, Which
from isovc.workspace.merging.ending import commit_waiting, give_up, go_on
from isovc.workspace.merging.listing import check_table, listed
from isovc.workspace.merging.planning import commits_meant, merge_of, picks_of, rebase_of, reverts_of
from isovc.workspace.merging.resolving import resolve
from isovc.workspace.merging.tasks import Plan
from isovc.workspace.merging.waiting import need, refuse_while_waiting, waiting_in
from isovc.workspace.restoring.doing import Wanted, restore_branch, restore_file, restore_live
from isovc.workspace.restoring.points import at_time, at_transaction, at_words
from isovc.workspace.rows.blame import blame
from isovc.workspace.rows.changes import history_of_row
from isovc.workspace.rows.past import Past
from isovc.workspace.status import status
from isovc.workspace.stored import below, content, export, file_at
from isovc.workspace.switching import reset, switch, take_tables
from isovc.workspace.undoing import go
from isovc.workspace.ways import Way, plan_redo, plan_undo

RowKey = Value | Key  # one value, or one for each column of the key


class Repo:
    """A working copy: a database, and the repository it belongs to. Made by `isovc.open` and `isovc.init`.

    A revision is what it is on the command line (`"main"`, `"HEAD~2"`, `"WORK"`), or a datetime with a zone.
    """

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self.stash = Stash(seat)

    @property
    def folder(self) -> Path:
        """The folder `.isovc`."""
        return self._seat.place.folder

    @property
    def path(self) -> Path:
        """The database."""
        with self._seat.looking() as work:
            return database_path(work.desk.repository, work.desk.worktree)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held between two calls, so there is nothing to let go of."""

    # -- versions ------------------------------------------------------------------------------------------------------

    def status(self, *, verify: bool = False) -> records.Status:
        """Where the database stands and what is uncommitted. `verify`: read every row, whatever they look like."""
        with self._seat.looking() as work:
            found = status(work.desk, verify=verify, progress=self._seat.person.progress)
            return telling.status(found, warnings(work.desk))

    def commit(self, message: str = "", *, author: str | None = None, allow_empty: bool = False) -> records.Made:
        """Keep the database as it is now. While a merge waits this ends it, and needs no message."""
        with self._seat.doing("commit", author=author) as (work, by):
            desk, history = work.desk, work.history
            warned = warnings(desk)  # before the commit: after it nothing may fail any more
            if desk.worktree.merging is not None:
                how = how_of(desk.repository.settings)
                made = commit_waiting(desk, history, how, by, message=message, author=author or "")
            else:
                progress = self._seat.person.progress
                made = make(desk, history, message, by, allow_empty=allow_empty, progress=progress)
            with desk.repository.file.reading() as db:
                return telling.made(made, CommitIndex(db).get(made.commit), (*warned, *notes(desk)))

    def log(
        self, revision: Revision = "HEAD", *, without: Revision | None = None, limit: int | None = None
    ) -> list[records.Commit]:
        """The versions that lead to one, the newest first. `without`: not those that lead to this one too."""
        with self._seat.looking() as work, work.desk.repository.file.reading() as db:
            tips = [] if isinstance(work.revisions.found(words(revision)), Empty) else [work.commit_id(revision)]
            known = [] if without is None else [work.commit_id(without)]
            return [telling.commit(each) for each in islice(CommitIndex(db).walk(tips, without=known), limit)]

    def diff(
        self,
        old: Revision | None = None,
        new: Revision = "WORK",
        *,
        tables: Sequence[str] = (),
        where: str = "",
        columns: Sequence[str] = (),
        limit: int | None = None,
    ) -> Diff:
        """What differs between two versions: by default what is uncommitted. `where`: SQL that a row meets before or
        after; `columns`: only changes of these."""
        wanted = Selection(several(tables), where, several(columns), limit, files_apart=True)
        with ExitStack() as stack:
            work = stack.enter_context(self._seat.looking())
            said = old if old is not None else "HEAD" if work.desk.worktree.commit else "EMPTY"
            one, other = (work.revisions.version(words(each)) for each in (said, new))
            found = compare(work.desk, one, other, wanted)
            rows = (telling.change(each) for table in found.delta.tables for each in row_patches(table))
            return Diff(
                stack.pop_all(),
                rows,
                schema=tuple(map(telling.definition, found.delta.definitions)),
                files=tuple(map(telling.file_change, found.files)),
                cut=found.cut,
            )

    def history(self, table: str, key: RowKey, revision: Revision = "HEAD") -> Stream[records.Event]:
        """Every change of one row, the newest first."""
        with ExitStack() as stack:
            work = stack.enter_context(self._seat.looking())
            revisions = work.revisions
            past = Past(work.desk, revisions.read)
            start = past.start(revisions.found(words(revision)))
            said, progress = words(revision), self._seat.person.progress
            found = history_of_row(past, start, table, _key(key), where=said, progress=progress)
            return Stream(stack.pop_all(), map(telling.event, found))

    def blame(
        self,
        table: str,
        key: RowKey | None = None,
        revision: Revision = "WORK",
        *,
        columns: Sequence[str] = (),
    ) -> Stream[records.Cell]:
        """Which commit wrote each cell of a row, or of the whole table."""
        with ExitStack() as stack:
            work = stack.enter_context(self._seat.looking())
            revisions = work.revisions
            past = Past(work.desk, revisions.read)
            start = past.start(revisions.found(words(revision)))
            row, said, progress = None if key is None else _key(key), words(revision), self._seat.person.progress
            found = blame(past, start, table, row, columns=columns, where=said, progress=progress)
            return Stream(stack.pop_all(), map(telling.cell, found))

    def sql(self, query: str, parameters: Parameters = None, *, at: Revision | None = None) -> Rows:
        """The answer to one statement that reads: of the live database, or of a version."""
        with ExitStack() as stack:
            work = stack.enter_context(self._seat.looking())
            asked = stack.enter_context(asking(work.revisions, "" if at is None else words(at)))
            answer = asked.ask(query, parameters)
            return Rows(stack.pop_all(), answer.rows, answer.columns)

    @contextmanager
    def at(self, revision: Revision = "WORK") -> Iterator[Connection]:
        """A connection of apsw that reads a version as a database of its own, or the live one."""
        with self._seat.looking() as work, connection_at(work.revisions, words(revision)) as connection:
            yield connection

    # -- names ---------------------------------------------------------------------------------------------------------

    def branches(self) -> list[records.Branch]:
        """Every branch that has commits."""
        with self._seat.looking() as work, work.desk.repository.file.reading() as db:
            here = work.desk.worktree.head
            return [records.Branch(short(ref.name), ref.target, ref.name == here) for ref in Refs(db).all(BRANCHES)]

    def branch(self, name: str, start: Revision = "HEAD") -> None:
        """Make a branch, and stay where we are."""
        self._name("branch", BRANCHES + name, start)

    def rename_branch(self, name: str, new: str) -> None:
        """Call a branch otherwise."""
        with self._seat.doing("branch") as (work, by):
            naming.rename(work.desk, BRANCHES + name, BRANCHES + new, by)

    def delete_branch(self, name: str, *, force: bool = False) -> None:
        """Take a branch away. `force`: even if nothing else leads to its versions."""
        with self._seat.doing("branch") as (work, by):
            naming.remove(work.desk, BRANCHES + name, by, force=force)

    def tags(self) -> dict[str, str]:
        """Every tag, and its commit."""
        with self._seat.looking() as work, work.desk.repository.file.reading() as db:
            return {short(ref.name): ref.target for ref in Refs(db).all(TAGS)}

    def tag(self, name: str, revision: Revision = "HEAD") -> None:
        """Name a version."""
        self._name("tag", TAGS + name, revision)

    def delete_tag(self, name: str) -> None:
        """Take a tag away."""
        with self._seat.doing("tag") as (work, by):
            naming.remove(work.desk, TAGS + name, by)

    def _name(self, command: str, name: str, revision: Revision) -> None:
        with self._seat.doing(command) as (work, by):
            naming.create(work.desk, name, work.commit_id(revision), by)

    # -- going ---------------------------------------------------------------------------------------------------------

    def switch(
        self, name: str, *, create: bool = False, start: Revision = "HEAD", carry: bool = False
    ) -> records.Moved:
        """Go to a branch. `create`: make it first, at `start`. `carry`: uncommitted changes come along."""
        with self._seat.doing("switch") as (work, by):
            desk = work.desk
            if create:
                commit, stays = beginning(desk, words(start), work.commit)
            else:
                commit, stays = tip(desk, name, work.where), False
            came = switch(desk, work.history, BRANCHES + name, commit, by, carry=carry or stays, create=create)
            return telling.moved(came)

    def checkout(
        self, revision: Revision, *, tables: Sequence[str] = (), detach: bool = False, carry: bool = False
    ) -> records.Moved:
        """Go to any version; or with `tables` take only these out of it, and stay."""
        with self._seat.doing("checkout") as (work, by):
            desk = work.desk
            if tables:
                said = words(revision)
                moved = take_tables(desk, work.revisions.version(said), several(tables), by, name=said)
                return records.Moved(desk.worktree.branch, desk.worktree.commit, telling.tables(moved))
            target = work.commit(revision)
            head = head_of(target, detach=detach)
            return telling.moved(switch(desk, work.history, head, target.id, by, carry=carry))

    def reset(self, revision: Revision, *, hard: bool = False) -> records.Moved:
        """Let the branch lead to another version. `hard`: make the database that version too."""
        with self._seat.doing("reset") as (work, by):
            commit = work.commit_id(revision)
            found = reset(work.desk, work.history, commit, by, hard=hard)
            return records.Moved(work.desk.worktree.branch, commit, telling.tables(found.moved))

    def undo(self, many: int = 1) -> records.Gone:
        """Take the last operations back, with the rows they changed."""
        return self._go("undo", lambda desk: plan_undo(desk, many))

    def redo(self, many: int = 1) -> records.Gone:
        """Do again what was undone last."""
        return self._go("redo", lambda desk: plan_redo(desk, many))

    def _go(self, command: str, planned: Callable[[Desk], Way]) -> records.Gone:
        with self._seat.doing(command) as (work, by):
            return telling.gone(go(work.desk, work.history, planned(work.desk), by))

    def operations(self, limit: int | None = None) -> list[records.Operation]:
        """What was done in this repository, the newest first."""
        with self._seat.looking() as work, work.desk.repository.file.reading() as db:
            return [telling.operation(each) for each in islice(Operations(db).newest_first(), limit)]

    def restore(
        self,
        at: Revision | None = None,
        *,
        transaction: int | None = None,
        tables: Sequence[str] = (),
        where: str = "",
        into: str | Path | None = None,
        branch: str = "",
        dry_run: bool = False,
    ) -> records.Restored:
        """Bring back what the database held at a time, after a recorded transaction or in a version: into the live
        database as a new version, `into` a new file, or onto a new `branch`."""
        if (at is None) == (transaction is None):
            raise OptionsClash(options=("at", "transaction"))
        if into is not None and branch:
            raise OptionsClash(options=("into", "branch"))
        wanted = Wanted(several(tables), where)
        with self._seat.doing("restore") as (work, by):
            desk, history = work.desk, work.history
            if transaction is not None:
                point = at_transaction(desk, transaction)
            elif isinstance(at, str):
                point = at_words(desk, history, at, work.where.now, work.commit_id)
            else:
                assert at is not None
                point = at_time(desk, history, moment(at))
            if into is not None:
                found = restore_file(desk, point, wanted, Path(into), dry_run=dry_run)
            elif branch:
                found = restore_branch(desk, history, point, wanted, branch, by, dry_run=dry_run)
            else:
                found = restore_live(desk, history, point, wanted, by, dry_run=dry_run)
            return telling.restored(found)

    # -- bringing together ---------------------------------------------------------------------------------------------

    def merge(
        self,
        revision: Revision,
        *,
        prefer: Literal["ours", "theirs"] | None = None,
        message: str = "",
        forward: bool = True,
        preview: bool = False,
    ) -> records.Merged:
        """Bring what another version holds, cell by cell. What cannot be decided waits: see `conflicts`. `prefer`:
        whose word counts where both changed something; `preview`: only say what would come of it."""

        def planned(work: Work) -> Plan | None:
            said = words(revision)
            return merge_of(work.desk, lambda: work.commit(said), name=said, message=message, forward=forward)

        return self._bring("merge", planned, prefer=prefer, preview=preview)

    def revert(self, *revisions: Revision, mainline: int | None = None) -> records.Merged:
        """Take back what commits (or ranges, `A..B`) changed, whatever came after them."""
        return self._bring(
            "revert",
            lambda work: reverts_of(
                work.desk, lambda: _commits(work, revisions, oldest_first=False), mainline=mainline, holds=False
            ),
        )

    def cherry_pick(self, *revisions: Revision, mainline: int | None = None) -> records.Merged:
        """Do once more here what commits changed elsewhere."""
        return self._bring(
            "cherry-pick",
            lambda work: picks_of(
                work.desk, lambda: _commits(work, revisions, oldest_first=True), mainline=mainline, holds=False
            ),
        )

    def rebase(self, upstream: Revision) -> records.Merged:
        """Put what was done on this branch on top of another version."""
        return self._bring(
            "rebase", lambda work: rebase_of(work.desk, lambda: work.commit(upstream), name=words(upstream))
        )

    def merge_continue(self, message: str = "", *, skip: bool = False) -> records.Merged:
        """Go on with what waits, once all is settled. `skip`: leave the step that waits out."""
        with self._seat.looking() as work:
            command = need(work.desk).command
        with self._seat.doing(command) as (work, by):
            how = how_of(work.desk.repository.settings)
            found = go_on(work.desk, work.history, command, how, by, message=message, skip=skip)
            return telling.merged(found)

    def merge_abort(self) -> records.Merged:
        """Give up what waits, and go back to where it began."""
        with self._seat.looking() as work:
            command = need(work.desk).command
        with self._seat.doing(command) as (work, by):
            return telling.merged(give_up(work.desk, work.history, command, by))

    def conflicts(self, table: str = "", key: RowKey | None = None, column: str = "") -> list[records.Conflict]:
        """What waits for a decision, with what each side has: all of it, or of one table, row or cell."""
        which = Which(table, "" if key is None else key_whole(_key(key)), column)
        with self._seat.looking() as work:
            waiting = waiting_in(work.desk)
            if waiting is None:
                return []
            found = [telling.conflict(each, sides) for each, sides in listed(work.desk, waiting, which)]
            if table and not found:
                check_table(work.desk, waiting, which)
            return found

    def resolve(
        self,
        table: str = "",
        key: RowKey | None = None,
        column: str = "",
        *,
        take: Side | None = None,
        values: Mapping[str, Value] | None = None,
        renumber: bool = False,
    ) -> records.Resolved:
        """Settle conflicts: by a side, by values of columns, or by another number for theirs. Nothing said: as the
        database has it by now."""
        said = [word for word, given in (("take", take), ("values", values), ("renumber", renumber)) if given]
        if len(said) > 1:
            raise OptionsClash(options=(said[0], said[1]))
        choice = Choice("set" if values else "renumber" if renumber else take or "as it is", values or {})
        which = Which(table, "" if key is None else key_whole(_key(key)), column)
        with self._seat.doing("resolve") as (work, by):
            found = resolve(work.desk, which, choice, by)
            return records.Resolved(len(found.settled), found.waiting.open, telling.tables(found.moved))

    def _bring(
        self,
        command: str,
        planned: Callable[[Work], Plan | None],
        *,
        prefer: Side | None = None,
        preview: bool = False,
    ) -> records.Merged:
        with self._seat.doing(command) as (work, by):
            desk = work.desk
            refuse_while_waiting(desk)
            plan = planned(work)
            if plan is None:  # it is there already
                return records.Merged(desk.worktree.branch, desk.worktree.commit, (), {}, None)
            how = how_of(desk.repository.settings, prefer)
            return telling.merged(bring(desk, work.history, plan, how, by, preview=preview))

    # -- files, and other working copies -------------------------------------------------------------------------------

    def files(self, revision: Revision = "HEAD", path: str = "") -> list[records.File]:
        """The files of a version: all, or those at a path and below it."""
        with self._seat.looking() as work:
            version = work.revisions.version(words(revision))
            return [telling.file(each) for each in below(work.desk.repository, version, path)]

    def read_file(self, revision: Revision, path: str) -> bytes:
        """What a file held in a version."""
        with self._seat.looking() as work:
            said, repository = words(revision), work.desk.repository
            return b"".join(content(repository, file_at(repository, work.revisions.version(said), path, called=said)))

    def export_files(self, revision: Revision, into: str | Path) -> int:
        """Write all files of a version into a new folder; how many there are."""
        with self._seat.looking() as work:
            version = work.revisions.version(words(revision))
            return export(work.desk.repository, version, Path(into), progress=self._seat.person.progress)

    def worktrees(self) -> list[records.Worktree]:
        """The working copies, the main one first."""
        with self._seat.looking() as work:
            found = outposts.listed(work.desk)
            return [records.Worktree(each.path, each.branch, each.commit, each.is_there) for each in found]

    def add_worktree(self, path: str | Path, revision: Revision = "HEAD", *, new: str | None = None) -> Repo:
        """Make a database file that holds a version, and be there. `new`: on a new branch of this name."""
        check_free(Path(path))
        with self._seat.doing("worktree add") as (work, by):
            target = work.commit(revision)
            head = head_apart(target, words(revision), new=new)
            made = outposts.add(work.desk, work.history, Path(path), head, target.id, by, create=new is not None)
            return Repo(self._seat.at(made.database.path))

    def remove_worktree(self, path: str | Path) -> None:
        """Forget a working copy and delete its file."""
        with self._seat.doing("worktree remove") as (work, by):
            outposts.remove(work.desk, Path(path), by)

    @contextmanager
    def experiment(self, name: str, start: Revision = "HEAD", *, keep: bool = False) -> Iterator[Path]:
        """A database of its own on a new branch, beside this one, for as long as the block runs. Then file and branch
        go, however the block ends; with `keep` both stay. What was committed there can be merged inside the block."""
        here = self.path
        path = here.with_name(f"{here.stem}-{name.replace('/', '-')}{here.suffix}")
        self.add_worktree(path, start, new=name)
        try:
            yield path
        finally:
            if not keep:
                self.remove_worktree(path)
                self.delete_branch(name, force=True)

    # -- the repository ------------------------------------------------------------------------------------------------

    def gc(self, *, dry_run: bool = False) -> records.Cleaned:
        """Give back the space of what nothing leads to. Waits for calls that are at work, and rows still being read."""
        with self._seat.looking(alone=not dry_run) as work:
            repository, history, progress = work.desk.repository, work.history, self._seat.person.progress
            by = self._seat.person.deed("gc", repository.settings, history)
            done = (
                plan(repository, history, by.now, progress=progress)
                if dry_run
                else clean(repository, history, by, progress=progress)
            )
            return records.Cleaned(done.chunks, done.bytes, done.commits, done.given_back)

    def verify(self, *, trees: bool = False) -> records.Verified:
        """Read and check all that is kept. `trees`: build every table's tree again too, and compare."""
        try:
            with self._seat.looking():
                pass  # ends what a stopped command left half-way
        except Damage:
            pass  # the check names it
        with self._seat.repository() as repository, GitHistory(repository.git_folder) as history:
            found = verify(repository, history, trees=trees, progress=self._seat.person.progress)
            return records.Verified(found.chunks, found.commits, tuple(each.what for each in found.damages))


def _key(key: RowKey) -> Key:
    return key if isinstance(key, tuple) else (key,)


def _commits(work: Work, revisions: Sequence[Revision], *, oldest_first: bool) -> list[CommitId]:
    return commits_meant(work.desk, [words(each) for each in revisions], work.commit, oldest_first=oldest_first)
