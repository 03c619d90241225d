"""sqlite_sequence, where SQLite notes the highest number that a table with AUTOINCREMENT has ever given. One row a
table, so it is read whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from isovc.encoding.digest import ChunkId
from isovc.encoding.orderkey import encode_key
from isovc.snapshot.version import Version
from isovc.tree.build import build
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.read import scan

SEQUENCE = "sqlite_sequence"
_ROWID, _NAME, _SEQ = range(3)
_WIDTH = 3

# By name, and by how many rows of that name stand before it: SQLite makes one, but anybody may write there.
_Rows: TypeAlias = dict[tuple[Any, int], tuple[Any, ...]]


def number_given(forest: Forest, version: Version, table: str) -> int:
    """The highest number that is noted; 0 where none is."""
    rows = _rows(forest, version.roots[SEQUENCE].id) if SEQUENCE in version.shape.tables else {}
    row = rows.get((table, 0))
    return row[_SEQ] if row is not None and type(row[_SEQ]) is int else 0


def noted(forest: Forest, version: Version, numbers: Mapping[str, int]) -> Version:
    """The version with these numbers given, by table."""
    if SEQUENCE not in version.shape.tables or not numbers:
        return version
    root = version.roots[SEQUENCE]
    rows = _rows(forest, root.id)
    last = max((row[_ROWID] for row in rows.values()), default=0)
    edits: dict[bytes, tuple[Any, ...]] = {}
    for table, number in numbers.items():
        row = rows.get((table, 0))
        if row is None:
            last += 1
            row = (last, table, 0)
        if type(row[_SEQ]) is int and row[_SEQ] < number:
            edits[encode_key(row[:1])] = (row[_ROWID], table, number)
    new = edit(forest, root.id, [Edit(key, edits[key]) for key in sorted(edits)], width=_WIDTH)
    return replace(version, roots={**version.roots, SEQUENCE: new})


def renamed_sequence(forest: Forest, version: Version, names: Mapping[str, str]) -> Root | None:
    """What is noted, by other names of the tables; None: nothing is noted in this version."""
    root = version.roots.get(SEQUENCE)
    if root is None or all(old == new for old, new in names.items()):
        return root
    rows = scan(forest, root.id, cells=range(_WIDTH))
    return build(forest, [(row[_ROWID], names.get(row[_NAME], row[_NAME]), row[_SEQ]) for row in rows])


def merge_sequence(forest: Forest, base: ChunkId | None, ours: ChunkId, theirs: ChunkId) -> Root:
    """By name, since each side gives the rows numbers of its own. Where both gave more numbers, the higher one counts,
    so that none is given twice. It says the same whose side is ours."""
    was, mine, other = (_rows(forest, root) if root is not None else {} for root in (base, ours, theirs))
    found: list[tuple[Any, ...]] = []
    taken: set[int] = set()
    fresh: list[tuple[int, str, tuple[Any, ...]]] = []
    for key in dict.fromkeys([*mine, *other]):
        row = _chosen(was.get(key), mine.get(key), other.get(key))
        if row is not None and key in was:
            found.append((was[key][_ROWID], *row[1:]))
            taken.add(was[key][_ROWID])
        elif row is not None:
            rowid = min(side[key][_ROWID] for side in (mine, other) if key in side)
            fresh.append((rowid, repr(key), row))
    for rowid, _, row in sorted(fresh, key=lambda each: each[:2]):
        at = rowid if rowid not in taken else max(taken) + 1
        taken.add(at)
        found.append((at, *row[1:]))
    return build(forest, sorted(found, key=lambda row: row[_ROWID]))


def _chosen(
    was: tuple[Any, ...] | None, mine: tuple[Any, ...] | None, other: tuple[Any, ...] | None
) -> tuple[Any, ...] | None:
    old, one, two = (None if row is None else (type(row[_SEQ]), row[_SEQ]) for row in (was, mine, other))
    if two in (old, one):
        return mine
    if one == old or mine is None:
        return other
    if other is None or type(other[_SEQ]) is not int or type(mine[_SEQ]) is not int:
        return mine
    return max(mine, other, key=lambda row: int(row[_SEQ]))


def _rows(forest: Forest, root: ChunkId) -> _Rows:
    found: _Rows = {}
    many: Counter[Any] = Counter()
    for row in scan(forest, root, cells=range(_WIDTH)):
        found[row[_NAME], many[row[_NAME]]] = row
        many[row[_NAME]] += 1
    return found
