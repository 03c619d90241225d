"""`isovc init`: a database comes under version control."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from isovc.cli.at_desk import passphrase, profile
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.who import deed
from isovc.repo.making import FIRST_BRANCH
from isovc.repo.settings import Settings
from isovc.repo.signing import signer_of
from isovc.workspace.starting import only_database, start

app = command_app()


@app.command()
def init(
    ctx: typer.Context,
    database: Annotated[
        Path | None, typer.Argument(metavar="[DB]", help="The database; may be left out where a folder has one only.")
    ] = None,
) -> None:
    """Put a database under version control.

    Makes the folder .isovc beside it. Nothing is added to the database itself, and every program goes on using it.
    """
    here = here_of(ctx)
    path = here.path(database) if database else only_database(here.folder)
    settings = Settings.read(profile(), Path(os.devnull))
    folder = start(path, deed(here, settings), sign=signer_of(settings, path.parent, passphrase()))
    there = "" if folder.parent.samefile(Path()) else f"-C {quote(str(path))} "
    here.screen.done(
        {"repository": str(folder), "database": str(path), "branch": FIRST_BRANCH},
        [f"{path.name} is under version control in {folder}.", f'Next: isovc {there}commit -m "first version"'],
    )
