"""One thing that was found, and how a look that fails becomes one. Knows nothing of what is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from isovc.errors import Damage, IsovcError

_NAMED = 5  # of many things of one kind


@dataclass(frozen=True, slots=True)
class Finding:
    """`about`: which thing. `message`: one clause; `hint`: what helps. `damaged`: something is lost or wrong in it."""

    level: Literal["ok", "advice", "problem"]
    about: str
    message: str
    hint: str = ""
    damaged: bool = False


def ok(about: str, message: str) -> Finding:
    """As it should be."""
    return Finding("ok", about, message)


def advice(about: str, message: str, hint: str = "") -> Finding:
    """It works, and could be better."""
    return Finding("advice", about, message, hint)


def problem(about: str, message: str, hint: str = "", *, damaged: bool = False) -> Finding:
    """Something does not work, or will not."""
    return Finding("problem", about, message, hint, damaged)


def looked(about: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a look finds; one that fails is a finding itself, and the looks behind it go on."""
    try:
        yield from look()
    except IsovcError as error:
        hint = error.hint or f"sqlite3 shows what {about} holds, and what is wrong there"
        yield problem(about, error.message, hint, damaged=isinstance(error, Damage))
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        yield problem(about, f"{named}{error.strerror or error}", "look at its owner and mode: ls -ld")
    except Exception as error:  # whatever state things are in, the rest is to be told
        said = " ".join(f"{type(error).__name__}: {error}".split())
        yield problem(about, f"it could not be looked at: {said}", "isovc fsck checks more closely")


def some(names: Sequence[str]) -> str:
    """A few of many names."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
