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
    attachments: Annotated[
        Path | None,
        typer.Option("--attachments", metavar="DIR", help="A folder whose files are part of every version."),
    ] = None,
) -> None:
    """Put a database under version control.

    Makes the folder .isovc beside it. Nothing is added to the database itself, and every program goes on using it.
    """
    here = here_of(ctx)
    path = here.path(database) if database else only_database(here.folder)
    settings = Settings.read(profile(), Path(os.devnull))
    files = here.path(attachments) if attachments else None
    sign = signer_of(settings, path.parent, passphrase())
    folder = start(path, deed(here, settings), sign=sign, attachments=files)
    there = "" if folder.parent.samefile(Path()) else f"-C {quote(str(path))} "
    what = f"{path.name} and the files in {files.name}/ are" if files else f"{path.name} is"
    here.screen.done(
        {
            "repository": str(folder),
            "database": str(path),
            "branch": FIRST_BRANCH,
            "attachments": str(files) if files else None,
        },
        [f"{what} under version control in {folder}.", f'Next: isovc {there}commit -m "first version"'],
    )
