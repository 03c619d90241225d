"""Tables and columns as people list them in a setting: `notes.tags, "my table"=theirs`. Knows nothing of settings."""

from __future__ import annotations

import re
from typing import NamedTuple

from isovc.snapshot.merging.how import Side
from isovc.sql import folded

_NAME = re.compile(r'"((?:[^"]|"")+)"|([^\s",.=]+)')
_BLANK = re.compile(r"\s*")


class Listed(NamedTuple):
    """One entry: names with dots between, and what stands behind the equals sign; empty: there is none."""

    names: tuple[str, ...]
    word: str = ""


def sides(text: str) -> dict[str, Side]:
    """Tables, each with the side that counts there. ValueError: the text is no such list.

    >>> sides('log=theirs, "a=b" = ours')
    {'log': 'theirs', 'a=b': 'ours'}
    """
    known: dict[str, Side] = {"ours": "ours", "theirs": "theirs"}
    found = _entries(text, names=1)
    if any(each.word not in known for each in found):
        raise ValueError(text)
    return {each.names[0]: known[each.word] for each in found}


def columns(text: str) -> frozenset[tuple[str, str]]:
    """Columns, each with its table. ValueError: the text is no such list.

    >>> columns('"a, b".c')
    frozenset({('a, b', 'c')})
    """
    return frozenset((each.names[0], each.names[1]) for each in _without_words(_entries(text, names=2)))


def tables(text: str) -> tuple[str, ...]:
    """Tables. ValueError: the text is no such list.

    >>> tables('notes, "my table"')
    ('notes', 'my table')
    """
    return tuple(each.names[0] for each in _without_words(_entries(text, names=1)))


def _without_words(found: list[Listed]) -> list[Listed]:
    if any(each.word for each in found):
        raise ValueError
    return found


def _entries(text: str, *, names: int) -> list[Listed]:
    found: list[Listed] = []
    at = _behind_blanks(text, 0)
    while at < len(text) or found:
        entry, at = _entry(text, at)
        found.append(entry)
        if at == len(text):
            break
        if text[at] != ",":
            raise ValueError(text)
        at = _behind_blanks(text, at + 1)
    if any(len(each.names) != names for each in found):
        raise ValueError(text)
    if len({tuple(map(folded, each.names)) for each in found}) < len(found):
        raise ValueError(text)  # a table that is named twice could be meant either way
    return found


def _entry(text: str, at: int) -> tuple[Listed, int]:
    names = []
    while True:
        name, at = _name(text, at)
        names.append(name)
        if text[at : at + 1] != ".":
            break
        at += 1
    at = _behind_blanks(text, at)
    word = ""
    if text[at : at + 1] == "=":
        word, at = _name(text, _behind_blanks(text, at + 1))
        at = _behind_blanks(text, at)
    return Listed(tuple(names), word), at


def _name(text: str, at: int) -> tuple[str, int]:
    match = _NAME.match(text, at)
    if match is None:
        raise ValueError(text)
    quoted, plain = match.groups()
    return (plain if quoted is None else quoted.replace('""', '"')), match.end()


def _behind_blanks(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at
