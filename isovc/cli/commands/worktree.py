"""`isovc worktree`: other versions as database files of their own."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import commit_of
from isovc.cli.who import deed
from isovc.history.git_history import GitHistory
from isovc.repo.operations import Operations
from isovc.repo.place import check_free
from isovc.workspace.desk import Desk
from isovc.workspace.heads import head_apart
from isovc.workspace.mirroring import mirror
from isovc.workspace.outposts import add as make
from isovc.workspace.outposts import adopt, listed, numbered
from isovc.workspace.outposts import remove as leave

app = command_app(help="Have other versions as database files of their own, beside this one.")


@app.command()
def add(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The database file to make.")],
    revision: Annotated[str, typer.Argument(metavar="[REV]", help="Which version; a branch is gone on with.")] = "HEAD",
    new: Annotated[str | None, typer.Option("-c", metavar="NEW", help="Make a branch for it.")] = None,
) -> None:
    """Make a database file that holds a version, with a branch and a status of its own."""
    here = here_of(ctx)
    file = here.path(path)
    check_free(file)
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as history:
        target = commit_of(here, desk, revision, branch_first=True)
        head = head_apart(target, revision, new=new)
        by = deed(here, desk.repository.settings, history)
        made = make(desk, history, file, head, target.id, by, create=new is not None)
        here.screen.say_if(mirror(desk.repository, history))
        lost = _lost(desk, made)
    where = f"on branch {made.worktree.branch}" if made.worktree.branch else "on no branch"
    here.screen.done(
        {"path": str(made.database.path), "branch": made.worktree.branch, "commit": target.id},
        [
            f"{file} holds {target.id[:12]}, {where}.",
            f"isovc -C {quote(str(file))} undo brings back what was seen last in the lost file."
            if lost
            else f"isovc -C {quote(str(file))} status looks at it.",
        ],
    )


def _lost(desk: Desk, made: Desk) -> bool:
    """Whether the file before it held something else when it was seen last."""
    with desk.repository.file.reading() as db:
        newest = Operations(db).last()
    before, after = newest.operation.live.get(str(made.worktree.id), (None, None)) if newest else (None, None)
    return before is not None and before != after


@app.command("list")
def show(ctx: typer.Context) -> None:
    """List the working copies."""
    here = here_of(ctx)
    with at_desk(here) as desk:
        found = listed(desk)
    here.screen.show(
        [
            {"path": str(each.path), "branch": each.branch, "commit": each.commit, "there": each.is_there}
            for each in found
        ],
        [
            f"{each.path}  {each.commit[:12] if each.commit else 'no commits'}  {each.branch or 'no branch'}"
            + ("" if each.is_there else "  (the file is gone)")
            for each in found
        ],
    )


@app.command()
def remove(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The database file.")],
) -> None:
    """Forget a working copy and delete its file. isovc undo brings it back, with what was uncommitted."""
    here = here_of(ctx)
    here.screen.confirm(f"Delete {path}? isovc undo brings it back.")
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as history:
        gone, is_deleted = leave(desk, here.path(path), deed(here, desk.repository.settings, history))
    said = (
        f"Removed {path}. Its branch stays." if is_deleted else f"Forgot {path}, and left the file: it cannot be read."
    )
    here.screen.done({"path": str(path), "branch": gone.branch, "deleted": is_deleted}, [said])


@app.command()
def repair(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The database file, where it lies now.")],
    was: Annotated[
        Path | None, typer.Argument(metavar="[OLD]", help="Where it was, if several working copies lost their files.")
    ] = None,
) -> None:
    """Tell where a working copy's database lies after it was moved or renamed."""
    here = here_of(ctx)
    with at_desk(here) as desk:
        number = numbered(desk, here.path(was)) if was else None
        found = adopt(desk, here.path(path), deed(here, desk.repository.settings), number=number)
    branch = f"on branch {found.branch}" if found.branch else "on no branch"
    here.screen.done({"path": str(path), "branch": found.branch}, [f"{path} is the working copy {branch} again."])
