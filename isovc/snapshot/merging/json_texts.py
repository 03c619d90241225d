"""A JSON text as what it says and where that stands in it. Strict (RFC 8259), and without recursion, because a text may
be nested as deep as it likes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

_BLANK = " \t\n\r"
_TOKEN = re.compile(
    r"""[ \t\n\r]*+(?:
        (?P<string>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")
      | (?P<scalar>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)
      | (?P<mark>[\[\]{}:,])
    )""",
    re.VERBOSE,
)

# What values are, each with a number: values of several texts are the same if they have the same one. Numbers are what
# is written, so 1 is not 1.0; the order in which an object has its members does not count.
Contents: TypeAlias = dict[object, int]


class Node(NamedTuple):
    """A value, from `start` to `end` in its text. `members`: of an object; None for everything else."""

    start: int
    end: int
    content: int
    members: Mapping[str, Member] | None


class Member(NamedTuple):
    """One member of an object, from its key to the end of its value."""

    start: int
    key_end: int
    value: Node

    @property
    def end(self) -> int:
        """Where its value ends."""
        return self.value.end


class _Open:
    """A bracket that is not closed yet."""

    def __init__(self, start: int, mark: str) -> None:
        self.start = start
        self.closing = "}" if mark == "{" else "]"
        self.members: dict[str, Member] | None = {} if mark == "{" else None
        self.items: list[int] = []
        self.key = ("", 0, 0)

    def take(self, value: Node) -> None:
        """A value inside it is whole."""
        if self.members is None:
            self.items.append(value.content)
        else:
            key, start, end = self.key
            self.members[key] = Member(start, end, value)

    def closed(self, end: int, contents: Contents) -> Node:
        """The value that it has become."""
        what: object = tuple(self.items)
        if self.members is not None:
            what = frozenset((key, member.value.content) for key, member in self.members.items())
        return Node(self.start, end, contents.setdefault(what, len(contents)), self.members)


def read(text: str, contents: Contents) -> Node | None:
    """The value of a text; None: it is no JSON, or an object in it has a key twice, so that it means nothing sure."""
    if not _is_unicode(text):
        return None
    stack: list[_Open] = []
    wanted = "value"  # or key, colon, comma; just behind an opening bracket it is "first": it may be closed, too
    at = 0
    while wanted != "end":
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            return None
        kind, token = match.lastgroup, match[match.lastgroup]
        start, at = match.span(kind)
        top = stack[-1] if stack else None
        key_comes = wanted == "key" or (wanted == "first" and top is not None and top.members is not None)
        value_comes = not key_comes and wanted in ("value", "first")
        value = None
        if top is not None and token == top.closing and wanted in ("first", "comma"):
            value = stack.pop().closed(at, contents)
        elif kind != "mark" and value_comes:
            what = ("s", _string(token)) if kind == "string" else ("n", token)
            value = Node(start, at, contents.setdefault(what, len(contents)), None)
        elif token in ("{", "[") and value_comes:
            stack.append(_Open(start, token))
            wanted = "first"
        elif top is not None and top.members is not None and kind == "string" and key_comes:
            top.key = (_string(token), start, at)
            if top.key[0] in top.members:
                return None
            wanted = "colon"
        elif token == ":" and wanted == "colon":
            wanted = "value"
        elif top is not None and token == "," and wanted == "comma":
            wanted = "key" if top.members is not None else "value"
        else:
            return None
        if value is not None:
            wanted = "comma" if stack else "end"
            if stack:
                stack[-1].take(value)
    return value if not text[at:].strip(_BLANK) else None


def tokens(text: str) -> Iterator[str]:
    """The tokens of a text that can be read, without blanks."""
    for match in _TOKEN.finditer(text.strip(_BLANK)):
        yield match.group().lstrip(_BLANK)


def _string(token: str) -> str:
    return str(json.loads(token)) if "\\" in token else token[1:-1]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that were no UTF-8, which an escape inside the text could be taken for
        return False
    return True
