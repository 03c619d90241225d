"""The foreign keys that the text of a CREATE TABLE declares. Knows nothing of the tables that they point to."""

from __future__ import annotations

from typing import NamedTuple

from isovc.sql.definition import tokens, unquoted
from isovc.sql.quote import folded


class Reference(NamedTuple):
    """Columns that point to those of another table, or of the same. `others` is empty where the text names none: then
    it is the PRIMARY KEY."""

    columns: tuple[str, ...]
    table: str
    others: tuple[str, ...]


def references(sql: str) -> list[Reference]:
    """In the order in which they are declared. REFERENCES and FOREIGN are no names unless they are quoted, so where
    they stand outside of brackets they are what they say.

    >>> references("CREATE TABLE t (a REFERENCES p, 'b c' INT, FOREIGN KEY (a, [b c]) REFERENCES q (x, y))")
    [Reference(columns=('a',), table='p', others=()), Reference(columns=('a', 'b c'), table='q', others=('x', 'y'))]
    """
    words = [token for token, _, _ in tokens(sql)]
    found: list[Reference] = []
    columns: tuple[str, ...] = ()  # that a REFERENCES behind here would speak of
    depth = 0
    for at, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth != 1:
            continue
        if word in ("(", ",") and at + 1 < len(words):
            columns = (unquoted(words[at + 1]),)
        elif folded(word) == "foreign":
            columns = _listed(words, at + 2)
        elif folded(word) == "references" and at + 1 < len(words):
            found.append(Reference(columns, unquoted(words[at + 1]), _listed(words, at + 2)))
    return found


def is_autoincrement(sql: str) -> bool:
    """Whether a table gives each number once only.

    >>> is_autoincrement("CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)")
    True
    """
    return any(folded(token) == "autoincrement" for token, _, _ in tokens(sql))


def _listed(words: list[str], at: int) -> tuple[str, ...]:
    """The names in a list that begins there; none: there is no list."""
    if words[at : at + 1] != ["("]:
        return ()
    closing = words.index(")", at) if ")" in words[at:] else len(words)
    return tuple(
        unquoted(word)
        for before, word in zip(words[at:closing], words[at + 1 : closing], strict=False)
        if before in ("(", ",")
    )
