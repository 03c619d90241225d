"""`isovc demo`: isovc at work on a small sample database. Does every step for real, with the means a person has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from shlex import split
from typing import Annotated

import typer

from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.screen import Styled
from isovc.errors import FolderTaken, SampleFailed

app = command_app()

_SAMPLE = files("isovc.cli") / "sample" / "notes.sql"

# Any program may use the database; here it is another Python with the SQLite it came with. A process of its own,
# because two SQLite libraries in one process would drop each other's locks on the file.
_OTHER_PROGRAM = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.stdin.buffer.read().decode())"


# Words for a person, and then a command of isovc or a change that another program makes.
_SQL = "sqlite3 notes.db"
_STEPS: tuple[tuple[str, str], ...] = (
    ("An ordinary database comes under version control; nothing is added to it.", "isovc init notes.db"),
    ("", 'isovc commit -m "notes as they were"'),
    ("Any program may change it. Here one does, and isovc sees it without having been told.", ""),
    ("", f"{_SQL} \"UPDATE note SET stars = 5.0 WHERE id = 2; DELETE FROM tag WHERE word = 'may'\""),
    ("", "isovc status"),
    ("", 'isovc commit -m "the soup is better than we thought"'),
    ("An experiment goes on a branch of its own.", "isovc switch -c tidy"),
    ("", f'{_SQL} "DELETE FROM note WHERE stars IS NULL; ALTER TABLE note ADD COLUMN read TEXT"'),
    ("", 'isovc commit -m "tidied up"'),
    ("Back on main the database is as it was: rows, columns and all.", "isovc switch main"),
    ("A mistake that was never committed is not the end either: take the table as it was.", ""),
    ("", f'{_SQL} "UPDATE note SET stars = 0"'),
    ("", "isovc checkout HEAD -t note"),
    ("Every version can be seen, here and by git itself (git -C .isovc/git log).", "isovc log tidy --oneline --graph"),
    ("And all that is kept can be checked.", "isovc fsck"),
)


@app.command()
def demo(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The new folder to work in.")] = Path("isovc-demo"),
) -> None:
    """Try isovc on a small sample database in a new folder."""
    here = here_of(ctx)
    here.only_now()
    said: list[dict[str, str]] = []
    with _new_folder(here.path(folder)) as made:
        database = made / "notes.db"
        _run_sql(database, _SAMPLE.read_text(encoding="utf-8"))
        here.screen.say(f"Made {folder / database.name}, an ordinary SQLite database: notebooks, notes and tags.")
        for words, command in _STEPS:
            if words:
                here.screen.say("")
                here.screen.say(Styled(words, "bold"))
            if command:
                here.screen.say(Styled(f"$ {command}", "cyan"))
                answer = _run(command, database)
                for line in answer.splitlines():
                    here.screen.say(f"  {line}")
                said.append({"command": command, "answer": answer})
    here.screen.show(
        {"folder": str(folder), "database": database.name, "steps": said},
        [
            "",
            f"That was isovc. The database and its history are in {folder}. What to type next:",
            f"  cd {folder}",
            "  isovc status",
            "  isovc show tidy",
            "  isovc help",
        ],
    )


def _run(command: str, database: Path) -> str:
    if command.startswith(_SQL):
        _run_sql(database, command.partition('"')[2][:-1])
        return ""
    words = [sys.executable, "-m", "isovc", *split(command)[1:]]
    # beside the database, as a person would be, so that answers name things as they do there; this program is known by
    # its place, since it may have been found by a path that is seen from here only
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    ended = subprocess.run(words, cwd=database.parent, env=found, capture_output=True, check=False)
    if ended.returncode != 0:
        raise SampleFailed(database=database, why=ended.stderr.decode(errors="backslashreplace").partition("\n")[0])
    return ended.stdout.decode(errors="backslashreplace")


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
