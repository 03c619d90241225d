"""What differs between two folders of files, as plain values, and line by line where it is text."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, NamedTuple

from isovc.model import ContentId, RowChange

_LONGEST = 1 << 20  # bytes of a text that is compared line by line: beyond, nobody reads on
_ENDS = "(only the ends of lines differ)"
_LAYOUT = "(only the layout differs)"
_LARGEST_PICTURE = 8 << 20
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "image/avif", "image/bmp")

Read = Callable[[ContentId], bytes]


class FileSide(NamedTuple):
    """A file on one side."""

    path: str
    mode: int
    size: int
    mtime: int
    media: str
    content: ContentId

    @property
    def kind(self) -> str:
        """What it is, for people."""
        return "link" if stat.S_ISLNK(self.mode) else self.media


@dataclass(frozen=True, slots=True)
class FileDelta:
    """One file before and after; None: it is not there. One with the same content under another path is renamed."""

    before: FileSide | None
    after: FileSide | None

    @property
    def op(self) -> str:
        """added, modified, removed or renamed."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "modified" if self.before.path == self.after.path else "renamed"

    @property
    def path(self) -> str:
        """Where it is, or was."""
        found = self.after or self.before
        assert found is not None
        return found.path

    @property
    def is_same_content(self) -> bool:
        """Whether only what stands beside the content differs."""
        return self.before is not None and self.after is not None and self.before.content == self.after.content


def file_deltas(changes: Iterable[RowChange]) -> list[FileDelta]:
    """The changes of rows as files, by path; what went and came with the same content as one that was renamed."""
    found = [FileDelta(_side(change.before), _side(change.after)) for change in changes]
    gone: dict[str, list[FileDelta]] = {}
    for each in found:
        if each.after is None and each.before is not None and each.before.size:
            gone.setdefault(each.before.content, []).append(each)
    told = []
    for each in found:
        one = gone.get(each.after.content, []) if each.before is None and each.after is not None else []
        told.append(FileDelta(one.pop(0).before, each.after) if one else each)
    moved = {each.before.path for each in told if each.op == "renamed" and each.before}
    return [each for each in told if not (each.op == "removed" and each.path in moved)]


def line_changes(each: FileDelta, read: Read) -> list[str] | None:
    """The lines that differ, with three around them, as `diff -u` has them without its head, or what differs where no
    line does; None: it is no text, or too long to be read."""
    sides = [_text(side, read) for side in (each.before, each.after)]
    if None in sides or each.is_same_content:
        return None
    before, after = ((side or "").splitlines() for side in sides)
    found = list(unified_diff(before, after, lineterm="", n=3))[2:]
    if found or each.before is None or each.after is None:
        return found
    return [_LAYOUT if each.after.media == "application/json" else _ENDS]


def picture(side: FileSide | None, read: Read) -> bytes | None:
    """What a browser can show; None: nothing."""
    if side is None or side.media not in _PICTURES or side.size > _LARGEST_PICTURE:
        return None
    return read(side.content)


def _side(row: tuple[Any, ...] | None) -> FileSide | None:
    return None if row is None else FileSide(*row)


def _text(side: FileSide | None, read: Read) -> str | None:
    if side is None:
        return ""
    if side.size > _LONGEST:
        return None
    try:
        text = read(side.content).decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    return _spread(text) if side.media == "application/json" else text


def _spread(text: str) -> str:
    """JSON that stands on one line, a value a line."""
    if "\n" in text.strip():
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def beside(each: FileDelta) -> Iterator[tuple[str, str, str]]:
    """What else differs of a file that is on both sides: its kind, who may read it, when it was written."""
    one, other = each.before, each.after
    if one is None or other is None:
        return
    if one.kind != other.kind:
        yield "type", one.kind, other.kind
    if stat.S_IMODE(one.mode) != stat.S_IMODE(other.mode):
        yield "permissions", f"{stat.S_IMODE(one.mode):o}", f"{stat.S_IMODE(other.mode):o}"
