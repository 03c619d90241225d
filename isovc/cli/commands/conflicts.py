"""`isovc conflicts`: what waits for a decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.screen import Line, Styled
from isovc.cli.wording import on_one_line
from isovc.formats.json_values import encode_value
from isovc.formats.keys import key_whole
from isovc.formats.words import shown
from isovc.repo.merges import Contested, Merge
from isovc.workspace.merging.choosing import Which
from isovc.workspace.merging.listing import Side, check_table, listed
from isovc.workspace.merging.waiting import waiting_in

app = command_app()

_CELLS = 6  # of a whole row on one line; --json has all of them


@app.command()
def conflicts(
    ctx: typer.Context,
    table: Annotated[str, typer.Argument(metavar="[TABLE]", help="Only of this table, or TABLE:KEY:COLUMN.")] = "",
    key: Annotated[str, typer.Argument(metavar="[KEY]", help="Only of this row.")] = "",
    column: Annotated[str, typer.Argument(metavar="[COLUMN]", help="Only of this column.")] = "",
    short: Annotated[bool, typer.Option("-s", "--short", help="Only count them, by table.")] = False,
) -> None:
    """List what waits for a decision after a merge, with what each side has.

    That is what both sides changed and not alike, and what the database does not take as it was merged."""
    here = here_of(ctx)
    which = Which.read(table, key, column)
    with at_desk(here) as desk:
        waiting = waiting_in(desk)
        found = list(listed(desk, waiting, which)) if waiting else []
        if waiting and which.table and not found:
            check_table(desk, waiting, which)
    if short:
        here.screen.show(_totals(found), _counted(found, waiting))
    else:
        here.screen.show([_document(each, sides) for each, sides in found], _lines(found, waiting))


def _document(each: Contested, sides: Sequence[Side]) -> dict[str, Any]:
    base, ours, theirs = map(_plain, sides)
    return {
        "id": each.id,
        "table": each.table,
        "key": None if each.key is None else [encode_value(cell) for cell in each.key],
        "column": each.column,
        "kind": each.kind,
        "base": base,
        "ours": ours,
        "theirs": theirs,
        "definition": None if each.place is None else {"type": each.place[0], "name": each.place[1]},
        "why": each.why,
    }


def _plain(side: Side) -> Any:
    if isinstance(side, dict):
        return {name: encode_value(value) for name, value in side.items()}
    return None if side is None else encode_value(side[0])


def _totals(found: Sequence[tuple[Contested, Sequence[Side]]]) -> dict[str, dict[str, int]]:
    """How many there are, by table and kind."""
    by_table: dict[str, Counter[str]] = {}
    for each, _ in found:
        by_table.setdefault(each.table, Counter())[each.kind] += 1
    return {table: dict(sorted(kinds.items())) for table, kinds in sorted(by_table.items())}


def _counted(found: Sequence[tuple[Contested, Sequence[Side]]], waiting: Merge | None) -> Iterator[Line]:
    for table, kinds in _totals(found).items():
        said = ", ".join(f"{many:,} {kind}" for kind, many in sorted(kinds.items()))
        yield (Styled(on_one_line(table), "bold"), f"  {sum(kinds.values()):,} ({said})")
    yield from _end(waiting)


def _lines(found: Sequence[tuple[Contested, Sequence[Side]]], waiting: Merge | None) -> Iterator[Line]:
    assert waiting is not None or not found
    for each, sides in found:
        place = [each.table]
        if each.key is not None:
            place.append(key_whole(each.key))
        elif each.place is not None:
            place = [" ".join(each.place)]
        if each.column is not None:
            place.append(each.column)
        why = f"  {each.why}" if each.why else ""
        yield (Styled(on_one_line(":".join(place)), "bold"), "  ", Styled(each.kind, "yellow"), why)
        names = ("base", waiting.ours_name, waiting.task.name) if waiting else ()
        width = max(map(len, names))
        for name, side in zip(names, sides, strict=True):
            yield from _side(name.ljust(width), side, is_text=each.key is None)
    yield from _end(waiting)


def _side(name: str, side: Side, *, is_text: bool) -> Iterator[Line]:
    head = (Styled(f"  {name}", "cyan"), "  ")
    if side is None:
        yield (*head, Styled("(not there)", "dim"))
    elif isinstance(side, dict):
        cells = list(side.items())
        more = f"  and {len(cells) - _CELLS} more" if len(cells) > _CELLS else ""
        yield (*head, "  ".join(f"{on_one_line(column)}={shown(value)}" for column, value in cells[:_CELLS]), more)
    elif is_text:
        lines = str(side[0]).splitlines()
        yield (*head, lines[0])
        yield from (" " * (len(name) + 4) + line for line in lines[1:])
    else:
        yield (*head, shown(side[0]))


def _end(waiting: Merge | None) -> Iterator[Line]:
    if waiting is None:
        yield "Nothing is under way, so nothing waits."
    elif not waiting.open:
        yield f"All is settled: isovc {waiting.command} --continue finishes it."
