"""`isovc stats`: what the repository holds and what it weighs."""

from __future__ import annotations

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.formats.words import amount, size
from isovc.lifecycle.weight import weigh

app = command_app()


@app.command()
def stats(ctx: typer.Context) -> None:
    """Show what the repository holds and what it weighs."""
    here = here_of(ctx)
    here.only_now()
    with at_desk(here) as desk:
        found = weigh(desk.repository, desk.database.path)
    here.screen.show(
        {
            "commits": found.commits,
            "branches": found.branches,
            "tags": found.tags,
            "chunks": found.chunks,
            "differences": found.differences,
            "longest_chain": found.longest_chain,
            "chunk_bytes": found.chunk_bytes,
            "store_bytes": found.store_bytes,
            "free_bytes": found.free_bytes,
            "git_bytes": found.git_bytes,
            "database_bytes": found.database_bytes,
        },
        [
            f"{amount(found.commits, 'version')}, {amount(found.branches, 'branch')}, {amount(found.tags, 'tag')}",
            (
                f"{amount(found.chunks, 'chunk')}, {found.differences:,} of them kept as differences, "
                f"in {size(found.chunk_bytes)}"
            ),
            f"{size(found.store_bytes)} store, {size(found.free_bytes)} of it free",
            f"{size(found.git_bytes)} git, {size(found.database_bytes)} database",
        ],
    )
