"""What a statement speaks of, read off its words. Too much rather than too little: it decides only what is laid out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from isovc.model import SchemaObject, Shape
from isovc.sql import mentioned, module_of, options_of, tokens, unquoted

# what only a file of its own can answer: definitions, plans, what hangs on an index
_OF_A_FILE = ("sqlite_", "pragma_")
_FIRST_WORDS = ("pragma", "explain")
_ABOUT_ALL_ROWS = {"integrity_check", "quick_check", "foreign_key_check"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tables, views and virtual tables of a shape that the words of a statement may mean, views seen through."""

    words: frozenset[str]  # in lower case
    tables: tuple[str, ...]
    views: tuple[SchemaObject, ...]
    virtual: tuple[SchemaObject, ...]
    needs_file: bool

    @property
    def casts(self) -> bool:
        """Whether there is a CAST in it."""
        return "cast" in self.words


def statements(sql: str) -> list[str]:
    """The statements of a text, without those that are empty."""
    found, begin, end = [], 0, 0
    for token, start, stop in tokens(sql):
        if token == ";":
            if end > begin:
                found.append(sql[begin:end])
            begin = end = stop
        else:
            begin, end = (start if end == begin else begin), stop
    if end > begin:
        found.append(sql[begin:end])
    return found


def wanted(shape: Shape, sql: str) -> Wanted:
    """What a statement speaks of."""
    words = {word.lower() for word in mentioned(sql)}
    first = next((token.lower() for token, _, _ in tokens(sql)), "")
    objects = {each.name.lower(): each for each in shape.objects if each.type in ("table", "view")}
    views: dict[str, SchemaObject] = {}
    waiting = [each for name, each in objects.items() if name in words and each.type == "view"]
    while waiting:
        view = waiting.pop()
        if view.name not in views:
            views[view.name] = view
            words |= {word.lower() for word in mentioned(view.sql)}
            waiting += [each for name, each in objects.items() if name in words and each.type == "view"]
    virtual = tuple(each for name, each in objects.items() if name in words and module_of(each.sql))
    tables = [name for name in shape.tables if name.lower() in words]
    if first == "pragma" and words & _ABOUT_ALL_ROWS:
        tables = list(shape.tables)
    needs_file = (
        shape.encoding != "UTF-8"  # text sorts by the bytes that a database keeps
        or first in _FIRST_WORDS
        or bool(virtual)
        or any(word.startswith(_OF_A_FILE) for word in words)
        or {"indexed", "by"} <= words
        or any(_names_main(text) for text in (sql, *(view.sql for view in views.values())))
    )
    return Wanted(frozenset(words), tuple(tables), tuple(views.values()), virtual, needs_file)


def _names_main(sql: str) -> bool:
    """Whether a name is said to be one of the database's own: `main.notes`."""
    words = [unquoted(token).lower() for token, _, _ in tokens(sql)]
    return any(pair == ("main", ".") for pair in pairwise(words))


def with_what_lies_behind(shape: Shape, found: Wanted) -> frozenset[str]:
    """The tables whose rows a file needs that shall answer."""
    tables = {*found.tables, *(name for name in shape.tables if name.startswith("sqlite_"))}
    by_name = {name.lower(): name for name in shape.tables}
    for each in found.virtual:
        tables |= {name for name, table in shape.tables.items() if table.shadow_of == each.name}
        content = options_of(each.sql).get("content", "").lower()  # rows that a full-text table keeps in another one
        tables |= set(_behind(shape, content, by_name))
    return frozenset(tables)


def _behind(shape: Shape, name: str, by_name: Mapping[str, str]) -> Iterator[str]:
    if name in by_name:
        yield by_name[name]
    elif any(each.type == "view" and each.name.lower() == name for each in shape.objects):
        yield from wanted(shape, f'"{name}"').tables
