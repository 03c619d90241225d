"""`isovc checkout`: to any version, or some tables of one."""

from __future__ import annotations

from shlex import quote
from typing import Annotated

import typer

from isovc.cli.arrival import document, lines
from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of, meant_by, version_of
from isovc.cli.who import deed
from isovc.cli.wording import counts_document, difference_lines, totals
from isovc.errors import BadRevision, NoSuchRevision, OptionsClash
from isovc.history.git_history import GitHistory
from isovc.workspace.heads import head_of
from isovc.workspace.mirroring import mirror
from isovc.workspace.switching import switch, take_tables

app = command_app()


@app.command()
def checkout(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV", help="The version.")],
    new: Annotated[str | None, typer.Option("-b", metavar="NAME", help="Make a branch there and go to it.")] = None,
    table: Annotated[list[str] | None, typer.Option("-t", metavar="TABLE", help="Take only this table.")] = None,
    carry: Annotated[
        bool, typer.Option("--carry", help="Take uncommitted changes along, merged cell by cell.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Be on no branch even if REV is one.")] = False,
) -> None:
    """Make the database another version, or take some tables of one."""
    here = here_of(ctx)
    for option, given in (("-b", new is not None), ("--carry", carry), ("--detach", detach)):
        if table and given:
            raise OptionsClash(options=(option, "-t"))
    if new is not None and detach:
        raise OptionsClash(options=("-b", "--detach"))
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        by = deed(here, desk.repository.settings, history)
        if table:
            meant = meant_by(here, desk, revision, branch_first=True)
            moved = take_tables(desk, version_of(desk, history, meant), table, by, name=revision)
            here.screen.done(
                {"tables": counts_document(moved.tables)},
                [
                    f"Took {', '.join(table)} from {revision}: {totals(moved)}.",
                    *difference_lines(moved),
                    *(["isovc undo brings back what was there."] if moved else []),
                ],
            )
            return
        left = desk.worktree.branch or desk.worktree.head[:12]
        try:
            target = commit_of(here, desk, revision, branch_first=True)
        except (BadRevision, NoSuchRevision):
            if revision not in desk.head.roots:
                raise
            hint = f"isovc checkout HEAD -t {quote(revision)} takes it as the last version has it"
            raise NoSuchRevision(text=revision, why="that is a table", hint=hint) from None
        head = head_of(target, new=new, detach=detach)
        came = switch(desk, history, head, target.id, by, carry=carry, create=new is not None)
        here.screen.say_if(mirror(desk.repository, history))
    here.screen.done(document(came), lines(came, left))
