"""Runs the ```console blocks of a page as a reader would type them, in a new folder with a new home.

In a block a line that begins with `$ ` is a command, lines that begin with `> ` go on with it, and all others are what
it shows, where `...` stands for anything: within a line, or as a line of its own for any number of lines. The blocks of
a page are one session of one shell. `<!-- before: COMMAND -->` is run too, and not seen by readers.

`python -m tests.shell_pages PAGE...` writes into the pages what the commands show now, ids and times as `...`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
_END = "-- the end of a command --"
_BLOCK = re.compile(r"^(?:```console\n(?P<block>.*?)^```$|<!-- before: (?P<before>.*?) -->$)", re.DOTALL | re.MULTILINE)
_CHANGING = re.compile(
    r"\b[0-9a-f]{12}(?:[0-9a-f]{28})?\b|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z| ?[+-]\d\d:?\d\d)?"
    r"|(?<=Author: ).*|(?<=^Date:   )\w+ |(?<=rocess )\d+|/tmp/\S*(?=/)|(?<=^\.\.\. )\w+ +",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a page, and what the page says it shows; None where readers do not see it."""

    command: str
    shown: str | None


def steps_of(page: str) -> list[Step]:
    """The commands of a page, in their order."""
    found = []
    for match in _BLOCK.finditer(page):
        if match["before"]:
            found.append(Step(match["before"], None))
            continue
        first, *blocks = re.split(r"^\$ ", match["block"], flags=re.MULTILINE)
        if first:
            raise ValueError(f"a block begins with what is no command: {first!r}")
        found += [_step(block) for block in blocks]
    return found


def _step(block: str) -> Step:
    first, *lines = block.rstrip("\n").split("\n")
    more = 0
    while more < len(lines) and lines[more].startswith("> "):
        more += 1
    return Step("\n".join([first, *(line[2:] for line in lines[:more])]), "\n".join(lines[more:]))


def run(steps: list[Step], folder: Path) -> list[tuple[str, int]]:
    """What each command shows, and how it ends."""
    home, work, programs = (folder / name for name in ("home", "work", "programs"))
    for made in (home, work, programs):
        made.mkdir()
    isovc = programs / "isovc"
    isovc.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m isovc "$@"\n'
    )
    isovc.chmod(0o755)
    # the next command may ask how this one ended
    ends = f"ended=$?; printf '\\n%s %s\\n' {shlex.quote(_END)} $ended; (exit $ended)"
    script = "".join(f"{step.command}\n{ends}\n" for step in steps)
    foreign = ("GIT_", "XDG_", "ISOVC", "PYTEST")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
        "HOME": str(home),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
        "TERM": "dumb",
        "NO_COLOR": "1",
    }
    ended = subprocess.run(
        ["bash", "-c", f"exec 2>&1 </dev/null\n{script}"],
        cwd=work,
        env=environment,
        stdout=subprocess.PIPE,
        check=False,
    )
    parts = re.split(rf"\n{re.escape(_END)} (\d+)\n", ended.stdout.decode())
    return [(_trimmed(shown), int(code)) for shown, code in zip(parts[:-1:2], parts[1::2], strict=True)]


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def fits(shown: str, found: str) -> bool:
    """Whether a page tells what a command shows."""
    lines = [r"(?:.*\n)*?" if line.strip() == "..." else _line(line) for line in shown.split("\n")]
    return re.fullmatch("".join(lines), f"{found}\n") is not None


def _line(line: str) -> str:
    return ".*".join(map(re.escape, line.rstrip().split("..."))) + r"\n"


def drifted(page: Path, folder: Path) -> list[str]:
    """The commands of a page that show something else than it says."""
    steps = steps_of(page.read_text(encoding="utf-8"))
    ended = run(steps, folder)
    wrong = [f"$ {step.command}\n(was not reached)" for step in steps[len(ended) :]]
    for step, (found, code) in zip(steps, ended, strict=False):
        unseen = step.shown is None or step.shown.strip() == "..."
        # where nothing is compared, nothing may fail
        if (code and (unseen or not step.shown)) or not (unseen or fits(step.shown or "", found)):
            wrong.append(f"$ {step.command}\n{found}\n({code}; the page says:)\n{step.shown}")
    return wrong


def rewritten(text: str, ended: list[tuple[str, int]]) -> str:
    """The page with what its commands show now, where that is not what it says."""
    shows = iter(ended)

    def block(match: re.Match[str]) -> str:
        if match["before"]:
            next(shows)
            return match[0]
        told = []
        for step in steps_of(match[0]):
            found, _ = next(shows)
            kept = step.shown if step.shown and fits(step.shown, found) else _CHANGING.sub("...", found)
            told.append("\n> ".join(f"$ {step.command}".split("\n")) + "\n" + (f"{kept}\n" if kept else ""))
        return f"```console\n{''.join(told)}```"

    return _BLOCK.sub(block, text)


def _main() -> None:
    for page in map(Path, sys.argv[1:]):
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(rewritten(text, run(steps_of(text), Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    _main()
