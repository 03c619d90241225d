"""`isovc cat`: what a file held in a version."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.handing import hand_over
from isovc.cli.here import here_of
from isovc.cli.stored import named
from isovc.errors import OptionsClash
from isovc.history.git_history import GitHistory
from isovc.workspace.stored import content, file_at

app = command_app()


@app.command()
def cat(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="REV:PATH", help="A version, and a file of it.")],
) -> None:
    """Write a file as it was in a version to the standard output, byte for byte.

    PATH is as seen from the folder of files: isovc cat HEAD~2:letters/a.txt
    """
    here = here_of(ctx)
    if here.screen.json:
        raise OptionsClash(options=("cat", "--json"))
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as history:
        revision, path, version = named(here, desk, history, file)
        found = file_at(desk.repository, version, path, called=revision)
        hand_over(here.screen, content(desk.repository, found))
