"""A command with every habit, good and bad, so that the frame can be tried without one of isovc's own.

`python -m tests.cli.planted planted DEED` runs it as a process.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.main import main
from isovc.cli.screen import Styled
from isovc.cli.table import COMMANDS, SUMMARIES
from isovc.errors import Busy, ChunkMissing, Refused, Waiting

app = command_app()


@app.command()
def planted(
    ctx: typer.Context,
    deed: str,
    message: Annotated[str, typer.Option("-m")] = "",
    count: Annotated[int, typer.Option("--count")] = 1,
) -> int | None:
    """Do as told."""
    here = here_of(ctx)
    screen = here.screen
    match deed:
        case "show":
            screen.say("on the way")
            screen.show(
                {"message": message, "count": count, "folder": str(here.folder), "repo": str(here.repo)},
                [("message ", Styled(message, "yellow"))],
            )
        case "end with 3":
            return 3
        case "exit 3":
            raise typer.Exit(3)
        case "confirm":
            screen.confirm("Really?")
            screen.say("confirmed")
        case "refused":
            raise Refused("that is not possible", hint="do something else")
        case "waiting":
            raise Waiting("2 conflicts wait")
        case "damage":
            raise ChunkMissing(chunk=b"\x01" * 32)
        case "busy":
            raise Busy("the repository is busy")
        case "bug":
            raise ValueError("two\nlines")
        case "silent bug":
            raise AssertionError
        case "no file":
            Path("nowhere/at/all").read_text(encoding="utf-8")
        case "disk full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "store.db")
        case "rename":
            Path("a").rename("b")
        case "strange system error":
            raise OSError(errno.ELOOP, "Too many levels", "loop")
        case "system error without a number":
            raise OSError("it is odd")
        case "broken pipe elsewhere":
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        case "interrupt":
            raise KeyboardInterrupt
        case "terminate":
            signal.raise_signal(signal.SIGTERM)
        case "lines":
            screen.show({}, (f"line {n}" for n in range(count)))
        case "wait":
            try:
                screen.say("ready")
                screen.flush()
                time.sleep(60)
            finally:
                screen.say("tidied up")
        case "progress":
            with screen.progress().task("Counting", total=count, unit="things") as task:
                with screen.progress().task("Within") as inner:
                    inner.advance()
                task.advance(count)
            screen.say("counted")
    return None


def plant() -> None:
    """Make the command known to this process, and one that has commands below it."""
    for name in ("planted", "planted_group"):
        COMMANDS[name] = f"tests.cli.{name}"
        SUMMARIES[name] = "Do as told."


def pull_out() -> None:
    """Undo plant()."""
    for name in ("planted", "planted_group"):
        del COMMANDS[name], SUMMARIES[name]


if __name__ == "__main__":
    plant()
    sys.exit(main())
