"""`isovc help`: a command's own help, or a topic that no single command explains."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files
from typing import Annotated, Any

import typer

from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.table import COMMANDS
from isovc.errors import UnknownTopic

app = command_app()

_TOPICS = files("isovc.cli") / "topics"


@app.command()
def help(  # noqa: A001 - the command is called so
    ctx: typer.Context,
    topic: Annotated[str, typer.Argument(help="A command or a topic.", show_default=False)] = "",
) -> None:
    """Explain a command or a topic.

    Without a word it lists the topics.
    """
    screen = here_of(ctx).screen
    if not topic:
        topics = {name: _text(name).partition("\n")[0] for name in topics_known()}
        width = max(map(len, topics)) + 2
        screen.show(
            topics,
            [
                *(f"{name:{width}}{line}" for name, line in topics.items()),
                "",
                "isovc help TOPIC, or isovc help COMMAND",
            ],
        )
        return
    text = _text(topic) if topic in topics_known() else _help_of(ctx, topic)
    screen.show({"topic": topic, "text": text}, text.rstrip("\n").split("\n"))


def topics_known() -> list[str]:
    """The names of all topics."""
    return sorted(page.name.removesuffix(".txt") for page in _TOPICS.iterdir() if page.name.endswith(".txt"))


def _text(topic: str) -> str:
    return (_TOPICS / f"{topic}.txt").read_text(encoding="utf-8")


def _help_of(ctx: typer.Context, name: str) -> str:
    root: Any = ctx.find_root()
    command = root.command.get_command(root, name)
    if command is None:
        topics = topics_known()
        raise UnknownTopic(name=name, topics=topics, near=get_close_matches(name, [*topics, *COMMANDS]))
    with command.make_context(name, [], parent=root, resilient_parsing=True) as below:
        text: str = below.get_help()
    return text
