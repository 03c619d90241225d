"""`isovc fsck`: is everything kept whole?"""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.at_desk import at_repository, seated
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.screen import Line, Styled
from isovc.cli.who import deed
from isovc.errors import Damage
from isovc.history.git_history import GitHistory
from isovc.lifecycle.reindex import reindex
from isovc.lifecycle.verify import verify

app = command_app()


@app.command()
def fsck(
    ctx: typer.Context,
    rebuild_index: Annotated[
        bool, typer.Option("--rebuild-index", help="First make the index of the versions again from git.")
    ] = False,
    trees: Annotated[bool, typer.Option("--trees", help="Also build every table's tree again and compare.")] = False,
) -> int:
    """Check that everything kept is whole, and name what is not.

    Every chunk is read and hashed again, and every version is followed to its last row.
    """
    here = here_of(ctx)
    here.only_now()
    with at_repository(here) as (repository, place):
        try:
            seated(here, repository, place)  # ends what a stopped command left half-way
        except Damage:
            pass  # the check names it
        with GitHistory(repository.git_folder) as history:
            if rebuild_index:
                reindex(repository, history, deed(here, repository.settings, history))
            found = verify(repository, history, trees=trees, progress=here.screen.progress())
    lines: list[Line] = [(Styled("damaged: ", "red"), each.what) for each in found.damages]
    damages = f"{len(found.damages)} damages" if found.damages else "no damage"
    lines.append(f"Checked {found.chunks:,} chunks and {found.commits:,} versions: {damages}.")
    remedies = sorted({each.remedy for each in found.damages if each.remedy})
    lines += [(Styled("hint: ", "cyan"), each) for each in remedies]
    here.screen.show(
        {
            "chunks": found.chunks,
            "commits": found.commits,
            "damages": [{"what": each.what, "commit": each.commit, "table": each.table} for each in found.damages],
        },
        lines,
    )
    return Damage.exit_code if found.damages else 0
