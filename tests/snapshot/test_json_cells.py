"""Cells that hold JSON in rows that both sides changed."""

from __future__ import annotations

from typing import Any

import pytest

from isovc.blobs import apart
from isovc.encoding.values import External
from isovc.model import Column, KeyKind, SchemaObject, Shape, Table
from isovc.snapshot.merging.how import How
from isovc.snapshot.merging.json_merge import merge_json
from isovc.snapshot.merging.merge import Merged, merge
from isovc.snapshot.values import with_large
from isovc.snapshot.version import Version
from isovc.store import MemoryChunks
from isovc.tree.build import build
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest
from isovc.tree.read import get, scan

NOTES = Table(
    "Notes",
    (Column("id", "INTEGER", primary_key=1), Column("Meta", "TEXT"), Column("title"), Column("other")),
    KeyKind.INTEGER,
)
JSON = How(json=frozenset({("NOTES", "meta"), ("notes", "nowhere"), ("gone", "meta")}))
BASE, OURS, THEIRS, BOTH = '{"a":1,"b":1}', '{"a":2,"b":1}', '{"a":1,"b":1.0}', '{"a":2,"b":1.0}'


def large(forest: Forest, text: str | bytes) -> External:
    with forest.store.writing() as writer:
        return apart(writer, text)


def version(forest: Forest, *rows: tuple[Any, ...]) -> Version:
    text = SchemaObject("table", "Notes", "Notes", f"CREATE TABLE Notes ({', '.join(NOTES.cells)})")
    return Version(Shape(objects=(text,), tables={"Notes": NOTES}), {"Notes": build(forest, rows)})


def merged(forest: Forest, base: tuple[Any, ...], ours: tuple[Any, ...], theirs: tuple[Any, ...], how: How) -> Merged:
    """Of one row without its key."""
    return merge(forest, *(version(forest, (1, *row)) for row in (base, ours, theirs)), how)


def rows(forest: Forest, found: Merged) -> list[tuple[Any, ...]]:
    return [with_large(forest.store, row) for row in scan(forest, found.version.roots["Notes"].id, cells=range(4))]


def test_keys_of_both_sides_stand_in_the_cell() -> None:
    forest = Forest(MemoryChunks())
    found = merged(forest, (BASE, "t", 0), (OURS, "mine", 0), (THEIRS, "t", 9), JSON)
    assert found.conflicts == ()
    assert rows(forest, found) == [(1, BOTH, "mine", 9)]
    assert found.version.roots["Notes"] == build(forest, [(1, BOTH, "mine", 9)])


def test_without_being_told_a_cell_is_a_cell() -> None:
    forest = Forest(MemoryChunks())
    found = merged(forest, (BASE, "t", 0), (OURS, "t", 0), (THEIRS, "t", 0), How(json=frozenset({("notes", "title")})))
    assert [each.row.cells for each in found.conflicts if each.row] == [(1,)]


def test_what_is_left_in_conflict_is_told_and_the_rest_is_decided() -> None:
    forest = Forest(MemoryChunks())
    found = merged(forest, (BASE, "t", 0), (OURS, "mine", 0), (THEIRS, "theirs", 9), JSON)
    (conflict,) = found.conflicts
    assert conflict.row is not None
    assert (conflict.row.cells, conflict.row.merged, conflict.why) == ((2,), (1, BOTH, "mine", 9), "")
    assert rows(forest, found) == [(1, BOTH, "mine", 9)]


def test_the_same_key_keeps_our_cell_and_says_why() -> None:
    forest = Forest(MemoryChunks())
    found = merged(forest, (BASE, "t", 0), (OURS, "t", 0), ('{"a":3,"b":1,"c":1}', "t", 9), JSON)
    (conflict,) = found.conflicts
    assert conflict.row is not None
    assert (conflict.row.cells, conflict.why) == ((1,), "Meta: both sides changed $.a")
    assert rows(forest, found) == [(1, OURS, "t", 9)]


