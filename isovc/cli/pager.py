"""Long answers on a terminal go through the person's pager, as git's do. Knows nothing of what is shown."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TextIO, cast

from isovc.cli.screen import ReaderGone, Screen

_LESS = {"LESS": "FRX", "LV": "-c"}  # what fits one page is left on the screen; colors come through


@contextmanager
def paged(screen: Screen, *, wanted: bool, environment: Mapping[str, str]) -> Iterator[Screen]:
    """A screen that writes into the pager where there is a terminal and a pager, else the same screen."""
    pager = _pager(environment) if wanted and not screen.json and screen.out.isatty() else ""
    if not pager:
        yield screen
        return
    screen.flush()
    with subprocess.Popen(
        pager,
        shell=True,  # the person's own words, which may hold options
        stdin=subprocess.PIPE,
        env={**_LESS, **environment},
        encoding=screen.out.encoding,
        errors="backslashreplace",
    ) as process:
        assert process.stdin is not None
        # Ctrl-C is the pager's as long as it runs
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with suppress(ReaderGone):  # the person has seen enough
                yield replace(screen, out=cast(TextIO, process.stdin))
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
        finally:
            signal.signal(signal.SIGINT, before)


def _pager(environment: Mapping[str, str]) -> str:
    for name in ("ISOVC_PAGER", "PAGER"):
        if name in environment:
            said = environment[name].strip()
            return "" if said in ("", "cat") else said
    return "less" if shutil.which("less", path=environment.get("PATH", os.defpath)) else ""
