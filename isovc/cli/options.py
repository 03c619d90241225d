"""The options that every command takes, before or after its name. Knows nothing of what any command does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.main import get_command

ColorChoice = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class Options:
    """What was chosen for this one command line."""

    folder: Path | None = None
    repo: Path | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: ColorChoice = "auto"
    no_progress: bool = False
    yes: bool = False
    at_op: str | None = None


class Chosen:
    """The options read so far. Grows word by word, so that a failure half way knows the form to speak in."""

    __slots__ = ("options", "words")

    def __init__(self, words: Sequence[str] = ()) -> None:
        self.options = Options()
        self.words = tuple(words)  # all that was typed


def _choose(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> None:
    # An option that was not typed arrives as None or False and must not undo the one before the command's name.
    if value is not None and value is not False and param.name:
        chosen: Chosen = ctx.obj
        chosen.options = replace(chosen.options, **{param.name: value})


def _option(*words: str, help: str, metavar: str | None = None) -> Any:  # noqa: A002 - typer's own word
    return typer.Option(*words, help=help, metavar=metavar, expose_value=False, callback=_choose)


def _declared(
    folder: Annotated[Path | None, _option("-C", metavar="DIR", help="Work as if started in DIR.")] = None,
    repo: Annotated[Path | None, _option("--repo", metavar="DIR", help="The repository (.isovc) to use.")] = None,
    *,
    json: Annotated[bool, _option("--json", help="Answer with one JSON document.")] = False,
    quiet: Annotated[bool, _option("-q", "--quiet", help="Say only what was asked for, and errors.")] = False,
    verbose: Annotated[bool, _option("-v", "--verbose", help="Say more; show where a failure comes from.")] = False,
    color: Annotated[ColorChoice | None, _option("--color", help="Colors: auto is on a terminal only.")] = None,
    no_progress: Annotated[bool, _option("--no-progress", help="Draw no progress bars.")] = False,
    yes: Annotated[bool, _option("--yes", help="Answer every question with yes.")] = False,
    at_op: Annotated[
        str | None, _option("--at-op", metavar="ID", help="Look at everything as it was after this operation.")
    ] = None,
) -> None:
    """Never called: typer reads the options from these words."""


def global_options(*, hidden: bool) -> list[Any]:
    """The parser's form of the options. Hidden below a command, whose help is about the command."""
    app = typer.Typer(add_completion=False)
    app.command()(_declared)
    options: list[Any] = list(get_command(app).params)
    for option in options:
        option.hidden = hidden
    return options
