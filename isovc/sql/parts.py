"""A CREATE TABLE taken apart: columns with their clauses, constraints, options, each with the blanks and comments
around it, so that it can be put together again to the letter. Knows nothing of connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from isovc.sql.definition import tokens, unquoted

_CONSTRAINTS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}
_CLAUSES = {"PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS"}
TYPE = "TYPE"

Token = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that is said of a column, its type too. `lead`: the blanks and comments before it."""

    kind: str  # TYPE, or the word it begins with; NULL for NOT NULL too
    text: str
    lead: str = " "


@dataclass(frozen=True, slots=True)
class Part:
    """A column or constraint between two commas. `column` is empty for a constraint."""

    column: str
    body: str
    lead: str = " "
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Create:
    """A CREATE TABLE: `head` ends with the bracket that opens, `end` begins with the one that closes. `inner`: blanks
    and comments right before that one."""

    head: str
    columns: tuple[Part, ...]
    constraints: tuple[Part, ...]
    inner: str
    end: str

    @property
    def text(self) -> str:
        """All of it again."""
        parts = [*self.columns, *self.constraints]
        return self.head + ",".join(each.lead + each.body + each.tail for each in parts) + self.inner + self.end

    @property
    def options(self) -> frozenset[str]:
        """WITHOUT ROWID, STRICT."""
        said = " ".join(token.upper() for token, _, _ in tokens(self.end[1:]))
        return frozenset(option for each in said.split(",") if (option := each.strip()))


def words(text: str) -> tuple[str, ...]:
    """What a text says, whatever blanks and comments it has, and however its names are quoted.

    >>> words('"a"  INT -- x') == words("a INT")
    True
    """
    return tuple(token if token[:1] == "'" else unquoted(token) for token, _, _ in tokens(text))


def taken_apart(sql: str) -> Create | None:
    """The parts of a CREATE TABLE; None where it has none."""
    depth, begin, head, pieces = 0, 0, "", []
    for token, start, end in tokens(sql):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "(" and depth == 1 and not head:
            head, begin = sql[:end], end
        elif head and ((token == "," and depth == 1) or (token == ")" and depth == 0)):
            pieces.append(_part(sql[begin:start]))
            begin = end
            if depth == 0:
                inner = pieces[-1].tail
                pieces[-1] = replace(pieces[-1], tail="")
                columns = tuple(each for each in pieces if each.column)
                constraints = tuple(each for each in pieces if not each.column)
                return Create(head, columns, constraints, inner, sql[start:])
    return None


def clauses(column: Part) -> list[Clause]:
    """What is said of a column behind its name."""
    found = list(tokens(column.body))
    begins = [*_beginnings(found), (len(found), "")]
    result = []
    for (at, kind), (behind, _) in pairwise(begins):
        text = column.body[found[at][1] : found[behind - 1][2]]
        result.append(Clause(kind, text, column.body[found[at - 1][2] : found[at][1]]))
    return result


def with_clauses(column: Part, said: Sequence[Clause]) -> Part:
    """The column with these clauses behind its name."""
    _, _, end = next(tokens(column.body))
    whole = sorted(said, key=lambda each: each.kind != TYPE)
    return replace(column, body=column.body[:end] + "".join((each.lead or " ") + each.text for each in whole))


def _part(piece: str) -> Part:
    found = list(tokens(piece))
    if not found:
        return Part("", "", "", piece)
    first, start, _ = found[0]
    end = found[-1][2]
    column = "" if first.upper() in _CONSTRAINTS else unquoted(first)
    return Part(column, piece[start:end], piece[:start], piece[end:])


def _beginnings(found: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """Where the clauses of a column begin, and their kinds."""
    said = [token.upper() for token, _, _ in found] + ["", "", ""]
    at, depth, is_named = 1, 0, False
    if len(found) > 1 and said[1] not in _CLAUSES | {"CONSTRAINT"}:
        yield 1, TYPE
    while at < len(found):
        word, step = said[at], 1
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0 and word == "CONSTRAINT":
            kind = said[at + 2] if said[at + 2] in _CLAUSES else word
            yield at, _kind(kind)
            is_named, step = kind != word, 2
        elif depth == 0 and word == "SET":  # ON DELETE SET NULL
            step = 2
        elif depth == 0 and word in _CLAUSES and (word, said[at + 1]) != ("NOT", "DEFERRABLE"):
            if not is_named:
                yield at, _kind(word)
            is_named = False
            step = _length(said, at)
        at += step


def _kind(word: str) -> str:
    return {"NOT": "NULL", "GENERATED": "AS"}.get(word, word)


def _length(said: Sequence[str], at: int) -> int:
    """How many words a clause has at least, of which none begins another one."""
    if said[at] == "DEFAULT" and said[at + 1] != "(":
        return 3 if said[at + 1] in ("+", "-") else 2
    if said[at] == "GENERATED":
        return 3
    return 2 if said[at] in ("NOT", "COLLATE", "PRIMARY", "REFERENCES") else 1
