"""`isovc stash`: uncommitted changes put aside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.bringing import end, tell
from isovc.cli.differing import document, lines, stat
from isovc.cli.group import command_app
from isovc.cli.here import Here, here_of
from isovc.cli.pager import paged
from isovc.cli.screen import Line, Styled
from isovc.cli.who import deed, present
from isovc.cli.wording import counts_document, moment, moves
from isovc.history.git_history import GitHistory
from isovc.repo.moments import from_microseconds
from isovc.repo.versions import version_of
from isovc.workspace.choices import how_of
from isovc.workspace.comparing import Selection, compare
from isovc.workspace.merging.bringing import bring
from isovc.workspace.stashing import Stashed, entry, plan_pop, stashed
from isovc.workspace.stashing import drop as take_out
from isovc.workspace.stashing import push as put_aside

app = command_app(help="Put uncommitted changes aside, and bring them back on any branch.", invoke_without_command=True)

Message = Annotated[str, typer.Option("-m", "--message", metavar="TEXT", help="What they are about.")]
Number = Annotated[int, typer.Argument(metavar="[N]", min=0, help="Which one; 0 is the newest.")]


@app.callback()
def stash(ctx: typer.Context, message: Message = "") -> None:
    """Put uncommitted changes aside, and bring them back on any branch.

    Without a word it is the same as isovc stash push."""
    if ctx.invoked_subcommand is None:
        _push(here_of(ctx), message)


@app.command()
def push(ctx: typer.Context, message: Message = "") -> None:
    """Put what is uncommitted aside: the database is then as it was committed last."""
    _push(here_of(ctx), message)


def _push(here: Here, message: str) -> None:
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        made, moved = put_aside(desk, history, message.strip(), deed(here, desk.repository.settings, history))
    here.screen.done(
        {"stash": made, "tables": counts_document(moved.tables)},
        [f"Put aside as {made[:12]}: {moves(moved)}.", "isovc stash pop brings it back."],
    )


@app.command("list")
def listing(ctx: typer.Context) -> None:
    """List what was put aside, the newest first."""
    here = here_of(ctx)
    with at_desk(here) as desk:
        found = stashed(desk)
    here.screen.show(
        [
            {
                "number": each.number,
                "stash": each.entry.id,
                "on": each.entry.parents[0],
                "time": moment(each.entry.time),
                "message": each.entry.message,
            }
            for each in found
        ],
        _lines(found),
    )


@app.command()
def show(
    ctx: typer.Context,
    number: Number = 0,
    with_stat: Annotated[bool, typer.Option("--stat", help="Only how many rows, with a bar.")] = False,
    no_pager: Annotated[bool, typer.Option("--no-pager", help="Never through a pager.")] = False,
) -> None:
    """Show what was put aside, row by row: what the changes are against the version they were made on.

    isovc diff stash@{N} compares it with the database as it is now."""
    here = here_of(ctx)
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as history:
        chosen = entry(desk, number)
        base = chosen.entry.parents[0]
        wanted = Selection(as_virtual=not here.screen.json, for_people=True)
        found = compare(desk, version_of(history, base), version_of(history, chosen.entry.id), wanted)
        if here.screen.json:
            said = document(found, base[:12], f"stash@{{{number}}} ({chosen.entry.id[:12]})")
            here.screen.show({"stash": chosen.entry.id, "number": chosen.number, **said}, [])
            return
        with paged(here.screen, wanted=not no_pager, environment=os.environ) as screen:
            screen.show(None, stat(found) if with_stat else lines(found))


GoesOn = Annotated[bool, typer.Option("--continue", help="All is settled: finish it.")]
Aborts = Annotated[bool, typer.Option("--abort", help="Go back to where it began.")]


@app.command()
def pop(ctx: typer.Context, number: Number = 0, goes_on: GoesOn = False, aborts: Aborts = False) -> None:
    """Bring changes back, merged cell by cell with what is in the database, and take them out of the stash."""
    here = here_of(ctx)
    if not end(here, "stash pop", goes_on=goes_on, aborts=aborts):
        _bring_back(here, number, keep=False)


@app.command()
def apply(ctx: typer.Context, number: Number = 0, goes_on: GoesOn = False, aborts: Aborts = False) -> None:
    """The same, and leave them in the stash."""
    here = here_of(ctx)
    if not end(here, "stash apply", goes_on=goes_on, aborts=aborts):
        _bring_back(here, number, keep=True)


@app.command()
def drop(ctx: typer.Context, number: Number = 0) -> None:
    """Take changes out of the stash without bringing them back."""
    here = here_of(ctx)
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        gone = take_out(desk, number, deed(here, desk.repository.settings, history))
    here.screen.done(
        {"stash": gone.entry.id, "number": gone.number},
        [f"Dropped {gone.entry.id[:12]}: {gone.entry.message.strip()}", "isovc undo brings it back."],
    )


def _bring_back(here: Here, number: int, *, keep: bool) -> None:
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        settings = desk.repository.settings
        by = deed(here, settings, history)
        chosen, plan = plan_pop(desk, number, keep=keep)
        found = bring(desk, history, plan, how_of(settings), by)
    said = f"Brought back {chosen.entry.id[:12]}: {chosen.entry.message.strip()}"
    more = {"stash": chosen.entry.id, "number": chosen.number, "kept": keep}
    tell(here, found, more, first=said)


def _lines(found: list[Stashed]) -> Iterator[Line]:
    for each in found:
        when = from_microseconds(each.entry.time, present().tzinfo).strftime("%Y-%m-%d %H:%M")
        yield (f"{each.number}  ", Styled(each.entry.id[:12], "yellow"), f"  {when}  {each.entry.message.strip()}")
