"""What number a row of one version has in another one, where it is not the same; and as a file that stands beside a
version. Pure; knows no rows and no links."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from isovc.errors import FormatTooNew, NotCanonical

FORMAT = 1
READABLE = (1,)
NUMBERS_FILE = "renumbered.json"
_UTF8 = ("utf-8", "surrogatepass")  # as the names of tables stand in snapshot.json

Numbers: TypeAlias = Mapping[str, Mapping[int, int]]  # by table: old number, new


@dataclass(frozen=True, slots=True)
class Numbering:
    """One table in two versions. What is not spoken of has one number in both. `new`: by the number here the one there,
    None where the row has none; `old`: the other way round. A number that is only spoken of as new is nobody's here
    that would be known there."""

    new: Mapping[int, int | None] = field(default_factory=dict)
    old: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Mapping[int, int | None]) -> Self:
        """Of two that would have one number there, the first has it."""
        new: dict[int, int | None] = {}
        old: dict[int, int] = {}
        for here, there in pairs.items():
            new[here] = there if there is not None and old.setdefault(there, here) == here else None
        return cls(new, old)

    def there(self, number: int) -> int | None:
        """What a row with this number here has there."""
        if number in self.new:
            return self.new[number]
        return None if number in self.old else number

    def here(self, number: int) -> int | None:
        """What a row with this number there has here."""
        if number in self.old:
            return self.old[number]
        return None if number in self.new else number

    def spoken_of(self) -> set[int]:
        """Every number that is not simply the same."""
        return {*self.new, *self.old}

    def turned(self) -> Numbering:
        """The same, seen from there."""
        return Numbering.of({**dict.fromkeys(here for here in self.new if here not in self.old), **self.old})

    def then(self, further: Numbering) -> Numbering:
        """From here to there, and on."""
        met = self.spoken_of() | further.spoken_of()
        met |= {here for number in further.spoken_of() if (here := self.here(number)) is not None}
        found: dict[int, int | None] = {}
        for here in sorted(met):
            there = self.there(here)
            found[here] = None if there is None else further.there(there)
        return Numbering.of({here: there for here, there in found.items() if here != there})


SAME = Numbering()
Numberings: TypeAlias = Mapping[str, Numbering]  # by table; where nothing is spoken of, the table may be left out


def numberings(numbers: Numbers) -> Numberings:
    """The same, to be asked."""
    return {table: Numbering.of(dict(some)) for table, some in numbers.items() if some}


def composed(first: Numbers, second: Numbers) -> Numbers:
    """Given one after the other: `first`, which may leave out what keeps its number, and of what came out `second`."""
    found: dict[str, dict[int, int]] = {}
    for table in sorted({*first, *second}):
        one, two = first.get(table, {}), second.get(table, {})
        came_out = set(one.values())
        some = {old: two.get(new, new) for old, new in one.items()}
        some |= {old: new for old, new in two.items() if old not in came_out and old not in one}
        changed = {old: new for old, new in sorted(some.items()) if old != new}
        if changed:
            found[table] = changed
    return found


def encode_numbers(numbers: Numbers, of: str) -> dict[str, bytes]:
    """The file that says so; no file where there is nothing to say. `of`: the commit whose rows have the old ones."""
    tables = {
        table: {str(old): new for old, new in sorted(some.items())} for table, some in sorted(numbers.items()) if some
    }
    if not tables:
        return {}
    text = json.dumps({"format": FORMAT, "of": of, "tables": tables}, indent=1, ensure_ascii=False)
    return {NUMBERS_FILE: (text + "\n").encode(*_UTF8)}


def decode_numbers(data: bytes) -> tuple[str, Numbers]:
    """The commit and the numbers this file was made from."""
    try:
        said = json.loads(data.decode(*_UTF8))
        if said["format"] not in READABLE:
            raise FormatTooNew(path=NUMBERS_FILE, version=said["format"], readable=max(READABLE))
        of: str = said["of"]
        found = {table: {int(old): int(new) for old, new in some.items()} for table, some in said["tables"].items()}
        if encode_numbers(found, of) != {NUMBERS_FILE: data}:
            raise ValueError("it is not written as isovc writes it")
        return of, found
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotCanonical(what="numbers that rows got in a merge", why=str(error) or type(error).__name__) from None
