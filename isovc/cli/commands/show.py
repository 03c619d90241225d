"""`isovc show`: one version, and what it changed."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of
from isovc.cli.screen import Styled
from isovc.cli.who import present
from isovc.cli.wording import counts_document, difference_lines, moment, schema_document
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitIndex
from isovc.repo.moments import from_microseconds
from isovc.repo.versions import version_of
from isovc.workspace.status import difference

app = command_app()


@app.command()
def show(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="[REV]", help="Which version.")] = "HEAD",
) -> None:
    """Show one version: who, when, why, and what it changed."""
    here = here_of(ctx)
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as history:
        commit = commit_of(desk, revision).id
        with desk.repository.file.reading() as db:
            entry = CommitIndex(db).get(commit)
        version = version_of(history, commit)
        before = version_of(history, entry.parents[0] if entry.parents else None)
        found = difference(desk, before, version)
    tables = {name: {"rows": root.rows, "root": root.id.hex()} for name, root in sorted(version.roots.items())}
    here.screen.show(
        {
            "commit": entry.id,
            "parents": list(entry.parents),
            "author": entry.author,
            "time": moment(entry.time),
            "message": entry.message,
            "changes": counts_document(found.tables),
            "schema": schema_document(found),
            "tables": tables,
        },
        [
            Styled(f"commit {entry.id}", "yellow"),
            f"Author: {entry.author}",
            f"Date:   {from_microseconds(entry.time, present().tzinfo).strftime('%a %Y-%m-%d %H:%M:%S %z')}",
            "",
            *(f"    {line}".rstrip() for line in entry.message.splitlines()),
            "",
            *difference_lines(found),
        ],
    )
