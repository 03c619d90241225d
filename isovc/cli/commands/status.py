"""`isovc status`: where the working copy stands, and what is uncommitted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.screen import Line, Styled
from isovc.cli.wording import (
    SIGNS,
    difference_lines,
    files_document,
    on_one_line,
    schema_document,
    tables_document,
)
from isovc.formats.words import amount
from isovc.repo.merges import Merge
from isovc.repo.names import short
from isovc.snapshot.version import FILES
from isovc.workspace.capturing import warnings
from isovc.workspace.status import Status
from isovc.workspace.status import status as look

app = command_app()

_SHOWN = 10  # files that are named


@app.command()
def status(
    ctx: typer.Context,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every row and every file, whatever they look like.")
    ] = False,
) -> None:
    """Show the branch, and what changed since its last commit.

    In the database, and in the folder of files if it has one (isovc config attachments DIR).
    """
    here = here_of(ctx)
    with at_desk(here) as desk:
        found = look(desk, verify=verify, progress=here.screen.progress())
        warned = warnings(desk)
    for each in warned:
        here.screen.warn(each)
    here.screen.show(
        {
            "branch": found.branch,
            "commit": found.commit,
            "clean": not found.difference,
            "tables": tables_document(found.difference.tables),
            "schema": schema_document(found.difference),
            "attachments": files_document(found.difference.tables),
            "files": [{"path": path, "op": op} for op, path in found.files],
            "warnings": list(warned),
            "waiting": found.waiting,
            "waiting_elsewhere": list(found.elsewhere),
            "merging": {"command": found.merging.command, "open": found.merging.open} if found.merging else None,
        },
        _lines(found),
    )


def _under_way(merge: Merge) -> str:
    many = len(merge.todo)
    left = f" {many} more step{'s' * (many != 1)} will follow." if many else ""
    if merge.command == "rebase":
        return f"A rebase of {short(merge.home)} onto {merge.ours_name} is under way, at {merge.task.name}.{left}"
    return f"A {merge.command} of {merge.task.name} is under way.{left}"


def _lines(found: Status) -> Iterator[Line]:
    where = f"On branch {found.branch}" if found.branch else "On no branch"
    at = f", at {found.commit[:12]}" if found.commit else ", no commits yet"
    if found.difference:
        yield f"{where}{at}. Uncommitted:"
        yield from difference_lines(found.difference)
        for op, path in found.files[:_SHOWN]:
            sign, style = SIGNS[op]
            yield (Styled(f"    {sign} ", style), on_one_line(FILES + path))
        if len(found.files) > _SHOWN:
            yield f"    and {len(found.files) - _SHOWN:,} more: isovc diff --name-only"
        yield ""
        if found.merging is None:
            yield 'isovc commit -m "..." keeps it.'
    else:
        yield f"{where}{at}. Nothing is uncommitted."
    if found.merging:
        command, many = found.merging.command, found.merging.open
        yield _under_way(found.merging)
        if many:
            yield f"{amount(many, 'conflict')} to settle: isovc conflicts, isovc resolve."
        else:
            yield f"All is settled: isovc {command} --continue finishes it."
    if found.waiting:
        there = found.branch or f"--detach {found.commit[:12] if found.commit else 'HEAD'}"
        yield f"More changes wait here ({found.waiting[:12]}): isovc switch {there} brings back what of them fits."
    if found.elsewhere:
        yield f"Changes wait on other branches too: {', '.join(found.elsewhere)}"
