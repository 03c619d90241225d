"""`isovc demo`: isovc at work on a small sample database. Does every step for real, with the means a person has."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.errors import FolderTaken, SampleFailed

app = command_app()

_SAMPLE = files("isovc.cli") / "sample" / "notes.sql"

# Any program may use the database; here it is another Python with the SQLite it came with. A process of its own,
# because two SQLite libraries in one process would drop each other's locks on the file.
_OTHER_PROGRAM = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.stdin.buffer.read().decode())"


@app.command()
def demo(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The new folder to work in.")] = Path("isovc-demo"),
) -> None:
    """Try isovc on a small sample database in a new folder."""
    here = here_of(ctx)
    with _new_folder(here.path(folder)) as made:
        database = made / "notes.db"
        _run_sql(database, _SAMPLE.read_text(encoding="utf-8"))
    here.screen.show(
        {"folder": str(folder), "database": database.name},
        [
            f"Made {folder / database.name}, an ordinary SQLite database: notebooks, notes and tags.",
            "",
            "What to type next:",
            f"  sqlite3 {folder / database.name} .dump",
            "  isovc help",
        ],
    )


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    try:
        folder.mkdir()
    except FileExistsError:
        raise FolderTaken(folder=folder) from None
    try:
        yield folder
    except BaseException:  # Ctrl-C too: a demo that failed leaves nothing, so that it can be tried again
        shutil.rmtree(folder)
        raise


def _run_sql(database: Path, sql: str) -> None:
    other = subprocess.run(
        [sys.executable, "-c", _OTHER_PROGRAM, str(database)], input=sql.encode(), capture_output=True, check=False
    )
    if other.returncode != 0:
        said = other.stderr.decode(errors="backslashreplace").strip()
        raise SampleFailed(database=database, why=said.rpartition("\n")[2] or f"it ended with {other.returncode}")
