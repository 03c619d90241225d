"""`isovc config`: settings of the repository and of the person."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk, place_of, profile
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.who import deed
from isovc.errors import OptionsClash
from isovc.repo.past import settings_after
from isovc.repo.settings import SETTINGS, Settings, parse, write_setting
from isovc.workspace.setting import Unknown, change_setting, unknown_names

app = command_app()


@app.command()
def config(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="[KEY]", help="The setting.", show_default=False)] = "",
    value: Annotated[str | None, typer.Argument(metavar="[VALUE]", help="What it shall be.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="Show every setting there is.")] = False,
    unset: Annotated[bool, typer.Option("--unset", help="Go back to the default.")] = False,
    mine: Annotated[bool, typer.Option("--global", help="For yourself, in every repository.")] = False,
) -> None:
    """Show or change settings.

    A setting that names tables or columns is taken as it is, since another branch may bring them; a warning names those
    that neither the database nor the last version has."""
    here = here_of(ctx)
    if unset and (value is not None or not key):
        raise OptionsClash(options=("--unset", "VALUE" if value is not None else "no KEY"))
    project = None if mine else place_of(here).folder / "config.toml"
    settings = Settings.read(profile(), project or Path(os.devnull))
    if here.at_op is not None and not mine:
        with at_desk(replace(here, at_op=None)) as desk, desk.repository.file.reading() as db:
            settings = Settings(settings_after(db, settings.project, here.at_op), settings.person)
    if not key or listing:
        known = {each: settings.get(each) for each in SETTINGS}
        width = max(map(len, known)) + 2
        here.screen.show(
            {each: {"value": known[each], "origin": settings.origin(each)} for each in known},
            [f"{each:{width}}{known[each]!s:12} {settings.origin(each):8} {SETTINGS[each].about}" for each in known],
        )
    elif value is not None or unset:
        settings.get(key)
        chosen = None if value is None else parse(key, value)
        unknown: list[Unknown] = []
        if mine and SETTINGS[key].in_one:
            raise OptionsClash(options=("--global", key))
        if mine:
            write_setting(profile(), key, chosen)
        else:
            with at_desk(here) as desk:
                change_setting(desk, key, chosen, deed(here, settings))
                unknown = [] if chosen is None else list(unknown_names(desk, key))
        for each in unknown:
            near = f": did you mean {' or '.join(each.near)}?" if each.near else ""
            here.screen.warn(f"neither the database nor the last version has a {each.what} {each.name}{near}")
        if chosen is None:  # the person's word may hold now, or still the project's
            settings = Settings.read(profile(), project or Path(os.devnull))
        shown = settings.get(key) if chosen is None else chosen
        whose = {"project": ", says this repository", "person": ", as you set it for yourself", "default": ""}
        said = "empty" if shown == "" else shown
        here.screen.done(
            {"key": key, "value": shown, **({"unknown": [asdict(each) for each in unknown]} if unknown else {})},
            [f"{key} is {said}{whose[settings.origin(key)] if chosen is None else ''}."],
        )
    else:
        here.screen.show(
            {"key": key, "value": settings.get(key), "origin": settings.origin(key)}, [str(settings.get(key))]
        )
