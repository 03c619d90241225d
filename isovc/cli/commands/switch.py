"""`isovc switch`: to another branch."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.arrival import document, lines
from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of, where
from isovc.cli.who import deed
from isovc.errors import IsovcError, NotABranch, OptionMissing, OptionsClash
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.database import Database
from isovc.repo.names import BRANCHES
from isovc.repo.refs import Refs
from isovc.repo.revisions import resolve_commit
from isovc.workspace.desk import Desk
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
            commit = commit_of(here, desk, name, branch_first=True).id
            came = go(desk, history, commit, commit, by, carry=carry)
        elif new and desk.worktree.commit is None and start == "HEAD":
            came = go(desk, history, BRANCHES + name, None, by, carry=True, create=True)
        elif new:
            commit = commit_of(here, desk, start, branch_first=True).id
            came = go(desk, history, BRANCHES + name, commit, by, carry=carry or start == "HEAD", create=True)
        else:
            came = go(desk, history, BRANCHES + name, _tip(desk, name), by, carry=carry)
        here.screen.say_if(mirror(desk.repository, history))
    here.screen.done(document(came), lines(came, left))


def _tip(desk: Desk, name: str) -> CommitId | None:
    """Where a branch leads; None: it is the one we are on, and has no commits yet."""
    with desk.repository.file.reading() as db:
        refs = Refs(db)
        found = refs.get(BRANCHES + name)
        if found is None and desk.worktree.head != BRANCHES + name:
            if _is_version(desk, db, name):
                raise NotABranch(name=name)
            refs.need(BRANCHES + name)
    return found.target if found else None


def _is_version(desk: Desk, db: Database, name: str) -> bool:
    try:
        resolve_commit(db, name, where(desk))
    except IsovcError:
        return False
    return True
