"""A run of rows as bytes, column by column. Pure; never touches a store.

    01 | msgpack [rows, key width, form, column, column, ...]        each column: bytes, msgpack [value, value, ...]

The key is the first `key width` columns. A column is a byte string of its own: where two versions of a leaf have it
equal nobody decodes it, and one column can be read without the others. Trailing columns that are NULL in every row
are left out, so that a new nullable column rewrites nothing. Form 1: the first column holds integers only and is kept
as the first one and the steps between neighbours (5 % of a whole table).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from operator import sub
from typing import Any, TypeAlias

from isovc.encoding.digest import Kind
from isovc.encoding.fixed import pick, step
from isovc.encoding.orderkey import decode_key, encode_key, encode_keys, integer_bound
from isovc.encoding.values import decode, packer, unpack
from isovc.errors import Damage, NotCanonical

Row: TypeAlias = tuple[Any, ...]
Column: TypeAlias = Sequence[Any]

_PLAIN, _STEPS = 0, 1
_INTEGERS = 1 << 63
_KIND = bytes([Kind.LEAF])
_FIXED = 3  # rows, key width and form stand before the columns


class LeafEncoder:
    """Makes leaves on one thread."""

    def __init__(self, key_width: int) -> None:
        self.key_width = key_width
        self._pack = packer()

    def from_columns(self, columns: Sequence[Column], rows: int) -> bytes:
        """A leaf of `rows` rows."""
        pack = self._pack
        columns = self.kept(columns, rows)
        first = columns[0]
        if rows and set(map(type, first)) == {int}:
            head = [rows, self.key_width, _STEPS, pack([first[0], *map(sub, first[1:], first)])]
        else:
            head = [rows, self.key_width, _PLAIN, pack(first)]
        head.extend(map(pack, columns[1:]))
        return _KIND + pack(head)

    def kept(self, columns: Sequence[Column], rows: int) -> Sequence[Column]:
        """The columns without those at the end that are NULL in every row."""
        width = len(columns)
        while width > self.key_width and columns[width - 1].count(None) == rows:
            width -= 1
        return columns[:width]

    def patched(self, leaf: Leaf, cells: Mapping[int, Mapping[int, Any]]) -> bytes:
        """The leaf with some cells, none of them of the key, replaced: by column, by number of the row. Other columns
        are not even looked at."""
        columns = {at: _with(leaf.column(at), values) for at, values in cells.items()}
        if max(columns) >= len(leaf.packed) or any(column.count(None) == leaf.rows for column in columns.values()):
            width = max(len(leaf.packed), max(columns) + 1)
            return self.from_columns([columns.get(at) or leaf.column(at) for at in range(width)], leaf.rows)
        pack = self._pack
        packed = list(leaf.packed)
        for at, column in columns.items():
            packed[at] = pack(column)
        return _KIND + pack([leaf.rows, leaf.key_width, leaf.form, *packed])


def _with(column: Column, values: Mapping[int, Any]) -> list[Any]:
    """A copy in which some values are others."""
    copy = list(column)
    for at, value in values.items():
        copy[at] = value
    return copy


class Leaf:
    """A leaf, decoded as far as somebody asked."""

    __slots__ = ("_columns", "_keys", "_steps", "_told", "form", "key_width", "packed", "rows")

    def __init__(self, content: bytes, told: Callable[[NotCanonical], Damage] | None = None) -> None:
        """`told` makes of a column that cannot be read an error that says which rows are concerned."""
        if content[:1] != _KIND:
            raise NotCanonical(what="a leaf", why=f"it begins with {content[:1].hex() or 'nothing'}")
        parts = unpack(memoryview(content)[1:])  # not a copy of it all
        if [type(part) for part in parts[:_FIXED]] != [int, int, int] or not _sensible(
            parts[0], parts[1], parts[2], len(parts)
        ):
            raise NotCanonical(what="a leaf", why="its head makes no sense")
        self.rows: int
        self.key_width: int
        self.form: int
        self.rows, self.key_width, self.form = parts[:_FIXED]
        self.packed: list[bytes] = parts[_FIXED:]
        # every value takes a byte or more, so what a leaf claims to hold is not more than there is
        if {*map(type, self.packed)} != {bytes} or len(self.packed[0]) < self.rows:
            raise NotCanonical(what="a leaf", why="its columns are not what its head says")
        self._columns: dict[int, Column] = {}
        self._steps: dict[int, int] = {}
        self._keys: list[bytes] | None = None
        self._told = told

    def column(self, at: int) -> Column:
        """The values of one column; a column that was left out is NULL in every row."""
        column = self._columns.get(at)
        if column is None:
            try:
                column = self._columns[at] = self._decoded(at)
            except NotCanonical as error:
                raise self._told(error) if self._told else error from None
        return column

    def step(self, at: int) -> int:
        """How many bytes each value of a packed column takes; 0: not all the same, or not to be read one by one."""
        found = self._steps.get(at)
        if found is None:
            by_steps = at == 0 and self.form == _STEPS
            found = self._steps[at] = 0 if by_steps else step(self.packed[at], self.rows)
        return found

    def keys(self) -> list[bytes]:
        """The order keys of all rows."""
        if self._keys is None:
            self._keys = encode_keys([self.column(at) for at in range(self.key_width)]) if self.rows else []
        return self._keys

    def find(self, key: bytes) -> int | None:
        """The number of the row with this key."""
        sought: Any = key
        places: Sequence[Any] = self.keys() if self._keys or self.form != _STEPS or self.key_width > 1 else ()
        if not places and self.rows:  # integers are compared as they are: making 64 keys of them costs more than all
            (sought,) = decode_key(key, 1)
            if type(sought) is not int:
                return None
            places = self.column(0)
        at = bisect_left(places, sought)
        return at if at < len(places) and places[at] == sought else None

    def count_upto(self, bound: bytes) -> int:
        """How many rows have no greater key than a bound."""
        if self.form == _STEPS and self.key_width == 1 and (number := integer_bound(bound)) is not None:
            return bisect_right(self.column(0), number)
        return bisect_right(range(self.rows), bound, key=self.key)

    def key(self, at: int) -> bytes:
        """The order key of one row."""
        return encode_key([self.column(cell)[at] for cell in range(self.key_width)])

    def row(self, at: int, width: int) -> Row:
        """One row of `width` cells; of the other rows as little as possible is looked at."""
        return tuple(self.cells(at, range(width)))

    def cells(self, at: int, cells: Sequence[int]) -> list[Any]:
        """Some cells of one row."""
        found: list[Any] = [None] * len(cells)
        places: list[int] = []
        sources: list[tuple[bytes, int]] = []
        for place, cell in enumerate(cells):
            column = self._columns.get(cell)
            if column is None and cell < len(self.packed):
                if width := self.step(cell):
                    places.append(place)
                    sources.append((self.packed[cell], width))
                    continue
                column = self.column(cell)
            if column is not None:
                found[place] = column[at]
        if sources:
            try:
                values = pick(sources, at, self.rows)
            except NotCanonical as error:
                raise self._told(error) if self._told else error from None
            for place, value in zip(places, values, strict=True):
                found[place] = value
        return found

    def all_rows(self, width: int) -> list[Row]:
        """All rows, of `width` cells each."""
        return list(zip(*map(self.column, range(width)), strict=True))

    def _decoded(self, at: int) -> Column:
        if at >= len(self.packed):
            return [None] * self.rows
        packed = self.packed[at]
        if at == 0 and self.form == _STEPS:
            return _climbed(packed, self.rows)
        values = decode(packed)
        if len(values) != self.rows:
            raise NotCanonical(what="a leaf", why=f"column {at} has {len(values)} values for {self.rows} rows")
        return values


def _climbed(packed: bytes, rows: int) -> Column:
    """Integers kept as the first one and the steps between neighbours."""
    ones = rows - 1
    if ones and packed.endswith(b"\1" * ones) and packed[:1] == b"\xdc":  # rowids without a gap
        first = decode(b"\x91" + packed[3:-ones])
        if type(first[0]) is int and int.from_bytes(packed[1:3], "big") == rows:
            return range(first[0], first[0] + rows)
    values = unpack(packed)
    if len(values) != rows or set(map(type, values)) != {int}:
        raise NotCanonical(what="a leaf", why="its keys are not what its head says")
    climbed = list(accumulate(values))
    if climbed and not (min(climbed) >= -_INTEGERS and max(climbed) < _INTEGERS):
        raise NotCanonical(what="a leaf", why="a key of it does not fit into 64 bits")
    return climbed


def _sensible(rows: int, key_width: int, form: int, parts: int) -> bool:
    return rows >= form and 1 <= key_width <= parts - _FIXED and form in (_PLAIN, _STEPS)
