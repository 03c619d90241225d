"""Going a way over operations: refs, working copies and rows in one commit point.

What an operation did to the rows is taken back by making the database what it was before; rows that were written since
are in the record of the undo itself, so that redo brings them back. An operation that left the rows alone, like a
commit, leaves them alone when it is undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from isovc.errors import (
    BranchInUse,
    DoesNotFitBack,
    HeadMoved,
    MovedAnother,
    MovedSince,
    NothingDiffers,
    NotThereThen,
    SnapshotForgotten,
)
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.acting import acting
from isovc.repo.commits import CommitIndex
from isovc.repo.database import Database
from isovc.repo.decided import write_decided
from isovc.repo.deeds import Deed
from isovc.repo.merges import read_merge
from isovc.repo.names import short, what_is
from isovc.repo.operations import Operations, Standing
from isovc.repo.refs import Refs
from isovc.repo.snapshots import read_snapshot
from isovc.repo.versions import files_of
from isovc.repo.worktrees import Worktree, Worktrees
from isovc.snapshot.version import Version, decode_version, laid_out_like, same
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk, path_of
from isovc.workspace.desk import desk as sit_down_at
from isovc.workspace.merging.carrying import carried, names_between
from isovc.workspace.merging.numbering import Lines
from isovc.workspace.moving import Step, changing, confirm, move
from isovc.workspace.outposts import Outset, plant, uproot
from isovc.workspace.status import Difference, difference
from isovc.workspace.ways import Way

_NOTHING = Difference({}, (), ())


@dataclass(frozen=True, slots=True)
class Gone:
    """What came of going a way: where the working copy stands then, what moved in the database, and what had been
    written since, which only the record of this operation holds now."""

    way: Way
    standing: Standing
    moved: Difference = _NOTHING
    since: Difference = _NOTHING


def preview(desk: Desk, history: GitHistory, way: Way) -> Gone:
    """What `go` would do. Changes nothing."""
    _check_settings(desk, way)
    with desk.repository.file.reading() as db:
        _check(db, desk, way)
    if way.live is None:
        return Gone(way, _standing(desk, way))
    live = look(desk)
    there = _standing(desk, way)
    wanted, since = _planned(desk, history, way, live, there.commit)
    return Gone(way, there, difference(desk, live, wanted), since)


def go(desk: Desk, history: GitHistory, way: Way, deed: Deed) -> Gone:
    """Go there."""
    way = replace(way, telling=replace(way.telling, settings=way.settings))
    _check_settings(desk, way)
    settings = desk.repository.settings
    for key, (_, then) in way.settings.items():  # they hold for this operation already: a key that signs, above all
        settings = settings.changed(key, then)
    desk.repository.settings = settings
    desk.repository.signer()
    others = {int(key): pair for key, pair in way.worktrees.items() if int(key) != desk.worktree.id}
    with desk.repository.file.reading() as db:
        _check(db, desk, way)
        content = read_snapshot(db, way.planted) if way.planted else None
    refs = {name: then for name, (_, then) in way.refs.items()}
    for number, (now, then) in others.items():
        if now is None and then is not None:
            path = path_of(desk.repository, then.database)
            files = files_of(history, then.commit)
            plant(desk, Outset(path, then.head, then.commit, files, content, number, refs), deed, way.telling)
            return Gone(way, _standing(desk, way))
        if then is None:
            with desk.repository.file.reading() as db:
                found = Worktrees(db).get(number)
            since = _uncommitted(desk, found)
            uproot(desk, found, deed, way.telling, refs)
            return Gone(way, _standing(desk, way), since=since)
    heads = {number: then.head for number, (_, then) in others.items()}
    if way.live is not None:
        return _go_with_rows(desk, history, way, deed, refs, heads)
    with acting(desk.repository, deed, desk.worktree.id) as act:
        _check(act.db, desk, way)
        standing = _standing(desk, way)
        act.lead(refs, deed.command)
        act.rename_heads(heads)
        files = files_of(history, standing.commit)
        act.worktrees.set_head(desk.worktree.id, standing.head, standing.commit, files, merging=standing.merging)
        recorded = act.record(way.telling)
    if recorded is None:
        raise NothingDiffers(what=way.telling.summary)
    write_decided(desk.repository)
    return Gone(way, standing)


def _uncommitted(desk: Desk, other: Worktree) -> Difference:
    """What is in another working copy and in no version."""
    there = sit_down_at(desk.repository, other)
    return difference(there, there.head, look(there)) if there.database.path.exists() else _NOTHING


def _go_with_rows(
    desk: Desk,
    history: GitHistory,
    way: Way,
    deed: Deed,
    refs: Mapping[str, CommitId | None],
    heads: Mapping[int, str],
) -> Gone:
    with changing(desk) as (desk, writing, live):
        with desk.repository.file.reading() as db:
            _check(db, desk, way)
        there = _standing(desk, way)
        wanted, since = _planned(desk, history, way, live, there.commit)
        if same(wanted, live) and not (refs or heads or way.settings or there != desk.worktree.standing or _steps(way)):
            raise NothingDiffers(what=way.telling.summary)
        files = files_of(history, there.commit)
        step = Step(deed, way.telling, there.head, there.commit, files, wanted, refs, heads, there.merging)
        intent = move(desk, writing, live, step, refuse_violations=way.merging)
        moved = difference(desk, live, wanted)  # counted while it was moved
    confirm(desk, intent, writing, moved)
    return Gone(way, there, moved, since)


def _steps(way: Way) -> bool:
    """Whether it is recorded though nothing moves: undo and redo count."""
    return bool(way.telling.undone or way.telling.redone)


def _planned(
    desk: Desk, history: GitHistory, way: Way, live: Version, there: CommitId | None
) -> tuple[Version, Difference]:
    """What the database shall hold, and what has been written since that it will not."""
    with desk.repository.file.reading() as db:
        assert way.live is not None
        wanted = decode_version(read_snapshot(db, way.live))
        left = decode_version(read_snapshot(db, way.left)) if way.left else desk.head
    since = difference(desk, left, live)
    if way.merging and since:
        lines = Lines(desk.repository, history)
        found = carried(lines, left, live, wanted, names_between(lines, desk.worktree.commit, there))
        if found.many:
            raise DoesNotFitBack(operation=way.last.id, tables=list(found.tables), rows=found.many)
        wanted, since = found.version, _NOTHING
    wanted = laid_out_like(wanted, live)
    return wanted, _NOTHING if same(wanted, live) else since


# -- what stands in the way --------------------------------------------------------------------------------------------


def _check_settings(desk: Desk, way: Way) -> None:
    """Refuse what another operation, or an editor, has set since."""
    for key, (now, _) in way.settings.items():
        if desk.repository.settings.project.get(key) != now:
            raise MovedSince(what=f"the setting {key}", operation=way.last.id, by="")


def _check(db: Database, desk: Desk, way: Way) -> None:
    """Refuse what somebody has moved since, or is still on."""
    refs, worktrees = Refs(db), Worktrees(db)
    known = {each.id: each for each in worktrees.all()}
    for name, (now, _) in way.refs.items():
        found = refs.get(name)
        if (found.target if found else None) != now:
            raise MovedSince(what=f"{what_is(name)} {short(name)}", operation=way.last.id, by=_mover(db, name))
    for _, standing in way.worktrees.values():
        if standing and standing.merging:
            read_merge(db, standing.merging)
    index = CommitIndex(db)
    for commit in [then for _, then in way.refs.values()] + [each.commit for _, each in way.worktrees.values() if each]:
        if commit is not None and commit not in index:
            raise SnapshotForgotten(snapshot=commit)
    for key, (now, _) in way.worktrees.items():
        there = known.get(int(key))
        if there is not None and now is not None:
            now = replace(now, database=there.database)  # where its file lies is no part of the way
        if (there.standing if there else None) != now:
            named = (there.standing if there else now) or desk.worktree.standing
            raise MovedSince(what=f"the working copy {named.database}", operation=way.last.id, by="")
    _check_others(desk, way, refs)
    for each in known.values():
        if each.head in way.refs and each.id != desk.worktree.id and str(each.id) not in way.worktrees:
            raise BranchInUse(branch=short(each.head), database=each.database)
    if known[desk.worktree.id].intent is not None:
        raise HeadMoved(head=desk.worktree.head)


def _check_others(desk: Desk, way: Way, refs: Refs) -> None:
    """Other working copies can only be called otherwise: what lies in their databases is out of reach from here."""
    for key, (now, then) in way.worktrees.items():
        if int(key) == desk.worktree.id or now is None or then is None:
            continue
        led = refs.get(then.head) if then.branch else None
        target = way.refs[then.head][1] if then.head in way.refs else led.target if led else None
        stays = (now.commit, now.merging) == (then.commit, then.merging) and (target == then.commit or not then.branch)
        live = [step.operation.live.get(key, (None, None)) for step in way.steps]
        if not stays or any(before != after for before, after in live):
            raise MovedAnother(operation=way.last.id, database=now.database)


def _mover(db: Database, name: str) -> str:
    """The operation that moved a ref last."""
    return next((each.id for each in Operations(db).newest_first() if name in each.operation.refs), "")


def _standing(desk: Desk, way: Way) -> Standing:
    pair = way.worktrees.get(str(desk.worktree.id))
    if pair and pair[1] is None:
        raise NotThereThen(database=desk.worktree.database, operation=way.last.id)
    return pair[1] if pair else desk.worktree.standing
