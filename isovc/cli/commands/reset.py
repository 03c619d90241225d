"""`isovc reset`: let the branch begin at another version."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of
from isovc.cli.who import deed
from isovc.cli.wording import counts_document, moves
from isovc.errors import OptionsClash
from isovc.history.git_history import GitHistory
from isovc.repo.merges import Merge
from isovc.workspace.mirroring import mirror
from isovc.workspace.switching import reset as do

app = command_app()


@app.command()
def reset(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="[REV]", help="The version the branch shall lead to.")] = "HEAD",
    soft: Annotated[bool, typer.Option("--soft", help="Leave the database as it is (the default).")] = False,
    hard: Annotated[bool, typer.Option("--hard", help="Make the database that version too.")] = False,
) -> None:
    """Move the branch to another version.

    The database stays as it is, so that what differs becomes uncommitted; with --hard it becomes that version too,
    and what was uncommitted comes back with isovc undo. A merge that waits is given up by --hard, which says so, and
    comes back with isovc undo too; without --hard the command refuses while one waits."""
    here = here_of(ctx)
    if soft and hard:
        raise OptionsClash(options=("--soft", "--hard"))
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        commit = commit_of(here, desk, revision).id
        found = do(desk, history, commit, deed(here, desk.repository.settings, history), hard=hard)
        here.screen.say_if(mirror(desk.repository, history))
    where = desk.worktree.branch or "HEAD"
    here.screen.done(
        {
            "branch": desk.worktree.branch,
            "commit": commit,
            "tables": counts_document(found.moved.tables),
            "given_up": _document(found.given_up) if found.was_waiting else None,
        },
        [
            f"{where} now is at {commit[:12]}: {moves(found.moved)}.",
            *([_given_up(found.given_up)] if found.was_waiting else []),
            *(["What was uncommitted comes back with isovc undo."] if found.overwritten else []),
        ],
    )


def _document(gone: Merge | None) -> dict[str, Any]:
    if gone is None:
        return {"command": None, "of": None, "open": None}
    return {"command": gone.command, "of": gone.task.name, "open": gone.open}


def _given_up(gone: Merge | None) -> str:
    if gone is None:
        return "What waited here and could not be read was given up."
    settled = f"{gone.settled:,} settled, {gone.open:,} open" if gone.open or gone.settled else "nothing open"
    return f"The {gone.command} of {gone.task.name} that waited ({settled}) was given up: isovc undo brings it back."
