"""`isovc blame`: who wrote each cell."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Annotated, Any

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.handing import hand_over
from isovc.cli.here import here_of
from isovc.cli.pager import paged
from isovc.cli.revision import meant_by
from isovc.cli.screen import Line, Styled
from isovc.cli.who import present
from isovc.cli.wording import moment, on_one_line
from isovc.errors import OptionsClash
from isovc.formats.json_values import encode_value
from isovc.formats.words import key_shown, shown
from isovc.history.git_history import GitHistory
from isovc.repo.moments import from_microseconds
from isovc.repo.versions import version_of as version_at
from isovc.workspace.rows.blame import Cell
from isovc.workspace.rows.blame import blame as cells_of
from isovc.workspace.rows.past import Past

app = command_app()

_NAME = 20  # characters of an author's name on a line


@app.command()
def blame(
    ctx: typer.Context,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Of which table.")],
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="Only this row: 3, 'text', or 1,abc.")] = None,
    revision: Annotated[str | None, typer.Argument(metavar="[REV]", help="In which version (WORK).")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="REV", help="The same, for a whole table.")] = None,
    columns: Annotated[str, typer.Option("--columns", metavar="A,B", help="Only these columns.")] = "",
    no_pager: Annotated[bool, typer.Option("--no-pager", help="Never through a pager.")] = False,
) -> None:
    """Show which commit wrote each cell of a row, or of a whole table.

    A merge wrote only what neither side had. Where nothing is said, the rows are those of the database as it is now,
    with the cells that are not committed yet.
    """
    here = here_of(ctx)
    if revision is not None and at is not None:
        raise OptionsClash(options=("--at", "REV"))
    said = revision or at or "WORK"
    wanted = [each.strip() for each in columns.split(",") if each.strip()]
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as git:
        past = Past(desk, partial(version_at, git), for_people=not here.screen.json)
        start = past.start(meant_by(here, desk, said))
        progress = here.screen.progress()
        cells = _begun(cells_of(past, start, table, key, columns=wanted, where=said, progress=progress))
        if here.screen.json:
            hand_over(here.screen, _pieces(cells))
            return
        with paged(here.screen, wanted=not no_pager, environment=os.environ) as screen:
            screen.show(None, _lines(cells))


def _begun(cells: Iterator[Cell]) -> Iterator[Cell]:
    """The same, with the first one fetched: an error shall be told before anything is shown."""
    first = next(cells, None)

    def all_of_them() -> Iterator[Cell]:
        if first is not None:
            yield first
            yield from cells

    return all_of_them()


def _pieces(cells: Iterable[Cell]) -> Iterator[str]:
    """One JSON document, cell by cell: there may be millions."""
    before = "["
    for cell in cells:
        yield before + json.dumps(_document(cell), allow_nan=False)
        before = ",\n "
    yield "[]\n" if before == "[" else "]\n"


def _document(cell: Cell) -> dict[str, Any]:
    entry = cell.entry
    return {
        "table": cell.table,
        "key": [encode_value(value) for value in cell.key],
        "column": cell.column,
        "value": encode_value(cell.value),
        "commit": entry.id if entry else None,
        "author": entry.author if entry else None,
        "time": moment(entry.time) if entry else None,
    }


def _lines(cells: Iterable[Cell]) -> Iterator[Line]:
    zone = present().tzinfo
    for cell in cells:
        entry = cell.entry
        if entry is None:
            who = (Styled("not yet     ", "yellow"), f" {'committed':{_NAME}.{_NAME}} {'':19}")
        else:
            name = on_one_line(entry.author.rpartition(" <")[0] or entry.author)
            when = from_microseconds(entry.time, zone).strftime("%Y-%m-%d %H:%M:%S")
            who = (Styled(entry.id[:12], "yellow"), f" {name:{_NAME}.{_NAME}} {when}")
        key = Styled(on_one_line(key_shown(cell.key)), "cyan")
        yield (*who, "  ", key, f"  {on_one_line(cell.column)}  {shown(cell.value)}")
