"""One side gives a table other columns, the other side changes rows: both hold afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.model import Column, KeyKind, SchemaObject, Shape, Table
from isovc.snapshot.merging.merge import merge
from isovc.snapshot.version import Version
from isovc.store import MemoryChunks
from isovc.tree.build import build
from isovc.tree.forest import Forest
from isovc.tree.read import scan
from tests.versioned import Versioned

Rows = dict[int, tuple[Any, ...]]
OLD = Table("t", (Column("id", "INTEGER", primary_key=1), Column("a"), Column("b")), KeyKind.INTEGER)
# b is dropped; two come new
NEW = Table(
    "t", (Column("id", "INTEGER", primary_key=1), Column("c", default="7"), Column("a"), Column("d")), KeyKind.INTEGER
)
TEXTS = {
    OLD: "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)",
    NEW: "CREATE TABLE t (id INTEGER PRIMARY KEY, c DEFAULT 7, a, d)",
}
VALUES = st.sampled_from([None, 1, "x", b"x"])
OLD_ROWS = st.dictionaries(st.integers(0, 12), st.tuples(VALUES, VALUES))
FRESH = st.sampled_from([None, 7, "y", b"y"])  # no value that b has: a column that holds the same is the same column
NEW_ROWS = st.dictionaries(st.integers(0, 12), st.tuples(FRESH, VALUES, FRESH))


def version(forest: Forest, table: Table, rows: Rows) -> Version:
    root = build(forest, ((key, *row) for key, row in sorted(rows.items())), key_width=1)
    return Version(Shape(objects=(SchemaObject("table", "t", "t", TEXTS[table]),), tables={"t": table}), {"t": root})


def three_ways(base: Rows, rows: Rows, columns: Rows) -> Rows | None:
    """The plain model: what the rows are, or None where both sides want something of the same thing."""
    found: Rows = {}
    for key in base.keys() | rows.keys() | columns.keys():
        was, row, there = base.get(key), rows.get(key), columns.get(key)
        if row == was:
            if there is not None:
                found[key] = there
        elif was is None:
            assert row is not None
            if there is None:
                if row[1] is not None:
                    return None
                found[key] = (7, row[0], None)
            elif there[1] != row[0] or row[1] is not None:
                return None
            else:
                found[key] = there
        elif row is None:
            if there is not None and there[1] != was[0]:
                return None
        elif there is None or row[1] != was[1]:
            return None
        elif there[1] == was[0]:
            found[key] = (there[0], row[0], there[2])
        elif there[1] == row[0]:
            found[key] = there
        else:
            return None
    return found


@given(OLD_ROWS, OLD_ROWS, NEW_ROWS, st.booleans())
def test_rows_go_into_the_new_columns(base: Rows, rows: Rows, columns: Rows, ours: bool) -> None:
    forest = Forest(MemoryChunks())
    was, one, other = version(forest, OLD, base), version(forest, OLD, rows), version(forest, NEW, columns)
    merged = merge(forest, was, one, other) if ours else merge(forest, was, other, one)
    expected = three_ways(base, rows, columns)
    if rows == base:
        expected = columns
    assert (expected is None) == bool(merged.conflicts)
    if expected is not None:
        assert merged.version.shape.tables["t"] == NEW
        root = merged.version.roots["t"]
        found = {row[0]: tuple(row[1:]) for row in scan(forest, root.id, cells=range(4))}
        assert found == expected
        assert root == version(forest, NEW, expected).roots["t"]


CHANGES = (
    "UPDATE notes SET title = 'uno' WHERE id = 1; DELETE FROM notes WHERE id = 2;"
    "INSERT INTO notes VALUES(9, 'nine', 'n')"
)
MIGRATION = "ALTER TABLE notes ADD COLUMN stars INTEGER DEFAULT 3; UPDATE notes SET stars = 5 WHERE id = 3"
BOTH = [(1, "uno", "first", 3), (3, "three", "third", 5), (9, "nine", "n", 3)]


def test_edits_are_carried_into_a_migrated_table(app: Versioned) -> None:
    app.ok("switch", "-c", "exp")
    app.sql(MIGRATION)
    app.commit("migrated")
    app.ok("switch", "main")
    app.sql(CHANGES)
    app.ok("switch", "exp", "--carry")
    assert app.rows("SELECT * FROM notes ORDER BY id") == BOTH
    assert app.json("status") == app.json("status", "--verify")
    assert app.check() == "ok"


def test_a_migration_is_carried_to_edited_rows(app: Versioned) -> None:
    app.ok("switch", "-c", "exp")
    app.sql(CHANGES)
    app.commit("edited")
    app.ok("switch", "main")
    app.sql(MIGRATION)
    app.ok("switch", "exp", "--carry")
    assert app.rows("SELECT * FROM notes ORDER BY id") == BOTH
    assert app.json("status")["schema"] == [{"type": "table", "name": "notes", "table": "notes", "op": "modified"}]


@pytest.mark.parametrize(
    ("migration", "change"),
    [
        ("ALTER TABLE notes DROP COLUMN body", "UPDATE notes SET body = 'changed' WHERE id = 1"),
        ("ALTER TABLE notes DROP COLUMN body", "INSERT INTO notes VALUES(9, 'nine', 'would be lost')"),
        (MIGRATION + "; UPDATE notes SET title = 'x' WHERE id = 1", "UPDATE notes SET title = 'y' WHERE id = 1"),
        (MIGRATION + "; UPDATE notes SET title = 'x' WHERE id = 1", "DELETE FROM notes WHERE id = 1"),
        (MIGRATION + "; DELETE FROM notes WHERE id = 1", "UPDATE notes SET title = 'y' WHERE id = 1"),
        (MIGRATION + "; INSERT INTO notes VALUES(9, 'x', 'x', 1)", "INSERT INTO notes VALUES(9, 'y', 'x')"),
    ],
)
def test_what_does_not_go_together_is_refused_and_nothing_is_lost(app: Versioned, migration: str, change: str) -> None:
    app.ok("switch", "-c", "exp")
    app.sql(migration)
    app.commit("migrated")
    app.ok("switch", "main")
    app.sql(change)
    before = app.dump()
    assert app.refused("switch", "exp", "--carry") == "cannot-carry"
    assert app.dump() == before