@pytest.mark.parametrize(("side", "cell"), [("ours", OURS), ("theirs", '{"a":3,"b":1,"c":1}'), ("base", BASE)], ids=str)
def test_the_word_of_a_side_counts_for_what_is_left(side: Any, cell: str) -> None:
    forest = Forest(MemoryChunks())
    how = How(prefer=side, json=JSON.json)
    contested = merged(forest, (BASE, "t", 0), (OURS, "t", 0), ('{"a":3,"b":1,"c":1}', "t", 0), how)
    assert (contested.conflicts, rows(forest, contested)) == ((), [(1, cell, "t", 0)])
    clean = merged(forest, (BASE, "t", 0), (OURS, "t", 0), (THEIRS, "t", 0), how)
    assert (clean.conflicts, rows(forest, clean)) == ((), [(1, BOTH, "t", 0)])


@pytest.mark.parametrize("value", [None, 7, 1.5, b'{"a":1,"b":1}', b"\x4c\x17a", "[1]", "x", '{"a":\udcff}'])
@pytest.mark.parametrize("side", [0, 1, 2])
def test_what_is_no_text_of_json_stays_a_conflict(value: Any, side: int) -> None:
    forest = Forest(MemoryChunks())
    cells: list[Any] = [BASE, OURS, THEIRS]
    cells[side] = value
    found = merged(forest, *((cell, "t", 0) for cell in cells), JSON)
    (conflict,) = found.conflicts
    assert conflict.row is not None
    assert conflict.row.cells == (1,)
    assert conflict.why.startswith("Meta: one of its values is no ")
    assert rows(forest, found) == [(1, cells[1], "t", 0)]


def test_large_texts_stay_apart_and_texts_that_become_large_go_there() -> None:
    forest = Forest(MemoryChunks())
    near = "x" * 9_000
    texts = ["{}", f'{{"o":"{near}"}}', f'{{"t":"{near}"}}']
    found = merged(forest, *((text, "t", 0) for text in texts), JSON)
    both = f'{{"o":"{near}","t":"{near}"}}'
    stored = get(forest, found.version.roots["Notes"].id, b"\x21" + bytes(7) + b"\x01", width=4)
    assert stored is not None
    assert stored[1] == large(forest, both)
    assert rows(forest, found) == [(1, both, "t", 0)]
    far = [large(forest, text[:-1] + (", " if len(text) > 2 else "") + f'"f":"{near * 2}"}}') for text in texts]
    again = merged(forest, *((cell, "t", 0) for cell in far), JSON)
    assert again.conflicts == ()
    assert rows(forest, again)[0][1] == merge_json(*(str(with_large(forest.store, (cell,))[0]) for cell in far))
    blob = merged(forest, *((large(forest, f"{at}".encode() * 20_000), "t", 0) for at in range(3)), JSON)
    assert [each.why for each in blob.conflicts] == ["Meta: one of its values is no text"]


def test_rows_that_were_added_or_removed_are_not_looked_into() -> None:
    forest = Forest(MemoryChunks())
    empty, mine, other = version(forest), version(forest, (1, OURS, "t", 0)), version(forest, (1, THEIRS, "t", 0))
    assert [each.row.kind for each in merge(forest, empty, mine, other, JSON).conflicts if each.row] == ["add/add"]
    was = version(forest, (1, BASE, "t", 0))
    assert [each.row.kind for each in merge(forest, was, mine, empty, JSON).conflicts if each.row] == ["edit/delete"]


def test_many_rows() -> None:
    forest = Forest(MemoryChunks())
    base = version(forest, *((at, '{"n":0}', "t", 0) for at in range(3_000)))

    def changed(text: str, *, step: int) -> Version:
        edits = (Edit(b"\x21" + at.to_bytes(8, "big"), (at, text, "t", 0)) for at in range(0, 3_000, step))
        return Version(base.shape, {"Notes": edit(forest, base.roots["Notes"].id, edits, width=4)})

    found = merge(forest, base, changed('{"n":0,"o":1}', step=2), changed('{"n":0,"t":1}', step=3), JSON)
    texts = {
        (True, True): '{"n":0,"o":1,"t":1}',
        (True, False): '{"n":0,"o":1}',
        (False, True): '{"n":0,"t":1}',
        (False, False): '{"n":0}',
    }
    expected = [(at, texts[at % 2 == 0, at % 3 == 0], "t", 0) for at in range(3_000)]
    assert found.conflicts == ()
    assert found.version.roots["Notes"] == build(forest, expected)
