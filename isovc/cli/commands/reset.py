"""`isovc reset`: let the branch begin at another version."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of
from isovc.cli.who import deed
from isovc.cli.wording import counts_document, totals
from isovc.errors import OptionsClash
from isovc.history.git_history import GitHistory
from isovc.workspace.mirroring import mirror
from isovc.workspace.switching import reset as do

app = command_app()


@app.command()
def reset(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV", help="The version the branch shall lead to.")],
    soft: Annotated[bool, typer.Option("--soft", help="Leave the database as it is (the default).")] = False,
    hard: Annotated[bool, typer.Option("--hard", help="Make the database that version too.")] = False,
) -> None:
    """Move the branch to another version.

    The database stays as it is, so that what differs becomes uncommitted; with --hard it becomes that version too,
    and what was uncommitted comes back with isovc undo."""
    here = here_of(ctx)
    if soft and hard:
        raise OptionsClash(options=("--soft", "--hard"))
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        commit = commit_of(here, desk, revision).id
        overwritten, moved = do(desk, history, commit, deed(here, desk.repository.settings, history), hard=hard)
        here.screen.say_if(mirror(desk.repository, history))
    where = desk.worktree.branch or "HEAD"
    here.screen.done(
        {"branch": desk.worktree.branch, "commit": commit, "tables": counts_document(moved.tables)},
        [
            f"{where} now is at {commit[:12]}: {totals(moved)} in the database.",
            *(["What was uncommitted comes back with isovc undo."] if overwritten else []),
        ],
    )
