"""`isovc apply`: a patch that `isovc diff` wrote, done to the database."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Annotated, BinaryIO

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import Here, here_of
from isovc.cli.who import deed
from isovc.cli.wording import counts_document, difference_lines, schema_document
from isovc.formats.reading import read_patch
from isovc.history.git_history import GitHistory
from isovc.workspace.applying import apply as run
from isovc.workspace.applying import preview

app = command_app()


@app.command()
def apply(
    ctx: typer.Context,
    patch: Annotated[str, typer.Argument(metavar="PATCH", help="A file by diff --format jsonl or sql; - for stdin.")],
    reverse: Annotated[bool, typer.Option("--reverse", "-R", help="Take the patch back.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen.")] = False,
    allow_broken_keys: Annotated[
        bool, typer.Option("--allow-broken-keys", help="Even where foreign keys are broken by it.")
    ] = False,
) -> None:
    """Change the database as a patch says, or not at all.

    Every row the patch changes must be as it was when the patch was made. Nothing is committed; isovc undo takes it
    back.
    """
    here = here_of(ctx)
    with _opened(here, patch) as (file, name), at_desk(here, tidies=not dry_run) as desk:
        found = read_patch(file, name)
        found = found.reversed() if reverse else found
        if dry_run:
            moved = preview(desk, found)
        else:
            with GitHistory(desk.repository.git_folder) as history:
                by = deed(here, desk.repository.settings, history)
            moved = run(desk, found, by, allow_broken_keys=allow_broken_keys)
    said = "Would apply" if dry_run else "Applied"
    head = f"{said} {name}{' in reverse' if reverse else ''}{':' if moved else ': it changes nothing.'}"
    here.screen.done(
        {"dry_run": dry_run, "tables": counts_document(moved.tables), "schema": schema_document(moved)},
        [head, *difference_lines(moved), *(["isovc undo takes it back."] if moved and not dry_run else [])],
    )


@contextmanager
def _opened(here: Here, patch: str) -> Iterator[tuple[BinaryIO, str]]:
    """The patch as a file that can be read more than once, and what it is called."""
    if patch == "-":
        with _copied(sys.stdin.buffer) as copy:
            yield copy, "the patch"
        return
    path = here.path(Path(patch))
    with path.open("rb") as file:
        if file.seekable():
            yield file, path.name
            return
        with _copied(file) as copy:
            yield copy, path.name


@contextmanager
def _copied(file: IO[bytes]) -> Iterator[BinaryIO]:
    with TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        yield copy
