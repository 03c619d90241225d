"""`isovc gc`: space back from what nothing leads to."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.who import deed, present
from isovc.formats.words import amount, size
from isovc.history.git_history import GitHistory
from isovc.lifecycle.gc import clean, plan
from isovc.repo.moments import microseconds

app = command_app()


@app.command()
def gc(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and how much.")] = False,
) -> None:
    """Give back the space of what nothing leads to any more.

    What a branch, a tag, a working copy or the time of undo (gc.undo_days) leads to stays. Others may go on working.
    """
    here = here_of(ctx)
    with at_desk(here, alone=not dry_run) as desk, GitHistory(desk.repository.git_folder) as history:
        progress = here.screen.progress()
        if dry_run:
            done = plan(desk.repository, history, microseconds(present()), progress=progress)
        else:
            by = deed(here, desk.repository.settings, history)
            done = clean(desk.repository, history, by, progress=progress)
    thinned = "would be thinned out" if dry_run else "thinned out"
    verb = "would be deleted" if dry_run else "deleted"
    (here.screen.show if dry_run else here.screen.done)(
        {
            "dry_run": dry_run,
            "chunks": done.chunks,
            "bytes": done.bytes,
            "commits": done.commits,
            "given_back": done.given_back,
            "states": done.states,
        },
        [
            f"{amount(done.chunks, 'chunk')} ({size(done.bytes)}) and {amount(done.commits, 'version')} {verb}.",
            *([f"{done.states:,} recorded states {thinned} (watch.keep)."] if done.states else []),
            *([] if dry_run else [f"{size(done.given_back)} given back to the file system."]),
        ],
    )
