"""Three CREATE TABLE texts into one, part by part: columns, what is said of them, constraints, options. The wording is
ours as far as it goes. Knows nothing of rows, and not whether SQLite will take what comes out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from isovc.sql.definition import tokens, unquoted
from isovc.sql.parts import Clause, Create, Part, clauses, taken_apart, with_clauses, words
from isovc.sql.quote import folded

Side = Literal["base", "ours", "theirs"]
_T = TypeVar("_T")
_SPOKEN = {"TYPE": "type", "DEFAULT": "default", "PRIMARY": "key", "COLLATE": "collation", "REFERENCES": "foreign key"}


@dataclass
class Choice:
    """What stands of two changes: the one there is, or where both changed a thing, and not alike, what `side` has.
    None: ours does, and the thing is contested."""

    side: Side | None = None
    contested: list[str] = field(default_factory=list)

    def of(self, was: _T, mine: _T, other: _T, what: str, said: Callable[[_T], object]) -> _T:
        """`said`: what makes two of them the same."""
        if said(other) in (said(was), said(mine)):
            return mine
        if said(mine) == said(was):
            return other
        if self.side is None:
            self.contested.append(what)
        return {"base": was, "ours": mine, "theirs": other, None: mine}[self.side]


def merge_texts(
    base: str | None,
    ours: str,
    theirs: str,
    *,
    side: Side | None = None,
    held: frozenset[str] = frozenset(),
    banned: frozenset[str] = frozenset(),
) -> tuple[str, tuple[str, ...]] | None:
    """The text, and what in it is contested, in words. What goes by one name in all three is the same thing. `held`:
    columns that stay whoever drops them; `banned`: names of columns that stay out, with all that speaks of them. None:
    these are no texts with parts.

    >>> merge_texts("CREATE TABLE t (a)", "CREATE TABLE t (a, b)", "CREATE TABLE t (a INT, c)")
    ('CREATE TABLE t (a INT, b, c)', ())
    """
    if not banned and not held and (theirs == base or ours in (base, theirs)):
        return (ours, ()) if theirs == base else (theirs, ())
    found = [taken_apart(each) for each in (base or _emptied(ours), ours, theirs)]
    if any(each is None for each in found):
        return None
    was, mine, other = (_without(each, banned) for each in found if each is not None)
    choice = Choice(side)
    columns = _columns(was, mine, other, choice, held)
    constraints = _constraints(was.constraints, mine.constraints, other.constraints, choice)
    if columns and mine.columns and columns[0] is not mine.columns[0] and not columns[0].lead.strip():
        columns[0] = replace(columns[0], lead=mine.columns[0].lead)
    head = mine.head if words(mine.head) != words(was.head) or mine.head == other.head else other.head
    made = Create(head, tuple(columns), tuple(constraints), mine.inner, _end(was, mine, other))
    return made.text, tuple(choice.contested)


def _emptied(sql: str) -> str:
    """The text without any part: what two tables have in common that were made apart."""
    found = taken_apart(sql)
    return sql if found is None else Create(found.head, (), (), "", ")").text


def _without(table: Create, banned: frozenset[str]) -> Create:
    def stays(each: Part) -> bool:
        return not banned & {folded(word) for word in words(each.body)}

    if not banned:
        return table
    return replace(
        table, columns=tuple(filter(stays, table.columns)), constraints=tuple(filter(stays, table.constraints))
    )


def _end(was: Create, mine: Create, other: Create) -> str:
    if other.options in (was.options, mine.options):
        return mine.end
    if mine.options == was.options:
        return other.end
    said = (mine.options | other.options) - (was.options - mine.options) - (was.options - other.options)
    return ") " + ", ".join(sorted(said, reverse=True)) if said else ")"


# -- columns -----------------------------------------------------------------------------------------------------------


def _columns(was: Create, mine: Create, other: Create, choice: Choice, held: frozenset[str]) -> list[Part]:
    sides = [{folded(each.column): each for each in side.columns} for side in (was, mine, other)]
    merged: dict[str, Part] = {}
    for name in dict.fromkeys([*sides[1], *sides[2], *(sides[0].keys() & held)]):
        one, two, three = (side.get(name) for side in sides)
        if one is not None and two is not None and three is not None:
            merged[name] = _column(one, two, three, choice)
            continue
        label = f"the column {(two or three or one or Part(name, '')).column}"
        chosen = choice.of(one, two, three, label, lambda each: each and words(each.body))
        if chosen is None and name in held:
            chosen = two or three or one
        if chosen is not None:
            merged[name] = chosen if chosen is two else _brought(chosen)
    orders = [[name for name in side if all(name in each for each in (*sides, merged))] for side in sides]
    if orders[1] == orders[0] != orders[2]:
        merged = {name: merged[name] for name in [*orders[2], *merged]}
    return list(merged.values())


def _column(was: Part, mine: Part, other: Part, choice: Choice) -> Part:
    said = [words(each.body) for each in (was, mine, other)]
    if said[2] in (said[0], said[1]):
        return mine
    if said[1] == said[0]:
        return replace(mine, body=other.body)
    sides = [_keyed(clauses(each)) for each in (was, mine, other)]
    merged = _set(
        sides[0],
        sides[1],
        sides[2],
        choice,
        lambda each: f"the {_SPOKEN.get(each.kind, each.text)} of the column {mine.column}",
        lambda each: each.text,
    )
    return with_clauses(mine, merged)


def _keyed(said: Iterable[Clause]) -> dict[Hashable, Clause]:
    """By what there can be only once; checks by their name, or by what they say."""
    return {(each.kind, _known_by(each.text)) if each.kind == "CHECK" else each.kind: each for each in said}


def _brought(part: Part) -> Part:
    """A part of theirs behind ours. A comment before it may be about something else there."""
    lead = part.lead[part.lead.rfind("\n") :] if "\n" in part.lead else " "
    return replace(part, lead=lead if lead.isspace() else " ", tail="")


# -- sets --------------------------------------------------------------------------------------------------------------


def _constraints(was: Sequence[Part], mine: Sequence[Part], other: Sequence[Part], choice: Choice) -> list[Part]:
    sides = [{_known_by(each.body): each for each in side} for side in (was, mine, other)]
    own = set(map(id, mine))
    merged = _set(sides[0], sides[1], sides[2], choice, lambda each: each.body, lambda each: each.body)
    return [each if id(each) in own else _brought(each) for each in merged]


def _known_by(text: str) -> Hashable:
    """What a constraint is known by: its name, that there is only one such, or all that it says."""
    said = [token for token, _, _ in tokens(text)]
    upper = [word.upper() for word in said]
    if upper[:1] == ["CONSTRAINT"] and len(said) > 1:
        return "named", folded(unquoted(said[1]))
    return ("PRIMARY",) if upper[:1] == ["PRIMARY"] else words(text)


def _set(
    was: Mapping[Hashable, _T],
    mine: Mapping[Hashable, _T],
    other: Mapping[Hashable, _T],
    choice: Choice,
    label: Callable[[_T], str],
    text: Callable[[_T], str],
) -> list[_T]:
    """Each comes, goes or changes by itself. But where both took one away and each put another in its place, that is
    one thing changed in two ways."""
    gone = [key for key in was if key not in mine and key not in other]
    instead = [key for key in mine if key not in was], [key for key in other if key not in was]
    if gone and all(instead) and instead[0] != instead[1]:
        if choice.side is None:
            choice.contested.append(label(mine[instead[0][0]]))
        out = set(instead[0] if choice.side in ("theirs", "base") else []) | set(
            instead[1] if choice.side != "theirs" else []
        )
        back = gone if choice.side == "base" else []
        mine = {**{key: each for key, each in mine.items() if key not in out}, **{key: was[key] for key in back}}
        other = {**{key: each for key, each in other.items() if key not in out}, **{key: was[key] for key in back}}
    merged = []
    for key in dict.fromkeys([*mine, *other]):
        three = [side.get(key) for side in (was, mine, other)]
        told = next(each for each in three[1:] if each is not None)
        chosen = choice.of(
            three[0], three[1], three[2], label(told), lambda each: None if each is None else words(text(each))
        )
        if chosen is not None:
            merged.append(chosen)
    return merged
