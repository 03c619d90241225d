"""`isovc completion`: what a shell needs to complete command lines of isovc."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import typer

from isovc.cli.completing import candidates
from isovc.cli.group import command_app
from isovc.cli.here import here_of

app = command_app()

_SCRIPTS = files("isovc.cli") / "completions"


@app.command()
def completion(
    ctx: typer.Context,
    shell: Annotated[
        Literal["bash", "zsh", "fish", "words"] | None,
        typer.Argument(metavar="[bash|zsh|fish|words]", help="Which shell; else yours, or bash.", show_default=False),
    ] = None,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD]...", help="With words: list what may stand where the last one is."),
    ] = None,
) -> None:
    """Print the script by which a shell completes what you type.

    It knows commands, options, branches, tags and tables.

    For bash: eval "$(isovc completion bash)" in ~/.bashrc.

    For zsh: eval "$(isovc completion zsh)" in ~/.zshrc, below compinit.

    For fish: isovc completion fish > ~/.config/fish/completions/isovc.fish
    """
    here = here_of(ctx)
    if shell == "words":  # what the scripts ask: each word that may come next, a tab, and what it means
        found = candidates(here, words or [])
        here.screen.show(dict(found), [f"{word}\t{about}" for word, about in found])
        return
    shell = shell or _yours()
    script = (_SCRIPTS / f"isovc.{shell}").read_text(encoding="utf-8")
    here.screen.show({"shell": shell, "script": script}, script.rstrip("\n").split("\n"))


def _yours() -> Literal["bash", "zsh", "fish"]:
    match Path(os.environ.get("SHELL", "")).name:
        case "zsh":
            return "zsh"
        case "fish":
            return "fish"
        case _:
            return "bash"
