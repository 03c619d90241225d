"""Whatever both sides add: no row is lost, theirs point to the rows that they pointed to, and ours are untouched."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from isovc.snapshot.merging.how import How
from isovc.snapshot.merging.merge import merge
from isovc.snapshot.numbering.renumbering import renumbered
from isovc.snapshot.version import Version
from isovc.tree.forest import Forest
from tests.snapshot.three import broken, laid_out, three

# rows say who they are in `who`, and point at each other in every way there is
SCHEMA = """
    CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, who, parent REFERENCES notes, item INT REFERENCES items);
    CREATE TABLE items (id INTEGER PRIMARY KEY, who TEXT, note TEXT REFERENCES notes (id), pair REFERENCES items);
    CREATE TABLE tags (note REFERENCES notes NOT NULL, item NOT NULL REFERENCES items, who, PRIMARY KEY (note, item));
    CREATE TABLE marks (who TEXT, note, item, FOREIGN KEY (note, item) REFERENCES tags);
    CREATE TABLE details (note INTEGER PRIMARY KEY REFERENCES notes, who TEXT);
    CREATE TABLE more (who TEXT, detail INT REFERENCES details);
    INSERT INTO notes VALUES (1, 'n1', NULL, 1), (2, 'n2', 1, NULL); INSERT INTO items VALUES (1, 'i1', '2', NULL);
    INSERT INTO tags VALUES (1, 1, 't1'); INSERT INTO marks VALUES ('m1', 1, 1); INSERT INTO details VALUES (1, 'd1');
    INSERT INTO more VALUES ('o1', 1);
