"""`isovc export-files`: the files of a version as a folder of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import meant_by, version_of
from isovc.formats.words import amount
from isovc.history.git_history import GitHistory
from isovc.workspace.stored import export

app = command_app()


@app.command(name="export-files")
def export_files(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV", help="Which version.")],
    into: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new, or empty.")],
) -> None:
    """Write all files of a version into a new folder.

    The working copy stays as it is.
    """
    here = here_of(ctx)
    place = here.path(into)
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as history:
        version = version_of(desk, history, meant_by(here, desk, revision))
        many = export(desk.repository, version, place, progress=here.screen.progress())
    here.screen.done(
        {"folder": str(place), "files": many}, [f"Wrote {amount(many, 'file')} of {revision} into {into}."]
    )
