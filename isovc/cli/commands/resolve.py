"""`isovc resolve`: conflicts settled, by a side, by values, or as the database has them by now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.screen import Line
from isovc.cli.who import deed
from isovc.cli.wording import counts_document, moves, on_one_line
from isovc.errors import BadAssignment, OptionsClash
from isovc.formats.typed import typed_value
from isovc.formats.words import amount, key_shown
from isovc.history.git_history import GitHistory
from isovc.model import Value
from isovc.workspace.merging.choosing import Choice, Which
from isovc.workspace.merging.resolving import Resolved
from isovc.workspace.merging.resolving import resolve as settle

app = command_app()


@app.command()
def resolve(
    ctx: typer.Context,
    table: Annotated[str, typer.Argument(metavar="[TABLE]", help="Only of this table, or TABLE:KEY:COLUMN.")] = "",
    key: Annotated[str, typer.Argument(metavar="[KEY]", help="Only of this row.")] = "",
    column: Annotated[str, typer.Argument(metavar="[COLUMN]", help="Only of this column.")] = "",
    ours: Annotated[bool, typer.Option("--ours", help="As your side has it.")] = False,
    theirs: Annotated[bool, typer.Option("--theirs", help="As the other side has it.")] = False,
    base: Annotated[bool, typer.Option("--base", help="As it was before either side changed it.")] = False,
    renumber: Annotated[
        bool,
        typer.Option("--renumber", help="Keep both rows: theirs gets another number, and what points to it follows."),
    ] = False,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="COL=VAL", help="This value; can be given several times.")
    ] = None,
) -> None:
    """Settle conflicts: all of them, or those of one table, row or cell.

    Without an option what the database holds by now is the answer; without any word that goes for the rows you have
    edited since.

    With --set a value settles the conflicts of its column, in each row that is meant. A row that one side removed, or
    that both added, waits as a whole: it is settled by --set only where its KEY is given, and is then kept with these
    values. Rows that the database refused are settled by any value that it takes."""
    here = here_of(ctx)
    said = [
        name
        for name, is_on in (("ours", ours), ("theirs", theirs), ("base", base), ("renumber", renumber), ("set", values))
        if is_on
    ]
    if len(said) > 1:
        raise OptionsClash(options=(f"--{said[0]}", f"--{said[1]}"))
    choice = Choice(said[0] if said else "as it is", dict(map(_assignment, values or ())))  # type: ignore[arg-type]
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        by = deed(here, desk.repository.settings, history)
        found = settle(desk, Which.read(table, key, column), choice, by)
    here.screen.done(
        {
            "resolved": len(found.settled),
            "open": found.waiting.open,
            **({"whole": len(found.whole)} if values else {}),
            "tables": counts_document(found.moved.tables),
        },
        _lines(found),
    )


def _assignment(text: str) -> tuple[str, Value]:
    column, is_said, value = text.partition("=")
    if not is_said or not column:
        raise BadAssignment(text=text)
    return column, typed_value(value)


def _lines(found: Resolved) -> Iterator[Line]:
    many = len(found.settled)
    left = found.waiting.open
    go = f"None to go: isovc {found.waiting.command} --continue finishes it." if not left else f"{left:,} to go."
    yield f"Resolved {amount(many, 'conflict')}. {go}"
    if found.whole:
        many = len(found.whole)
        each = found.whole[0]
        yield (
            f"  {many:,} of them wait{'s' * (many == 1)} as a whole row and got no value, like"
            f" {on_one_line(each.table)} {key_shown(each.key or ())} ({each.kind}): name the row, or take a side."
        )
    if found.moved:
        yield f"  {moves(found.moved)}."
