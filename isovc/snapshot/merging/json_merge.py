"""Three JSON objects into one, key by key. What stands is our text with the changes of the other side put in, so that
nothing else in it changes, and no number is ever read as a number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from isovc.snapshot.merging.json_texts import Contents, Member, Node, read, tokens

_NAMED = 3  # keys that are told by name: more of them help nobody
_READ = 80  # characters of one

_Path: TypeAlias = "tuple[_Path, str] | tuple[()]"  # a key behind those above it: a text may be as deep as it likes


@dataclass(frozen=True, slots=True)
class Contested:
    """Why three texts do not become one."""

    why: str


class Style(NamedTuple):
    """How a text is laid out. `unit`: by how much each level is indented; None: it stands on one line."""

    colon: str
    gap: str  # behind a comma that does not end a line
    newline: str
    margin: str
    unit: str | None


_COMPACT = Style(":", "", "", "", None)


class _Side(NamedTuple):
    text: str
    style: Style | None

    def cut(self, start: int, end: int) -> str:
        return self.text[start:end]


class _Splice(NamedTuple):
    start: int
    end: int
    text: str


def merge_json(base: str, ours: str, theirs: str) -> str | Contested:
    """Our text with what they have changed since `base`, or what both changed."""
    contents: Contents = {}
    roots = [read(text, contents) for text in (base, ours, theirs)]
    was, mine, other = roots
    if was is None or mine is None or other is None:
        return Contested("one of its values is no JSON")
    if was.members is None or mine.members is None or other.members is None:
        return Contested("one of its values is no JSON object")
    writing = _Writing(_Side(ours, _style(ours, mine)), _Side(theirs, _style(theirs, other)))
    contested: list[str] = []
    todo: list[tuple[_Path, Node, Node, Node]] = [((), was, mine, other)]
    while todo:
        path, was, mine, other = todo.pop()
        old, members, others = was.members or {}, mine.members or {}, other.members or {}
        kept, new = dict(members), {}
        for key in dict.fromkeys([*members, *others]):
            first, second, third = _value(old.get(key)), _value(members.get(key)), _value(others.get(key))
            one, two, three = (value and value.content for value in (first, second, third))
            if three in (one, two):
                continue
            if one != two:
                if first and second and third and None not in (first.members, second.members, third.members):
                    todo.append(((path, key), first, second, third))
                else:
                    contested.append(_place((path, key)))
            elif key not in others:
                del kept[key]
            elif key in members:
                writing.replace(members[key], others[key])
            else:
                new[key] = others[key]
        writing.lay_out(mine, list(kept.values()), list(new.values()))
    return _told(contested) if contested else writing.text()


def _value(member: Member | None) -> Node | None:
    return None if member is None else member.value


def _place(path: _Path) -> str:
    """As SQLite writes it, cut short where it is too long to be read."""
    keys: list[str] = []
    while path:
        path, key = path
        keys.append("." + (key if key.isidentifier() else json.dumps(key)))
    place = "$" + "".join(reversed(keys))
    return place if len(place) <= _READ else place[:_READ] + "..."


def _told(contested: list[str]) -> Contested:
    named, more = sorted(contested)[:_NAMED], len(contested) - _NAMED
    return Contested(f"both sides changed {', '.join(named)}" + (f" and {more} more" if more > 0 else ""))


class _Writing:
    """What is to be done to our text."""

    def __init__(self, ours: _Side, theirs: _Side) -> None:
        self._ours = ours
        self._theirs = theirs
        self._style = ours.style or theirs.style or _COMPACT
        self._splices: list[_Splice] = []

    def replace(self, member: Member, other: Member) -> None:
        """A member gets their value."""
        value = self._fresh(other.value, self._margin(member.start))
        self._splices.append(_Splice(member.value.start, member.end, value))

    def lay_out(self, node: Node, kept: list[Member], new: list[Member]) -> None:
        """An object has only some of its members any more, and behind them new ones."""
        members = list((node.members or {}).values())
        if not kept:
            if members or new:
                self._splices.append(_Splice(node.start, node.end, self._object(new, self._margin(node.start))))
            return
        if members[0] is not kept[0]:
            self._splices.append(_Splice(members[0].start, kept[0].start, ""))
        staying, behind = {member.start for member in kept}, False
        gap, colon = self._between(node, members)
        margin = gap.rpartition("\n")[2] if "\n" in gap else self._margin(kept[-1].start)
        for at, member in enumerate(members):
            if member.start not in staying and behind:
                self._splices.append(_Splice(members[at - 1].end, member.end, ""))
            behind = behind or member.start in staying
        for member in new:
            key = self._theirs.cut(member.start, member.key_end)
            text = f"{gap}{key}{colon}{self._fresh(member.value, margin)}"
            self._splices.append(_Splice(kept[-1].end, kept[-1].end, text))

    def text(self) -> str:
        """Our text with all of that done."""
        parts, at = [], 0
        # a member that is put in where others are taken out stands before them; the order of those put in stays
        for splice in sorted(self._splices, key=lambda each: (each.start, each.end)):
            parts += [self._ours.cut(at, splice.start), splice.text]
            at = splice.end
        return "".join([*parts, self._ours.text[at:]])

    def _between(self, node: Node, members: list[Member]) -> tuple[str, str]:
        """What stands between two members, and between a key and its value, as it does already."""
        lead = self._ours.cut(node.start + 1, members[0].start)
        gap = "," + (lead if "\n" in lead else self._style.gap)
        if len(members) > 1:
            gap = self._ours.cut(members[-2].end, members[-1].start)
        return gap, self._ours.cut(members[-1].key_end, members[-1].value.start)

    def _margin(self, at: int) -> str:
        """How far the line is indented."""
        if self._style.unit is None:
            return ""
        line = self._ours.text[self._ours.text.rfind("\n", 0, at) + 1 : at]
        return line[: len(line) - len(line.lstrip())]

    def _fresh(self, node: Node, margin: str) -> str:
        text = self._theirs.cut(node.start, node.end)
        return text if self._theirs.style == self._style else _laid_out(text, self._style, margin)

    def _object(self, members: list[Member], margin: str) -> str:
        theirs = [self._theirs.cut(member.start, member.end) for member in members]
        return _laid_out("{" + ",".join(theirs) + "}", self._style, margin)


def _laid_out(text: str, style: Style, margin: str) -> str:
    """A text in another style."""
    parts: list[str] = []
    depth, last = 0, ""
    for token in tokens(text):
        line = "" if style.unit is None else style.newline + margin
        if token in ("}", "]"):
            depth -= 1
            if last not in ("{", "["):
                parts.append(line and line + (style.unit or "") * depth)
        elif last in ("{", "["):
            parts.append(line and line + (style.unit or "") * depth)
        elif last == ",":
            parts.append(line + (style.unit or "") * depth if line else style.gap)
        parts.append(style.colon if token == ":" else token)
        depth += token in ("{", "[")
        last = token
    return "".join(parts)


def _style(text: str, root: Node) -> Style | None:
    """How a text is laid out, read off its first members; None: it has none."""
    members = list((root.members or {}).values())
    if not members:
        return None
    lead, colon = text[root.start + 1 : members[0].start], text[members[0].key_end : members[0].value.start]
    gap = " " if colon.endswith(" ") else ""
    if len(members) > 1:
        gap = text[members[0].end : members[1].start].partition(",")[2]
    if "\n" not in lead:
        return Style(colon, gap, "", "", None)
    closing = text[members[-1].end : root.end - 1]
    margin = closing.rpartition("\n")[2] if "\n" in closing else ""
    newline = "\r\n" if "\r\n" in lead else "\n"
    return Style(colon, gap if "\n" not in gap else " ", newline, margin, lead.rpartition("\n")[2].removeprefix(margin))
