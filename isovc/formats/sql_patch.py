"""A patch as SQL that the stock sqlite3 shell runs: definitions first, then rows, all in one transaction, with a check
at its end that takes everything back where a row was not as it should be. Docs: docs/formats/diff.md.

The comment lines with JSON say the same of definitions as the jsonl patch does; `isovc apply` reads those and the
statements for rows, and the last line holds the SHA-256 of all lines before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import repeat
from typing import Any

from isovc.formats.delta import Delta, TableDelta, row_patches, same
from isovc.formats.jsonl import definition_line, row_line
from isovc.formats.sql_rows import Writer
from isovc.formats.sql_schema import (
    TableWay,
    created_last,
    dropped_first,
    entered,
    forgotten,
    free_name,
    is_own,
    own_tables,
    table_statements,
    unique_cells,
    ways,
)
from isovc.model import KeyKind, Row, RowChange, SchemaObject, Table
from isovc.sql import folded, literal, name

FORMAT = 1
BEGIN = "-- isovc patch "
COMMENT = "--"
END = "-- end "
_CHECK = "temp.isovc_patch"
_GOING = ("drop", "remake")  # what hangs on a table goes with it


def lines(delta: Delta, origin: str, goal: str) -> Iterator[str]:
    """The patch in pieces that end with lines. `origin`, `goal`: the two sides in words."""
    seal = sha256()
    for piece in _Patch(delta).pieces(origin, goal):
        seal.update(piece.encode("utf-8", "surrogateescape"))
        yield piece
    yield f"{END}{seal.hexdigest()}\n"


class _Patch:
    """One patch on its way out."""

    def __init__(self, delta: Delta) -> None:
        self.delta = delta
        self.ways = ways(delta.old, delta.new, delta.definitions)
        self.tables = [each for each in delta.tables if not is_own(each.name)]
        self.anew = {
            folded(way.before.name): way.before.name for way in self.ways.values() if way.before and way.way in _GOING
        }
        self.aside = free_name(delta.old, delta.new)
        self.changes = 0  # rows that statements written so far change
        self.counting = False
        texts = [each.sql for shape in (delta.old, delta.new) for each in shape.objects]
        self.rows_begin, self.rows_end = (_unused(mark, texts) for mark in ("-- rows", "-- that was rows"))

    def pieces(self, origin: str, goal: str) -> Iterator[str]:
        if not self.delta.definitions and not self.delta.tables:
            yield f"{BEGIN}{FORMAT}: nothing differs between {_one_line(origin)} and {_one_line(goal)}\n"
            return
        yield from self._head(origin, goal)
        yield from self._definitions_before()
        yield from self._rows()
        yield from self._definitions_after()
        yield from self._end()

    # -- its parts -----------------------------------------------------------------------------------------------------

    def _head(self, origin: str, goal: str) -> Iterator[str]:
        yield f"{BEGIN}{FORMAT}: from {_one_line(origin)} to {_one_line(goal)}\n"
        yield "-- isovc apply FILE, or without isovc: sqlite3 -bail DATABASE < FILE\n"
        marks = {"patch": FORMAT, "encoding": self.delta.old.encoding, "rows": self.rows_begin, "end": self.rows_end}
        yield _comment(marks)
        for definition in self.delta.definitions:
            yield COMMENT + definition_line(definition) + "\n"
        for table in self.delta.tables:
            if is_own(table.name):
                for row in row_patches(table):
                    yield COMMENT + row_line(row) + "\n"
            else:
                yield _comment({"rows_of": table.name, "before": _layout(table.before), "after": _layout(table.after)})
        if self.delta.old.encoding != self.delta.new.encoding:
            yield f"-- note: the encoding stays {self.delta.old.encoding}; {self.delta.new.encoding} needs a new file\n"
        yield "PRAGMA foreign_keys = OFF;\nPRAGMA ignore_check_constraints = ON;\nPRAGMA legacy_alter_table = ON;\n"
        yield "BEGIN;\n"
        # NOT NULL is the one rule that is always kept: the check at the end breaks it, and with it the transaction
        yield "CREATE TEMP TABLE isovc_patch (fits NOT NULL, begun, done, hung);\n"
        yield f"INSERT INTO {_CHECK} VALUES (1, 0, 0, ({self._hanging()}));\n"

    def _definitions_before(self) -> Iterator[str]:
        moved = {way.before.name for way in self.ways.values() if way.before and way.way != "add"}
        touched = {table.before.name for table in self.tables if table.before}
        yield from dropped_first(self.delta.old, self._changed, moved, touched)
        yield from forgotten(self.delta.definitions)
        leaving = [table for table in self.tables if table.before and self._in_two(table)]
        yield from self._counted(statement for table in leaving for statement in self._leave(table))
        yield from self._not_counted()
        yield from own_tables(self.delta.definitions, come=True, aside=self.aside)
        each_once = {id(way): way for way in self.ways.values()}
        # what goes makes room for what comes
        order = sorted(each_once.values(), key=lambda way: way.way != "drop")
        yield from table_statements(order, self.aside)

    def _rows(self) -> Iterator[str]:
        for table in self.tables:
            if table.after is None:
                continue
            if self._in_two(table):
                yield from self._arrive(table, table.after)
            else:
                yield from self._change(table, table.after)
        yield from self._not_counted()

    def _definitions_after(self) -> Iterator[str]:
        moved = {way.after.name for way in self.ways.values() if way.after and way.way != "add"}
        touched = {table.after.name for table in self.tables if table.after}
        yield from created_last(self.delta.new, self._changed, moved, touched)
        yield from entered(self.delta.definitions, self.aside)
        yield from own_tables(self.delta.definitions, come=False, aside=self.aside)
        for each in filter(is_own, self.delta.new.tables):
            # SQLite changes them while tables come, go and are filled
            writer = Writer(self.delta.new.tables[each], each, self.delta.old.encoding)
            yield f"DELETE FROM {name(each)};\n"
            for batch in self.delta.contents(each):
                yield from map(writer.insert, batch)
        for definition in self.delta.definitions:
            if definition.type == "pragma":
                yield f"PRAGMA {definition.name} = {int(definition.after or 0)};\n"

    def _end(self) -> Iterator[str]:
        hung = sum(_hangs(each) and folded(each.table) in self.anew for each in self.delta.old.objects)
        fits = [f"(SELECT done = {self.changes} AND hung = {hung} FROM {_CHECK})"]
        there = [each for each in self.delta.definitions if each.after is not None and each.type != "pragma"]
        if there:
            said = ", ".join(
                f"({literal(each.type)}, {literal(each.name)}, {literal(str(each.after))})" for each in there
            )
            found = f"SELECT count(*) FROM main.sqlite_schema WHERE (type, name, sql) IN (VALUES {said})"
            fits.append(f"({found}) = {len(there)}")
        yield f"INSERT OR ROLLBACK INTO {_CHECK} (fits) SELECT CASE WHEN {' AND '.join(fits)} THEN 1 END;\n"
        yield f"DROP TABLE {_CHECK};\nCOMMIT;\n"
        yield "PRAGMA legacy_alter_table = OFF;\nPRAGMA ignore_check_constraints = OFF;\n"

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _leave(self, table: TableDelta) -> Iterator[str]:
        """Rows that go, or change, leave the old table."""
        assert table.before is not None
        writer = self._writer(table.before, table.before.name)
        for change in table.rows():
            if change.before is not None:
                yield writer.delete(change.before, change.before[: len(table.before.key)])

    def _arrive(self, table: TableDelta, after: Table) -> Iterator[str]:
        """And come to the new one."""
        yield from self._inserted(after, lambda: (row.after for row in table.rows() if row.after is not None))

    def _change(self, table: TableDelta, after: Table) -> Iterator[str]:
        """Rows change in a table that stays: first what goes, so that nothing that comes meets it."""
        writer = self._writer(after, after.name)
        unique = unique_cells(after, self._text(after.name), self.delta.old.objects)
        unique |= unique_cells(after, "", self.delta.new.objects)
        places = [at for at, cell in enumerate(after.cells) if cell in unique]

        def is_swapped(change: RowChange) -> bool:
            if change.before is None or change.after is None:
                return False
            before, now = change.before, change.after
            return any(not same(before[at] if at < len(before) else None, now[at]) for at in places)

        def leaving() -> Iterator[str]:
            for change in table.rows():
                if change.before is not None and (change.after is None or is_swapped(change)):
                    added = len(after.cells) - len(change.before)
                    yield writer.delete((*change.before, *repeat(None, added)), change.key)

        def updated() -> Iterator[str]:
            for change in table.rows():
                if change.before is not None and change.after is not None and not is_swapped(change):
                    yield writer.update(change)

        def arriving() -> Iterator[Row]:
            for change in table.rows():
                if change.after is not None and (change.before is None or is_swapped(change)):
                    yield change.after

        yield from self._counted(leaving())
        yield from self._counted(updated())
        yield from self._inserted(after, arriving)

    def _inserted(self, after: Table, arriving: Callable[[], Iterator[Row]]) -> Iterator[str]:
        writer = self._writer(after, after.name)
        if after.key_kind is not KeyKind.COLUMNS_OR_ROWID:
            yield from self._counted(map(writer.insert, arriving()))
            return
        # a rowid that is part of a key must be kept; all other rows take what is free, so they give way and come second
        width = len(after.key)
        for row in arriving():
            if row[width - 1] is not None:
                yield from self._not_counted()
                yield writer.make_way(row[:width])
        yield from self._counted(writer.insert(row) for row in arriving() if row[width - 1] is not None)
        yield from self._counted(writer.insert(row) for row in arriving() if row[width - 1] is None)

    def _counted(self, statements: Iterator[str]) -> Iterator[str]:
        """Statements that change one row each, and how many rows that were."""
        for statement in statements:
            if not self.counting:
                yield f"UPDATE {_CHECK} SET begun = total_changes() + 1;\n{self.rows_begin}\n"
                self.counting = True
            self.changes += 1
            yield statement

    def _not_counted(self) -> Iterator[str]:
        """What follows changes rows of which nobody knows how many."""
        if self.counting:
            yield f"{self.rows_end}\nUPDATE {_CHECK} SET done = done + total_changes() - begun;\n"
            self.counting = False

    def _hanging(self) -> str:
        """How many indexes and triggers go with the tables that go: one that the patch does not know would be lost."""
        names = ", ".join(map(literal, sorted(self.anew.values())))
        if not names:
            return "0"
        kinds = "type IN ('index', 'trigger') AND sql IS NOT NULL"
        return f"SELECT count(*) FROM main.sqlite_schema WHERE {kinds} AND tbl_name COLLATE NOCASE IN ({names})"

    # -- what is asked of it -------------------------------------------------------------------------------------------

    @property
    def _changed(self) -> set[tuple[str, str]]:
        return {(each.type, each.name) for each in self.delta.definitions}

    def _in_two(self, table: TableDelta) -> bool:
        way: TableWay | None = self.ways.get(table.name)
        return table.before is None or table.after is None or (way is not None and way.in_two)

    def _writer(self, table: Table, called: str) -> Writer:
        return Writer(table, called, self.delta.old.encoding)

    def _text(self, table: str) -> str:
        return next((each.sql for each in self.delta.new.objects if (each.type, each.name) == ("table", table)), "")


def _hangs(each: SchemaObject) -> bool:
    return each.type in ("index", "trigger")


def _layout(table: Table | None) -> dict[str, Any] | None:
    return None if table is None else {"name": table.name, "key": list(table.key), "kind": table.key_kind.value}


def _comment(said: dict[str, Any]) -> str:
    return COMMENT + json.dumps({"isovc": said}, ensure_ascii=False) + "\n"


def _unused(mark: str, texts: list[str]) -> str:
    """A line that no definition holds."""
    number, found = 0, mark
    while any(found in text for text in texts):
        number += 1
        found = f"{mark} {number}"
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())
