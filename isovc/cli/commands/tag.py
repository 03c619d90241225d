"""`isovc tag`: names for versions that stay where they are."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of
from isovc.cli.who import deed
from isovc.errors import NameMissing, OptionsClash
from isovc.history.git_history import GitHistory
from isovc.repo.names import TAGS, short
from isovc.repo.refs import Refs
from isovc.workspace.mirroring import mirror
from isovc.workspace.naming import create, remove

app = command_app()


@app.command()
def tag(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The tag.", show_default=False)] = "",
    revision: Annotated[str, typer.Argument(metavar="[REV]", help="The version it names (HEAD).")] = "",
    delete: Annotated[bool, typer.Option("-d", "--delete", help="Remove the tag.")] = False,
) -> None:
    """List tags, or make or remove one."""
    here = here_of(ctx)
    if delete and not name:
        raise NameMissing(option="-d", what="tag")
    if delete and revision:
        raise OptionsClash(options=("-d", "REV"))
    with at_desk(here) as desk:
        said = []
        if name:
            with GitHistory(desk.repository.git_folder) as history:
                by = deed(here, desk.repository.settings, history)
                if delete:
                    was = remove(desk, TAGS + name, by)
                    said = [f"Removed tag {name} (was {was[:12]})."]
                else:
                    target = commit_of(here, desk, revision or "HEAD").id
                    create(desk, TAGS + name, target, by)
                    said = [f"Tagged {target[:12]} as {name}."]
                here.screen.say_if(mirror(desk.repository, history))
        with desk.repository.file.reading() as db:
            found = {short(ref.name): ref.target for ref in Refs(db).all(TAGS)}
    document = [{"tag": each, "commit": target} for each, target in found.items()]
    if name:
        here.screen.done(document, said)
    else:
        here.screen.show(document, [f"{each}  {target[:12]}" for each, target in found.items()])
