"""Which of the things that wait are meant, and what a row shall be. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from isovc.encoding.orderkey import encode_key
from isovc.errors import AmbiguousKey, KeyIsKept, NoSide, NoSuchColumn, NoSuchConflict, NotByValue
from isovc.formats.keys import exactly, key_whole, written
from isovc.model import Table, Value
from isovc.repo.merges import Contested
from isovc.snapshot.merging.files import together
from isovc.snapshot.merging.how import Side
from isovc.snapshot.rows import rows_at
from isovc.snapshot.version import FILES, Version
from isovc.snapshot.virtual.rows import table_of
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row as Cells

_SOME = 5  # keys that are told where one was meant


@dataclass(frozen=True, slots=True)
class Which:
    """What is meant; nothing said: everything. `key` as people write it; `place`: all in one, as they typed it."""

    table: str = ""
    key: str = ""
    column: str = ""
    place: str = ""

    @classmethod
    def read(cls, table: str, key: str, column: str) -> Self:
        """What somebody typed: words of their own, or all in one as `isovc conflicts` shows them."""
        if table and not key and not column:
            words = [*table.split(":", 2), "", ""]
            return cls(words[0], words[1], words[2], table)
        return cls(table, key, column)

    def among_all(self, contested: Iterable[Contested]) -> Self:
        """The same, or what is shown in these very words: then colons in it are no ends of names."""
        for each in contested if self.key else ():
            row = f"{each.table}:{key_whole(each.key or ())}"
            if self.place == f"{row}:{each.column}":
                return type(self)(each.table, key_whole(each.key or ()), each.column or "")
            if self.place in (row, each.table):
                return type(self)(each.table, key_whole(each.key or ()) if self.place == row else "")
        return self

    def __str__(self) -> str:
        return ":".join(filter(None, (self.table, self.key, self.column))) or "this working copy"

    def among(self, contested: Iterable[Contested]) -> Iterator[Contested]:
        """Those that are meant."""
        for each in contested:
            names = {each.table.lower(), (each.place or ("", ""))[1].lower()}
            if self.table and self.table.lower() not in names:
                continue
            if self.key and (each.key is None or self.key not in written(each.key)):
                continue
            if self.column and self.column.lower() != (each.column or "").lower():
                continue
            yield each


def of_one_row(which: Which, meant: Sequence[Contested]) -> list[Contested]:
    """What is meant by somebody who named a row: where the words could be several, the one that they say exactly."""
    keys = {(each.table, key_whole(each.key)): each.key for each in meant if each.key is not None}
    if not which.key or len(keys) < 2:
        return list(meant)
    exact = {place for place, key in keys.items() if which.key in exactly(key)}
    if len(exact) != 1:
        table = next(iter(keys))[0]
        raise AmbiguousKey(table=table, text=which.key, keys=[text for _, text in keys][:_SOME])
    return [each for each in meant if each.key is not None and (each.table, key_whole(each.key)) in exact]


@dataclass(frozen=True, slots=True)
class Choice:
    """How something is settled: a side, values, or as the database has it by now."""

    kind: Side | Literal["set", "renumber", "as it is"]
    values: Mapping[str, Value] = field(default_factory=dict)


def chosen_rows(
    forest: Forest, live: Version, merged: Version, contested: Iterable[Contested], choice: Choice, *, named: bool
) -> dict[str, dict[bytes, Cells | None]]:
    """What the rows shall be, in the columns of the database. `named`: somebody named the row, and so means every value
    for it; else a value is for the rows where its cell waits."""
    by_table: dict[str, list[Contested]] = {}
    for each in contested:
        by_table.setdefault(each.table, []).append(each)
    rows: dict[str, dict[bytes, Cells | None]] = {}
    for name, some in by_table.items():
        table, then = table_of(live, name), table_of(merged, name)
        if table is None or then is None:
            raise NoSuchConflict(what=name)
        keyed = [(encode_key(each.key or ()), each) for each in some]
        rows[name] = now = rows_at(forest, live, name, (key for key, _ in keyed))
        for key, each in keyed:
            if choice.kind == "set":
                now[key] = _with_values(each, now[key], table, choice.values, named=named)
            else:
                now[key] = _of_side(each, now[key], table, then, choice)
    return rows


def _of_side(each: Contested, now: Cells | None, table: Table, merged: Table, choice: Choice) -> Cells | None:
    side = dict(zip(("base", "ours", "theirs"), each.sides, strict=True))[str(choice.kind)]
    if side is None:
        return None
    # what is there by now, where a definition that was chosen too has brought a column
    cells = {**dict(zip(table.cells, now or (), strict=now is not None)), **dict(zip(merged.cells, side, strict=True))}
    if each.kind != "edit/edit" or each.column is None or now is None:
        return tuple(cells.get(cell) for cell in table.cells)
    if each.column not in table.cells:
        raise NoSide(what=f"{each.table}:{each.column}", side=str(choice.kind))
    chosen = together(each.table, each.column)
    return tuple(cells[cell] if cell in chosen else value for cell, value in zip(table.cells, now, strict=True))


def _with_values(
    each: Contested, now: Cells | None, table: Table, values: Mapping[str, Value], *, named: bool
) -> Cells:
    if each.table == FILES:
        raise NotByValue(path=str(each.key[0]) if each.key else "")
    names = {cell.lower(): cell for cell in table.cells}
    for column in values:
        if column.lower() not in names:
            raise NoSuchColumn(column=column, known=list(table.cells))
        if names[column.lower()] in table.key:
            raise KeyIsKept(table=each.table, column=column)
    said = {names[column.lower()]: value for column, value in values.items()}
    if each.column is not None and not named:
        said = {column: value for column, value in said.items() if column == each.column}
    row = now or next((side for side in reversed(each.sides) if side is not None), None)
    if row is None:
        raise NoSide(what=str(each.table), side="set")
    return tuple(said.get(cell, value) for cell, value in zip(table.cells, row, strict=True))
