"""A command with commands below it, as `stash push` has."""

from __future__ import annotations

import typer

from isovc.cli.group import command_app
from isovc.cli.here import here_of

app = command_app(help="Do as told.")


@app.command()
def push(ctx: typer.Context) -> None:
    """Put it there."""
    here_of(ctx).screen.show({"pushed": True}, ["pushed"])


@app.command()
def pop(ctx: typer.Context) -> None:
    """Take it back."""
    here_of(ctx).screen.show({"popped": True}, ["popped"])
