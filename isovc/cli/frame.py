"""Runs one command line: reads it, runs the command, turns whatever happens into words and an exit code."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.main import get_command

from isovc import __version__
from isovc.cli.failure import explain
from isovc.cli.group import CommandGroup
from isovc.cli.here import here_of, screen_of
from isovc.cli.options import Chosen, Options
from isovc.cli.screen import ReaderGone, output_told
from isovc.errors import NoCommand, WrongUsage

_app = typer.Typer(
    cls=CommandGroup,
    invoke_without_command=True,
    add_completion=False,  # isovc completion knows branches and tables, too
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@_app.callback()
def isovc(
    ctx: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Version control for ordinary databases: commit, branch and go back, row by row, in a SQLite file.

    Global options may stand before or after the command. `isovc help` lists the topics that are explained.
    """
    if ctx.invoked_subcommand is not None:
        return
    screen = here_of(ctx).screen
    if version:
        screen.show({"version": __version__}, [f"isovc {__version__}"])
    elif screen.json:
        raise NoCommand
    else:
        typer.echo(ctx.get_help())


def run(words: list[str]) -> int:
    """Run one command line and return its exit code."""
    chosen = Chosen(words)
    try:
        with _terminated_as_interrupted():
            _show_any_name()
            result = get_command(_app).main(words, prog_name="isovc", standalone_mode=False, obj=chosen)
            screen_of(chosen.options).flush()
            return result if isinstance(result, int) else 0
    except ReaderGone:
        return _end_quietly()
    except (Exception, KeyboardInterrupt) as error:
        return _fail(error, words, chosen.options)


def _show_any_name() -> None:
    """A name that is no valid UTF-8 is shown escaped; it stops nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with output_told():
                stream.reconfigure(errors="backslashreplace")


def _fail(error: BaseException, words: list[str], options: Options) -> int:
    failure = explain(error)
    if failure.exit_code == WrongUsage.exit_code and "--json" in words[: words.index("--") if "--" in words else None]:
        # Wrong words end the reading before it comes to --json, and the failure must be in JSON all the same.
        options = replace(options, json=True)
    screen = screen_of(options)
    if failure.unexpected and (options.verbose or {"-v", "--verbose"} & set(words)):
        traceback.print_exception(error, file=sys.stderr)
    try:
        screen.fail(failure)
        screen.flush()
    except ReaderGone:
        _end_quietly()
    except OSError:  # the output cannot take it (a full disk, say), which is what went wrong or goes wrong now too
        if screen.json:
            replace(screen, json=False).fail(failure)
        _end_quietly()
    return failure.exit_code


def _end_quietly() -> int:
    # Python flushes the standard output once more while it ends, and would complain about the closed pipe then.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """A polite request to end (SIGTERM) takes the same way out as Ctrl-C, so that every `finally` is run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Any = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the signal module's own words
    raise KeyboardInterrupt
