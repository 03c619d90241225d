"""`isovc op`: the operation log."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.going import go_along
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.screen import Line, Styled
from isovc.cli.who import present
from isovc.cli.wording import counts_document, difference_lines, moment
from isovc.repo.moments import from_microseconds
from isovc.repo.names import short
from isovc.repo.operations import Logged, Operations
from isovc.workspace.status import Difference
from isovc.workspace.traces import trace
from isovc.workspace.ways import plan_restore, plan_revert

app = command_app(help="Look at the operations, go back to one, or take one back.")

_PAGE = 50  # operations shown where no number is asked for

Id = Annotated[str, typer.Argument(metavar="ID", help="The operation: the beginning of its id, @ or @~2.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen.")]


@app.command()
def log(
    ctx: typer.Context,
    number: Annotated[
        int | None, typer.Option("-n", min=0, max=2**31, metavar="N", help="Show so many at most (50; all in JSON).")
    ] = None,
    here_only: Annotated[bool, typer.Option("--here", help="Only those of this working copy.")] = False,
) -> None:
    """List what was done, the newest first."""
    here = here_of(ctx)
    most = number if number is not None or here.screen.json else _PAGE
    with at_desk(here) as desk, desk.repository.file.reading() as db:
        found = Operations(db).newest_first(
            worktree=desk.worktree.id if here_only else None, batch=min(most or 256, 256)
        )
        operations = list(islice(found, most))
    here.screen.show([_document(each) for each in operations], map(_line, operations))


@app.command()
def show(ctx: typer.Context, operation: Id) -> None:
    """Show one operation: who, when, what, and how names and rows moved."""
    here = here_of(ctx)
    with at_desk(here) as desk:
        with desk.repository.file.reading() as db:
            logged = Operations(db).find(operation)
        moved = trace(desk, logged)
    found = logged.operation
    here.screen.show(
        {
            **_document(logged),
            "words": list(found.words),
            "author": found.author,
            "user": found.user,
            "host": found.host,
            "ended": moment(found.ended),
            "database": found.database,
            "refs": {name: {"before": old, "after": new} for name, (old, new) in found.refs.items()},
            "settings": {name: {"before": old, "after": new} for name, (old, new) in found.settings.items()},
            "undone": list(found.undone),
            "redone": list(found.redone),
            "irreversible": found.irreversible,
            "tables": {
                name: {"added": added, "modified": modified, "removed": removed}
                for name, (added, modified, removed) in found.tables.items()
            },
            "database_moved": counts_document(moved.tables) if moved else None,
        },
        _lines(logged, moved),
    )


@app.command()
def restore(
    ctx: typer.Context,
    operation: Id,
    before: Annotated[bool, typer.Option("--before", help="To the state before it.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Go back to the state after an operation: all branches and tags, and this database."""
    here = here_of(ctx)
    with at_desk(here, tidies=True) as desk:
        go_along(here, desk, plan_restore(desk, operation, before=before), dry_run=dry_run)


@app.command()
def revert(ctx: typer.Context, operation: Id, dry_run: DryRun = False) -> None:
    """Take one operation back and keep what came after it."""
    here = here_of(ctx)
    with at_desk(here, tidies=True) as desk:
        go_along(here, desk, plan_revert(desk, operation), dry_run=dry_run)


def _document(logged: Logged) -> dict[str, Any]:
    found = logged.operation
    return {
        "id": logged.id,
        "time": moment(found.begun),
        "command": found.command,
        "summary": found.summary,
        "undo_of": logged.undo_of,
    }


def _line(logged: Logged) -> Line:
    found = logged.operation
    when = from_microseconds(found.begun, present().tzinfo).strftime("%Y-%m-%d %H:%M:%S")
    return (Styled(logged.id[:12], "yellow"), f"  {when}  {found.summary}", Styled(f"  {found.database}", "dim"))


def _lines(logged: Logged, moved: Difference | None) -> Iterator[Line]:
    found = logged.operation
    zone = present().tzinfo
    yield Styled(f"operation {logged.id}", "yellow")
    yield f"Author:  {found.author} ({found.user} on {found.host})"
    yield f"Date:    {from_microseconds(found.begun, zone).strftime('%a %Y-%m-%d %H:%M:%S %z')}"
    yield f"Typed:   isovc {' '.join(found.words)}"
    yield f"At:      {found.database}"
    yield ""
    yield f"    {found.summary}"
    yield ""
    for name, (old, new) in sorted(found.refs.items()):
        yield f"  {short(name)}: {old[:12] if old else 'nothing'} -> {new[:12] if new else 'nothing'}"
    for name, (old, new) in sorted(found.settings.items()):
        yield f"  {name}: {old} -> {new}"
    if moved is None:
        yield "  what the database held is cleaned up"
    elif moved:
        yield "  the database:"
        yield from difference_lines(moved)
