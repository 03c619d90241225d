"""`isovc show`: one version, and what it changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import meant_by, version_of
from isovc.cli.screen import Line, Styled
from isovc.cli.who import present
from isovc.cli.wording import counts_document, difference_lines, moment, schema_document
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitEntry, CommitIndex
from isovc.repo.moments import from_microseconds
from isovc.repo.revisions import Commit, Found, Work
from isovc.repo.versions import version_of as version_at
from isovc.workspace.status import Difference, difference

app = command_app()


@app.command()
def show(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="[REV]", help="Which version.")] = "HEAD",
) -> None:
    """Show one version: who, when, why, and what it changed.

    Of a merge its parents stand there too, and what it changed is told against the first of them."""
    here = here_of(ctx)
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as history:
        meant = meant_by(here, desk, revision)
        version = version_of(desk, history, meant)
        entry: CommitEntry | None = None
        parents: tuple[CommitId, ...] = ()
        if isinstance(meant, Commit):
            with desk.repository.file.reading() as db:
                entry = CommitIndex(db).get(meant.id)
            parents = entry.parents
        elif isinstance(meant, Work) and desk.worktree.commit:
            parents = (desk.worktree.commit,)
        found = difference(desk, version_at(history, parents[0] if parents else None), version)
    tables = {name: {"rows": root.rows, "root": root.id.hex()} for name, root in sorted(version.roots.items())}
    here.screen.show(
        {
            "commit": entry.id if entry else None,
            "parents": list(parents),
            "author": entry.author if entry else None,
            "time": moment(entry.time) if entry else None,
            "message": entry.message if entry else None,
            "changes": counts_document(found.tables),
            "schema": schema_document(found),
            "tables": tables,
        },
        [*(_head(entry) if entry else _without_commit(meant, found)), *difference_lines(found)],
    )


def _head(entry: CommitEntry) -> Iterator[Line]:
    yield Styled(f"commit {entry.id}", "yellow")
    if len(entry.parents) > 1:
        yield f"Merge:  {' '.join(parent[:12] for parent in entry.parents)}"
    yield f"Author: {entry.author}"
    yield f"Date:   {from_microseconds(entry.time, present().tzinfo).strftime('%a %Y-%m-%d %H:%M:%S %z')}"
    yield ""
    yield from (f"    {line}".rstrip() for line in entry.message.splitlines())
    yield ""


def _without_commit(meant: Found, found: Difference) -> Iterator[Line]:
    if isinstance(meant, Work):
        yield "The database as it is now. Uncommitted:" if found else "The database as it is now, all of it committed."
    else:
        yield "The version without anything."
