"""Base and theirs in our numbers: every row stands once, and what theirs did not change is the same in both."""

from __future__ import annotations

from pathlib import Path

import pytest

from isovc.errors import CannotRenumber, FormatTooNew, NotCanonical
from isovc.snapshot.merging.how import How
from isovc.snapshot.merging.merge import merge
from isovc.snapshot.merging.row_names import Names
from isovc.snapshot.merging.translating import translated
from isovc.snapshot.numbering.numbers import NUMBERS_FILE, Numbering, composed, decode_numbers, encode_numbers
from tests.snapshot.three import rows, three

NOTES = """CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, parent INTEGER REFERENCES notes);
    INSERT INTO notes VALUES (1, 'one', NULL), (5, 'five', NULL), (8, 'eight', NULL)"""


def names(ours: dict[int, int | None], theirs: dict[int, int | None] | None = None) -> Names:
    return Names({"notes": Numbering.of(ours)}, {"notes": Numbering.of(theirs or {})})


def test_a_row_in_the_place_of_which_another_one_comes_is_not_lost(tmp_path: Path) -> None:
    sides = three(tmp_path, NOTES, "", "UPDATE notes SET title = 'new', parent = 8 WHERE id = 5")
    said = translated(sides.forest, sides.base, sides.ours, sides.theirs, names({5: 8, 8: 9}))
    assert rows(sides.forest, said.base, "notes") == [(1, "one", None), (8, "five", None), (9, "eight", None)]
    assert rows(sides.forest, said.theirs, "notes") == [(1, "one", None), (8, "new", 9), (9, "eight", None)]
    assert (said.numbers, said.given) == ({"notes": {5: 8, 8: 9}}, {})


def test_what_theirs_did_not_change_is_left_alone(tmp_path: Path) -> None:
    sides = three(tmp_path, NOTES, "", "UPDATE notes SET title = 'uno' WHERE id = 1")
    said = translated(sides.forest, sides.base, sides.ours, sides.theirs, names({5: 9}))
    assert (said.base, said.theirs) == (sides.base, sides.theirs)
    assert said.numbers == {"notes": {5: 9}}
    assert translated(sides.forest, sides.base, sides.ours, sides.theirs, Names()).theirs is sides.theirs


def test_another_row_that_reads_like_the_one_that_had_the_number(tmp_path: Path) -> None:
    """Theirs called our 5 by 9, and removed it; their own 5 has become word for word what ours is."""
    sides = three(tmp_path, NOTES, "UPDATE notes SET title = 'uno' WHERE id = 1", "")
    said = translated(sides.forest, sides.base, sides.ours, sides.theirs, names({}, {5: 9}))
    assert said.given == {"notes": {5: 9}}  # the next number that nobody has
    merged = merge(sides.forest, said.base, sides.ours, said.theirs)
    assert rows(sides.forest, merged.version, "notes") == [(1, "uno", None), (8, "eight", None), (9, "five", None)]


def test_a_row_that_ours_does_not_know_is_contested_and_not_taken_for_another(tmp_path: Path) -> None:
    sides = three(tmp_path, NOTES, "", "UPDATE notes SET title = 'new' WHERE id = 8")
    said = translated(sides.forest, sides.base, sides.ours, sides.theirs, names({5: 8}))
    merged = merge(sides.forest, said.base, sides.ours, said.theirs, How())
    (conflict,) = merged.conflicts
    assert conflict.row is not None
    assert (conflict.row.kind, conflict.row.theirs) == ("delete/edit", (9, "new", None))
    assert rows(sides.forest, merged.version, "notes") == rows(sides.forest, sides.ours, "notes")


def test_where_no_number_is_left(tmp_path: Path) -> None:
    base = f"{NOTES}; INSERT INTO notes VALUES (9223372036854775807, 'last', NULL)"
    sides = three(tmp_path, base, "", "INSERT INTO notes VALUES (6, 'six', NULL)")
    with pytest.raises(CannotRenumber, match="no number left"):
        translated(sides.forest, sides.base, sides.ours, sides.theirs, names({5: 6}))


# -- numbers -----------------------------------------------------------------------------------------------------------


def test_numberings_go_back_and_on() -> None:
    one, two = Numbering.of({5: 8, 6: 5}), Numbering.of({8: 9, 5: 7, 3: None})
    assert [one.there(number) for number in (4, 5, 6, 8)] == [4, 8, 5, None]
    assert [one.here(number) for number in (4, 5, 6, 8)] == [4, 6, None, 5]
    back, on = one.turned(), one.then(two)
    for number in range(12):
        assert back.there(number) == one.here(number)
        assert back.here(number) == one.there(number)
        there = one.there(number)
        assert on.there(number) == (None if there is None else two.there(there))
    assert Numbering.of({1: 3, 2: 3}).new == {1: 3, 2: None}


def test_numbers_one_after_the_other() -> None:
    assert composed({"a": {5: 8}}, {"a": {8: 9, 6: 7}, "b": {1: 2}}) == {"a": {5: 9, 6: 7}, "b": {1: 2}}
    assert composed({"a": {5: 8}}, {"a": {8: 5}}) == {}


def test_the_file() -> None:
    of = "ab" * 20
    files = encode_numbers({"b": {10: 11, 9: 12}, "a\udc80": {-1: 5}, "c": {}}, of)
    assert files[NUMBERS_FILE].startswith(b'{\n "format": 1,\n "of": "abab')
    assert decode_numbers(files[NUMBERS_FILE]) == (of, {"a\udc80": {-1: 5}, "b": {9: 12, 10: 11}})
    assert encode_numbers({"c": {}}, of) == {}
    with pytest.raises(FormatTooNew):
        decode_numbers(files[NUMBERS_FILE].replace(b'"format": 1', b'"format": 2'))
    for bad in (
        b"",
        b"[]",
        b"{}",
        files[NUMBERS_FILE] + b" ",
        files[NUMBERS_FILE].replace(b'"of": "ab', b'"of": 1, "x": "'),
    ):
        with pytest.raises(NotCanonical):
            decode_numbers(bad)
