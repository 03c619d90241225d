"""What a cell can hold: SQLite's five storage classes, and the name of a file's content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

# Text that is not valid UTF-8 is a str whose bad bytes are lone surrogates (Python's "surrogateescape"): it stays text,
# compares and concatenates like text, and gives its exact bytes back. Beware: 1 == 1.0 == True and 0.0 == -0.0 in
# Python, but they are different values here; compare encoded bytes where that matters.
Value: TypeAlias = None | int | float | str | bytes
Row: TypeAlias = tuple[Value, ...]
Key: TypeAlias = tuple[Value, ...]


class ContentId(str):
    """Stands for the content of a file: the 64 hex digits of its id, and how many bytes it has. A text to whoever does
    not ask; a version keeps the content with it."""

    __slots__ = ("length",)
    length: int

    def __new__(cls, digits: str, length: int) -> ContentId:
        made = super().__new__(cls, digits)
        made.length = length
        return made

    def __reduce__(self) -> tuple[type[ContentId], tuple[str, int]]:  # how it is copied, and sent to another process
        return ContentId, (str(self), self.length)


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands in a row for a value that is kept elsewhere and is not read before it is needed. Two of them are equal if
    their values are."""

    id: bytes
    length: int  # bytes
    is_text: bool
    pieces: Callable[[], Iterator[bytes]] = field(compare=False, repr=False)

    def value(self) -> str | bytes:
        """All of it."""
        data = b"".join(self.pieces())
        return data.decode("utf-8", "surrogateescape") if self.is_text else data
