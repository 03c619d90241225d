"""`isovc watch`: every transaction of the live database, as it happens."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import typer

from isovc.cli.at_desk import at_repository, seated
from isovc.cli.group import command_app
from isovc.cli.here import Here, here_of
from isovc.cli.wording import moment
from isovc.errors import BadInterval, WatcherFailed
from isovc.formats.words import amount
from isovc.repo.timeline import Timelines
from isovc.workspace.desk import Desk
from isovc.workspace.watching.watch import Tally, Watch
from isovc.workspace.watching.watchers import log_file, only_watcher, say_ready, stop_watcher, watcher_of

app = command_app(
    help="Record every transaction of the database as it happens.",
    invoke_without_command=True,
)
_INTERVAL = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_LEAST, _MOST = 0.001, 3600.0  # seconds
_START_SECONDS, _STOP_SECONDS = 600.0, 60.0  # a first look reads all of a database
_REDRAWN = 0.1  # seconds between two times that the line on the terminal is drawn


@app.callback()
def watch(
    ctx: typer.Context,
    every: Annotated[str, typer.Option("--every", help="How often to look: 20ms, 1s, 2m.")] = "20ms",
    daemon: Annotated[bool, typer.Option("--daemon", help="Go on in the background.")] = False,
) -> None:
    """Record every transaction of the database as it happens.

    Any program may go on writing, and waits for nothing. In WAL mode each transaction is recorded by itself; in other
    modes the states that are seen. Ctrl-C ends it. isovc coverage tells what was recorded.
    """
    if ctx.invoked_subcommand is not None:
        return
    here = here_of(ctx)
    here.only_now()
    seconds = _interval(every)
    if daemon:
        _in_background(here, every)
        return
    with _desk(here) as desk, only_watcher(desk, every=seconds):
        tally = _watched(here, desk, seconds)
    gaps = f", {amount(tally.gaps, 'gap')}" if tally.gaps else ""
    here.screen.done(
        {"transactions": tally.transactions, "gaps": tally.gaps},
        [f"Recorded {amount(tally.transactions, 'transaction')}{gaps}."],
    )


@app.command()
def status(ctx: typer.Context) -> None:
    """Say whether the database is being watched, and until when it was."""
    here = here_of(ctx)
    here.only_now()
    with _desk(here) as desk:
        found = watcher_of(desk)
        with desk.repository.file.reading() as db:
            line = Timelines(db).find(desk.worktree.id, desk.worktree.head)
    document: dict[str, Any] = {
        "watching": found is not None,
        "pid": found.pid if found else None,
        "since": moment(found.begun) if found else None,
        "every": found.every if found else None,
        "ready": bool(found and found.ready),
        "last": moment(line.time) if line else None,
        "seen": moment(line.seen) if line else None,
    }
    if found:
        lines = [f"Watched by process {found.pid} since {document['since']}, every {found.every * 1000:g} ms."]
    else:
        lines = ["Not watched."]
    if line:
        lines.append(f"The last transaction was recorded at {document['last']}.")
    here.screen.show(document, lines)


@app.command()
def stop(ctx: typer.Context) -> None:
    """End the watcher. What it has seen is recorded."""
    here = here_of(ctx)
    here.only_now()
    with _desk(here) as desk:
        found = stop_watcher(desk, seconds=_STOP_SECONDS)
    here.screen.done({"pid": found.pid}, [f"The watcher, process {found.pid}, has ended."])


@contextmanager
def _desk(here: Here) -> Iterator[Desk]:
    """The working copy. A watcher lives long, and nobody who wants to be alone for a moment shall wait for it."""
    with at_repository(here, alone=True) as (repository, place):
        yield seated(here, repository, place)


def _interval(text: str) -> float:
    found = _INTERVAL.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not _LEAST <= seconds <= _MOST:
        raise BadInterval(text=text, allowed="it is written like 20ms, 1s or 2m, from 1ms to 60m")
    return seconds


def _watched(here: Here, desk: Desk, seconds: float) -> Tally:
    """Watch until Ctrl-C, or until somebody asks this process to end."""
    stopping = threading.Event()
    last = Tally()
    drawn, is_ready = 0.0, False

    def tell(tally: Tally) -> None:
        nonlocal last, drawn, is_ready
        if not is_ready:
            say_ready(desk)
        is_ready, last = True, tally
        if here.screen.bars and time.monotonic() - drawn > _REDRAWN:
            drawn = time.monotonic()
            here.screen.err.write(f"\r{amount(tally.transactions, 'transaction')}, the last at {moment(tally.last)}")
            here.screen.err.flush()

    def say(text: str) -> None:
        line = f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}\n"
        with log_file(desk).open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(line)
        if here.screen.bars:
            here.screen.err.write("\n")
        here.screen.warn(text)

    gc.enable()  # other commands are over before it would pay
    with _ended_by_signals(stopping):
        say(f"watching {desk.database.path}, process {os.getpid()}")
        Watch(desk, every=seconds, stop=stopping, say=say, tell=tell).run()
        say(f"ended after {amount(last.transactions, 'transaction')}")
    if here.screen.bars:
        here.screen.err.write("\n")
    return last


@contextmanager
def _ended_by_signals(stopping: threading.Event) -> Iterator[None]:
    """Ctrl-C and a polite request end the watcher between two transactions."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before: list[Callable[..., Any] | int | None] = [
        signal.signal(number, lambda *_: stopping.set()) for number in numbers
    ]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _in_background(here: Here, every: str) -> None:
    """Start the same command again, as a process of its own, and wait until it has seen the database."""
    with _desk(here) as desk:
        with only_watcher(desk, every=0.0):
            pass  # refused here, where somebody reads it
        log, path = log_file(desk), desk.database.path
        words = [sys.executable, "-m", "isovc", "-q", "-C", str(path.absolute()), "--repo", str(desk.repository.folder)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*words, "watch", "--every", every],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while (found := watcher_of(desk)) is None or not found.ready:
            if process.poll() is not None or time.monotonic() > deadline:
                raise WatcherFailed(path=path, log=log)
            time.sleep(_REDRAWN / 5)
        process.returncode = 0  # it outlives this one, which is no mistake
    here.screen.done(
        {"pid": process.pid, "log": str(log)},
        [f"Process {process.pid} watches {path}.", "isovc watch stop ends it."],
    )
