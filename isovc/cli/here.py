"""What a command is given besides its own words: the folder it works in, the repository that was named, the screen."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from isovc.cli.options import Chosen, Options
from isovc.cli.screen import Screen, screen_for
from isovc.errors import OnlyInThePresent


@dataclass(frozen=True, slots=True)
class Here:
    """The surroundings of one command."""

    folder: Path
    repo: Path | None
    screen: Screen
    command: str = ""  # with the name of what it does, where it does several things: `worktree add`
    words: tuple[str, ...] = ()  # all that was typed
    at_op: str | None = None  # the operation after which things are looked at

    def only_now(self) -> None:
        """Refuse to look at the past: the command is about what is there now, or changes it."""
        if self.at_op is not None:
            raise OnlyInThePresent(command=self.command)

    def path(self, typed: Path) -> Path:
        """A path as the person meant it: relative to `-C DIR`, or to where the database named there lies."""
        return (self.folder if self.folder.is_dir() else self.folder.parent) / typed


def here_of(ctx: typer.Context) -> Here:
    """The surroundings, once all words of the command have been read."""
    chosen: Chosen = ctx.obj
    options = chosen.options
    here = Here(
        folder=options.folder or Path(),
        repo=None,
        screen=screen_of(options),
        command=ctx.command_path.partition(" ")[2],
        words=chosen.words,
        at_op=options.at_op,
    )
    return replace(here, repo=here.path(options.repo)) if options.repo else here


def screen_of(options: Options) -> Screen:
    """The screen of this process."""
    return screen_for(options, out=sys.stdout, err=sys.stderr, person=sys.stdin.isatty(), environment=os.environ)
