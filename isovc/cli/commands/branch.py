"""`isovc branch`: branches listed, made, renamed, copied and removed."""

from __future__ import annotations

from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import Here, here_of
from isovc.cli.revision import commit_of
from isovc.cli.screen import Line, Styled
from isovc.cli.who import deed
from isovc.errors import BranchInUse, BranchStoodOn, NameMissing, OptionsClash
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitIndex
from isovc.repo.deeds import Deed
from isovc.repo.names import BRANCHES, short
from isovc.repo.refs import Refs
from isovc.workspace.desk import Desk, path_of
from isovc.workspace.mirroring import mirror
from isovc.workspace.naming import copy, create, remove, rename

app = command_app()


@app.command()
def branch(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The branch.", show_default=False)] = "",
    start: Annotated[
        str, typer.Argument(metavar="[START]", help="Where it begins (HEAD); with -m or -c its new name.")
    ] = "",
    delete: Annotated[bool, typer.Option("-d", "--delete", help="Remove the branch.")] = False,
    force: Annotated[bool, typer.Option("-D", help="Remove it even if nothing else leads to its versions.")] = False,
    move: Annotated[bool, typer.Option("-m", "--move", help="Rename NAME to START.")] = False,
    duplicate: Annotated[bool, typer.Option("-c", "--copy", help="Make START a copy of NAME.")] = False,
) -> None:
    """List branches, or make, rename, copy or remove one."""
    here = here_of(ctx)
    chosen = [option for option, given in (("-d", delete or force), ("-m", move), ("-c", duplicate)) if given]
    if len(chosen) > 1:
        raise OptionsClash(options=tuple(chosen))
    if chosen and not name:
        raise NameMissing(option=chosen[0], what="branch")
    if chosen == ["-d"] and start:
        raise OptionsClash(options=("-d", "START"))
    with at_desk(here) as desk:
        if not name:
            _list(here, desk)
            return
        with GitHistory(desk.repository.git_folder) as history:
            by = deed(here, desk.repository.settings, history)
            full, other = BRANCHES + name, BRANCHES + start
            if delete or force:
                was = _remove(desk, full, by, force=force)
                said = f"Removed branch {name} (was {was[:12]})."
            elif move or duplicate:
                if not start:  # with one name it is the branch one is on
                    full, other = desk.worktree.head, full
                (rename if move else copy)(desk, full, other, by)
                said = f"{'Renamed' if move else 'Copied'} branch {short(full)} to {short(other)}."
            else:
                target = commit_of(here, desk, start or "HEAD").id
                create(desk, full, target, by)
                said = f"Made branch {name} at {target[:12]}. isovc switch {name} goes there."
            here.screen.say_if(mirror(desk.repository, history))
        here.screen.done(_document(desk), [said])


def _remove(desk: Desk, name: str, by: Deed, *, force: bool) -> CommitId:
    try:
        return remove(desk, name, by, force=force)
    except BranchInUse as error:  # in the way of its going, and not of going there
        raise BranchStoodOn(branch=error.branch, database=path_of(desk.repository, error.database)) from None


def _list(here: Here, desk: Desk) -> None:
    with desk.repository.file.reading() as db:
        index = CommitIndex(db)
        found = {short(ref.name): index.get(ref.target) for ref in Refs(db).all(BRANCHES)}
    width = max(map(len, found), default=0)
    lines: list[Line] = []
    for each, entry in found.items():
        mark = Styled("* ", "green") if each == desk.worktree.branch else "  "
        subject = entry.message.partition("\n")[0]
        lines.append((mark, f"{each:{width}} ", Styled(entry.id[:12], "yellow"), f" {subject}"))
    if desk.worktree.branch and desk.worktree.branch not in found:
        lines.append(f"* {desk.worktree.branch} (no commits yet)")
    here.screen.show(_document(desk), lines)


def _document(desk: Desk) -> list[dict[str, object]]:
    with desk.repository.file.reading() as db:
        found = {short(ref.name): ref.target for ref in Refs(db).all(BRANCHES)}
    return [
        {"branch": each, "commit": target, "current": each == desk.worktree.branch} for each, target in found.items()
    ]
