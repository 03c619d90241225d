"""What a command says, in the form that was asked for: text or JSON, plain or colored, with bars or without.

Knows no command. Text from a database may hold anything, so control characters never reach the terminal as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple, TextIO

from isovc.cli.failure import Failure
from isovc.cli.options import Options
from isovc.errors import NotConfirmed
from isovc.progress import SILENT, Progress

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Styled(NamedTuple):
    """A piece of a line in a style of its own: a color, bold, dim."""

    text: str
    style: str


Line = str | Styled | tuple[str | Styled, ...]


class ReaderGone(Exception):
    """Whoever reads our output has seen enough (`isovc log | head`): end quietly."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Where one command line writes."""

    out: TextIO
    err: TextIO
    json: bool
    quiet: bool
    verbose: bool
    out_color: bool
    err_color: bool
    bars: bool
    questions: bool  # a person is there to answer
    yes: bool

    def show(self, document: Any, lines: Iterable[Line]) -> None:
        """The answer that was asked for: one JSON document with `--json`, else the lines."""
        if self.json:
            self._write(self._in_json(document))
        else:
            for line in lines:
                self._write(_drawn(line, color=self.out_color) + "\n")

    def done(self, document: Any, lines: Iterable[Line]) -> None:
        """What a command says that has done its work. Nobody asked for it, so `-q` leaves the lines out."""
        if self.json or not self.quiet:
            self.show(document, lines)

    def warn(self, text: str) -> None:
        """Something may not be as the person thinks. With `--json` its place, if any, is in the document."""
        if not self.quiet and not self.json:
            self.err.write(_drawn((Styled("warning:", "bold yellow"), " ", text), color=self.err_color) + "\n")

    def say(self, line: Line) -> None:
        """News on the way. Not part of the answer, so `-q` and `--json` leave it out."""
        if not self.quiet and not self.json:
            self._write(_drawn(line, color=self.out_color) + "\n")

    def say_if(self, line: str) -> None:
        """The same, where there is something to say."""
        if line:
            self.say(line)

    def fail(self, failure: Failure) -> None:
        """The end of a command that could not do its work."""
        if self.json:
            self._write(self._in_json(failure.document()))
            return
        self.err.write(_drawn((Styled("error:", "bold red"), " ", failure.message), color=self.err_color) + "\n")
        if failure.hint:
            self.err.write(_drawn((Styled("hint:", "cyan"), " ", failure.hint), color=self.err_color) + "\n")

    def confirm(self, question: str) -> None:
        """Go on only with a yes: from `--yes`, or from the person at the terminal. Raises NotConfirmed otherwise."""
        if self.yes:
            return
        if not self.questions or self.json:
            raise NotConfirmed(question=question, asked=False)
        self.err.write(_drawn((question, " [y/N] "), color=False))
        self.err.flush()
        try:
            answer = input()
        except EOFError:  # Ctrl-D is no yes
            answer = ""
            self.err.write("\n")
        if answer.strip().lower() not in ("y", "yes"):
            raise NotConfirmed(question=question, asked=True)

    def progress(self) -> Progress:
        """Bars for long work, on a terminal only."""
        if not self.bars:
            return SILENT
        drawn: Progress = import_module("isovc.cli.bars").Bars(self.err)
        return drawn

    def flush(self) -> None:
        """Hand everything over, so that a reader who left is noticed here and not while Python ends."""
        with output_told():
            self.out.flush()

    def _write(self, text: str) -> None:
        with output_told():
            self.out.write(text)

    def _in_json(self, document: Any) -> str:
        # where the output cannot take every letter, JSON's own escapes must stand for them
        every_letter = (self.out.encoding or "utf-8").lower().replace("-", "") == "utf8"
        return json.dumps(document, ensure_ascii=not every_letter, allow_nan=False) + "\n"


def screen_for(options: Options, *, out: TextIO, err: TextIO, person: bool, environment: Mapping[str, str]) -> Screen:
    """The screen that options, streams and environment ask for. `person`: somebody is there to answer."""
    plain = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"

    def color(stream: TextIO) -> bool:
        return options.color == "always" or (options.color == "auto" and not plain and stream.isatty())

    return Screen(
        out=out,
        err=err,
        json=options.json,
        quiet=options.quiet,
        verbose=options.verbose,
        out_color=color(out),
        err_color=color(err),
        bars=err.isatty()
        and environment.get("TERM") != "dumb"
        and not (options.no_progress or options.quiet or options.json),
        questions=person,
        yes=options.yes,
    )


@contextmanager
def output_told() -> Iterator[None]:
    """What happens to the standard output in this block is told as such: that its reader left, or where it failed."""
    try:
        yield
    except BrokenPipeError as gone:
        raise ReaderGone from gone
    except OSError as error:
        error.filename = "the standard output"  # the system does not say where
        raise


def _drawn(line: Line, *, color: bool) -> str:
    pieces = line if isinstance(line, tuple) and not isinstance(line, Styled) else (line,)
    return "".join(_piece(piece, color=color) for piece in pieces)


def _piece(piece: str | Styled, *, color: bool) -> str:
    text, style = piece if isinstance(piece, Styled) else (piece, "")
    safe = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    if not (color and style):
        return safe
    painted: str = import_module("isovc.cli.paint").paint(safe, style)
    return painted
