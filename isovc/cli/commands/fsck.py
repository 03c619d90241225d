"""`isovc fsck`: is everything kept whole?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from isovc.cli.at_desk import at_desk, at_repository, seated
from isovc.cli.group import command_app
from isovc.cli.here import Here, here_of
from isovc.cli.screen import Line, Styled
from isovc.cli.who import deed
from isovc.cli.wording import on_one_line
from isovc.errors import Damage, NoRefs, OptionsClash, Waiting
from isovc.formats.json_values import encode_value
from isovc.formats.words import amount, key_shown, shown
from isovc.history.git_history import GitHistory
from isovc.lifecycle.links import Missing
from isovc.lifecycle.links import links as look_at_links
from isovc.lifecycle.reindex import reindex
from isovc.lifecycle.verify import verify
from isovc.workspace.capturing import look

app = command_app()

_SHOWN = 20  # of each kind; --json has all


@app.command()
def fsck(
    ctx: typer.Context,
    rebuild_index: Annotated[
        bool, typer.Option("--rebuild-index", help="First make the index of the versions again from git.")
    ] = False,
    trees: Annotated[bool, typer.Option("--trees", help="Also build every table's tree again and compare.")] = False,
    links: Annotated[
        bool, typer.Option("--links", help="Instead, hold rows that name files against the files there are.")
    ] = False,
) -> int:
    """Check that everything kept is whole, and name what is not.

    Every chunk is read and hashed again, and every version is followed to its last row. With --links: rows of the live
    database that name a file which is not there, and files that no row names; which columns name files says
    isovc config attachment-refs TABLE.COLUMN
    """
    here = here_of(ctx)
    if links:
        if rebuild_index or trees:
            raise OptionsClash(options=("--links", "--rebuild-index" if rebuild_index else "--trees"))
        return _links(here)
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
    damages = amount(len(found.damages), "damage") if found.damages else "no damage"
    lines.append(f"Checked {amount(found.chunks, 'chunk')} and {amount(found.commits, 'version')}: {damages}.")
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


def _links(here: Here) -> int:
    with at_desk(here) as desk:
        columns = desk.repository.settings.formed("attachment-refs")
        folder = desk.repository.settings.text("attachments")
        if not columns:
            raise NoRefs
        found = look_at_links(desk.repository.forest, look(desk), columns, folder=folder)
    lines: list[Line] = [
        (Styled("no such file: ", "red"), f"{each.table}:{key_shown(each.key)}:{each.column} names {shown(each.value)}")
        for each in found.missing[:_SHOWN]
    ]
    lines += [(Styled("no row names: ", "yellow"), on_one_line(path)) for path in found.unmentioned[:_SHOWN]]
    more = max(len(found.missing) - _SHOWN, 0) + max(len(found.unmentioned) - _SHOWN, 0)
    lines += [f"and {more:,} more: --json lists them all"] if more else []
    lines.append(
        f"Looked at {amount(found.links, 'row')} that should name a file: "
        f"{amount(len(found.missing), 'file')} missing, {amount(len(found.unmentioned), 'file')} that no row names."
    )
    here.screen.show(
        {
            "links": found.links,
            "missing": [_missing(each) for each in found.missing],
            "unmentioned": list(found.unmentioned),
        },
        lines,
    )
    return Waiting.exit_code if found.missing or found.unmentioned else 0


def _missing(each: Missing) -> dict[str, Any]:
    key = [encode_value(value) for value in each.key]
    return {"table": each.table, "key": key, "column": each.column, "value": encode_value(each.value)}
