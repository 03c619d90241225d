"""`isovc revert`: what commits changed, taken back by new ones."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from isovc.cli.bringing import begin, commits_meant, end
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.errors import WordMissing
from isovc.history.git_history import GitHistory
from isovc.workspace.desk import Desk
from isovc.workspace.merging.planning import reverts_of
from isovc.workspace.merging.tasks import Plan

app = command_app()


@app.command()
def revert(
    ctx: typer.Context,
    revisions: Annotated[list[str] | None, typer.Argument(metavar="[REV]...", help="Commits, or A..B.")] = None,
    mainline: Annotated[
        int | None,
        typer.Option("-m", "--mainline", min=1, metavar="N", help="Of a merge: the changes against its Nth parent."),
    ] = None,
    no_commit: Annotated[bool, typer.Option("--no-commit", help="Leave the last commit to you.")] = False,
    goes_on: Annotated[bool, typer.Option("--continue", help="All is settled: go on.")] = False,
    aborts: Annotated[bool, typer.Option("--abort", help="Go back to where it began.")] = False,
    skips: Annotated[bool, typer.Option("--skip", help="Leave this one out and go on.")] = False,
) -> None:
    """Take back what commits changed, whatever came after them.

    Each gives a new version; history stays."""
    here = here_of(ctx)
    first = next(iter(revisions or ()), "")
    beginning = {first: first, "-m": mainline, "--no-commit": no_commit}
    if end(here, "revert", goes_on=goes_on, aborts=aborts, skips=skips, beside=beginning):
        return
    if not revisions:
        raise WordMissing(word="REV", hint="isovc revert HEAD takes back the last commit")

    def plan(desk: Desk, history: GitHistory) -> Plan:  # noqa: ARG001
        commits = partial(commits_meant, here, desk, revisions, oldest_first=False)
        return reverts_of(desk, commits, mainline=mainline, holds=no_commit)

    begin(here, plan)
