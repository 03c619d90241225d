"""Going over operations, back or forward, and what is said of it: the same for undo, redo, restore and revert."""

from __future__ import annotations

from collections.abc import Iterator

from isovc.cli.here import Here
from isovc.cli.screen import Line
from isovc.cli.who import deed
from isovc.cli.wording import counts_document, moves, totals
from isovc.history.git_history import GitHistory
from isovc.repo.names import BRANCHES, TAGS, short
from isovc.repo.operations import Operations
from isovc.workspace.desk import Desk
from isovc.workspace.mirroring import mirror
from isovc.workspace.undoing import Gone, go, preview
from isovc.workspace.ways import Way

_DONE = {"undo": "Undone", "redo": "Done again", "restore": "Restored", "revert": "Taken back"}


def go_along(here: Here, desk: Desk, way: Way, *, dry_run: bool) -> None:
    """One way, in one transaction."""
    if dry_run:
        with GitHistory(desk.repository.git_folder) as history:
            found = preview(desk, history, way)
        _show(here, found, dry_run=True, recorded="")
        return
    with GitHistory(desk.repository.git_folder) as history:
        gone = go(desk, history, way, deed(here, desk.repository.settings, history))
        here.screen.say_if(mirror(desk.repository, history))
    with desk.repository.file.reading() as db:
        newest = Operations(db).last()
    _show(here, gone, dry_run=False, recorded=newest.id if newest else "")


def _show(here: Here, gone: Gone, *, dry_run: bool, recorded: str) -> None:
    tell = here.screen.show if dry_run else here.screen.done
    tell(
        {
            "dry_run": dry_run,
            "operations": [step.id for step in gone.way.steps],
            "branch": gone.standing.branch,
            "commit": gone.standing.commit,
            "refs": {name: then for name, (_, then) in gone.way.refs.items()},
            "tables": counts_document(gone.moved.tables),
            "since": counts_document(gone.since.tables),
        },
        _lines(gone, dry_run=dry_run, recorded=recorded),
    )


def _lines(gone: Gone, *, dry_run: bool, recorded: str) -> Iterator[Line]:
    verb = f"Would {gone.way.verb}" if dry_run else _DONE[gone.way.verb]
    for step in gone.way.steps:
        yield f"{verb}: {step.operation.summary} ({step.id[:12]})"
    for name, (_, then) in sorted(gone.way.refs.items()):
        if name.startswith((BRANCHES, TAGS)):
            yield f"  {short(name)} {'is gone' if then is None else f'is at {then[:12]}'}"
    where = f"On branch {gone.standing.branch}" if gone.standing.branch else "On no branch"
    at = f", at {gone.standing.commit[:12]}" if gone.standing.commit else ", no commits yet"
    yield f"{where}{at}: {moves(gone.moved)}."
    if gone.since:
        yield f"What was written since ({totals(gone.since)}) is kept: {_way_back(gone)}"
        if recorded:
            yield f"When something new has been done: isovc op restore --before {recorded[:12]}"
    if gone.way.verb == "undo" and not dry_run and [step.operation.command for step in gone.way.steps] == ["commit"]:
        # who types undo after a bad UPDATE means the UPDATE, which is not ours to undo
        yield "The rows stay, as a commit changes none. To take back what another program wrote:"
        yield "  isovc redo && isovc checkout HEAD -t TABLE"


def _way_back(gone: Gone) -> str:
    return "isovc redo brings it back." if gone.way.telling.undone else "isovc undo brings it back."
