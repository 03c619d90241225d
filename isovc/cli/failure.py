"""Every exception as one sentence, one hint and one exit code. The only place that decides how a failure reads."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import typer

from isovc.errors import Interrupted, IsovcError, Refused, WrongUsage


@dataclass(frozen=True, slots=True)
class Failure:
    """What the person is told, in any form."""

    code: str
    message: str
    hint: str
    exit_code: int
    unexpected: bool = False

    def document(self) -> dict[str, Any]:
        """The form of `--json`."""
        return {"error": {"code": self.code, "message": self.message, "hint": self.hint}}


def explain(error: BaseException) -> Failure:
    """Say what went wrong."""
    match error:
        case IsovcError():
            return Failure(error.code, error.message, error.hint, error.exit_code)
        case typer.TyperException():
            return _usage(error)
        case OSError():
            return _system(error)
        case KeyboardInterrupt():
            return Failure(Interrupted.code, "interrupted", "", Interrupted.exit_code)
        case _:
            return Failure(
                "unexpected",
                f"isovc failed unexpectedly: {_one_line(error)}",
                "the same command with -v shows where; please report it with that text",
                Refused.exit_code,
                unexpected=True,
            )


def _usage(error: typer.TyperException) -> Failure:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "isovc"
    possible = getattr(error, "possibilities", None)  # typer's guess at a misspelled option, often too generous
    near = get_close_matches(getattr(error, "option_name", ""), possible or (), cutoff=0.7)
    said = _in_words((error.message if possible else error.format_message()).rstrip("."))
    hint = f"did you mean {' or '.join(near)}?" if near else f"{command} --help"
    if command == "isovc commit" and said.startswith("Got unexpected extra argument"):
        hint = 'the message stands behind -m, in quotes: isovc commit -m "what this version is about"'
    return Failure(WrongUsage.code, said[:1].lower() + said[1:], hint, WrongUsage.exit_code)


_WORDS = (  # for what typer says of numbers
    (re.compile(r"is not a valid int(?:eger)?(?: range)?"), "is not a whole number"),
    (re.compile(r"is not a valid float(?: range)?"), "is not a number"),
    (re.compile(r"is not in the range (\S+)<=x<=(\S+)"), r"is not between \1 and \2"),
    (re.compile(r"is not in the range x>=(\S+)"), r"is less than \1"),
)


def _in_words(said: str) -> str:
    for odd, plain in _WORDS:
        said = odd.sub(plain, said)
    return said


_SYSTEM = {
    errno.EACCES: ("no-permission", "no permission to use {}", "look at its owner and mode: ls -ld"),
    errno.EPERM: ("no-permission", "the system does not allow this with {}", "look at its owner and mode: ls -ld"),
    errno.EROFS: ("read-only", "{} is on a file system that is read-only", "work on a copy in a folder you may write"),
    errno.ENOSPC: ("disk-full", "the disk is full, at {}", "make room and type the command again"),
    errno.EDQUOT: ("disk-full", "your disk quota is used up, at {}", "make room and type the command again"),
    errno.EEXIST: ("in-the-way", "{} is in the way", "look at what it is, and move it elsewhere"),
    errno.ENOENT: ("not-found", "{} is not there", "look at how it is spelled"),
    errno.ENOTDIR: ("not-a-folder", "{} is not a folder, or lies below a file", "look at how it is spelled"),
    errno.EISDIR: ("not-a-file", "{} is a folder, and a file is needed", "name a file in it"),
}


def _system(error: OSError) -> Failure:
    code, sentence, hint = _SYSTEM.get(error.errno or 0, ("system", "", ""))
    thing = " and ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    if not thing:
        sentence = sentence.replace(", at {}", "")
    message = sentence.format(thing or "a file") if sentence else f"the system refused: {_one_line(error)}"
    return Failure(code, message, hint, Refused.exit_code)


def _one_line(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
