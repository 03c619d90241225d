"""`isovc shell`: one question after the other, typed or piped in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from isovc.cli.asked import FORMS, revisions_of, show, version_asked
from isovc.cli.at_desk import at_desk
from isovc.cli.failure import explain
from isovc.cli.group import command_app
from isovc.cli.here import Here, here_of
from isovc.errors import BadOrder, IsovcError, NoSuchTable
from isovc.snapshot.query.wanted import statements
from isovc.sql import statement, tokens
from isovc.workspace.asking import Asking, asking

app = command_app()

_HELP = """.tables             tables and views
.schema [NAME]      definitions, of a table or of everything
.mode [FORM]        how answers are written: table, json, jsonl, csv
.quit               leave; so does Ctrl-D
A statement ends with a semicolon. Ctrl-C stops one that takes too long."""
_MOST_LINES = 1000  # of what was typed, kept for the arrow keys


@app.command()
def shell(
    ctx: typer.Context,
    at: Annotated[
        str | None, typer.Option("--at", metavar="REV|TIME", help="The version to ask (the live database).")
    ] = None,
) -> int:
    """Ask one question after the other.

    As isovc sql, with a prompt: a statement ends with a semicolon and may have several lines; .help lists the rest.
    """
    here = here_of(ctx)
    with at_desk(here) as desk, asking(revisions_of(desk), version_asked(at)) as asked:
        return Conversation(here, asked, asked.at).run()


class Conversation:
    """What was typed so far, and how answers are written."""

    def __init__(self, here: Here, asked: Asking, at: str) -> None:
        self._here = here
        self._asked = asked
        self._name = at or "live"
        self._form = "json" if here.screen.json else "table"
        self._typed: list[str] = []
        self._failed = False
        self._person = sys.stdin.isatty()

    def run(self) -> int:
        """Answer until there is nothing more to be asked."""
        with _history(person=self._person):
            for line in self._lines():
                if not self._typed and line.startswith("."):
                    if line.split()[0] in (".quit", ".exit", ".q"):
                        return self._code
                    self._told(partial(self._order, line))
                    continue
                self._typed.append(line)
                if _is_whole("\n".join(self._typed)):
                    self._ask()
        self._ask()  # the last semicolon may be missing
        return self._code

    @property
    def _code(self) -> int:
        return int(self._failed and not self._person)

    def _lines(self) -> Iterator[str]:
        if not self._person:
            yield from (line.removesuffix("\n") for line in sys.stdin)
            return
        while True:
            self._here.screen.flush()
            try:
                yield input("...> " if self._typed else f"{self._name}> ")
            except EOFError:
                self._here.screen.say("")
                return
            except KeyboardInterrupt:  # what was typed is not meant
                self._typed.clear()
                self._here.screen.say("")

    def _ask(self) -> None:
        text = "\n".join(self._typed)
        self._typed.clear()
        self._told(lambda: show(self._here, map(self._asked.ask, statements(text)), self._form))

    def _order(self, line: str) -> None:
        word, *rest = line.split(maxsplit=1)
        name = rest[0].strip() if rest else ""
        screen = self._here.screen
        if word == ".tables":
            screen.show(self._asked.names(), self._asked.names())
        elif word == ".schema":
            found = self._asked.definitions(name)
            if name and not found:
                raise NoSuchTable(table=name, known=self._asked.names())
            screen.show(found, map(statement, found))
        elif word == ".mode":
            if name and name not in FORMS:
                raise BadOrder(order=line, known=[f".mode {form}" for form in FORMS])
            self._form = name or self._form
            if not name:
                screen.show({"mode": self._form}, [self._form])
        elif word == ".help":
            screen.show({"help": _HELP}, _HELP.split("\n"))
        else:
            raise BadOrder(order=word, known=[".tables", ".schema", ".mode", ".quit"])

    def _told(self, work: Callable[[], None]) -> None:
        """A failure ends one question, not the conversation."""
        screen = self._here.screen
        try:
            work()
        except IsovcError as error:
            self._failed = True
            screen.flush()
            screen.fail(explain(error))
        except KeyboardInterrupt:
            if not self._person:
                raise
            screen.say("interrupted")


def _is_whole(text: str) -> bool:
    """Whether it ends with a semicolon that stands in no quotes or comment. Blank lines wait for nothing."""
    words = [token for token, _, _ in tokens(text)]
    return not words or words[-1] == ";"


@contextmanager
def _history(*, person: bool) -> Iterator[None]:
    """What was typed comes back with the arrow keys, next time too."""
    if not person:
        yield
        return
    readline = import_module("readline")
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state", "isovc")
    with suppress(OSError):
        readline.read_history_file(folder / "shell-history")
    try:
        yield
    finally:
        readline.set_history_length(_MOST_LINES)
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(folder / "shell-history")
