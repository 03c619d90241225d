"""Queries that only hand over a table: its columns row by row, or how many rows there are. Read off the program that
SQLite makes of them, so that nothing else is ever taken for one. Knows nothing of where the rows are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_OPEN = ("VOpen", "Integer", "Integer", "VFilter")
_SCAN = ("Init", *_OPEN)
_COUNT = ("Init", "Null", *_OPEN, "AggStep", "VNext", "AggFinal", "Copy", "ResultRow", "Halt")
_COLUMN = {"VColumn", "Rowid"}


@dataclass(frozen=True, slots=True)
class Plain:
    """`columns` of the one table there is, by number, -1 for the rowid; none: the number of rows. `backwards`: the last
    row first."""

    columns: tuple[int, ...]
    backwards: bool = False


def plain(program: Sequence[Sequence[Any]], width: int) -> Plain | None:
    """What a program does that gives `width` columns, if it is no more than that. Each step: its number, its name, its
    five operands."""
    program = [step for step in program if step[1] != "Noop"]  # where a sorter would be that was not needed
    names = tuple(str(step[1]) for step in program)
    if names[: len(_COUNT)] == _COUNT and program[6][5] == "count(0)" and not program[4][2] and width == 1:
        return Plain(())
    first = len(_SCAN)
    behind = first + width
    if names[:first] != _SCAN or names[behind : behind + 3] != ("ResultRow", "VNext", "Halt"):
        return None
    steps = program[first:behind]
    if not steps or not {str(step[1]) for step in steps} <= _COLUMN or program[3][2]:  # it takes arguments
        return None
    start = program[behind][2]
    # a column's number and its register are the second and third operand, the register of a rowid is the second
    places = [(step[3], step[4]) if step[1] == "VColumn" else (-1, step[3]) for step in steps]
    if [register for _, register in places] != list(range(start, start + width)) or program[behind][3] != width:
        return None
    return Plain(tuple(column for column, _ in places), _is_backwards(program[4][5]))


def _is_backwards(agreed: object) -> bool:
    """The text that was agreed on by `virtual`."""
    found: bool = json.loads(str(agreed))[2]
    return found
