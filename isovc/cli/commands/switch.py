"""`isovc switch`: to another branch."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.arrival import document, lines
from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of
from isovc.cli.who import deed
from isovc.history.git_history import GitHistory
from isovc.repo.names import BRANCHES
from isovc.repo.refs import Refs
from isovc.workspace.mirroring import mirror
from isovc.workspace.switching import switch as go

app = command_app()


@app.command()
def switch(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The branch.")],
    start: Annotated[str, typer.Argument(metavar="[START]", help="With -c: the version it begins at.")] = "HEAD",
    new: Annotated[bool, typer.Option("-c", "--create", help="Make the branch first; changes come along.")] = False,
    carry: Annotated[
        bool, typer.Option("--carry", help="Take uncommitted changes along, merged cell by cell.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Go to a version, on no branch.")] = False,
) -> None:
    """Go to another branch.

    Only what differs moves in the database. Uncommitted changes stay with the branch they belong to.
    """
    here = here_of(ctx)
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        left = desk.worktree.branch or desk.worktree.head[:12]
        by = deed(here, desk.repository.settings, history)
        if detach:
            commit = commit_of(desk, name).id
            came = go(desk, history, commit, commit, by, carry=carry)
        elif new and desk.worktree.commit is None and start == "HEAD":
            came = go(desk, history, BRANCHES + name, None, by, carry=True, create=True)
        elif new:
            commit = commit_of(desk, start).id
            came = go(desk, history, BRANCHES + name, commit, by, carry=carry or start == "HEAD", create=True)
        else:
            with desk.repository.file.reading() as db:
                commit = Refs(db).need(BRANCHES + name).target
            came = go(desk, history, BRANCHES + name, commit, by, carry=carry)
        here.screen.say_if(mirror(desk.repository, history))
    here.screen.show(document(came), lines(came, left))
