"""A patch file read back: looked through once from begin to end, then row by row in the order of the keys.

Rows may stand in any order. They are read again in runs that are in order, merged, so that a patch of any size takes
little memory; a patch of ours has one to three runs a table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from heapq import merge
from typing import BinaryIO

from isovc.encoding.orderkey import encode_key
from isovc.errors import NoPatch, NotStorable
from isovc.formats.delta import Definition, RowPatch, reversed_definitions
from isovc.formats.jsonl import decode_line
from isovc.formats.sql_patch import BEGIN, COMMENT, END, FORMAT
from isovc.formats.sql_rows import Layout, decode_row, is_whole, table_of
from isovc.model import KeyKind

_UTF8 = ("utf-8", "surrogateescape")  # SQL text holds what it holds; JSON that is no UTF-8 fails on its own


@dataclass(slots=True)
class _Run:
    """Rows of one table that follow one another in the order of their keys."""

    offset: int
    rows: int
    last: bytes


@dataclass
class Patch:
    """What a patch changes. The file stays open as long as it is used."""

    name: str
    _read: Callable[[int], tuple[RowPatch, int]]  # the row that stands at an offset, and where it ends
    _line: Callable[[int], int]  # the number of the line at an offset
    definitions: list[Definition] = field(default_factory=list)
    _runs: dict[str, list[_Run]] = field(default_factory=dict)
    _back: bool = False

    @property
    def tables(self) -> dict[str, int]:
        """How many rows are named, by table."""
        return {table: sum(run.rows for run in runs) for table, runs in self._runs.items()}

    def rows(self, table: str) -> Iterator[tuple[bytes, RowPatch]]:
        """The rows of a table by their encoded keys. One that goes and comes again under its key is one row."""
        waiting: tuple[bytes, RowPatch] | None = None
        for key, row in merge(*map(self._run, self._runs.get(table, [])), key=lambda each: each[0]):
            if waiting is not None and waiting[0] == key:
                waiting = (key, self._one(waiting[1], row))
                continue
            if waiting is not None:
                yield waiting
            waiting = (key, row)
        if waiting is not None:
            yield waiting

    def line_of(self, table: str, key: bytes, column: str) -> int:
        """The line that speaks of a column of a row, by its encoded key; 0: none does. Reads the file again."""
        for run in self._runs.get(table, []):
            at = run.offset
            for _ in range(run.rows):
                row, behind = self._read(at)
                if encode_key(row.key) == key and column in {*(row.before or ()), *(row.after or ())}:
                    return self._line(at)
                at = behind
        return 0

    def reversed(self) -> Patch:
        """The way back."""
        was = {each.name: each.was for each in self.definitions if each.type == "table" and each.was}
        runs = {was.get(table, table): found for table, found in self._runs.items()}  # rows go by the name after it
        return replace(self, definitions=reversed_definitions(self.definitions), _runs=runs, _back=not self._back)

    def _run(self, run: _Run) -> Iterator[tuple[bytes, RowPatch]]:
        at = run.offset
        for _ in range(run.rows):
            row, at = self._read(at)
            yield encode_key(row.key), row.reversed() if self._back else row

    def _one(self, one: RowPatch, other: RowPatch) -> RowPatch:
        gone, came = (one, other) if one.after is None else (other, one)
        if gone.after is not None or came.before is not None:
            raise NoPatch(patch=self.name, why=f"it names the row {one.key!r} of {one.table} twice")
        return replace(gone, after=came.after)

    def _take(self, row: RowPatch, offset: int, *, follows: bool) -> None:
        """Note where a row stands. `follows`: right behind the one before it."""
        key = encode_key(row.key)
        runs = self._runs.setdefault(row.table, [])
        if follows and runs and runs[-1].last < key:
            runs[-1].rows += 1
            runs[-1].last = key
        else:
            runs.append(_Run(offset, 1, key))


def read_patch(file: BinaryIO, patch: str) -> Patch:
    """Look through a file that can be read again. `patch`: what it is called."""
    head = file.readline()
    while head and not head.strip():
        head = file.readline()
    file.seek(0)
    if head.startswith(BEGIN.encode()):
        return _read_sql(file, patch)
    if not head or head.lstrip().startswith(b"{"):
        return _read_jsonl(file, patch)
    raise NoPatch(patch=patch, why="it begins neither as JSON lines nor as an SQL patch of isovc")


def _read_jsonl(file: BinaryIO, patch: str) -> Patch:
    def read(at: int) -> tuple[RowPatch, int]:
        file.seek(at)
        line = file.readline()
        row = decode_line(line.decode())
        assert isinstance(row, RowPatch)
        return row, at + len(line)

    found = Patch(patch, read, partial(_line_at, file))
    at, before = 0, ""
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                said = decode_line(line.decode())
                if isinstance(said, Definition):
                    found.definitions.append(said)
                    before = ""
                else:
                    found._take(said, at, follows=said.table == before)
                    before = said.table
            except (ValueError, RecursionError, NotStorable) as error:
                why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else _words(error)
                raise NoPatch(patch=patch, why=why, line=number) from None
        else:
            before = ""
        at += len(line)
    return found


def _read_sql(file: BinaryIO, patch: str) -> Patch:
    _check_seal(file, patch)
    before: dict[str, Layout] = {}
    after: dict[str, Layout] = {}
    names: dict[str, str] = {}
    marks: dict[str, str] = {}

    def read(at: int) -> tuple[RowPatch, int]:
        file.seek(at)
        text, size = _statement(file, file.readline())
        if text.startswith(COMMENT):
            row = decode_line(text.removeprefix(COMMENT))
            assert isinstance(row, RowPatch)
        else:
            table = table_of(text)
            table = names.get(table or "", table or "")
            layout = after[table] if text.startswith(("INSERT", "UPDATE")) else before.get(table) or after[table]
            row = decode_row(text, layout, marks["encoding"])
        return replace(row, table=names.get(row.table, row.table)), at + size

    found = Patch(patch, read, partial(_line_at, file))
    at, last, number, inside = 0, "", 0, False
    try:
        while line := file.readline():
            number += 1
            text = line.decode(*_UTF8).rstrip("\n")
            if inside and text == marks["end"]:
                inside, last = False, ""
            elif inside:
                row, behind = read(at)
                found._take(row, at, follows=row.table == last)
                last = row.table
                file.seek(behind)
                at = behind
                continue
            elif marks and text == marks["rows"]:
                inside = True
            elif text.startswith(COMMENT + "{") and not (marks and marks.get("closed")):
                said = json.loads(text.removeprefix(COMMENT))
                if "rows_of" in said.get("isovc", {}):
                    _take_layout(said["isovc"], before, after, names)
                elif "isovc" in said:
                    marks = {**marks, **{key: str(value) for key, value in said["isovc"].items()}}
                else:
                    one = decode_line(text.removeprefix(COMMENT))
                    if isinstance(one, Definition):
                        found.definitions.append(one)
                    else:
                        found._take(one, at, follows=one.table == last)
                        last = one.table
            elif not text.startswith(COMMENT):
                marks["closed"] = "yes"  # what follows is SQL, and a comment in it is none of ours
            at += len(line)
    except (ValueError, KeyError, AttributeError, NotStorable) as error:
        raise NoPatch(patch=patch, why=_words(error), line=number) from None
    return found


def _line_at(file: BinaryIO, offset: int) -> int:
    file.seek(0)
    number = 1
    while file.tell() < offset and file.readline():
        number += 1
    return number


def _check_seal(file: BinaryIO, patch: str) -> None:
    """An SQL patch is taken only as it was written: what is applied are its rows and the definitions in its comments,
    and statements that do not say the same would be passed over."""
    seal = sha256()
    last = b""
    for line in file:
        seal.update(last)
        last = line
    file.seek(0)
    head = file.readline().decode(*_UTF8)
    file.seek(0)
    version = head.removeprefix(BEGIN).partition(":")[0]
    if version != str(FORMAT):
        raise NoPatch(patch=patch, why=f"it has the format {version[:20]!r}, and this isovc reads {FORMAT}")
    if last.decode(*_UTF8).strip() != f"{END}{seal.hexdigest()}":
        raise NoPatch(patch=patch, why="it was changed or cut off after it was written; sqlite3 runs it as it is")


def _take_layout(
    said: dict[str, object], before: dict[str, Layout], after: dict[str, Layout], names: dict[str, str]
) -> None:
    table = str(said["rows_of"])
    for side, layouts in (("before", before), ("after", after)):
        layout = said[side]
        if isinstance(layout, dict):
            layouts[table] = Layout(layout["name"], tuple(layout["key"]), KeyKind(layout["kind"]))
            names[layout["name"]] = table


def _statement(file: BinaryIO, line: bytes) -> tuple[str, int]:
    """The whole statement that begins with this line."""
    data = line
    text = data.decode(*_UTF8)
    while not text.startswith(COMMENT) and not is_whole(text):
        more = file.readline()
        if not more:
            raise ValueError("a statement has no end")
        data += more
        text = data.decode(*_UTF8)
    return text, len(data)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
