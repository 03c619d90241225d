"""The life of rows as tables of ours in a query: `history('notes')`, `history('notes', 3)`, `blame('notes')`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from isovc.errors import BadQuery
from isovc.formats.json_values import encode_value
from isovc.model import Key, Row, Value
from isovc.repo.commits import CommitEntry
from isovc.repo.moments import from_microseconds
from isovc.sources.sqlite.asking import TableFunction
from isovc.workspace.revisions import Revisions
from isovc.workspace.rows.blame import blame
from isovc.workspace.rows.changes import history_of_row, history_of_table
from isovc.workspace.rows.past import Past

_ARGUMENTS = ("of_table", "of_key", "revision")
_WHO = (("id", "TEXT"), ("time", "TEXT"), ("author", "TEXT"))


def history_function(revisions: Revisions, at: str) -> TableFunction:
    """The changes of one row or of all, the newest first. `at`: the version that is asked, as a revision."""

    def rows(given: Mapping[str, Value], used: frozenset[str]) -> Iterator[Row]:
        table, key, where = _said(given, "history", at)
        past = Past(revisions.desk, revisions.read)
        start = past.start(revisions.found(where))
        if key is None:
            events = history_of_table(past, start, table)
        else:
            events = history_of_row(past, start, table, key, where=where)
        for event in events:
            before, after = (
                _json(side) if label in used else None
                for label, side in (("before", event.before), ("after", event.after))
            )
            yield *_who(event.entry), event.op, _key(event.key), before, after

    columns = (*_WHO, ("op", "TEXT"), ("key", "TEXT"), ("before", "TEXT"), ("after", "TEXT"))
    about = "every change of the rows of a table: history('notes'), or of one row: history('notes', 3)"
    return TableFunction("history", columns, rows, arguments=_ARGUMENTS, about=about)


def blame_function(revisions: Revisions, at: str) -> TableFunction:
    """The commit that wrote each cell, of one row or of all."""

    def rows(given: Mapping[str, Value], _used: frozenset[str]) -> Iterator[Row]:
        table, key, where = _said(given, "blame", at)
        past = Past(revisions.desk, revisions.read)
        for cell in blame(past, past.start(revisions.found(where)), table, key, where=where):
            yield *_who(cell.entry), _key(cell.key), cell.column, cell.value

    columns = (*_WHO, ("key", "TEXT"), ("column", "TEXT"), ("value", ""))
    about = "the version that wrote each cell: blame('notes'), or of one row: blame('notes', 3)"
    return TableFunction("blame", columns, rows, arguments=_ARGUMENTS, about=about)


def _said(given: Mapping[str, Value], called: str, at: str) -> tuple[str, str | None, str]:
    table, key, where = given.get("of_table"), given.get("of_key"), given.get("revision", at)
    if not isinstance(table, str):
        raise BadQuery(why=f"{called}() needs the name of a table: {called}('notes')")
    if not isinstance(where, str):
        raise BadQuery(why=f"a revision is text, and {where!r} is none")
    if isinstance(key, bytes):
        key = f"x'{key.hex()}'"
    return table, None if key is None else str(key), where


def _who(entry: CommitEntry | None) -> tuple[str | None, str | None, str | None]:
    if entry is None:
        return None, None, None
    moment = from_microseconds(entry.time).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return entry.id, moment, entry.author


def _key(key: Key) -> str:
    return json.dumps([encode_value(cell) for cell in key], ensure_ascii=False)


def _json(row: Mapping[str, Value] | None) -> str | None:
    if row is None:
        return None
    return json.dumps({name: encode_value(value) for name, value in row.items()}, ensure_ascii=False)