"""
POINTING = {
    "notes": {"parent": ("notes", ("parent",), ("id",)), "item": ("items", ("item",), ("id",))},
    "items": {"note": ("notes", ("note",), ("id",)), "pair": ("items", ("pair",), ("id",))},
    "tags": {"note": ("notes", ("note",), ("id",)), "item": ("items", ("item",), ("id",))},
    "marks": {"tag": ("tags", ("note", "item"), ("note", "item"))},
    "details": {"note": ("notes", ("note",), ("id",))},
    "more": {"detail": ("details", ("detail",), ("note",))},
}
NUMBERED = ("notes", "items", "marks", "more")

NUMBERS = st.integers(1, 6)
LINK = st.none() | NUMBERS
ROWS = st.one_of(
    st.tuples(st.just("notes"), NUMBERS, LINK, LINK),
    st.tuples(st.just("items"), NUMBERS, LINK, LINK),
    st.tuples(st.just("tags"), NUMBERS, NUMBERS, st.none()),
    st.tuples(st.just("marks"), NUMBERS, NUMBERS, st.none()),
    st.tuples(st.just("details"), NUMBERS, st.none(), st.none()),
    st.tuples(st.just("more"), NUMBERS, st.none(), st.none()),
)
EDITS = st.tuples(st.sampled_from(["edit notes", "edit items"]), st.integers(1, 2), LINK, LINK)
DEEDS = st.lists(ROWS | EDITS, max_size=14)


def script(deeds: list[tuple[Any, ...]], who: str) -> str:
    """Rows that would take a key twice are passed over; so are, in the end, links to nothing."""
    found = []
    for at, (table, one, two, other) in enumerate(deeds):
        name, a, b, c = f"'{who}{at}'", one, two or "NULL", other or "NULL"
        found.append(
            {
                "notes": f"INSERT OR IGNORE INTO notes VALUES ({a}, {name}, {b}, {c})",
                "items": f"INSERT OR IGNORE INTO items VALUES ({a}, {name}, '{b}', {c})".replace("'NULL'", "NULL"),
                "tags": f"INSERT OR IGNORE INTO tags VALUES ({a}, {b}, {name})",
                "marks": f"INSERT INTO marks VALUES ({name}, {a}, {b})",
                "details": f"INSERT OR IGNORE INTO details VALUES ({a}, {name})",
                "more": f"INSERT INTO more VALUES ({name}, {a})",
                "edit notes": f"UPDATE notes SET parent = {b}, item = {c} WHERE id = {a}",
                "edit items": f"UPDATE items SET note = {b}, pair = {c} WHERE id = {a}",
            }[table]
        )
    for _ in range(2):  # what pointed to a row that goes here has to go as well
        for table, links in POINTING.items():
            for parent, cells, others in links.values():
                same = " AND ".join(f"p.{b} = {table}.{a}" for a, b in zip(cells, others, strict=True))
                there = f"EXISTS (SELECT 1 FROM {parent} p WHERE {same}) OR {cells[0]} IS NULL"
                if table in ("notes", "items"):
                    found.append(f"UPDATE {table} SET {cells[0]} = NULL WHERE NOT ({there})")
                else:
                    found.append(f"DELETE FROM {table} WHERE NOT ({there})")
    return ";".join(found)


def told(forest: Forest, version: Version) -> Counter[Any]:
    """Every row by its name and the names of the rows that it points to: no number counts."""
    found: Counter[Any] = Counter()
    with closing(laid_out(forest, version)) as made:
        for table, links in POINTING.items():
            joins = "".join(
                f" LEFT JOIN {parent} AS l{at} ON "
                + " AND ".join(f"l{at}.{b} = t.{a}" for a, b in zip(cells, others, strict=True))
                for at, (parent, cells, others) in enumerate(links.values())
            )
            names = "".join(f", l{at}.who" for at in range(len(links)))
            found.update((table, *row) for row in made.execute(f"SELECT t.who{names} FROM {table} AS t{joins}"))
    return found


@given(DEEDS, DEEDS, DEEDS)
def test_nothing_is_lost_and_everything_points_to_what_it_pointed_to(
    both: list[tuple[Any, ...]], ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shared = script(both, "b")
        sides = three(Path(folder), SCHEMA, f"{shared};{script(ours, 'o')}", f"{shared};{script(theirs, 't')}")
    forest, renumber = sides.forest, dict.fromkeys(NUMBERED)
    assert broken(forest, sides.ours) == broken(forest, sides.theirs) == {}
    new, numbers = renumbered(forest, sides.base, sides.ours, sides.theirs, renumber)
    assert (new, numbers) == renumbered(forest, sides.base, sides.ours, sides.theirs, renumber)
    assert told(forest, new) == told(forest, sides.theirs)
    assert broken(forest, new) == {}
    result = merge(forest, sides.base, sides.ours, sides.theirs, How(renumber=renumber))
    assert result.renumbered == numbers
    # what is contested now was there before, or is named by what it points to
    for each in result.conflicts:
        assert each.row is not None
        assert each.row.kind == "edit/edit" or each.table in ("tags", "details")
    with (
        closing(laid_out(forest, sides.base)) as base,
        closing(laid_out(forest, sides.ours)) as mine,
        closing(laid_out(forest, new)) as other,
        closing(laid_out(forest, result.version)) as merged,
    ):
        for table in POINTING:
            cells = "*" if table == "tags" else "rowid, *"  # to rows of tags SQLite gives rowids as it likes
            was, one, two, stands = (
                set(db.execute(f"SELECT {cells} FROM {table}")) for db in (base, mine, other, merged)
            )
            width = 2 if table == "tags" else 1
            old = {row[:width] for row in was}
            assert {row for row in one if row[:width] not in old} <= stands
            assert {row[:width] for row in two} <= {row[:width] for row in stands}
        ((last, given_),) = merged.execute("SELECT max(id), max(seq) FROM notes, sqlite_sequence")
        assert given_ >= last
    if not result.conflicts:
        assert broken(forest, result.version) == {}


@given(DEEDS)
def test_a_side_that_did_nothing_changes_nothing(deeds: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sides = three(Path(folder), SCHEMA, "", script(deeds, "t"))
    how = How(renumber=dict.fromkeys(NUMBERED))
    for ours, theirs in ((sides.base, sides.theirs), (sides.theirs, sides.base), (sides.theirs, sides.theirs)):
        result = merge(sides.forest, sides.base, ours, theirs, how)
        assert (result.conflicts, result.renumbered) == ((), {})
        assert result.version.roots == sides.theirs.roots
