"""`isovc undo`: back over the last commands."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.going import go_along
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.workspace.ways import plan_undo

app = command_app()


@app.command()
def undo(
    ctx: typer.Context,
    number: Annotated[int, typer.Option("-n", min=1, metavar="N", help="Go back over so many.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen.")] = False,
) -> None:
    """Take the last command back, with the rows it changed.

    Commands of this working copy are taken back one by one, the last first; isovc redo does them again. Rows that were
    written since are kept, and come back with redo.
    """
    here = here_of(ctx)
    with at_desk(here, tidies=True) as desk:
        go_along(here, desk, plan_undo(desk, number), dry_run=dry_run)
