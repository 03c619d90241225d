"""Where the program starts: answers `--version` at once and fetches the frame for everything else.

Imports next to nothing, because typer alone costs more time than `isovc --version` may take.
"""

from __future__ import annotations

import sys
from importlib import import_module

from isovc import __version__


def main(words: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    words = sys.argv[1:] if words is None else words
    if words == ["--version"]:
        sys.stdout.write(f"isovc {__version__}\n")
        return 0
    try:
        code: int = import_module("isovc.cli.frame").run(words)
    except KeyboardInterrupt:  # while the frame was still being fetched, or while a failure was being told
        sys.stderr.write("error: interrupted\n")
        return 130
    return code
