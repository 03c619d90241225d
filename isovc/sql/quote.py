"""Names and values written as SQL text that means exactly them. Knows nothing of tables."""

from __future__ import annotations

from collections.abc import Iterable
from math import isinf, isnan
from string import ascii_lowercase, ascii_uppercase

from isovc.errors import NotStorable

_FOLD = str.maketrans(ascii_uppercase, ascii_lowercase)


def name(text: str) -> str:
    """A name in double quotes: keywords, spaces, quotes and emoji included.

    >>> name('say "hi" twice')
    '"say ""hi"" twice"'
    """
    if "\0" in text:
        raise NotStorable(what=f"the name {text!r}", why="SQL text ends at a NUL character")
    return '"' + text.replace('"', '""') + '"'


def names(texts: Iterable[str]) -> str:
    """Several names with commas between."""
    return ", ".join(map(name, texts))


def folded(text: str) -> str:
    """A name as SQLite compares it: the case of these letters does not count, that of all others does.

    >>> folded("Notes"), folded("\u00c4")
    ('notes', '\u00c4')
    """
    return text.translate(_FOLD)


def literal(value: None | int | float | str | bytes) -> str:
    """A value as SQL that any stock tool reads back as exactly this value and storage class.

    >>> literal("it's"), literal(b"\\x00\\xff"), literal(0.1), literal(None)
    ("'it''s'", "x'00ff'", '0.1', 'NULL')
    """
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _real(value)
    if value == -(1 << 63):
        return "(-9223372036854775807 - 1)"  # SQL reads a minus and a number; the number alone would become a float
    return str(int(value))


def _text(value: str) -> str:
    data = value.encode("utf-8", "surrogateescape")
    if "\0" in value or _escaped(value):
        return f"CAST(x'{data.hex()}' AS TEXT)"  # quoted text ends at NUL and must be valid
    return "'" + value.replace("'", "''") + "'"


def _escaped(value: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in value) if not value.isascii() else False


def _real(value: float) -> str:
    if isnan(value):
        return "NULL"  # what SQLite itself keeps for it
    if isinf(value):
        return "9e999" if value > 0 else "-9e999"
    return repr(value)
