"""`isovc merge`: what another version holds, brought into this branch."""

from __future__ import annotations

from enum import Enum
from functools import partial
from shlex import quote
from typing import Annotated

import typer

from isovc.cli.bringing import begin, end
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of
from isovc.errors import OptionsClash, WordMissing
from isovc.history.git_history import GitHistory
from isovc.workspace.desk import Desk
from isovc.workspace.merging.planning import merge_of
from isovc.workspace.merging.tasks import Plan

app = command_app()


class Prefer(Enum):
    """Whose word counts where both have spoken."""

    ours = "ours"
    theirs = "theirs"


@app.command()
def merge(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="[REV]", help="The version to bring.")] = "",
    no_ff: Annotated[
        bool, typer.Option("--no-ff", help="Make a new version even where nothing was done here.")
    ] = False,
    no_commit: Annotated[bool, typer.Option("--no-commit", help="Merge, and leave the commit to you.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Say what would come of it. Changes nothing.")] = False,
    goes_on: Annotated[bool, typer.Option("--continue", help="All is settled: finish it.")] = False,
    aborts: Annotated[bool, typer.Option("--abort", help="Go back to where it began.")] = False,
    prefer: Annotated[Prefer | None, typer.Option("-X", help="Whose word counts where both changed something.")] = None,
    message: Annotated[str, typer.Option("-m", "--message", metavar="TEXT", help="What the new version says.")] = "",
    into: Annotated[
        str, typer.Option("--into", metavar="BRANCH", help="Into this branch, not the one you are on.")
    ] = "",
) -> None:
    """Bring what another version holds into this branch, cell by cell.

    Where both sides changed the same cell and not alike, the merge waits: isovc conflicts lists such places, isovc
    resolve settles them."""
    here = here_of(ctx)
    if into and no_commit:
        raise OptionsClash(options=("--into", "--no-commit"))
    beginning = {
        revision: revision,
        "--preview": preview,
        "--into": into,
        "--no-ff": no_ff,
        "--no-commit": no_commit,
        "-X": prefer,
        "-m": aborts and message,
    }
    if end(here, "merge", goes_on=goes_on, aborts=aborts, message=message, beside=beginning):
        return
    if not revision:
        raise WordMissing(word="REV", hint="isovc merge BRANCH")

    def plan(desk: Desk, history: GitHistory) -> Plan | None:  # noqa: ARG001
        theirs = partial(commit_of, here, desk, revision, branch_first=True)
        return merge_of(desk, theirs, name=revision, into=into, message=message, forward=not no_ff, holds=no_commit)

    begin(
        here,
        plan,
        prefer=prefer.value if prefer else None,
        preview=preview,
        into=into,
        command=f"merge {quote(revision)}",
    )
