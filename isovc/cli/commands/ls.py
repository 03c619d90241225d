"""`isovc ls`: the files of a version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.revision import meant_by, version_of
from isovc.cli.screen import Line, Styled
from isovc.cli.who import present
from isovc.cli.wording import on_one_line
from isovc.formats.words import size
from isovc.history.git_history import GitHistory
from isovc.snapshot.files import File
from isovc.workspace.stored import below, file_at

app = command_app()


@app.command()
def ls(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="[REV]", help="Which version.")] = "HEAD",
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="Only this file, or what is in this folder.")] = "",
    *,
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Every file, also those in folders below.")
    ] = False,
) -> None:
    """List the files of a version: permissions, size, when it was written, path.

    A folder stands as one line with a slash behind its name and the size of all that is in it.
    """
    here = here_of(ctx)
    path = path.rstrip("/")
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as history:
        version = version_of(desk, history, meant_by(here, desk, revision))
        found = list(below(desk.repository, version, path))
        if path and not found:
            file_at(desk.repository, version, path, called=revision)  # says what there is instead
    here.screen.show([_document(each) for each in found], _lines(found, path, recursive=recursive))


def _document(file: File) -> dict[str, Any]:
    return {
        "path": file.path,
        "mode": f"{file.mode:06o}",
        "size": file.size,
        "mtime": file.mtime,
        "media": file.media,
        "content": file.content.id.hex(),
    }


def _lines(files: Iterable[File], path: str, *, recursive: bool) -> Iterator[Line]:
    inside = f"{path}/" if path else ""
    folders: dict[str, list[File]] = {}
    shown: list[tuple[str, int, File]] = []
    for each in files:
        rest = each.path.removeprefix(inside)
        folder, slash, _ = rest.partition("/")
        if slash and not recursive:
            folders.setdefault(inside + folder, []).append(each)
        else:
            shown.append((each.path, each.size, each))
    shown += [
        (f"{folder}/", sum(each.size for each in some), max(some, key=lambda each: each.mtime))
        for folder, some in folders.items()
    ]
    here = present().tzinfo
    for name, total, newest in sorted(shown, key=lambda one: one[0]):
        is_folder = name.endswith("/")
        kind = "d" if is_folder else "l" if newest.is_link else "-"
        rights = "-" * 9 if is_folder else _rights(newest.permissions)
        written = datetime.fromtimestamp(newest.mtime // 1_000_000_000, here).isoformat(" ", "seconds")[:19]
        style = "bold blue" if is_folder else "cyan" if newest.is_link else ""
        label = on_one_line(name)
        yield (f"{kind}{rights} {size(total):>10}  {written}  ", Styled(label, style) if style else label)


def _rights(mode: int) -> str:
    return "".join(letter if mode >> 8 - place & 1 else "-" for place, letter in enumerate("rwxrwxrwx"))
