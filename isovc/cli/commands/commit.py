"""`isovc commit`: the database as it is now, kept under a message."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.screen import Styled
from isovc.cli.who import deed
from isovc.cli.wording import counts_document, difference_lines, totals
from isovc.history.git_history import GitHistory
from isovc.workspace.capturing import warnings
from isovc.workspace.committing import commit as make
from isovc.workspace.mirroring import mirror

app = command_app()


@app.command()
def commit(
    ctx: typer.Context,
    message: Annotated[str, typer.Option("-m", "--message", help="What this version is about.")],
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Commit even if nothing changed.")] = False,
    author: Annotated[str | None, typer.Option("--author", metavar="A", help='"Name <mail>".')] = None,
) -> None:
    """Keep the database as it is now as a new version."""
    here = here_of(ctx)
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        made = make(
            desk,
            history,
            message,
            deed(here, desk.repository.settings, history, author),
            allow_empty=allow_empty,
            progress=here.screen.progress(),
        )
        for each in warnings(desk):
            here.screen.say((Styled("warning: ", "yellow"), each))
        here.screen.say_if(mirror(desk.repository, history))
    here.screen.show(
        {
            "commit": made.commit,
            "branch": made.branch,
            "parents": list(made.parents),
            "tables": counts_document(made.difference.tables),
        },
        [
            f"[{made.branch or 'no branch'} {made.commit[:12]}] {message.splitlines()[0] if message else ''}",
            *([] if not here.screen.verbose else difference_lines(made.difference)),
            f"  {totals(made.difference)}",
        ],
    )
