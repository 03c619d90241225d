"""`isovc coverage`: what a watcher has recorded."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.screen import Line
from isovc.cli.wording import moment
from isovc.formats.words import amount
from isovc.repo.coverage import Break, coverage
from isovc.repo.names import BRANCHES
from isovc.repo.timeline import Timelines
from isovc.workspace.watching.watchers import watcher_of

app = command_app()
_SHOWN = 20  # gaps in the text; JSON has them all


@app.command("coverage")
def show(
    ctx: typer.Context,
    branch: Annotated[str, typer.Argument(metavar="[BRANCH]", help="Of which branch; else of this one.")] = "",
) -> None:
    """Show which times were recorded, and where something is missing."""
    here = here_of(ctx)
    here.only_now()
    with at_desk(here) as desk:
        is_watched = watcher_of(desk) is not None and not branch
        with desk.repository.file.reading() as db:
            line = Timelines(db).get(desk.worktree.id, BRANCHES + branch if branch else desk.worktree.head)
            found = coverage(db, line)
    name = line.head.removeprefix(BRANCHES)
    lines: list[Line] = [
        f"{name}: from {moment(found.first)} to {moment(found.seen)}" + (", being watched" if is_watched else ""),
        (
            f"{amount(found.transactions, 'transaction')} in {amount(found.entries, 'state')}, "
            f"the last at {moment(found.last)}"
        ),
        f"{found.merged:,} of these states stand for several transactions"
        if found.merged
        else "each transaction is a state of its own",
    ]
    lines += [_line(each) for each in found.gaps[-_SHOWN:]]
    if len(found.gaps) > _SHOWN:
        lines.append(f"and {amount(len(found.gaps) - _SHOWN, 'gap')} before these; --json has them all")
    elif not found.gaps:
        lines.append("no gaps")
    here.screen.show(
        {
            "branch": name,
            "from": moment(found.first),
            "to": moment(found.seen),
            "last": moment(found.last),
            "watching": is_watched,
            "entries": found.entries,
            "transactions": found.transactions,
            "merged": found.merged,
            "gaps": [_document(each) for each in found.gaps],
            "breaks": [_document(each) for each in found.breaks],
        },
        lines,
    )


def _document(each: Break) -> dict[str, Any]:
    return {
        "number": each.number,
        "kind": each.kind.name.lower(),
        "from": None if each.since is None else moment(each.since),
        "to": moment(each.time),
        "transactions": each.transactions,
    }


def _line(each: Break) -> str:
    many = (
        "an unknown number of transactions" if each.transactions is None else amount(each.transactions, "transaction")
    )
    since = f"from {moment(each.since)} " if each.since is not None else ""
    return f"gap: {since}to {moment(each.time)}, {many} seen as one ({each.kind.name.lower()})"
