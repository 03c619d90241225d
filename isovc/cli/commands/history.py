"""`isovc history`: the life of one row."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.pager import paged
from isovc.cli.revision import meant_by
from isovc.cli.screen import Line, Styled
from isovc.cli.who import present
from isovc.cli.wording import SIGNS, moment, on_one_line
from isovc.formats.delta import RowPatch, cell_changes
from isovc.formats.json_values import encode_value
from isovc.formats.words import both, key_shown, shown
from isovc.history.git_history import GitHistory
from isovc.model import Value
from isovc.repo.moments import from_microseconds
from isovc.repo.versions import version_of as version_at
from isovc.workspace.rows.changes import Event, history_of_row
from isovc.workspace.rows.past import Past

app = command_app()


@app.command()
def history(
    ctx: typer.Context,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Of which table.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="Which row: 3, 'text', or 1,abc.")],
    revision: Annotated[str, typer.Argument(metavar="[REV]", help="Where to begin.")] = "HEAD",
    no_pager: Annotated[bool, typer.Option("--no-pager", help="Never through a pager.")] = False,
) -> None:
    """Show every change of one row, the newest first.

    Each is told of the commit that made it, on whichever branch, and of a merge only if it was decided there. Tables
    and columns that were renamed are followed. With WORK as REV what is not committed yet comes first.
    """
    here = here_of(ctx)
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as git:
        past = Past(desk, partial(version_at, git), for_people=not here.screen.json)
        start = past.start(meant_by(here, desk, revision))
        events = history_of_row(past, start, table, key, where=revision, progress=here.screen.progress())
        first = next(events)  # an error shall be told before a pager is opened
        if here.screen.json:
            here.screen.show([_document(each) for each in (first, *events)], [])
            return
        with paged(here.screen, wanted=not no_pager, environment=os.environ) as screen:
            screen.show(None, _lines(first, events))


def _document(event: Event) -> dict[str, Any]:
    entry = event.entry
    return {
        "commit": entry.id if entry else None,
        "time": moment(entry.time) if entry else None,
        "author": entry.author if entry else None,
        "op": event.op,
        "before": _cells(event.before),
        "after": _cells(event.after),
    }


def _cells(cells: Mapping[str, Value] | None) -> dict[str, Any] | None:
    return None if cells is None else {name: encode_value(value) for name, value in cells.items()}


def _lines(first: Event, events: Iterable[Event]) -> Iterator[Line]:
    yield from _event_lines(first)
    for event in events:
        yield ""
        yield from _event_lines(event)


def _event_lines(event: Event) -> Iterator[Line]:
    entry = event.entry
    if entry is None:
        yield Styled("not committed yet", "yellow")
    else:
        yield Styled(f"commit {entry.id}", "yellow")
        yield f"Author: {entry.author}"
        yield f"Date:   {from_microseconds(entry.time, present().tzinfo).strftime('%a %Y-%m-%d %H:%M:%S %z')}"
        yield f"        {entry.message.partition(chr(10))[0]}".rstrip()
    sign, style = SIGNS[event.op]
    yield (Styled(f"  {sign} ", style), Styled(on_one_line(f"{event.table} {key_shown(event.key)}"), "cyan"))
    for column, before, after in cell_changes(
        RowPatch(event.table, event.key, event.before, event.after), event.columns
    ):
        if event.op != "modified" and column in event.named_by:
            continue  # it stands before them
        if event.op == "modified":
            one, other = both(before, after)
            yield (f"      {on_one_line(column)}  ", Styled(one, "red"), " -> ", Styled(other, "green"))
        else:
            yield (f"      {on_one_line(column)}  ", Styled(shown(after if event.op == "added" else before), style))
