"""What may come next in a command line that is being typed. Looks names up in the repository; changes nothing.

What kind of word an argument is, its metavar tells (REV, TABLE): so the help and the completion cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from isovc.cli.at_desk import place_of, profile
from isovc.cli.commands.help import topics_known
from isovc.cli.here import Here
from isovc.cli.options import global_options
from isovc.cli.table import COMMANDS, SUMMARIES
from isovc.errors import IsovcError
from isovc.repo.names import BRANCHES, TAGS, short
from isovc.repo.refs import Refs
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.repo.worktrees import Worktrees
from isovc.snapshot.version import decode_version

_VERSIONS = {"A", "A..B", "A...B", "B", "BRANCH", "REV", "REV:PATH", "START", "UPSTREAM"}
_NAMES_REFS = {"branch", "switch", "tag"}  # what these call NAME is one that may be there already

Word = tuple[str, str]  # a word that may stand next, and what it means


@dataclass(slots=True)
class _Typed:
    """What the words before the last one come to."""

    name: str = ""
    command: Any = None
    arguments: int = 0  # that are there already
    waiting: Any = None  # an option whose value comes next
    values: dict[str, str] = field(default_factory=dict)  # of global options

    @property
    def options(self) -> list[Any]:
        own = [each for each in self.command.params if each.param_type_name == "option"] if self.command else []
        return own + global_options(hidden=False)


def candidates(here: Here, words: list[str]) -> list[Word]:
    """Every word that may stand where the last one is being typed; none where that is a file, or anything."""
    *before, begun = words or [""]
    typed = _read(before)
    if "-C" in typed.values:
        here = replace(here, folder=Path(typed.values["-C"]))
    if "--repo" in typed.values:
        here = replace(here, repo=here.path(Path(typed.values["--repo"])))
    return [(word, about) for word, about in _next(here, typed, begun) if word.startswith(begun)]


def _read(words: list[str]) -> _Typed:
    typed = _Typed()
    for word in words:
        if typed.waiting is not None:
            typed.values[typed.waiting.opts[0]] = word
            typed.waiting = None
        elif word.startswith("-"):
            typed.waiting = next((one for one in typed.options if word in one.opts and not one.is_flag), None)
        elif typed.command is None:
            typed.name = word
            typed.command = get_command(import_module(COMMANDS[word]).app) if word in COMMANDS else TyperGroup()
        elif isinstance(typed.command, TyperGroup) and word in typed.command.commands:
            typed.command = typed.command.commands[word]
        else:
            typed.arguments += 1
    return typed


def _next(here: Here, typed: _Typed, begun: str) -> Iterator[Word]:
    if typed.waiting is not None:
        yield from _values(here, typed.name, typed.waiting)
    elif isinstance(typed.command, TyperGroup) and not typed.arguments and not begun.startswith("-"):
        yield from ((name, (below.help or "").partition("\n")[0]) for name, below in typed.command.commands.items())
    elif begun.startswith("-"):
        for option in typed.options:
            yield from ((name, option.help or "") for name in option.opts if not option.hidden)
    elif typed.command is None:
        yield from SUMMARIES.items()
    elif typed.name == "help":
        yield from [*SUMMARIES.items(), *((topic, "") for topic in topics_known() if topic not in SUMMARIES)]
    else:
        taken = [each for each in typed.command.params if each.param_type_name == "argument" and not each.hidden]
        if taken and (typed.arguments < len(taken) or taken[-1].nargs == -1):
            yield from _values(here, typed.name, taken[min(typed.arguments, len(taken) - 1)])


def _values(here: Here, command: str, parameter: Any) -> Iterator[Word]:
    yield from ((choice, "") for choice in getattr(parameter.type, "choices", ()))
    kinds = set(re.sub(r"[][]|\.\.\.$", "", parameter.metavar or "").split("|"))
    if kinds & _VERSIONS or (kinds == {"NAME"} and command in _NAMES_REFS):
        yield from _refs(here)
        if kinds & _VERSIONS:
            yield "HEAD", "what is checked out"
    if "TABLE" in kinds:
        yield from _tables(here)


def _refs(here: Here) -> Iterator[Word]:
    try:
        with _repository(here) as repository, repository.file.reading() as db:
            for kind, about in ((BRANCHES, "branch"), (TAGS, "tag")):
                yield from ((short(ref.name), about) for ref in Refs(db).all(kind))
    except IsovcError:  # nothing to offer; the command that is being typed will say why
        return


def _tables(here: Here) -> Iterator[Word]:
    try:
        with _repository(here) as repository, repository.file.reading() as db:
            found = {name for one in Worktrees(db).all() for name in decode_version(one.files).roots}
    except IsovcError:
        return
    yield from ((name, "table") for name in sorted(found))


def _repository(here: Here) -> Repository:
    place = place_of(here)
    return Repository(place.folder, Settings.read(profile(), place.folder / "config.toml"))
