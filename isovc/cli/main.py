"""Where the program starts: answers `--version` at once and fetches the frame for everything else.

Imports next to nothing, because typer alone costs more time than `isovc --version` may take.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from isovc import __version__


def main(words: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    words = sys.argv[1:] if words is None else words
    _open_what_is_closed()
    if words == ["--version"]:
        try:
            sys.stdout.write(f"isovc {__version__}\n")
            sys.stdout.flush()
            return 0
        except OSError:
            pass  # the frame meets it too, and has the words for it
    try:
        code: int = import_module("isovc.cli.frame").run(words)
    except KeyboardInterrupt:  # while the frame was still being fetched, or while a failure was being told
        sys.stderr.write("error: interrupted\n")
        return 130
    return code


def _open_what_is_closed() -> None:
    """A stream that was closed beforehand (`isovc log <&-`) is none to Python. With the null device in its place
    everything goes on, and no database is ever opened under the number of an output."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - it stays open
