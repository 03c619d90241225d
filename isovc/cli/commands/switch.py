"""`isovc switch`: to another branch."""

from __future__ import annotations

from functools import partial
from shlex import quote
from typing import Annotated

import typer

from isovc.cli.arrival import document, lines
from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of, where
from isovc.cli.who import deed
from isovc.errors import NoSuchRef, OptionMissing, OptionsClash
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.names import BRANCHES
from isovc.workspace.desk import Desk
from isovc.workspace.heads import beginning, tip
from isovc.workspace.mirroring import mirror
from isovc.workspace.switching import switch as go

app = command_app()


@app.command()
def switch(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The branch.")],
    start: Annotated[str, typer.Argument(metavar="[START]", help="With -c: the version it begins at (HEAD).")] = "",
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
    if new and detach:
        raise OptionsClash(options=("-c", "--detach"))
    if start and not new:
        raise OptionMissing(word=start, option="-c", hint=f"isovc switch -c {name} {start} makes a branch there")
    start = start or "HEAD"
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        left = desk.worktree.branch or desk.worktree.head[:12]
        by = deed(here, desk.repository.settings, history)
        if detach:
            there = commit_of(here, desk, name, branch_first=True).id
            came = go(desk, history, there, there, by, carry=carry)
        elif new:
            commit, is_carried = beginning(desk, start, partial(commit_of, here, desk, branch_first=True))
            came = go(desk, history, BRANCHES + name, commit, by, carry=carry or is_carried, create=True)
        else:
            came = go(desk, history, BRANCHES + name, _tip(desk, name), by, carry=carry)
        here.screen.say_if(mirror(desk.repository, history))
    here.screen.done(document(came), lines(came, left))


def _tip(desk: Desk, name: str) -> CommitId | None:
    try:
        return tip(desk, name, where(desk))
    except NoSuchRef as none:
        hint = f"isovc branch lists all; isovc switch -c {quote(name)} makes it"
        raise NoSuchRef(what=none.what, name=none.name, near=none.near, hint=hint) from None
