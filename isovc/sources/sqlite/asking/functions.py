"""Functions that give tables: `SELECT * FROM commits('main')`. Knows nothing of what they tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import apsw

from isovc.model import Row, Value
from isovc.sql import name

_BEYOND = 63  # the one mark that SQLite keeps for all columns from there on


@dataclass(frozen=True, slots=True)
class TableFunction:
    """A table under a name of ours, or one that takes arguments. `columns`: name and type. `hidden`: those that `*`
    leaves out. `rows` is given the arguments by name, without those that were left out, and the columns somebody
    looks at; other cells may be anything."""

    called: str
    columns: tuple[tuple[str, str], ...]
    rows: Callable[[Mapping[str, Value], frozenset[str]], Iterator[Row]]
    arguments: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    about: str = ""  # one line for people


class FunctionModule:
    """Its module."""

    def __init__(self, function: TableFunction) -> None:
        self._function = function

    def Connect(self, *_: object) -> tuple[str, _Given]:
        # the arguments come before all else that is hidden: SQLite counts them from the first hidden column
        shown = [f"{name(label)} {kind}" for label, kind in _shown(self._function)]
        taken = [f"{name(label)} HIDDEN" for label in self._function.arguments]
        hidden = [f"{name(label)} {kind} HIDDEN" for label, kind in _hidden(self._function)]
        return f"CREATE TABLE x({', '.join([*shown, *taken, *hidden])})", _Given(self._function)


def _shown(function: TableFunction) -> list[tuple[str, str]]:
    return [column for column in function.columns if column[0] not in function.hidden]


def _hidden(function: TableFunction) -> list[tuple[str, str]]:
    return [column for column in function.columns if column[0] in function.hidden]


class _Given:
    def __init__(self, function: TableFunction) -> None:
        self._function = function
        self._labels = [*_shown(function), *((label, "") for label in function.arguments), *_hidden(function)]
        place = {label: at for at, (label, _) in enumerate(function.columns)}
        self._places = tuple(place.get(label) for label, _ in self._labels)

    def BestIndexObject(self, ask: apsw.IndexInfo) -> bool:
        taken: list[str] = []
        for at in range(ask.nConstraint):
            label = self._labels[ask.get_aConstraint_iColumn(at)][0] if ask.get_aConstraint_iColumn(at) >= 0 else ""
            if label not in self._function.arguments or ask.get_aConstraint_op(at) != apsw.SQLITE_INDEX_CONSTRAINT_EQ:
                continue
            if not ask.get_aConstraint_usable(at):
                return False  # an argument that comes from a table further in: only another order will do
            if label in taken:
                continue
            taken.append(label)
            ask.set_aConstraintUsage_argvIndex(at, len(taken))
            ask.set_aConstraintUsage_omit(at, True)
        used = [label for at, (label, _) in enumerate(self._labels) if at in ask.colUsed or at >= _BEYOND]
        ask.idxStr = json.dumps([taken, used])
        ask.estimatedCost, ask.estimatedRows = 1e5, 1000
        return True

    def Open(self) -> _Cursor:
        return _Cursor(self._function, self._labels, self._places)

    def Disconnect(self) -> None:
        """Nothing is held."""

    Destroy = Disconnect


class _Cursor:
    def __init__(
        self, function: TableFunction, labels: Sequence[tuple[str, str]], places: Sequence[int | None]
    ) -> None:
        self._function = function
        self._labels = labels
        self._places = places
        self._rows: Iterator[Row] = iter(())
        self._row: Row | None = None
        self._given: Mapping[str, Value] = {}
        self._number = 0

    def Filter(self, _number: int, text: str | None, values: Sequence[Value] | None) -> None:
        taken, used = json.loads(str(text))
        self._given = dict(zip(taken, values or (), strict=True))
        self._rows = self._function.rows(self._given, frozenset(used))
        self._number = 0
        self._row = next(self._rows, None)

    def Eof(self) -> bool:
        return self._row is None

    def Next(self) -> None:
        self._number += 1
        self._row = next(self._rows, None)

    def Column(self, number: int) -> Value:
        if number < 0:
            return self._number
        place = self._places[number]
        if place is None:
            return self._given.get(self._labels[number][0])
        return _taken(self._row[place]) if self._row is not None else None

    def Rowid(self) -> int:
        return self._number

    def Close(self) -> None:
        self._rows, self._row = iter(()), None


def _taken(value: Value) -> Value:
    """Text that is not valid as its bytes, which is all that SQLite takes of it from a function."""
    if type(value) is str and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogateescape")
    return value
