"""`isovc rebase`: what was done on this branch, done once more on top of another version."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from isovc.cli.bringing import begin, end
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of
from isovc.errors import WordMissing
from isovc.history.git_history import GitHistory
from isovc.workspace.desk import Desk
from isovc.workspace.merging.planning import rebase_of
from isovc.workspace.merging.tasks import Plan

app = command_app()


@app.command()
def rebase(
    ctx: typer.Context,
    upstream: Annotated[str, typer.Argument(metavar="[UPSTREAM]", help="The version to stand on.")] = "",
    goes_on: Annotated[bool, typer.Option("--continue", help="All is settled: go on.")] = False,
    aborts: Annotated[bool, typer.Option("--abort", help="Go back to where it began.")] = False,
    skips: Annotated[bool, typer.Option("--skip", help="Leave this commit out and go on.")] = False,
) -> None:
    """Put what was done on this branch on top of another version.

    Its own commits are done once more there, the oldest first. isovc undo brings back what was."""
    here = here_of(ctx)
    if end(here, "rebase", goes_on=goes_on, aborts=aborts, skips=skips, beside={upstream: upstream}):
        return
    if not upstream:
        raise WordMissing(word="UPSTREAM", hint="isovc rebase main")

    def plan(desk: Desk, history: GitHistory) -> Plan | None:  # noqa: ARG001
        there = partial(commit_of, here, desk, upstream, branch_first=True)
        return rebase_of(desk, there, name=upstream)

    begin(here, plan, nothing=f"It stands on {upstream} already.")
