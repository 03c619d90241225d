"""`isovc redo`: what was undone, done again."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.going import go_along
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.workspace.ways import plan_redo

app = command_app()


@app.command()
def redo(
    ctx: typer.Context,
    number: Annotated[int, typer.Option("-n", min=1, metavar="N", help="Do so many again.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen.")] = False,
) -> None:
    """Do again what was undone last."""
    here = here_of(ctx)
    with at_desk(here, tidies=True) as desk:
        go_along(here, desk, plan_redo(desk, number), dry_run=dry_run)
