"""Rows that both sides added under one number: none is lost, and what points to them points to the same row as
before."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from isovc.encoding.orderkey import encode_key
from isovc.errors import CannotRenumber
from isovc.snapshot.merging.how import How
from isovc.snapshot.merging.merge import Merged, merge
from isovc.snapshot.numbering.renumbering import renumbered
from tests.snapshot.three import Three, broken, laid_out, rows, three

NOTES = """CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, parent INTEGER REFERENCES notes);
    INSERT INTO notes VALUES (1, 'first', NULL), (4, 'fourth', 1)"""
SEQUENCE = """CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT);
    INSERT INTO notes (title) VALUES ('first'), ('second')"""


def merged(sides: Three, *tables: str) -> Merged:
    return merge(sides.forest, sides.base, sides.ours, sides.theirs, How(renumber=dict.fromkeys(tables)))


def found(sides: Three, result: Merged, table: str) -> list[tuple[Any, ...]]:
    return rows(sides.forest, result.version, table)


def add(*ids: int, title: str) -> str:
    return "".join(f"INSERT INTO notes VALUES ({each}, '{title}', NULL);" for each in ids)


def test_rows_of_both_sides_stand_and_ours_keep_their_numbers(tmp_path: Path) -> None:
    sides = three(tmp_path, NOTES, add(5, 6, title="ours"), add(5, 7, title="theirs"))
    result = merged(sides, "NOTES")
    assert result.conflicts == ()
    assert result.renumbered == {"notes": {5: 8}}
    assert found(sides, result, "notes")[2:] == [
        (5, "ours", None), (6, "ours", None), (7, "theirs", None), (8, "theirs", None),
    ]  # fmt: skip
    assert len(merged(sides).conflicts) == 1
    assert merged(sides).renumbered == {}


def test_rows_that_are_the_same_agree(tmp_path: Path) -> None:
    sides = three(tmp_path, NOTES, add(5, 6, title="same"), add(5, title="same") + add(6, title="other"))
    assert merged(sides, "notes").renumbered == {"notes": {6: 7}}


def test_rows_that_were_there_before_are_never_moved(tmp_path: Path) -> None:
    sides = three(
        tmp_path,
        NOTES,
        "UPDATE notes SET title = 'ours' WHERE id = 4; DELETE FROM notes WHERE id = 1",
        "UPDATE notes SET title = 'theirs' WHERE id = 4; UPDATE notes SET title = 'x' WHERE id = 1",
    )
    result = merged(sides, "notes")
    assert result.renumbered == {}
    assert len(result.conflicts) == 2


def test_only_the_rows_that_were_chosen_are_moved(tmp_path: Path) -> None:
    sides = three(tmp_path, NOTES, add(5, 6, title="ours"), add(5, 6, title="theirs"))
    how = How(renumber={"Notes": frozenset({encode_key((6,))}), "notes": frozenset()})
    result = merge(sides.forest, sides.base, sides.ours, sides.theirs, how)
    assert result.renumbered == {"notes": {6: 7}}
    assert [each.row.key for each in result.conflicts if each.row] == [encode_key((5,))]


def test_a_number_that_anybody_has_used_is_not_given_again(tmp_path: Path) -> None:
    # 9 was taken out on both sides; to use it again would look like a row that both have changed
    sides = three(tmp_path, NOTES + "; INSERT INTO notes VALUES (9, 'gone', NULL)",
        "DELETE FROM notes WHERE id = 9;" + add(5, title="ours"),
        "DELETE FROM notes WHERE id = 9;" + add(5, title="theirs"),
    )  # fmt: skip
    result = merged(sides, "notes")
    assert (result.conflicts, result.renumbered) == ((), {"notes": {5: 10}})


def test_where_no_number_is_left_there_is_a_conflict(tmp_path: Path) -> None:
    last = (1 << 63) - 1
    sides = three(tmp_path, NOTES, add(5, last - 1, title="ours"), add(5, 6, title="theirs") + add(last - 1, title="t"))
    result = merged(sides, "notes")
    assert result.renumbered == {"notes": {5: last}}
    assert [each.row.key for each in result.conflicts if each.row] == [encode_key((last - 1,))]


def test_tables_without_a_key_and_negative_numbers(tmp_path: Path) -> None:
    sides = three(tmp_path, "CREATE TABLE log (line)",
        "INSERT INTO log (rowid, line) VALUES (-5, 'o'), (-3, 'o')",
        "INSERT INTO log (rowid, line) VALUES (-5, 't'), (-4, 't')",
    )  # fmt: skip
    result = merged(sides, "log")
    assert result.renumbered == {"log": {-5: 1}}
    assert found(sides, result, "log") == [(-5, "o"), (-4, "t"), (-3, "o"), (1, "t")]


@pytest.mark.parametrize("migrated", ["ours", "theirs"])
def test_a_table_that_got_a_column_on_one_side(tmp_path: Path, migrated: str) -> None:
    scripts = {
        "ours": add(5, 6, title="same") + add(7, title="ours"),
        "theirs": add(5, 6, title="same") + add(7, title="t"),
    }
    scripts[migrated] = scripts[migrated] + "; ALTER TABLE notes ADD COLUMN stars INT DEFAULT 3"
    sides = three(tmp_path, NOTES, scripts["ours"], scripts["theirs"])
    result = merged(sides, "notes")
    assert (result.conflicts, result.renumbered) == ((), {"notes": {7: 8}})
    assert [row[:2] for row in found(sides, result, "notes")][2:] == [(5, "same"), (6, "same"), (7, "ours"), (8, "t")]


# -- what points there -------------------------------------------------------------------------------------------------

LINKED = (
    NOTES
    + """;
    CREATE TABLE "a log" (line, note REFERENCES Notes (ID), kind);
    CREATE TABLE tags (note INTEGER NOT NULL REFERENCES notes, tag NOT NULL, PRIMARY KEY (note, tag)) WITHOUT ROWID;
    CREATE TABLE marks (id INTEGER PRIMARY KEY, note, tag, n, FOREIGN KEY (note, tag) REFERENCES tags);
    CREATE TABLE details (note INTEGER PRIMARY KEY REFERENCES notes, text);
    CREATE TABLE more (detail INT REFERENCES details, text);
    CREATE TABLE other (note INT, text);
    INSERT INTO "a log" VALUES ('base', 1, 0), ('base', 5, 0)"""
)


def side(title: str) -> str:
    return f"""INSERT INTO notes VALUES (5, '{title}', 6), (6, '{title}', 5), (7, '{title}', 7), (8, '{title}', 1);
        INSERT INTO tags VALUES (5, '{title}'), (1, '{title}'); INSERT INTO marks VALUES (NULL, 5, '{title}', 0);
        INSERT INTO details VALUES (6, '{title}'), (4, 'same'); INSERT INTO more VALUES (6, '{title}'), (4, 'same');
        INSERT INTO other VALUES (5, '{title}');"""


def test_what_points_to_a_row_follows_it(tmp_path: Path) -> None:
    theirs = (
        side("t")
        + """INSERT INTO "a log" VALUES ('int', 5, 0), ('text', '6', 0), ('real', 7.0, 0), ('null', NULL, 0),
        ('old', 1, 0), ('none', 99, 0); UPDATE "a log" SET kind = 1 WHERE line = 'base';
        UPDATE notes SET parent = 8 WHERE id = 4"""
    )
    sides = three(tmp_path, LINKED, side("o") + "INSERT INTO \"a log\" VALUES ('ours', 5, 0)", theirs)
    result = merged(sides, "notes", "a log", "marks", "more", "other")
    assert result.renumbered == {
        "notes": {5: 9, 6: 10, 7: 11, 8: 12},
        "a log": {3: 9},
        "marks": {1: 2},
        "more": {1: 3},
        "other": {1: 2},
        "details": {6: 10},
    }
    assert result.conflicts == ()
    assert found(sides, result, "notes") == [
        (1, "first", None), (4, "fourth", 12),
        (5, "o", 6), (6, "o", 5), (7, "o", 7), (8, "o", 1),
        (9, "t", 10), (10, "t", 9), (11, "t", 11), (12, "t", 1),
    ]  # fmt: skip
    log = {tuple(map(repr, row[1:3])) for row in found(sides, result, "a log")}
    assert log == {
        ("'base'", "1"), ("'base'", "9"), ("'ours'", "5"), ("'int'", "9"), ("'text'", "'10'"), ("'real'", "11.0"),
        ("'null'", "None"), ("'old'", "1"), ("'none'", "99"),
    }  # fmt: skip
    assert found(sides, result, "tags") == [(1, "o"), (1, "t"), (5, "o"), (9, "t")]
    assert found(sides, result, "marks") == [(1, 5, "o", 0), (2, 9, "t", 0)]
    assert found(sides, result, "details") == [(4, "same"), (6, "o"), (10, "t")]
    assert found(sides, result, "more") == [(1, 6, "o"), (2, 4, "same"), (3, 10, "t")]
    assert found(sides, result, "other") == [(1, 5, "o"), (2, 5, "t")]  # nobody says that this points anywhere


def test_what_was_the_same_and_points_elsewhere_now_is_not_the_same(tmp_path: Path) -> None:
    same = "INSERT INTO marks (id, n) VALUES (1, 'same'); INSERT INTO more VALUES (5, 'same')"
    chain = "INSERT INTO notes VALUES (6, 'same', 5), (7, 'same', 6), (3, 'same', 7), (2, 'same', 1)"
    scripts = [f"INSERT INTO notes VALUES (5, '{who}', NULL); {chain}; {same}" for who in "ot"]
    sides = three(tmp_path, LINKED, *scripts)
    result = merged(sides, "notes", "marks")
    assert result.renumbered == {"notes": {5: 8, 6: 9, 7: 10, 3: 11}}
    by_number = {row[0]: row[1:] for row in found(sides, result, "notes")}
    assert [by_number[each] for each in (8, 9, 10, 11)] == [("t", None), ("same", 8), ("same", 9), ("same", 10)]
    assert [by_number[each] for each in (5, 6, 7, 3)] == [("o", None), ("same", 5), ("same", 6), ("same", 7)]
    assert result.conflicts == ()
    # one that may not have another number is a conflict then
    few = merge(
        sides.forest, sides.base, sides.ours, sides.theirs, How(renumber={"notes": frozenset({encode_key((5,))})})
    )
    assert few.renumbered == {"notes": {5: 8}}
    assert [each.row.key for each in few.conflicts if each.row] == [encode_key((6,))]


def test_a_key_that_both_sides_point_from_is_not_a_number_of_its_own(tmp_path: Path) -> None:
    sides = three(tmp_path, LINKED, "INSERT INTO details VALUES (1, 'o')", "INSERT INTO details VALUES (1, 't')")
    result = merged(sides, "details")
    assert (result.renumbered, len(result.conflicts)) == ({}, 1)


def test_foreign_keys_that_one_side_declared(tmp_path: Path) -> None:
    base = NOTES + "; CREATE TABLE a (note INT); CREATE TABLE b (note INT REFERENCES notes)"
    theirs = (
        add(5, title="t")
        + "INSERT INTO a VALUES (5); DROP TABLE b; CREATE TABLE b (note INT); INSERT INTO b VALUES (5)"
    )
    ours = add(5, title="o") + "DROP TABLE a; CREATE TABLE a (note INT REFERENCES notes)"
    sides = three(tmp_path, base, ours, theirs)
    result = merged(sides, "notes")
    assert found(sides, result, "a") == [(1, 6)]
    assert found(sides, result, "b") == [(1, 5)]


def test_texts_are_found_by_the_rules_of_the_column_they_point_to(tmp_path: Path) -> None:
    base = """CREATE TABLE p (id INTEGER PRIMARY KEY, area TEXT COLLATE NOCASE, tail TEXT COLLATE RTRIM,
        UNIQUE (id, area, tail));
        CREATE TABLE c (a, b, t, FOREIGN KEY (b, a, t) REFERENCES p (AREA, id, tail))"""
    theirs = """INSERT INTO p VALUES (1, 'Nord', 'x');
        INSERT INTO c VALUES (1, 'nORD', 'x '), (1, 'süd', 'x'), (NULL, 'nord', 'x'), (2, NULL, 'x');
        INSERT INTO p VALUES (2, NULL, 'x')"""
    sides = three(tmp_path, base, "INSERT INTO p VALUES (1, 'West', 'y'), (2, 'West', 'y')", theirs)
    result = merged(sides, "p")
    # NULL points to nothing, whatever stands beside it
    assert [row[1:] for row in found(sides, result, "c")] == [
        (3, "nORD", "x "), (1, "süd", "x"), (None, "nord", "x"), (2, None, "x"),
    ]  # fmt: skip
    assert found(sides, result, "p")[2:] == [(3, "Nord", "x"), (4, None, "x")]


def test_a_row_that_stands_where_another_one_would_go_is_told(tmp_path: Path) -> None:
    theirs = add(5, title="t") + "INSERT INTO tags VALUES (5, 'x'), (6, 'x')"
    sides = three(tmp_path, LINKED, add(5, title="o"), theirs)
    with pytest.raises(CannotRenumber, match="rows of tags cannot get other numbers: it has a row 6, x already"):
        merged(sides, "notes")


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        ("CREATE TABLE x (k TEXT PRIMARY KEY)", r"its key \(k\) is no number"),
        ("CREATE TABLE x (a, b, PRIMARY KEY (b, a))", r"its key \(a, b\) is no number"),
        ("CREATE TABLE x (k INTEGER PRIMARY KEY) WITHOUT ROWID", r"its key \(k\) is no number"),
        ("CREATE TABLE x (k INT PRIMARY KEY)", r"its key \(k\) is no number"),
        ("CREATE VIEW x AS SELECT 1", "it keeps no rows of its own"),
        ("CREATE VIRTUAL TABLE x USING fts5(a)", "it keeps no rows of its own"),
    ],
)
def test_a_table_without_numbers_is_refused(tmp_path: Path, definition: str, why: str) -> None:
    sides = three(tmp_path, definition, "", "")
    with pytest.raises(CannotRenumber, match=f"rows of x cannot get other numbers: {why}"):
        merged(sides, "X")


def test_tables_that_are_not_for_people_are_refused_and_those_that_are_not_there_passed_over(tmp_path: Path) -> None:
    sides = three(tmp_path, SEQUENCE + "; CREATE VIRTUAL TABLE x USING fts5(a)", "", "")
    for table, why in (("sqlite_sequence", "SQLite keeps it"), ("x_data", "it belongs to the virtual table x")):
        with pytest.raises(CannotRenumber, match=why):
            merged(sides, table)
    assert merged(sides, "nowhere").renumbered == {}


def test_merging_again_afterwards(tmp_path: Path) -> None:
    theirs = add(5, title="theirs")
    sides = three(tmp_path, NOTES, add(5, title="ours"), theirs)
    first = merged(sides, "notes").version
    # theirs goes on: what is new there, and points to nothing that has another number now, comes beside the rest
    later = three(tmp_path, f"{NOTES}; {theirs}", "", add(6, 7, title="later"), sides.forest)
    assert later.base == sides.theirs
    how = How(renumber={"notes": None})
    second = merge(sides.forest, later.base, first, later.theirs, how)
    assert (second.conflicts, second.renumbered) == ((), {"notes": {6: 8}})
    assert [row[:2] for row in rows(sides.forest, second.version, "notes")][2:] == [
        (5, "ours"), (6, "theirs"), (7, "later"), (8, "later"),
    ]  # fmt: skip
    # what it does to its old number meets our row there
    changed = three(tmp_path, f"{NOTES}; {theirs}", "", "UPDATE notes SET title = 'x' WHERE id = 5", sides.forest)
    third = merge(sides.forest, changed.base, first, changed.theirs, how)
    assert [each.row.key for each in third.conflicts if each.row] == [encode_key((5,))]
    # the result goes to the branch as it is, and then numbers mean the same on both sides
    assert merge(sides.forest, sides.theirs, sides.theirs, first, how).version.roots == first.roots


# -- AUTOINCREMENT -----------------------------------------------------------------------------------------------------


def title(*titles: str) -> str:
    return "".join(f"INSERT INTO notes (title) VALUES ('{each}');" for each in titles)


@pytest.mark.parametrize("turned", [False, True])
def test_the_sequence_goes_on_behind_all_numbers(tmp_path: Path, turned: bool) -> None:
    # ours gave 9 and took it back; it counts as used
    scripts = [title("o") + "INSERT INTO notes VALUES (9, 'x'); DELETE FROM notes WHERE id = 9", title("t", "t", "t")]
    sides = three(tmp_path, SEQUENCE, *(reversed(scripts) if turned else scripts))
    result = merged(sides, "notes")
    assert result.conflicts == ()
    assert result.renumbered == {"notes": {3: 10}}
    assert found(sides, result, "sqlite_sequence") == [(1, "notes", 10)]
    with closing(laid_out(sides.forest, result.version)) as made:
        made.execute("INSERT INTO notes (title) VALUES ('next')")
        assert made.execute("SELECT max(id) FROM notes").fetchone() == (11,)


def test_both_sides_give_numbers_and_that_is_no_conflict(tmp_path: Path) -> None:
    sides = three(tmp_path, SEQUENCE, "INSERT INTO notes VALUES (20, 'o')", "INSERT INTO notes VALUES (10, 't')")
    result = merged(sides)
    assert result.conflicts == ()
    assert found(sides, result, "sqlite_sequence") == [(1, "notes", 20)]


OTHERS = "".join(f"CREATE TABLE {each} (id INTEGER PRIMARY KEY AUTOINCREMENT);" for each in "abcd")


FIVE = "INSERT INTO c VALUES (5)"


@pytest.mark.parametrize(
    ("base", "one", "two", "expected"),
    [
        ("", "INSERT INTO b DEFAULT VALUES", "INSERT INTO a DEFAULT VALUES", [(1, "a", 1), (2, "b", 1)]),
        (FIVE, "DROP TABLE c", "INSERT INTO a VALUES (2)", [(2, "a", 2)]),
        (FIVE, "DELETE FROM sqlite_sequence", "INSERT INTO c VALUES (9)", [(1, "c", 9)]),
        (FIVE, "UPDATE sqlite_sequence SET seq = 2", "INSERT INTO a VALUES (9)", [(1, "c", 2), (2, "a", 9)]),
        (FIVE, "UPDATE sqlite_sequence SET seq = 'x'", "INSERT INTO a VALUES (9)", [(1, "c", "x"), (2, "a", 9)]),
        (
            "INSERT INTO a VALUES (3)",
            "INSERT INTO b VALUES (7); INSERT INTO c VALUES (1)",
            "INSERT INTO c VALUES (4); INSERT INTO d VALUES (1)",
            [(1, "a", 3), (2, "b", 7), (3, "c", 4), (4, "d", 1)],
        ),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_sequences_are_merged_by_name(
    tmp_path: Path, base: str, one: str, two: str, expected: list[Any], turned: bool
) -> None:
    sides = three(tmp_path, OTHERS + base, *((two, one) if turned else (one, two)))
    result = merged(sides)
    assert result.conflicts == ()
    assert found(sides, result, "sqlite_sequence") == expected


def test_the_result_is_a_database_that_sqlite_finds_whole(tmp_path: Path) -> None:
    sides = three(tmp_path, LINKED, side("o"), side("t"))
    result = merged(sides, "notes", "a log", "marks", "more", "other")
    assert broken(sides.forest, result.version) == {}
    again = renumbered(sides.forest, sides.base, sides.ours, sides.theirs, {"notes": None})
    assert again == renumbered(sides.forest, sides.base, sides.ours, sides.theirs, {"NOTES": None})
