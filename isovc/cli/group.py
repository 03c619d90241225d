"""The commands as a group that imports a command only when it is typed. Knows the table, not the commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from isovc.cli.options import global_options
from isovc.cli.table import COMMANDS, SECTIONS, SUMMARIES
from isovc.errors import Interrupted, PartnerGone, UnknownCommand

# Words that hands which know git type by themselves, and what stands for them here.
_ELSEWHERE = "there are no copies on other machines yet; isovc help patches tells how to hand on what differs"
_FROM_GIT = {
    "add": 'nothing need be added: isovc commit -m "..." keeps all that changed',
    "rm": 'nothing need be removed: isovc commit -m "..." keeps all that changed',
    "reflog": "isovc op log lists what was done, isovc undo takes the last of it back",
    **dict.fromkeys(("clone", "fetch", "pull", "push", "remote"), _ELSEWHERE),
}


class Deferred(TyperCommand):
    """A command known by name and one line; its module is imported the moment it has to read its words."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, help=SUMMARIES[name], rich_markup_mode=None)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        command = get_command(import_module(COMMANDS[str(self.name)]).app)
        _take_global_options(command)
        return command.make_context(info_name, args, parent=parent, **extra)


def _take_global_options(command: Any) -> None:
    if isinstance(command, TyperGroup):
        for below in command.commands.values():
            _take_global_options(below)
    command.params.extend(global_options(hidden=True))


class CommandGroup(TyperGroup):
    """All commands of isovc."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: Deferred(name) for name in COMMANDS}
        self.params.extend(global_options(hidden=False))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.commands and not ctx.resilient_parsing and not args[0].startswith("-"):
            hint = _FROM_GIT.get(args[0], "")
            raise UnknownCommand(name=args[0], near=get_close_matches(args[0], self.commands), hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(list(commands.items()))

    def invoke(self, ctx: Any) -> Any:
        with _kept_from_typer():
            return super().invoke(ctx)


@contextmanager
def _kept_from_typer() -> Iterator[None]:
    # typer would end the process without a word on both.
    try:
        yield
    except BrokenPipeError as gone:
        raise PartnerGone from gone
    except KeyboardInterrupt as stop:
        raise Interrupted("interrupted; nothing is left half done", hint="type the command again") from stop


def command_app(**settings: Any) -> typer.Typer:
    """The `app` every command module has: help as plain text, no completion of its own."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, **settings)
