"""Who made a commit: a name and a mail address, as git writes them. Knows nothing of where they come from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from isovc.errors import BadIdentity

_SHAPE = re.compile(r"(?P<name>[^<>]*)<(?P<email>[^<>]*)>\s*\Z")


@dataclass(frozen=True, slots=True)
class Identity:
    """A name and a mail address. Commits made elsewhere may hold odd ones, so only writing checks them."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    @classmethod
    def parse(cls, text: str) -> Identity:
        """Read `Name <mail>`.

        >>> Identity.parse("Ada Example <ada@example.org>")
        Identity(name='Ada Example', email='ada@example.org')
        """
        match = _SHAPE.match(text)
        if match is None:
            raise BadIdentity(text=text, why="it must read: Name <mail>")
        identity = cls(match["name"].strip(), match["email"].strip())
        identity.check()
        return identity

    def check(self) -> None:
        """Refuse what a line of a git commit cannot hold."""
        if not self.name.strip():
            raise BadIdentity(text=str(self), why="the name is empty")
        for what, part in (("name", self.name), ("mail address", self.email)):
            why = _unfit(part)
            if why:
                raise BadIdentity(text=str(self), why=f"the {what} {why}")


def _unfit(part: str) -> str:
    for char in part:
        if char in "<>":
            return f"holds {char}"
        if ord(char) < 0x20 or ord(char) == 0x7F:
            return f"holds the control character U+{ord(char):04X}"
        if 0xD800 <= ord(char) <= 0xDFFF:
            return "is not valid Unicode text"
    return "begins or ends with a space" if part != part.strip() else ""
