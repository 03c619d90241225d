"""Writes docs/commands.md and the man page docs/isovc.1 from what the commands say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from isovc.cli.options import global_options
from isovc.cli.table import COMMANDS, SECTIONS

DOCS = Path(__file__).parent.parent / "docs"


@dataclass(frozen=True, slots=True)
class Entry:
    """One command, or one that stands below another."""

    name: str
    usage: str
    help: list[str]  # paragraphs
    words: list[tuple[str, str]]  # arguments and options, with what they mean
    below: list[Entry]


def sections() -> dict[str, list[Entry]]:
    """Every command, as `isovc --help` arranges them."""
    return {
        title: [_entry(f"isovc {name}", get_command(import_module(COMMANDS[name]).app)) for name in names]
        for title, names in SECTIONS.items()
    }


def _entry(name: str, command: Any) -> Entry:
    with command.make_context(name, [], resilient_parsing=True) as ctx:
        records = [each.get_help_record(ctx) for each in command.get_params(ctx)]
        usage = " ".join([name, *command.collect_usage_pieces(ctx)])
        below = command.commands if isinstance(command, TyperGroup) else {}
    words = [(left, about) for left, about in filter(None, records) if "--help" not in left]
    paragraphs = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    return Entry(name, usage, paragraphs, words, [_entry(f"{name} {each}", one) for each, one in below.items()])


def everywhere() -> list[tuple[str, str]]:
    """The options that every command takes."""
    options = global_options(hidden=False)
    command = get_command(import_module(COMMANDS["help"]).app)
    with command.make_context("isovc", [], resilient_parsing=True) as ctx:
        return [option.get_help_record(ctx) for option in options]


def exit_codes() -> list[tuple[str, str]]:
    """How commands end, as the topic of the command line has it."""
    lines = (files("isovc.cli") / "topics" / "exit-codes.txt").read_text(encoding="utf-8").splitlines()[2:]
    return [(code, meaning) for code, _, meaning in (line.strip().partition(" ") for line in lines)]


def markdown() -> str:
    """The page."""
    return "\n".join(_markdown()).rstrip("\n") + "\n"


def _markdown() -> Iterator[str]:
    yield "# Commands\n"
    yield "What the commands say of themselves; `isovc help COMMAND` says the same, and so does the man page.\n"
    yield "## Options of every command\n"
    yield "They may stand before or after the command.\n"
    yield from _listed(everywhere())
    yield "\n## Exit codes\n"
    yield "Every command ends with one of these:\n"
    yield from (f"- `{code}`: {meaning.strip()}" for code, meaning in exit_codes())
    yield "\n`isovc diff --exit-code` ends with 1 when something differs."
    for title, entries in sections().items():
        yield f"\n## {title}"
        for entry in entries:
            yield from _page(entry, "###")


def _page(entry: Entry, level: str) -> Iterator[str]:
    yield f"\n{level} {entry.name}\n"
    yield f"```text\n{entry.usage}\n```\n"
    yield "\n\n".join(entry.help)
    if entry.words:
        yield ""
    yield from _listed(entry.words)
    for below in entry.below:
        yield from _page(below, f"{level}#")


def _listed(words: list[tuple[str, str]]) -> Iterator[str]:
    yield from (f"- `{left}`{': ' if about else ''}{about.strip()}" for left, about in words)


def manual() -> str:
    """The man page, in roff."""
    return "\n".join(_manual()) + "\n"


def _manual() -> Iterator[str]:
    yield '.TH ISOVC 1 "" isovc "User commands"'
    yield ".SH NAME\nisovc \\- version control for ordinary databases"
    yield ".SH SYNOPSIS\n.B isovc\n[OPTIONS] COMMAND [ARGS]..."
    yield ".SH DESCRIPTION"
    yield "Commit, branch and go back, row by row, in a SQLite file, which stays as it is for every other program."
    yield "isovc keeps the history beside it, in the folder .isovc."
    yield ".SH OPTIONS\nThey may stand before or after the command."
    yield from _tagged(everywhere())
    for title, entries in sections().items():
        yield f".SH {_roff(title.upper())}"
        for entry in entries:
            yield from _described(entry)
    yield ".SH EXIT STATUS"
    yield from _tagged(exit_codes())
    yield ".SH FILES"
    yield from _tagged(
        [
            (".isovc/", "The repository, beside the database. Without it the database is as if isovc had never been."),
            (".isovc/config.toml", "Settings of the repository."),
            ("~/.config/isovc/config.toml", "Settings of the person."),
        ]
    )
    yield ".SH SEE ALSO\n.BR sqlite3 (1),\n.BR git (1)"


def _described(entry: Entry) -> Iterator[str]:
    yield f".SS {_roff(entry.name)}"
    yield f".B {_roff(entry.usage)}"
    for paragraph in entry.help:
        yield f".PP\n{_line(paragraph)}"
    yield from _tagged(entry.words)
    for below in entry.below:
        yield from _described(below)


def _tagged(words: list[tuple[str, str]]) -> Iterator[str]:
    for left, about in words:
        yield f".TP\n.B {_roff(left)}\n{_line(about.strip())}"


def _roff(text: str) -> str:
    return (
        text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha").replace("`", "\\(ga")
    )


def _line(text: str) -> str:
    """Text of its own: what begins with a dot or an apostrophe would be a request."""
    return ("\\&" if text[:1] in {".", "'"} else "") + _roff(text)


if __name__ == "__main__":
    (DOCS / "commands.md").write_text(markdown(), encoding="utf-8")
    (DOCS / "isovc.1").write_text(manual(), encoding="utf-8")
