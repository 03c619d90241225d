"""Which names a branch or tag can have: git's rules, and none of the words that mean something else to isovc."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from isovc.errors import BadRefName

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
STASH = "refs/stash/"  # by time: what was put aside by hand
KEPT = "refs/kept/"  # by head: uncommitted changes that wait there for somebody to come back
PUT_ASIDE = "stash"  # what people write for it, with a number: stash@{0}; a branch or tag of that name comes first
WORDS = ("HEAD", "WORK", "EMPTY")  # revisions of their own

_PART_BYTES = 250  # git keeps a branch as a file of that name, with ".lock" behind it; file systems end at 255
_FORBIDDEN = " ~^:?*[\\"
_LIKE_AN_ID = re.compile(r"[0-9a-fA-F]{40}")


def what_is(ref: str) -> str:
    """Branch or tag: the kind of a full name."""
    return "tag" if ref.startswith(TAGS) else "branch"


def short(ref: str) -> str:
    """The name without its kind."""
    return ref.removeprefix(BRANCHES).removeprefix(TAGS)


def kept_name(head: str) -> str:
    """The ref under which uncommitted changes of a head wait."""
    return KEPT + (head.removeprefix("refs/") if head.startswith("refs/") else f"commits/{head}")


def near_names(name: str, known: Sequence[str]) -> list[str]:
    """Names like this one. Nobody mistypes a long one so badly that comparing it with thousands would pay."""
    return get_close_matches(name, known) if len(name) <= _PART_BYTES else []


def check_name(ref: str) -> None:
    """Refuse a full name whose short form git, or a revision, could not hold."""
    why = _wrong(short(ref))
    if why:
        raise BadRefName(what=what_is(ref), name=short(ref), why=why)


def _wrong(name: str) -> str:
    if not name:
        return "it is empty"
    if name in WORDS or name == "@":
        return "this word has a meaning of its own"
    if name.startswith("-"):
        return "it begins with -, like an option"
    if _LIKE_AN_ID.fullmatch(name):
        return "it looks like the id of a commit"
    for char in name:
        if char in _FORBIDDEN:
            return f"it holds {'a space' if char == ' ' else char}"
        if ord(char) < 0x20 or ord(char) == 0x7F:
            return f"it holds the control character U+{ord(char):04X}"
        if 0xD800 <= ord(char) <= 0xDFFF:
            return "it is not valid Unicode text"
    for pair in ("..", "@{"):
        if pair in name:
            return f"it holds {pair}"
    if name.endswith("."):
        return "it ends with ."
    return next((why for part in name.split("/") if (why := _wrong_part(part))), "")


def _wrong_part(part: str) -> str:
    if not part:
        return "it begins or ends with /, or holds //"
    if part.startswith("."):
        return f"{part} begins with ."
    if part.endswith(".lock"):
        return f"{part} ends with .lock"
    if len(part.encode()) > _PART_BYTES:
        return f"a part of it is longer than {_PART_BYTES} bytes"
    return ""
